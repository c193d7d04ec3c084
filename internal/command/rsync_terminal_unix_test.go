//go:build !windows

package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

// atTerminal runs the program with a terminal as its stdin, stdout and stderr, and returns what it
// printed there.
func atTerminal(t *testing.T, args ...string) (shown string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path, "TERM=xterm")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 120})
	require.NoError(t, err)
	defer terminal.Close()
	out, err := io.ReadAll(terminal)
	if !errors.Is(err, syscall.EIO) { // how Linux tells the end
		require.NoError(t, err)
	}
	var exited *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exited) {
		require.NoError(t, err)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n"), cmd.ProcessState.ExitCode()
}

func TestRsyncBars(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a", "sub/b": strings.Repeat("b", 2_000_000), "evil\x1b[31m": "e"})
	at := func(name string) string { return filepath.Join(base, name) }
	out, code := atTerminal(t, "rsync", source, "--tx", "popen//id=python", at("1"), "--tx", goSpec+"//id=go", at("2"))
	assert.Equal(t, 0, code, out)
	for _, id := range []string{"python", "go"} {
		assert.Regexp(t, id+` +3 files +2\.0 MB / 2\.0 MB \[=+\]`, out, "the bar as it stands at the end")
		assert.Contains(t, out, id+": 3 files written (2.0 MB sent), 2 directories made\n")
	}
	assert.NotContains(t, out, "<=", "bars instead of lines")
	assert.NotContains(t, out, "evil")
	assert.Equal(t, listed(t, source), listed(t, at("1")))

	out, code = atTerminal(t, "rsync", source, "--verbose", "--tx", "popen//id=python", at("3"))
	assert.Equal(t, 0, code, out)
	assert.Contains(t, out, "python <= sub/b")
	assert.Contains(t, out, `python <= "evil\x1b[31m"`)
	assert.NotContains(t, out, "\x1b[31m")

	out, code = atTerminal(t, "rsync", source, "--quiet", at("4"))
	assert.Equal(t, 0, code, out)
	assert.Empty(t, out)

	out, code = atTerminal(t, "rsync", source, "--dry-run", at("5"))
	assert.Equal(t, 0, code, out)
	assert.Contains(t, out, "gw0 <= a\n")
	assert.Contains(t, out, "gw0: 3 files to be written")
}

func TestRsyncBarsOfFailures(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a"})
	require.NoError(t, syscall.Mkfifo(filepath.Join(source, "pipe\x1b[31m"), 0o600))
	put(t, filepath.Join(base, "file"), "in the way")
	out, code := atTerminal(t, "rsync", source, "--tx", "popen//id=bad", filepath.Join(base, "file", "dest"), "--tx", "popen//id=good", filepath.Join(base, "good"))
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, `warning: "pipe\x1b[31m": not sent: it is a named pipe`)
	assert.NotContains(t, out, "\x1b[31m")
	assert.Contains(t, out, "good: 1 file written")
	assert.Regexp(t, `(?m)^bad: .*; NOT COMPLETE$`, out)
	assert.Contains(t, out, "[bad] rsync to ")
}

// TestRsyncInterrupted ends the program in the middle of a large file, of which nothing is left.
func TestRsyncInterrupted(t *testing.T) {
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		for _, spec := range []string{"popen", goSpec} {
			source, base := trees(t, map[string]string{"large": ""})
			require.NoError(t, os.Truncate(filepath.Join(source, "large"), 1<<36))
			dest := filepath.Join(base, "dest")
			cmd := exec.CommandContext(t.Context(), binary, "rsync", source, "--tx", spec, dest)
			cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
			out, stderr := new(textbuffer.Buffer), new(textbuffer.Buffer)
			cmd.Stdout, cmd.Stderr = out, stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			require.NoError(t, cmd.Start())
			require.Eventually(t, func() bool { return strings.Contains(out.String(), "gw0 <= large\n") }, 20*time.Second, 5*time.Millisecond)
			began := time.Now()
			target := cmd.Process.Pid
			if signal == syscall.SIGINT {
				target = -target // as a terminal's Ctrl-C, which goes to the worker too
			}
			require.NoError(t, syscall.Kill(target, signal))
			assert.Error(t, cmd.Wait())
			assert.Equal(t, code, cmd.ProcessState.ExitCode())
			assert.Less(t, time.Since(began), 10*time.Second)
			assert.Empty(t, stderr.String())
			left, err := os.ReadDir(dest)
			require.NoError(t, err)
			assert.Empty(t, left, "not even a temporary file")
		}
	}
}

// TestRsyncStalls stops an interpreter in the middle of a large file.
func TestRsyncStalls(t *testing.T) {
	source, base := trees(t, map[string]string{"large": ""})
	pidFile, dest := filepath.Join(base, "pid"), filepath.Join(base, "dest")
	require.NoError(t, os.Truncate(filepath.Join(source, "large"), 1<<36))
	python := fmt.Sprintf(`popen//python=sh -c 'echo $$ >%s; exec "$@"' sh %s`, pidFile, pythons.Default(t).Path)
	cmd := exec.CommandContext(t.Context(), binary, "rsync", source, "--stall-timeout", "500ms", "--tx", python, dest)
	out, stderr := new(textbuffer.Buffer), new(textbuffer.Buffer)
	cmd.Stdout, cmd.Stderr = out, stderr
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "gw0 <= large\n") }, 20*time.Second, 5*time.Millisecond)
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool { return strings.Contains(stderr.String(), "given up") }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL)) // it cannot end when it is asked to
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Regexp(t, `^\[gw0\] rsync to \S+ of gateway gw0: no progress for 500ms: given up \(StallTimeout\)\n$`, stderr.String())
}
