//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

// soon bounds what should happen at once; the contract's 50 ms is meant for a machine that does
// nothing else.
const soon = 10 * time.Second

func shell(t *testing.T, script string, stderr io.Writer) *Process {
	t.Helper()
	p, err := Start([]string{"/bin/sh", "-c", script}, nil, stderr)
	require.NoError(t, err)
	t.Cleanup(func() { end(t, p) })
	return p
}

func wait(t *testing.T, p *Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, p.Wait(ctx))
}

// line reads up to a newline, byte by byte.
func line(t *testing.T, p *Process) string {
	t.Helper()
	var text []byte
	for {
		var b [1]byte
		_, err := io.ReadFull(p, b[:])
		require.NoError(t, err, "after %q", text)
		if b[0] == '\n' {
			return string(text)
		}
		text = append(text, b[0])
	}
}

func TestEnvironment(t *testing.T) {
	p, err := Start([]string{"/bin/sh", "-c", "echo $ANSWER$HOME"}, []string{"ANSWER=42"}, nil)
	require.NoError(t, err)
	defer end(t, p)
	text, err := io.ReadAll(p)
	require.NoError(t, err)
	assert.Equal(t, "42\n", string(text))
}

func TestKilledFromOutside(t *testing.T) {
	p := shell(t, "echo last words >&2; echo up; exec sleep 1000", nil)
	require.Equal(t, "up", line(t, p))
	assert.False(t, p.Exit().Known)
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL))
	_, err := p.Read(make([]byte, 10))
	assert.Equal(t, io.EOF, err)
	wait(t, p)
	assert.True(t, p.Exit().Known)
	assert.Equal(t, -1, p.Exit().Code)
	assert.Equal(t, syscall.SIGKILL, p.Exit().Signal)
	assert.Equal(t, "last words\n", p.Exit().Stderr)
	assert.Error(t, syscall.Kill(p.PID(), 0), "a zombie is left")
	_, err = p.Write([]byte("x"))
	assert.Error(t, err)
	assert.NoError(t, p.Kill(), "killing a dead process")
	assert.NoError(t, p.CloseWrite())
	assert.NoError(t, p.CloseWrite())
	assert.NoError(t, p.CloseRead())
}

func TestKillDespiteIgnoredSignals(t *testing.T) {
	p := shell(t, "trap '' TERM INT HUP; echo up; while :; do sleep 1000; done", nil)
	require.Equal(t, "up", line(t, p))
	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGTERM))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Wait(ctx), context.DeadlineExceeded)
	require.NoError(t, p.Kill())
	wait(t, p)
	assert.Equal(t, syscall.SIGKILL, p.Exit().Signal)
}

// TestGrandchildHoldsPipes: a process dies while one that it started holds stdin, stdout and stderr
// open.
func TestGrandchildHoldsPipes(t *testing.T) {
	// A shell takes stdin away from what runs in its background, so it is held as file 3.
	const script = "exec 3<&0; echo oops >&2; (trap '' HUP; exec sleep 1000) & echo $!; head -c 100000 /dev/zero; "
	reap := func(t *testing.T, pid string) {
		n, err := strconv.Atoi(pid)
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(n, syscall.SIGKILL), "the grandchild is gone already, so this proved nothing")
	}
	t.Run("read later", func(t *testing.T) {
		p := shell(t, script+"exit 7", nil)
		grandchild := line(t, p)
		defer reap(t, grandchild)
		wait(t, p)
		assert.Equal(t, 7, p.Exit().Code)
		assert.Equal(t, "oops\n", p.Exit().Stderr)
		rest, err := io.ReadAll(p)
		require.NoError(t, err)
		assert.Len(t, rest, 100000)
		_, err = p.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		_, err = p.Write([]byte("x"))
		assert.Error(t, err)
	})
	t.Run("blocked in Read", func(t *testing.T) {
		p := shell(t, script+"exec sleep 1000", nil)
		grandchild := line(t, p)
		defer reap(t, grandchild)
		_, err := io.ReadFull(p, make([]byte, 100000))
		require.NoError(t, err)
		killed := make(chan time.Time, 1)
		time.AfterFunc(50*time.Millisecond, func() {
			killed <- time.Now()
			_ = p.Kill()
		})
		n, err := p.Read(make([]byte, 1))
		assert.Less(t, time.Since(<-killed), soon)
		assert.Zero(t, n)
		assert.Equal(t, io.EOF, err)
		wait(t, p)
	})
	t.Run("blocked in Write", func(t *testing.T) {
		p := shell(t, script+"exec sleep 1000", nil)
		grandchild := line(t, p)
		defer reap(t, grandchild)
		time.AfterFunc(50*time.Millisecond, func() { _ = p.Kill() })
		_, err := p.Write(make([]byte, 16<<20))
		assert.ErrorIs(t, err, os.ErrClosed)
		wait(t, p)
	})
	t.Run("and floods them", func(t *testing.T) {
		p := shell(t, "yes & echo $!; kill -9 $$", nil)
		var grandchild string
		for grandchild == "" || grandchild == "y" {
			grandchild = line(t, p)
		}
		wait(t, p)
		rest, err := io.Copy(io.Discard, p)
		require.NoError(t, err)
		assert.LessOrEqual(t, rest, int64(1<<20))
		assert.NotEmpty(t, grandchild)
	})
}

func TestBlockedWrite(t *testing.T) {
	for name, unblock := range map[string]func(*Process) error{"CloseWrite": (*Process).CloseWrite, "Kill": (*Process).Kill} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, "echo up; exec sleep 1000", nil)
			require.Equal(t, "up", line(t, p))
			done := make(chan error)
			go func() {
				_, err := p.Write(make([]byte, 16<<20))
				done <- err
			}()
			select {
			case err := <-done:
				require.Fail(t, "the write went through", "%v", err)
			case <-time.After(100 * time.Millisecond):
			}
			require.NoError(t, unblock(p))
			select {
			case err := <-done:
				assert.True(t, errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EPIPE), "%v", err)
			case <-time.After(soon):
				require.Fail(t, "still blocked")
			}
		})
	}
}

func TestBlockedReadAndCloseRead(t *testing.T) {
	p := shell(t, "echo up; exec sleep 1000", nil)
	require.Equal(t, "up", line(t, p))
	time.AfterFunc(50*time.Millisecond, func() { _ = p.CloseRead() })
	_, err := p.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestBrokenPipe(t *testing.T) {
	p := shell(t, "exec <&-; echo up; exec sleep 1000", nil)
	require.Equal(t, "up", line(t, p))
	_, err := p.Write([]byte("x"))
	assert.ErrorIs(t, err, syscall.EPIPE)
}

func TestCloseWriteIsEndOfFile(t *testing.T) {
	p := shell(t, "cat; echo done", nil)
	_, err := p.Write([]byte("hello "))
	require.NoError(t, err)
	require.NoError(t, p.CloseWrite())
	text, err := io.ReadAll(p)
	require.NoError(t, err)
	assert.Equal(t, "hello done\n", string(text))
	wait(t, p)
	assert.Equal(t, 0, p.Exit().Code)
}

func TestStderrFlood(t *testing.T) {
	script := "import sys\nfor i in range(100000): sys.stderr.write('%099d\\n' % i)"
	python := pythons.Default(t).Path
	p, err := Start([]string{python, "-c", script}, nil, nil)
	require.NoError(t, err)
	defer end(t, p)
	wait(t, p)
	assert.GreaterOrEqual(t, len(p.Exit().Stderr), 8<<10)
	assert.Less(t, len(p.Exit().Stderr), 20<<10)
	assert.True(t, strings.HasSuffix(p.Exit().Stderr, "099998\n"+strings.Repeat("0", 94)+"99999\n"))

	var all bytes.Buffer
	p, err = Start([]string{python, "-c", script}, nil, &all)
	require.NoError(t, err)
	defer end(t, p)
	wait(t, p)
	assert.Equal(t, 10_000_000, all.Len())
	assert.True(t, strings.HasSuffix(p.Exit().Stderr, all.String()[all.Len()-8<<10:]))
	assert.True(t, strings.HasPrefix(p.Exit().Stderr, all.String()[:500]))
}

type failingWriter struct{ calls int }

func (w *failingWriter) Write([]byte) (int, error) { w.calls++; return 0, errors.New("full") }

func TestStderrWriterFails(t *testing.T) {
	w := &failingWriter{}
	p := shell(t, "echo one >&2; echo; read x; echo two >&2", w)
	require.Empty(t, line(t, p))
	require.Eventually(t, func() bool { return p.Exit().Stderr == "one\n" }, soon, time.Millisecond)
	require.NoError(t, p.CloseWrite())
	wait(t, p)
	assert.Equal(t, "one\ntwo\n", p.Exit().Stderr)
	assert.Equal(t, 1, w.calls)
}

// The command tried without python= works with the shells that people log in with.
func TestRemoteCommandInEveryShell(t *testing.T) {
	for _, shell := range []string{"sh", "bash", "dash", "zsh", "ksh", "csh", "tcsh", "fish", "busybox"} {
		argv := []string{shell, "-c", cmdline.Remote(nil, &xspec.Spec{})}
		if shell == "busybox" {
			argv = append([]string{shell, "sh"}, argv[1:]...)
		}
		p, err := Start(argv, nil, nil)
		if err != nil {
			if shell == "sh" {
				t.Fatal(err)
			}
			t.Logf("%s is not installed here", shell)
			continue
		}
		_, err = io.WriteString(p, "'print(6*7)'\n")
		require.NoError(t, err, shell)
		out, err := io.ReadAll(p)
		require.NoError(t, err, shell)
		assert.Equal(t, "42\n", strings.ReplaceAll(string(out), "\r", ""), shell)
		end(t, p)
	}
}

// TestNothingLeaks starts and ends many processes and counts the open files before and after; a
// child must not inherit the pipes of another, or it would not find the end of its stdin.
func TestNothingLeaks(t *testing.T) {
	count := func() int {
		for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
			if entries, err := os.ReadDir(dir); err == nil {
				return len(entries)
			}
		}
		require.Fail(t, "no list of open files")
		return 0
	}
	warm := shell(t, "cat", nil)
	require.NoError(t, warm.CloseWrite())
	_, err := io.Copy(io.Discard, warm)
	require.NoError(t, err)
	wait(t, warm)

	before := count()
	var all []*Process
	for range 20 {
		all = append(all, shell(t, "cat", nil))
	}
	assert.Greater(t, count(), before)
	for _, p := range all {
		require.NoError(t, p.CloseWrite())
		rest, err := io.ReadAll(p)
		require.NoError(t, err)
		assert.Empty(t, rest)
		wait(t, p)
	}
	for range 20 {
		_, err := Start([]string{"/no/such/program"}, nil, nil)
		require.Error(t, err)
	}
	assert.Equal(t, before, count())
}
