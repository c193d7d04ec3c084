package compat_tests

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// turns is a module whose functions note their arguments in turns.made.
const turns = `
import sys, threading, types
turns = types.ModuleType("turns")
turns.__dict__.update(sys=sys, threading=threading, sleep=channel.gateway.execmodel.sleep)
exec('''
import os

made, gate = [], []

def make(x, *args, **kwargs):
    made.append(x)
    if x == "raise":
        raise ValueError(len(made))
    if x == "exit":
        os._exit(3)
    while x == "wait" and not gate:
        sleep(0.001)
    return [len(made), list(args), kwargs]

def in_main(x):
    return type(threading.current_thread()).__name__ == "_MainThread"

def open_gate():
    gate.append(1)

def close_gate():
    del gate[:]

def all_made():
    return made
''', turns.__dict__)
sys.modules["turns"] = turns
`

func withTurns(t *testing.T, spec string) *execnet.Gateway {
	t.Helper()
	gw := gateway(t, spec)
	require.NoError(t, remoteExec(t, gw, turns).WaitClose(within.Soon(t)))
	return gw
}

func requireMade(t *testing.T, gw *execnet.Gateway, want ...string) {
	t.Helper()
	made, err := execnet.RemoteCall[[]string](within.Soon(t), gw, "turns.all_made")
	require.NoError(t, err)
	require.Equal(t, append([]string{}, want...), made)
}

// callInTurn has all calls made: those that come back, because the machine is slow, once more. It
// returns why calls got no answers.
func callInTurn[T any](t *testing.T, gw *execnet.Gateway, function string, calls [][]any, answer func(i int, result T, err error)) error {
	left := make([]int, len(calls))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		some, back := [][]any{}, []int{}
		for _, i := range left {
			some = append(some, calls[i])
		}
		err := gatewaybase.CallInTurn(within.Soon(t), gw, function, some, func(i int, result T, err error) {
			if err == gatewaybase.ErrNotMade {
				back = append(back, left[i])
				return
			}
			answer(left[i], result, err)
		})
		if err != nil {
			return err
		}
		slices.Sort(back)
		left = back
	}
	return nil
}

func TestCallsInTurn(t *testing.T) {
	for name, spec := range models(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := withTurns(t, spec)
			calls := [][]any{{"a", 7, execnet.Kwargs{"b": 8}}, {"raise"}, {"c", []int{9}}}
			var order []int
			require.NoError(t, callInTurn(t, gw, "turns.make", calls, func(i int, result []any, err error) {
				order = append(order, i)
				switch i {
				case 0:
					require.NoError(t, err)
					assert.Equal(t, []any{int64(1), []any{int64(7)}, execnet.NewDict("b", int64(8))}, result)
				case 1:
					require.ErrorIs(t, err, execnet.Exception("ValueError"))
					assert.ErrorContains(t, err, "2", "it was the second")
				case 2:
					require.NoError(t, err)
					assert.Equal(t, []any{int64(3), []any{[]any{int64(9)}}, execnet.NewDict()}, result)
				}
			}))
			assert.Equal(t, []int{0, 1, 2}, order)
			awaitExecuting(t, gw, 0)

			many := make([][]any, 100)
			for i := range many {
				many[i] = []any{i}
			}
			require.NoError(t, callInTurn(t, gw, "turns.in_main", many, func(_ int, main bool, err error) {
				require.NoError(t, err)
				if gw.Spec().ExecModel == "" {
					assert.True(t, main)
				}
			}))
		})
	}
}

// TestCallsInTurnComeBack has a call that waits until those behind it have come back.
func TestCallsInTurnComeBack(t *testing.T) {
	for name, spec := range models(t) {
		if strings.Contains(spec, "main_thread_only") {
			continue // nothing opens the gate there while the call waits
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := withTurns(t, spec)
			for waited := false; !waited; { // the call itself may come back if the machine is slow
				back := 0
				_, err := gw.RemoteCall(within.Soon(t), "turns.close_gate")
				require.NoError(t, err)
				err = gatewaybase.CallInTurn(within.Soon(t), gw, "turns.make", [][]any{{"wait"}, {"b"}, {"c"}},
					func(i int, _ any, err error) {
						waited = waited || err == nil
						if err != gatewaybase.ErrNotMade {
							assert.NoError(t, err)
							assert.Equal(t, 0, i)
						} else if back++; back == 2 {
							_, err := gw.RemoteCall(within.Soon(t), "turns.open_gate")
							assert.NoError(t, err)
						}
					})
				require.NoError(t, err)
			}
			requireMade(t, gw, "wait")
			awaitExecuting(t, gw, 0)
			main, err := gw.RemoteCall(within.Soon(t), "turns.in_main", 0)
			require.NoError(t, err)
			if gw.Spec().ExecModel == "" {
				assert.Equal(t, true, main, "the main thread is free again")
			}
		})
	}
}

func TestCallsInTurnUntilDeath(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := withTurns(t, p.Spec())
			answers := 0
			err := callInTurn(t, gw, "turns.make", [][]any{{"a"}, {"b"}, {"exit"}, {"d"}}, func(i int, _ any, err error) {
				assert.NoError(t, err)
				assert.Equal(t, answers, i)
				answers++
			})
			var died *execnet.GatewayDiedError
			require.ErrorAs(t, err, &died)
			assert.Equal(t, 2, answers)
		})
	}
}

func TestCallsInTurnThatAreNotMade(t *testing.T) {
	gw := withTurns(t, pythons.Default(t).Spec())
	notMade := 0
	err := gatewaybase.CallInTurn(within.Soon(t), gw, "turns.make", [][]any{{"a"}, {math.Sin}}, func(_ int, _ any, err error) {
		assert.Equal(t, gatewaybase.ErrNotMade, err)
		notMade++
	})
	require.NoError(t, err)
	assert.Equal(t, 2, notMade)
	requireMade(t, gw)

	ctx, cancel := context.WithCancel(t.Context())
	err = gatewaybase.CallInTurn(ctx, gw, "turns.make", [][]any{{"wait"}, {"b"}, {"c"}}, func(_ int, _ any, err error) {
		assert.Equal(t, gatewaybase.ErrNotMade, err)
		cancel()
	})
	require.ErrorIs(t, err, context.Canceled)
	awaitExecuting(t, gw, 0)
	assert.Error(t, gatewaybase.CallInTurn(within.Soon(t), gw, "no name", nil, func(int, any, error) {}))
}
