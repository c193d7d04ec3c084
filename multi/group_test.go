//go:build unix

package multi_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

func TestGroupMembership(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	assert.Zero(t, g.Len())
	assert.Nil(t, g.At(0))
	assert.Equal(t, `<Group []>`, g.String())

	one := makeGateway(t, g, "")
	two := makeGateway(t, g, "popen//id=two")
	assert.Equal(t, "gw0", one.ID())
	assert.Equal(t, `<Group ["gw0" "two"]>`, g.String())
	assert.Equal(t, []*gatewaybase.Gateway{one, two}, slices.Collect(g.All()))
	assert.Same(t, two, g.At(1))
	assert.Nil(t, g.At(2))
	assert.Nil(t, g.At(-1))
	assert.Same(t, two, g.Get("two"))
	assert.Nil(t, g.Get("three"))
	assert.True(t, g.Contains(one))
	assert.False(t, multi.NewGroup().Contains(one))

	_, err := g.MakeGateway(within.Soon(t), "popen//id=two")
	require.ErrorIs(t, err, multi.ErrDuplicateID)
	assert.ErrorContains(t, err, `"two"`)
	_, err = g.MakeGateway(within.Soon(t), "popen=1//ssh=x")
	var wrong *xspec.Error
	require.ErrorAs(t, err, &wrong)

	one.Exit()
	assert.False(t, g.Contains(one))
	assert.Equal(t, 1, g.Len())
	again := makeGateway(t, g, "popen//id=gw0")
	assert.Same(t, again, g.Get("gw0"))
	assert.Equal(t, "gw1", makeGateway(t, g, "").ID())

	require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
	assert.Zero(t, g.Len())
	assert.Equal(t, "gw2", makeGateway(t, g, "").ID(), "the group can be used again, and counts on")
}

func TestGroupDefaults(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	g.DefaultSpec += "//env:EXECNET_GO_TEST=default"
	model := func(gw *gatewaybase.Gateway) string {
		status, err := gw.RemoteStatus(within.Soon(t))
		require.NoError(t, err)
		return status.ExecModel
	}
	assert.ErrorContains(t, g.SetExecModel("threads"), "main_thread_only")
	require.NoError(t, g.SetExecModel("main_thread_only"))
	gw := makeGateway(t, g, "")
	assert.Equal(t, "main_thread_only", model(gw))
	assert.Equal(t, "thread", model(makeGateway(t, g, "popen//execmodel=thread")))
	ch, err := gw.RemoteExec(t.Context(), "import os; channel.send(os.environ['EXECNET_GO_TEST'])")
	require.NoError(t, err)
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "default", item)

	assert.ErrorIs(t, g.SetExecModel("thread"), multi.ErrHasGateways)
	require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
	require.NoError(t, g.SetExecModel("thread"), "an empty group takes another one")
	assert.Equal(t, "thread", model(makeGateway(t, g, "")))
}

func TestTerminateTwice(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "")
	assert.NoError(t, errors.Join(g.Terminate(context.Background()), g.Terminate(within.Time(t, 0))))
}

func TestADeadGatewayGivesItsIDAway(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	dead := makeGateway(t, g, "popen//id=a")
	ch, err := dead.RemoteExec(t.Context(), "import os; os._exit(3)")
	require.NoError(t, err)
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
	assert.Same(t, dead, g.Get("a"), "it is a member until another one takes its id")
	alive := makeGateway(t, g, "popen//id=a")
	assert.Same(t, alive, g.Get("a"))
	assert.Equal(t, 1, g.Len())
}
