//go:build unix

package compat_tests

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestCallsBehind calls functions of a CPython behind a Go worker, which share a channel, too.
func TestCallsBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, _ pythons.Interpreter) {
		gw := withCallee(t, spec)
		for i := range 50 {
			got, err := execnet.RemoteCall[int](within.Soon(t), gw, "operator.add", i, 1)
			require.NoError(t, err)
			assert.Equal(t, i+1, got)
		}
		ch, err := gw.NewChannel()
		require.NoError(t, err)
		assert.Less(t, ch.ID(), 20, "fifty calls have taken no channels of their own")

		ctx, cancel := context.WithCancel(t.Context())
		called := make(chan error)
		go func() {
			_, err := gw.RemoteCall(ctx, "callee.loop", "behind")
			called <- err
		}()
		// Before begun may call anything: Python 2 interrupts what runs in its main thread only.
		awaitExecuting(t, gw, 1)
		begun(t, gw, "behind")
		cancel()
		assert.ErrorIs(t, <-called, context.Canceled)
		awaitExecuting(t, gw, 0)

		program := remoteExec(t, gw, "channel.send(1); channel.receive()")
		receive(t, program)
		require.NoError(t, program.Interrupt(within.Soon(t)))
		assert.EqualError(t, program.WaitClose(within.Soon(t)), "keyboard-interrupted")
		awaitExecuting(t, gw, 0)
	})
}

// TestRemoteIterBehind iterates over what a CPython behind a Go worker yields, and over what a Go
// function does, which Python imports as a list.
func TestRemoteIterBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, _ pythons.Interpreter) {
		gw := withYielding(t, spec)
		items, err := collect[int](within.Soon(t), gw, "yielding.count", 5000)
		require.NoError(t, err)
		assert.Len(t, items, 5000)
		items, err = collect[int](within.Soon(t), gw, "yielding.fails", 2)
		var remote *execnet.RemoteError
		require.ErrorAs(t, err, &remote)
		assert.Equal(t, "KeyError", remote.Exception())
		assert.Equal(t, []int{0, 1}, items)
		for _, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.count", 100000, "behind") {
			require.NoError(t, err)
			break
		}
		how, err := execnet.RemoteCall[string](within.Soon(t), gw, "yielding.how_closed", "behind")
		require.NoError(t, err)
		assert.Equal(t, "GeneratorExit", how)
		ctx, cancel := context.WithCancel(within.Soon(t))
		defer cancel()
		for range execnet.RemoteIter[int](ctx, gw, "yielding.stuck", "behind") {
			cancel()
		}
		awaitExecuting(t, gw, 0)
		how, err = execnet.RemoteCall[string](within.Soon(t), gw, "yielding.how_closed", "behind")
		require.NoError(t, err)
		assert.Equal(t, "interrupted", how)
	})
}

func TestHandlesBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, _ pythons.Interpreter) {
		gw := withYielding(t, spec)
		rows, err := execnet.New(within.Soon(t), gw, "yielding.Rows", 3)
		require.NoError(t, err)
		for range 2 {
			runtime.GC()
			n := 0
			for item, err := range execnet.IterMethod[int](within.Soon(t), rows, "rows", execnet.Kwargs{"start": 1}) {
				require.NoError(t, err)
				n += item
			}
			assert.Equal(t, 3, n)
			list, err := execnet.RemoteCall[[]int](within.Soon(t), gw, "sorted", rows)
			require.NoError(t, err)
			assert.Equal(t, []int{0, 1, 2}, list)
		}
		require.NoError(t, rows.Close())
		awaitExecuting(t, gw, 0)
	})
}

// TestCallsInTurnBehind says that neither a Go worker nor the Python behind it makes calls in turn.
func TestCallsInTurnBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, _ pythons.Interpreter) {
		gw := gateway(t, spec)
		for _, function := range []string{"operator.neg", "gotasks.nothing"} {
			err := gatewaybase.CallInTurn(within.Soon(t), gw, function, [][]any{{1}}, func(int, any, error) { t.Error("nothing was sent") })
			assert.Equal(t, gatewaybase.ErrNotInTurn, err, function)
		}
	})
}
