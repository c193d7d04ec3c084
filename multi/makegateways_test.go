//go:build unix

package multi_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

func TestMakeGateways(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "popen//id=gw1")
	gateways, err := g.MakeGateways(within.Soon(t), "", "popen//id=named", "popen", "popen//via=named", "popen//id=last//via=gw3", "socket//installvia=named")
	require.NoError(t, err)
	ids := func(gateways []*gatewaybase.Gateway) (ids []string) {
		for _, gw := range gateways {
			ids = append(ids, gw.ID())
		}
		return ids
	}
	assert.Equal(t, []string{"gw0", "named", "gw2", "gw3", "last", "gw4"}, ids(gateways))
	assert.Equal(t, append([]string{"gw1"}, ids(gateways)...), ids(slices.Collect(g.All())), "the group has the same order")
	for _, gw := range gateways {
		requireWorks(t, gw)
	}
	none, err := g.MakeGateways(within.Soon(t))
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestMakeGatewaysNamesThoseThatFail(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	old := makeGateway(t, g, "")
	_, err := g.MakeGateways(within.Soon(t), "", "popen//python=no-such-python", "popen//id=fine", "popen//via=fine//python=sh -c 'exit 3'//id=third", "popen//via=behind")
	var failure *multi.MakeGatewaysError
	require.ErrorAs(t, err, &failure)
	require.Len(t, failure.Failed, 3)
	assert.Equal(t, 5, failure.Total)
	assert.Equal(t, "gw2", failure.Failed[0].ID)
	assert.Equal(t, "popen//python=no-such-python", failure.Failed[0].Spec)
	assert.Equal(t, "third", failure.Failed[1].ID)
	var notStarted *gatewayio.StartError
	assert.ErrorAs(t, err, &notStarted)
	for _, part := range []string{"3 of 5", "\n  gw2 (popen//python=no-such-python): ", "\n  third (", "exit status 3", `"behind"`} {
		assert.ErrorContains(t, err, part)
	}
	assert.Equal(t, []*gatewaybase.Gateway{old}, slices.Collect(g.All()), "the others were ended")
	requireWorks(t, old)

	some, err := g.MakeGatewaysPartial(within.Soon(t), "popen//id=first", "popen//python=no-such-python//id=lost", "popen//via=lost", "popen//id=first",
		"popen//nice=much", "popen//via=first//id=last")
	require.ErrorAs(t, err, &failure)
	require.Len(t, failure.Failed, 4)
	assert.Equal(t, 6, failure.Total)
	assert.Equal(t, "lost", failure.Failed[0].ID)
	assert.ErrorIs(t, err, multi.ErrDuplicateID)
	require.Len(t, some, 2)
	assert.Equal(t, []*gatewaybase.Gateway{old, g.Get("first"), g.Get("last")}, slices.Collect(g.All()))
	assert.Equal(t, []*gatewaybase.Gateway{g.Get("first"), g.Get("last")}, some)
	for _, gw := range some {
		requireWorks(t, gw)
	}
	both, err := g.MakeGatewaysPartial(within.Soon(t), "", "")
	require.NoError(t, err)
	assert.Len(t, both, 2)

	_, err = g.MakeGateways(within.Soon(t), "popen//id=x", "popen//id=x", "popen//nice=much", "popen//ssh=both")
	require.ErrorAs(t, err, &failure)
	assert.Len(t, failure.Failed, 3)
	assert.ErrorIs(t, err, multi.ErrDuplicateID)
	var wrong *xspec.Error
	assert.ErrorAs(t, err, &wrong)
	assert.Nil(t, g.Get("x"))
	makeGateway(t, g, "popen//id=x")
}

// TestMakeGatewaysLimit starts commands that never answer; only so many may run at a time.
func TestMakeGatewaysLimit(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	g.MaxStarting = 2
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started, stderr := io.Pipe()
	g.Stderr = stderr
	specs := slices.Repeat([]string{"popen//python=sh -c 'echo started >&2; exec sleep 60'"}, 5)
	ended := make(chan error, 1)
	go func() {
		_, err := g.MakeGateways(ctx, specs...)
		stderr.Close()
		ended <- err
	}()
	buf := make([]byte, len("started\n"))
	for range 2 {
		_, err := io.ReadFull(started, buf)
		require.NoError(t, err)
	}
	time.AfterFunc(200*time.Millisecond, cancel)
	rest, err := io.ReadAll(started)
	require.NoError(t, err)
	assert.Empty(t, string(rest), "no third one")
	err = <-ended
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 5, strings.Count(err.Error(), "\n  gw"))
}

func TestTerminateGivesUpStarts(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	started, stderr := io.Pipe()
	g.Stderr = stderr
	ended := make(chan error, 1)
	go func() {
		_, err := g.MakeGateway(context.Background(), "popen//python=sh -c 'echo started >&2; exec sleep 60'")
		ended <- err
	}()
	_, err := io.ReadFull(started, make([]byte, len("started\n")))
	require.NoError(t, err)
	begin := time.Now()
	require.NoError(t, g.Terminate(within.Time(t, 20*time.Second)))
	assert.Less(t, time.Since(begin), 10*time.Second)
	assert.ErrorIs(t, <-ended, multi.ErrTerminated)
	g.Stderr = t.Output()
	requireWorks(t, makeGateway(t, g, ""))
}

func TestMakeManyGateways(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	specs := make([]string, 24)
	for i := range specs {
		specs[i] = fmt.Sprintf("popen//id=n%d", i)
	}
	_, err := g.MakeGateways(within.Soon(t), specs...)
	require.NoError(t, err)
	m, err := g.RemoteExec(t.Context(), "channel.send(channel.gateway.id)")
	require.NoError(t, err)
	items, err := m.ReceiveEach(within.Soon(t))
	require.NoError(t, err)
	for i, item := range items {
		assert.Equal(t, fmt.Sprintf("n%d-worker", i), item)
	}
}

// A misspelt key is no gateway that runs something else, unless the group is told to be as lenient
// as execnet.
func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	ways := map[string]func(spec string) error{
		"MakeGateway":  func(spec string) error { _, err := g.MakeGateway(within.Soon(t), spec); return err },
		"StartGateway": func(spec string) error { _, err := g.StartGateway(within.Soon(t), spec); return err },
		"MakeGateways": func(spec string) error { _, err := g.MakeGateways(within.Soon(t), spec); return err },
	}
	for name, way := range ways {
		var wrong *xspec.Error
		require.ErrorAs(t, way("popen//pyton=python2.7"), &wrong, name)
		assert.Equal(t, "pyton", wrong.Key)
		assert.Contains(t, wrong.Problem, `did you mean "python"?`)
		require.NoError(t, way(g.DefaultSpec+"//x-color=red"), name)
	}
	g.AllowUnknownKeys = true
	for name, way := range ways {
		require.NoError(t, way(g.DefaultSpec+"//pyton=python2.7"), name)
	}
	assert.Equal(t, "python2.7", g.At(g.Len() - 1).Spec().Extra["pyton"])
}
