//go:build unix

package compat_tests

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/printout"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestOutputByEveryRoad prints in a worker behind each road, of Python and of Go, and in a CPython
// behind one of Go.
func TestOutputByEveryRoad(t *testing.T) {
	independent(t)
	for name, r := range everyRoad(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p printout.Printout
			var log textbuffer.Buffer
			g := newGroup(t, testLog{t})
			g.Output = p.Add
			g.SlogHandler = slog.NewTextHandler(&log, nil)
			gw := r.openIn(t, g)
			ch, err := gw.RemoteExec(t.Context(), `
				import sys
				print("begins")
				sys.stderr.write("error begins\n")
				sys.stderr.flush()
				try:
					import logging
					logging.getLogger("x").error("by road")
				except ImportError:
					pass  # a Go worker has no such module
				channel.receive()
				print("line two\nline three")
				sys.stderr.write("no end")
				sys.stderr.flush()
			`)
			require.NoError(t, err)
			want := []string{"begins"}
			if strings.Contains(name, "import") {
				want = nil
			}
			p.Await(t, "sub", execnet.Stdout, want...)
			p.Await(t, "sub", execnet.Stderr, "error begins")
			require.NoError(t, ch.Send(t.Context(), nil))
			require.NoError(t, ch.WaitClose(within.Soon(t)))
			require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
			if want != nil {
				want = append(want, "line two", "line three")
			}
			assert.Equal(t, want, p.Of("sub", execnet.Stdout))
			stderr := []string{"error begins", "no end"}
			if want == nil { // pip's worker leaves records to logging
				stderr = []string{"error begins", "by road", "no end"}
			}
			assert.Equal(t, stderr, p.Of("sub", execnet.Stderr))
			logged := log.String()
			if want == nil || name == "Go" || name == "Go by ssh" || name == "installed at Go" {
				assert.Empty(t, logged)
			} else {
				assert.Regexp(t, `^time=\S+ level=ERROR msg="by road" gateway=sub logger=x file="<remote exec>" line=8 function=\S+\n$`, logged)
			}
			assert.Empty(t, p.Of("host", execnet.Stdout))
			assert.Empty(t, p.Of("host", execnet.Stderr))
		})
	}
}

// TestOutputBeforeAnExitOfGreenlets ends a worker of greenlets, whose output another thread reads,
// in the statement behind its last line.
func TestOutputBeforeAnExitOfGreenlets(t *testing.T) {
	independent(t)
	pip := pythons.WithExecnet(t)
	for _, model := range []string{"gevent", "eventlet"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				var p printout.Printout
				g := newGroup(t, testLog{t})
				g.Output = p.Add
				gw, err := g.MakeGateway(within.Soon(t),
					"popen//id=sub//python="+pip+"//execmodel="+model+"//env:PYTHONWARNINGS=ignore")
				require.NoError(t, err)
				ch, err := gw.RemoteExec(t.Context(), `
					import os
					for n in range(300):
						print("line", n)
					os._exit(3)
				`)
				require.NoError(t, err)
				var died *execnet.GatewayDiedError
				require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
				require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
				lines := p.Of("sub", execnet.Stdout)
				require.Len(t, lines, 300)
				require.Equal(t, "line 299", lines[299])
			}
		})
	}
}

// TestOutputOfPipesThatCannotBeAsked ends a worker while the thread that reads what it prints looks
// away. Whether the pipe holds something cannot be found out, as on Windows.
func TestOutputOfPipesThatCannotBeAsked(t *testing.T) {
	independent(t)
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			var p printout.Printout
			g := newGroup(t, testLog{t})
			g.Output = p.Add
			gw := makeGateway(t, g, python.Spec()+"//id=sub")
			remoteExec(t, gw, `
				import os, time
				output = channel.gateway._output
				output.LAST = 60.0
				def poll_fd(fd, timeout, write=False):
					time.sleep(0.1 if timeout else 0)
				type(output).end.__globals__["poll_fd"] = poll_fd
				os.write(1, b"wakes the thread\n")
				time.sleep(0.05)
				os.write(1, b"last\n")
				os._exit(0)
			`)
			p.Await(t, "sub", execnet.Stdout, "wakes the thread", "last")
		})
	}
}

// TestOutputOfAWorkerThatClosesItsStreams ends in order, although stdout cannot become stderr
// again.
func TestOutputOfAWorkerThatClosesItsStreams(t *testing.T) {
	independent(t)
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			for _, closed := range [][]int{{1}, {2}, {0, 1, 2}} {
				g := newGroup(t, testLog{t})
				g.Output = func(execnet.Line) {}
				gw := makeGateway(t, g, python.Spec())
				ended := filepath.Join(t.TempDir(), "ended")
				ch, err := gw.RemoteExec(t.Context(), `
					def f(channel, ended, closed):
						import atexit, os
						print("opens the stream")
						atexit.register(open, ended, "w")
						for fd in closed:
							os.close(fd)
				`, execnet.Call("f", map[string]any{"ended": ended, "closed": closed}))
				require.NoError(t, err)
				require.NoError(t, ch.WaitClose(within.Soon(t)))
				require.NoError(t, g.Terminate(within.Soon(t)))
				assert.FileExists(t, ended, "%v", closed)
			}
		})
	}
}
