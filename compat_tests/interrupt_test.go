package compat_tests

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// begun waits until a call of the module callee with the name me has begun.
func begun(t *testing.T, gw *execnet.Gateway, me string) {
	t.Helper()
	for {
		is, err := execnet.RemoteCall[bool](within.Soon(t), gw, "callee.is_begun", me)
		require.NoError(t, err)
		if is {
			return
		}
	}
}

// TestCallsAreInterrupted ends the contexts of calls in the main thread and in others, one by one.
func TestCallsAreInterrupted(t *testing.T) {
	for name, spec := range models(t) {
		if name == "2.7" {
			continue // it can interrupt the main thread only: see TestExecutionsAreInterrupted
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, spec)
			for range 3 {
				var calls sync.WaitGroup
				cancels := map[string]context.CancelFunc{}
				for _, me := range []string{"main", "second", "third"} {
					ctx, cancel := context.WithCancel(t.Context())
					cancels[me] = cancel
					function := "callee.loop"
					if me == "main" {
						function = "callee.sleep_long"
					}
					calls.Go(func() {
						_, err := gw.RemoteCall(ctx, function, me)
						assert.ErrorIs(t, err, context.Canceled)
					})
					begun(t, gw, me)
				}
				for i, me := range []string{"second", "main", "third"} {
					cancels[me]()
					awaitExecuting(t, gw, 2-i)
				}
				calls.Wait()
			}
			main, err := gw.RemoteCall(within.Soon(t), "callee.in_main")
			require.NoError(t, err)
			assert.Equal(t, true, main)
		})
	}
}

// TestInterruptsHitNothingElse ends contexts at about the time when the calls end anyhow, and calls
// at once again. No interrupt may come to another call, nor end the worker.
func TestInterruptsHitNothingElse(t *testing.T) {
	for name, spec := range models(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, spec)
			var callers sync.WaitGroup
			for range 3 {
				callers.Go(func() {
					limit := time.Millisecond
					for range 100 {
						ctx, cancel := context.WithTimeout(t.Context(), limit)
						_, err := gw.RemoteCall(ctx, "callee.short")
						cancel()
						limit += 100 * time.Microsecond
						if err != nil {
							assert.ErrorIs(t, err, execnet.ErrTimeout)
							limit -= time.Millisecond
						}
						got, err := execnet.RemoteCall[int](within.Soon(t), gw, "callee.add", 3, 4)
						assert.NoError(t, err)
						assert.Equal(t, 7, got)
						limit = max(limit, 500*time.Microsecond)
					}
				})
			}
			callers.Wait()
			awaitExecuting(t, gw, 0)
		})
	}
}

// TestExecutionsAreInterrupted interrupts executions in the main thread and in others.
func TestExecutionsAreInterrupted(t *testing.T) {
	for name, spec := range models(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, spec)
			for range 3 {
				stays := remoteExec(t, gw, "channel.send(1); channel.send(channel.receive())")
				receive(t, stays)
				for _, source := range []string{"channel.send(1); channel.receive()", "channel.send(1)\nimport callee; callee.loop(9)"} {
					ch := remoteExec(t, gw, source)
					receive(t, ch)
					if name == "2.7" {
						assert.ErrorContains(t, ch.Interrupt(within.Soon(t)), "Python 2 can interrupt nothing but the main thread")
						require.NoError(t, ch.Close())
						break // the second source would never end
					}
					require.NoError(t, ch.Interrupt(within.Soon(t)))
					assert.EqualError(t, ch.WaitClose(within.Soon(t)), "keyboard-interrupted")
					require.NoError(t, ch.Interrupt(within.Soon(t)), "it has ended")
				}
				require.NoError(t, stays.Send(within.Soon(t), "still here"))
				assert.Equal(t, "still here", receive(t, stays))
				require.NoError(t, stays.WaitClose(within.Soon(t)))
			}
			awaitExecuting(t, gw, 0) // so the main thread is free
			sleeps := remoteExec(t, gw, "channel.send(1); channel.gateway.execmodel.sleep(1000)")
			receive(t, sleeps)
			require.NoError(t, sleeps.Interrupt(within.Soon(t)))
			assert.EqualError(t, sleeps.WaitClose(within.Soon(t)), "keyboard-interrupted")
			awaitExecuting(t, gw, 0)
			handles := remoteExec(t, gw, `
try:
    channel.send(1)
    channel.receive()
except KeyboardInterrupt:
    channel.send("ends in order")
`)
			receive(t, handles)
			require.NoError(t, handles.Interrupt(within.Soon(t)))
			assert.Equal(t, "ends in order", receive(t, handles))
			require.NoError(t, handles.WaitClose(within.Soon(t)))
			awaitExecuting(t, gw, 0)
		})
	}
}

// TestWhatWaitsIsInterrupted interrupts an execution that has not begun.
func TestWhatWaitsIsInterrupted(t *testing.T) {
	gw := withCallee(t, pythons.Default(t).Spec()+"//execmodel=main_thread_only")
	first := remoteExec(t, gw, "channel.send(1); channel.receive()")
	receive(t, first)
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	calls.Go(func() {
		_, err := gw.RemoteCall(ctx, "callee.loop", "never")
		assert.ErrorIs(t, err, context.Canceled)
	})
	awaitExecuting(t, gw, 2)
	second := remoteExec(t, gw, "channel.send('has begun')")
	require.NoError(t, second.Interrupt(within.Soon(t)))
	cancel()
	calls.Wait()
	require.NoError(t, first.Send(within.Soon(t), nil))
	require.NoError(t, first.WaitClose(within.Soon(t)))
	_, err := second.Receive(within.Soon(t))
	assert.EqualError(t, err, "keyboard-interrupted")
	is, err := gw.RemoteCall(within.Soon(t), "callee.is_begun", "never")
	require.NoError(t, err)
	assert.Equal(t, false, is)
	awaitExecuting(t, gw, 0)
}

// TestInstalledWorkersCannotInterrupt says so of the installed execnet.
func TestInstalledWorkersCannotInterrupt(t *testing.T) {
	gw := gateway(t, "popen//python="+pythons.WithExecnet(t)+"//bootstrap=import")
	ch := remoteExec(t, gw, "channel.send(1); channel.receive()")
	receive(t, ch)
	assert.ErrorIs(t, ch.Interrupt(within.Soon(t)), errors.ErrUnsupported)
	require.NoError(t, ch.Send(within.Soon(t), nil))
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}
