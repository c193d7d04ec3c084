package compat_tests

import (
	"context"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// newGroup makes a group. Its workers are terminated when the test ends.
func newGroup(t *testing.T, stderr io.Writer) *execnet.Group {
	t.Helper()
	group := execnet.NewGroup()
	group.Stderr = stderr
	t.Cleanup(func() { assert.NoError(t, group.Terminate(within.Time(t, 5*time.Second))) })
	return group
}

// makeGateway makes a gateway in the group.
func makeGateway(t *testing.T, group *execnet.Group, spec string) *execnet.Gateway {
	t.Helper()
	gw, err := group.MakeGateway(within.Soon(t), spec)
	require.NoError(t, err, spec)
	return gw
}

// gateway makes a gateway that ends with the test.
func gateway(t *testing.T, spec string) *execnet.Gateway {
	t.Helper()
	return makeGateway(t, newGroup(t, testLog{t}), spec)
}

// remoteExec has the worker execute source.
func remoteExec(t *testing.T, gw *execnet.Gateway, source string) *execnet.Channel {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), source)
	require.NoError(t, err)
	return ch
}

// receive receives the next item.
func receive(t *testing.T, ch *execnet.Channel) any {
	t.Helper()
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	return item
}

// testLog writes the stderr of workers to the test's log.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("stderr: %s", p)
	return len(p), nil
}

func opener(spec string) func(t *testing.T) *execnet.Gateway {
	return func(t *testing.T) *execnet.Gateway {
		t.Helper()
		return gateway(t, spec)
	}
}

// TestChannels runs the channel test on every CPython found: with this module's worker and, where
// the release under test runs, with the installed one.
func TestChannels(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) { channeltest.Run(t, opener(w.spec()), w.caps()) })
}

// failsToStart checks that no gateway can be made from spec and that none is left, and returns the
// error.
func failsToStart(t *testing.T, ctx context.Context, spec string) error {
	t.Helper()
	group := newGroup(t, testLog{t})
	gw, err := group.MakeGateway(ctx, spec)
	require.Error(t, err)
	assert.Nil(t, gw)
	assert.Zero(t, group.Len())
	return err
}

// TestMainThreadOnly tests the execution model for source that needs the main thread.
func TestMainThreadOnly(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		spec := w.spec() + "//execmodel=main_thread_only"
		if w.dir != "" && !hasMainThreadOnly() {
			assert.ErrorContains(t, failsToStart(t, within.Soon(t), spec), "unknown execmodel 'main_thread_only'")
			return
		}
		channeltest.RunMainThreadOnly(t, opener(spec), w.caps())
	})
}

// TestGreenlets runs the channel test on workers whose executions are greenlets. gevent and
// eventlet are in .venv. Of the installed workers only the one with eventlet is tested, and only
// with an echo: when a greenlet blocks in a call that eventlet has not patched, the worker stops
// reading. The one with gevent hangs in its first receive with current releases of gevent, also
// with its own driver.
func TestGreenlets(t *testing.T) {
	independent(t)
	python := pythons.WithExecnet(t)
	for _, model := range []string{"gevent", "eventlet"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			caps := ours(pythons.Default(t)).caps()
			caps.ExecModel = model
			channeltest.Run(t, opener("popen//python="+python+"//execmodel="+model), caps)
		})
	}
	t.Run("eventlet installed", func(t *testing.T) {
		t.Parallel()
		gw := gateway(t, "popen//python="+python+"//bootstrap=import//execmodel=eventlet")
		ch := remoteExec(t, gw, "for item in channel: channel.send((item, channel.gateway.execmodel.backend))")
		for i := range 10 {
			require.NoError(t, ch.Send(t.Context(), i))
			assert.Equal(t, execnet.Tuple{int64(i), "eventlet"}, receive(t, ch))
		}
	})
}

// TestLongInts sends an int that the far end may be unable to load. The sender refuses it, so that
// the gateway of Python's execnet, which it would end, goes on.
func TestLongInts(t *testing.T) {
	long := new(big.Int).Exp(big.NewInt(10), big.NewInt(serializer.DefaultMaxDigits), nil)
	python := "popen//python=" + pythons.WithExecnet(t)
	for _, spec := range []string{python, python + "//bootstrap=import"} {
		gw := gateway(t, spec)
		ch, err := gw.RemoteExec(t.Context(), "for n in channel: channel.send(n + 1)")
		require.NoError(t, err)
		var de *serializer.DumpError
		require.ErrorAs(t, ch.Send(t.Context(), []any{long}), &de)
		assert.Equal(t, "[0]", de.Path)
		require.NoError(t, ch.Send(t.Context(), 1))
		assert.EqualValues(t, 2, receive(t, ch))
	}
}
