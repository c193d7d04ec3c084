package compat_tests

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestGroup checks ids and lookup.
func TestGroup(t *testing.T) {
	independent(t)
	group := newGroup(t, testLog{t})
	spec := func(keys string) string { return "popen" + keys }
	assert.Equal(t, "<Group []>", group.String())
	var made []*execnet.Gateway
	for i, keys := range []string{"", "//id=gw1", "", "//id=it's"} {
		gw := makeGateway(t, group, spec(keys))
		assert.Equal(t, []string{"gw0", "gw1", "gw2", "it's"}[i], gw.ID(), "a number that is taken is passed over")
		made = append(made, gw)
	}
	assert.Equal(t, 4, group.Len())
	assert.True(t, slices.Equal(made, slices.Collect(group.All())), "in the order they were made")
	for i, gw := range made {
		assert.Same(t, gw, group.At(i))
		assert.Same(t, gw, group.Get(gw.ID()))
	}
	assert.Nil(t, group.At(4))
	assert.Nil(t, group.At(-1))
	assert.Nil(t, group.Get("gw3"))
	assert.Equal(t, `<Group ["gw0" "gw1" "gw2" "it's"]>`, group.String())

	_, err := group.MakeGateway(within.Soon(t), spec("//id=it's"))
	assert.ErrorIs(t, err, execnet.ErrDuplicateID)
	ch, err := made[3].RemoteExec(t.Context(), "channel.send(channel.gateway.id)")
	require.NoError(t, err)
	assert.Equal(t, "it's-worker", receive(t, ch))
	_, err = group.MakeGateway(within.Soon(t), spec("//python=/no/such/python//id=later"))
	require.Error(t, err)
	assert.Equal(t, 4, group.Len(), "what did not start is no member, and its id is free")

	made[0].Exit()
	assert.True(t, slices.Equal(made[1:], slices.Collect(group.All())), "a gateway that was told to exit is no member")
	assert.Nil(t, group.Get("gw0"))
	again := makeGateway(t, group, spec("//id=gw0"))
	assert.Same(t, again, group.Get("gw0"))

	require.NoError(t, group.Terminate(within.Time(t, 5*time.Second)))
	assert.Zero(t, group.Len())
	gw, err := group.MakeGateway(within.Soon(t), "")
	require.NoError(t, err, "it can be used again")
	assert.Equal(t, "gw3", gw.ID(), "numbers are not used twice")
}

func TestGroupMakesGatewaysAtOnce(t *testing.T) {
	independent(t)
	group := newGroup(t, testLog{t})
	group.DefaultSpec = "popen//dont_write_bytecode"
	group.ExecModel = "main_thread_only"
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			gw, err := group.MakeGateway(within.Soon(t), "")
			if !assert.NoError(t, err) {
				return
			}
			status, err := gw.RemoteStatus(within.Soon(t))
			assert.NoError(t, err)
			assert.Equal(t, "main_thread_only", status.ExecModel)
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for gw := range group.All() {
		ids[gw.ID()] = true
	}
	assert.Len(t, ids, 8)
}
