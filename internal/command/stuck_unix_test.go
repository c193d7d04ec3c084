//go:build !windows

package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// full returns a pipe that takes nothing more, as of a program that does not read.
func full(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	require.NoError(t, w.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	return w
}

// TestSignalsWhileOutputIsStuck interrupts commands of which nobody reads stdout or stderr. They
// end with the signal's exit code, and leave no worker.
func TestSignalsWhileOutputIsStuck(t *testing.T) {
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprint("file", i)] = "content"
	}
	source, base := trees(t, files)
	tell := func(file string) string {
		return fmt.Sprintf("import os, sys, time\nf = open(%q, 'w'); f.write(str(os.getpid())); f.close(); os.rename(%[1]q, %q)\n", file, file+".done")
	}
	for name, c := range map[string]struct {
		stdout, stderr *os.File
		args           func(file string) []string
		signals        int
	}{
		"exec, stderr of the worker": {stderr: full(t), args: func(file string) []string {
			return []string{"exec", "-c", tell(file) + "sys.stderr.write('x' * 5000000)\n"}
		}, signals: 1},
		"exec, stderr, a stubborn worker": {stderr: full(t), args: func(file string) []string {
			return []string{"exec", "-c", tell(file) + stubborn}
		}, signals: 2},
		"exec, error of the source": {stderr: full(t), args: func(file string) []string {
			return []string{"exec", "-c", tell(file) + "1/0"}
		}, signals: 1},
		"exec, error of a start": {stderr: full(t), args: func(string) []string {
			return []string{"exec", "-c", "pass", "--tx", "popen//python=/nonexistent/python"}
		}, signals: 1},
		"exec, stdout": {stdout: full(t), args: func(file string) []string {
			return []string{"exec", "-c", tell(file) + "for i in range(1000): channel.send('x' * 1000)\nchannel.receive()"}
		}, signals: 1},
		"rsync, stdout": {stdout: full(t), args: func(string) []string {
			return []string{"rsync", source, filepath.Join(base, "copy")}
		}, signals: 1},
		"socketserver, stdout": {stdout: full(t), args: func(string) []string { return []string{"socketserver", "0"} }, signals: 1},
		"socketserver, stderr": {stderr: full(t), args: func(string) []string { return []string{"socketserver", "0.0.0.0:0"} }, signals: 1},
		"info, stdout":         {stdout: full(t), args: func(string) []string { return []string{"info"} }, signals: 1},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(name+", "+sig.String(), func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "pid")
				args := c.args(file)
				cmd := exec.CommandContext(t.Context(), binary, args...)
				cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
				cmd.WaitDelay = 10 * time.Second
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				if c.stdout != nil {
					cmd.Stdout = c.stdout
				}
				if c.stderr != nil {
					cmd.Stderr = c.stderr
				}
				require.NoError(t, cmd.Start())
				pid := 0
				if strings.Contains(args[len(args)-1], file) {
					require.Eventually(t, func() bool {
						text, err := os.ReadFile(file + ".done")
						return err == nil && assert.NoError(t, second(fmt.Sscan(string(text), &pid)))
					}, 20*time.Second, 5*time.Millisecond)
				}
				time.Sleep(time.Second) // until it is stuck
				began := time.Now()
				for range c.signals {
					require.NoError(t, cmd.Process.Signal(sig))
					time.Sleep(50 * time.Millisecond) // two that come at once are one
				}
				var exited *exec.ExitError
				if err := cmd.Wait(); !errors.As(err, &exited) {
					require.NoError(t, err)
				}
				assert.Equal(t, 128+int(sig), cmd.ProcessState.ExitCode(), "%s%s", &stdout, &stderr)
				assert.Less(t, time.Since(began), 20*time.Second)
				if pid != 0 {
					assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "worker %d is left", pid)
				}
			})
		}
	}
}

// TestTimeoutWhileOutputIsStuck ends commands by --timeout of which nobody reads stdout and stderr.
func TestTimeoutWhileOutputIsStuck(t *testing.T) {
	for _, args := range [][]string{
		{"exec", "--timeout", "1", "-c", "import sys\nsys.stderr.write('x' * 5000000)"},
		{"exec", "--timeout", "1", "-c", "for i in range(1000): channel.send('x' * 1000)"},
		{"info", "--timeout", "1"},
	} {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
		cmd.WaitDelay = 10 * time.Second
		cmd.Stdout, cmd.Stderr = full(t), full(t)
		began := time.Now()
		assert.Error(t, cmd.Run())
		assert.Equal(t, 124, cmd.ProcessState.ExitCode(), args)
		assert.Less(t, time.Since(began), 15*time.Second)
	}
}

// second is the error of a call whose first result does not matter.
func second(_ any, err error) error { return err }

// TestBrokenPipeOfEachCommand closes stdout before anything is printed, as "| true" does.
func TestBrokenPipeOfEachCommand(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a"})
	for _, args := range [][]string{
		{"exec", "-c", "channel.send(1)"},
		{"info"},
		{"rsync", source, filepath.Join(base, "copy")},
		{"version"},
		{"help", "exec"},
		{"loads", "--hex"},
	} {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, r.Close())
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
		var stderr bytes.Buffer
		cmd.Stdin = bytes.NewReader([]byte("02 46 00 00 00 2a 51"))
		cmd.Stdout, cmd.Stderr = w, &stderr
		assert.Error(t, cmd.Run(), args)
		require.NoError(t, w.Close())
		assert.Empty(t, stderr.String(), args)
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		assert.True(t, status.Signal() == syscall.SIGPIPE || status.ExitStatus() == 141, "%v: %v", args, cmd.ProcessState)
	}
}

// TestExecIntoASlowReader has a worker send much more than is read. It waits, and so does not fill
// the memory of this end.
func TestExecIntoASlowReader(t *testing.T) {
	const items, size = 400, 64 << 10
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	log := filepath.Join(t.TempDir(), "sent")
	cmd := exec.Command(binary, "exec", "--raw", "-c", fmt.Sprintf(`
with open(%q, "w") as f:
    for i in range(%d):
        channel.send(b"x" * %d)
        f.write(".")
        f.flush()
`, log, items, size))
	cmd.Stdout = w
	require.NoError(t, cmd.Start())
	w.Close()
	sent := int64(0)
	require.Eventually(t, func() bool {
		before := sent
		if info, err := os.Stat(log); err == nil {
			sent = info.Size()
		}
		return sent >= (4<<20)/size && sent == before
	}, 30*time.Second, 500*time.Millisecond)
	assert.Less(t, sent*size, int64(8<<20))
	n, err := io.Copy(io.Discard, r)
	require.NoError(t, err)
	assert.EqualValues(t, items*size, n)
	require.NoError(t, cmd.Wait())
}
