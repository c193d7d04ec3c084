//go:build unix

package multi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/printout"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// newOutputGroup returns a group whose workers print to the printout.
func newOutputGroup(t *testing.T, spec string) (*multi.Group, *printout.Printout) {
	t.Helper()
	var p printout.Printout
	g := &multi.Group{DefaultSpec: spec, Stderr: t.Output(), Output: p.Add}
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	return g, &p
}

// TestOutput has every kind of printing in a worker come as lines, at once.
func TestOutput(t *testing.T) {
	t.Parallel()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			g, p := newOutputGroup(t, python.Spec())
			gw := makeGateway(t, g, python.Spec()+"//id=a")
			ch, err := gw.RemoteExec(t.Context(), `
				from __future__ import print_function
				import os, subprocess, sys
				print("one", 1)
				channel.receive()
				os.write(1, b"two\nthr")
				os.write(1, b"ee\r\n")
				subprocess.check_call([sys.executable, "-c", "import os; os.write(1, b'child\\n'); os.write(2, b'of a child\\n')"])
				print("after")
				channel.receive()
				os.write(1, b"\r 1%\r 2%\r")
				os.write(1, b"\n\n\xff\xfe")
				sys.stdout.write("x" * 70000 + "\n")
				print("to stderr", file=sys.stderr)
				if os.fork() == 0:
					print("forked")
					sys.stdout.flush()
					os._exit(0)
				os.wait()
				channel.send(sys.stdout.fileno())
				sys.stdout.write("no end")
			`)
			require.NoError(t, err)
			want := []string{"one 1"}
			p.Await(t, "a", multi.Stdout, want...)
			require.NoError(t, ch.Send(t.Context(), nil))
			want = append(want, "two", "three", "child", "after")
			p.Await(t, "a", multi.Stdout, want...)
			require.NoError(t, ch.Send(t.Context(), nil))
			fd, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.EqualValues(t, 1, fd)
			require.NoError(t, ch.WaitClose(within.Soon(t)))
			require.NoError(t, g.Terminate(within.Soon(t)))
			x := make([]byte, 70000)
			for i := range x {
				x[i] = 'x'
			}
			long := "\xff\xfe" + string(x)
			want = append(want, " 1%", " 2%", "", long[:64<<10], long[64<<10:], "forked", "no end")
			assert.Equal(t, want, p.Of("a", multi.Stdout))
			stderr := p.Of("a", multi.Stderr)
			if !python.AtLeast(3, 0) {
				// Python 2 says this of a thread that still runs while it shuts down.
				stderr = slices.DeleteFunc(stderr, func(text string) bool {
					return strings.HasPrefix(text, "Unhandled exception in thread started by") ||
						text == "sys.excepthook is missing" || text == "lost sys.stderr"
				})
			}
			assert.Equal(t, []string{"of a child", "to stderr"}, stderr)
		})
	}
}

// TestOutputOfTheDying has workers print and end at once, in every way. What Python has printed
// comes as stdout, what is left in the pipe otherwise, as stderr.
func TestOutputOfTheDying(t *testing.T) {
	t.Parallel()
	python := pythons.Default(t)
	// What the thread that reads the pipe has in its hands when the process is killed is lost. So
	// it gets nothing there.
	const unread = "channel.gateway._output.pipes[1][1].acquire(); os.write(1, b'raw words'); "
	for name, ends := range map[string]string{
		"SIGKILL":  unread + "os.kill(os.getpid(), 9)",
		"segfault": unread + "ctypes.string_at(0)",
		"_exit":    "os.write(1, b'raw words'); os._exit(3)",
		"sys.exit": "os.write(1, b'raw words'); sys.exit()",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, p := newOutputGroup(t, python.Spec())
			gw := makeGateway(t, g, python.Spec()+"//id=a")
			_, err := gw.RemoteExec(t.Context(), "import ctypes, os, sys\nprint('last words')\n"+ends)
			require.NoError(t, err)
			if name != "sys.exit" {
				<-gw.Done()
			}
			require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
			all := append(p.Of("a", multi.Stdout), p.Of("a", multi.Stderr)...)
			require.NotEmpty(t, all)
			assert.Equal(t, "last words", all[0])
			assert.Contains(t, all, "raw words")
		})
	}
}

// TestOutputOfC has C code print more than a pipe takes, without letting other threads of Python
// run.
func TestOutputOfC(t *testing.T) {
	t.Parallel()
	python := pythons.Default(t)
	g, p := newOutputGroup(t, python.Spec())
	gw := makeGateway(t, g, python.Spec()+"//id=a")
	ch, err := gw.RemoteExec(t.Context(), `
		import ctypes
		text = b"line\n" * 20000
		channel.send(ctypes.PyDLL(None).write(1, text, len(text)))
		print("after")
	`)
	require.NoError(t, err)
	n, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.EqualValues(t, 100000, n)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
	stdout, stderr := p.Of("a", multi.Stdout), p.Of("a", multi.Stderr)
	assert.Equal(t, "after", stdout[len(stdout)-1])
	whole := 0
	for _, line := range append(stdout[:len(stdout)-1], stderr...) {
		whole += len(line)
	}
	assert.Equal(t, 80000, whole)
}

// TestOutputFlood has a worker print 40 MB while items travel. A func that takes everything gets
// everything; one that takes nothing holds up neither the program nor the items nor the end.
func TestOutputFlood(t *testing.T) {
	t.Parallel()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			for _, stuck := range []bool{false, true} {
				var lines, size int
				var leftOut string
				release := make(chan struct{})
				g := &multi.Group{Stderr: t.Output(), Output: func(line multi.Line) {
					if stuck {
						<-release
					}
					if _, _, ok := strings.Cut(line.Text, "were left out here"); ok {
						leftOut = line.Text
						return
					}
					lines++
					size += len(line.Text)
				}}
				gw := makeGateway(t, g, python.Spec())
				printing, err := gw.RemoteExec(t.Context(), `
					import os
					line = b"x" * 99 + b"\n"
					for i in range(400):
						os.write(1, line * 1000)
				`)
				require.NoError(t, err)
				requireEcho(t, gw, 3<<20)
				require.NoError(t, printing.WaitClose(within.Soon(t)))
				if stuck {
					requireWorks(t, gw)
				}
				require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
				close(release)
				if stuck {
					continue
				}
				assert.Empty(t, leftOut)
				assert.Equal(t, 400_000, lines)
				assert.Equal(t, 400_000*99, size)
			}
		})
	}
}

// TestOutputLeftOut says how much is missing when the func takes lines again.
func TestOutputLeftOut(t *testing.T) {
	t.Parallel()
	python := pythons.Default(t)
	to := make(chan string)
	g := &multi.Group{Stderr: t.Output(), Output: func(line multi.Line) { to <- line.Text }}
	gw := makeGateway(t, g, python.Spec())
	ch, err := gw.RemoteExec(t.Context(), `
		for i in range(100000):
			print("a line of 20 letters")
		channel.send("printed")
		channel.receive()
		print("end")
	`)
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	seen, missing := 0, 0
	for text := range to {
		var n int
		if _, err := fmt.Sscanf(text, "execnet: %d bytes were left out here", &n); err == nil {
			if missing == 0 {
				require.NoError(t, ch.Send(t.Context(), nil))
			}
			missing += n
		} else if text == "end" {
			break
		} else {
			seen += len(text) + 1
		}
	}
	assert.NotZero(t, missing)
	assert.Equal(t, 2_100_000, seen+missing)
	go func() {
		for range to {
		}
	}()
	require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
	close(to)
}
