package compat_tests

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// newGroup is a group whose workers are gone when the test is over.
func newGroup(t *testing.T, stderr io.Writer) *execnet.Group {
	t.Helper()
	group := execnet.NewGroup()
	group.Stderr = stderr
	t.Cleanup(func() { assert.NoError(t, group.Terminate(within.Time(t, 5*time.Second))) })
	return group
}

// gateway starts a worker for the length of the test.
func gateway(t *testing.T, spec string) *execnet.Gateway {
	t.Helper()
	gw, err := newGroup(t, testLog{t}).MakeGateway(within.Soon(t), spec)
	require.NoError(t, err)
	return gw
}

// testLog shows what workers say on stderr with the test's own output.
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

// TestChannels runs the channel test on every CPython found, with our worker and, where the release
// under test runs, with the installed one.
func TestChannels(t *testing.T) {
	for _, p := range pythons.All(t) {
		for _, w := range workers(t, p) {
			t.Run(p.Version()+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				channeltest.Run(t, opener(w.spec()), w.caps())
			})
		}
	}
}

// TestMainThreadOnly is about the execution model that GUI and signal code needs.
func TestMainThreadOnly(t *testing.T) {
	for _, p := range pythons.All(t) {
		for _, w := range workers(t, p) {
			t.Run(p.Version()+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				spec := w.spec() + "//execmodel=main_thread_only"
				if w.dir != "" && !hasMainThreadOnly() {
					// The installed worker answers and then finds that it does not know its model.
					gw := gateway(t, spec)
					_, err := gw.RemoteStatus(within.Soon(t))
					var died *execnet.GatewayDiedError
					require.ErrorAs(t, err, &died)
					assert.Contains(t, died.Exit.Stderr, "main_thread_only")
					return
				}
				channeltest.RunMainThreadOnly(t, opener(spec), w.caps())
			})
		}
	}
}

// TestGreenlets runs the channel test on workers whose executions are greenlets. gevent and
// eventlet are in .venv. Of the installed workers only eventlet's takes part, with an echo: where a
// greenlet blocks in a call that eventlet has not patched, so does its reading. gevent's hangs in
// its first receive with the gevent of today, under its own driver too.
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
		ch, err := gw.RemoteExec(t.Context(), "for item in channel: channel.send((item, channel.gateway.execmodel.backend))")
		require.NoError(t, err)
		for i := range 10 {
			require.NoError(t, ch.Send(t.Context(), i))
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, execnet.Tuple{int64(i), "eventlet"}, item)
		}
	})
}
