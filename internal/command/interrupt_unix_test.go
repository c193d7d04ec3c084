//go:build !windows

package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// Sources that tell their process and then do not end: one obeys signals, one does not.
const (
	patient  = "import os, time; channel.send(os.getpid()); time.sleep(100)"
	stubborn = `
import os, signal, time
for number in signal.SIGINT, signal.SIGTERM:
    signal.signal(number, signal.SIG_IGN)
channel.send(os.getpid())
while True:
    try:
        time.sleep(100)
    except BaseException:
        pass
`
)

// running is the program in a process group of its own, with workers that have told their pids.
type running struct {
	cmd    *exec.Cmd
	pids   []int
	stdout io.ReadCloser
	stderr bytes.Buffer
}

func start(t *testing.T, source string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.CommandContext(t.Context(), binary, append([]string{"exec", "--tx", "2*popen", "-c", source}, args...)...)}
	r.cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.cmd.Stderr = &r.stderr
	r.cmd.WaitDelay = 10 * time.Second
	var err error
	r.stdout, err = r.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, r.cmd.Start())
	lines := bufio.NewReader(r.stdout)
	for len(r.pids) < 2 {
		text, err := lines.ReadBytes('\n')
		require.NoError(t, err)
		var l struct{ Item any }
		require.NoError(t, json.Unmarshal(text, &l), "%s", text)
		if pid, ok := l.Item.(float64); ok {
			r.pids = append(r.pids, int(pid))
		}
	}
	return r
}

// end waits for the program's end, checks that no worker is left, and returns the exit code.
func (r *running) end(t *testing.T) int {
	t.Helper()
	var exited *exec.ExitError
	if err := r.cmd.Wait(); err != nil && !errors.As(err, &exited) {
		require.NoError(t, err)
	}
	for _, pid := range r.pids {
		assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "worker %d is left", pid)
	}
	return r.cmd.ProcessState.ExitCode()
}

func TestInterrupt(t *testing.T) {
	for _, c := range []struct {
		source string
		signal syscall.Signal
		code   int
	}{
		{patient, syscall.SIGINT, 130},
		{patient, syscall.SIGTERM, 143},
		{stubborn, syscall.SIGINT, 130},
	} {
		r := start(t, c.source)
		began := time.Now()
		require.NoError(t, r.cmd.Process.Signal(c.signal))
		assert.Equal(t, c.code, r.end(t))
		assert.Empty(t, r.stderr.String())
		assert.Less(t, time.Since(began), 5*time.Second, "a second of grace, and a slow machine")
	}
}

// At a terminal, everybody gets the signal.
func TestInterruptEverybody(t *testing.T) {
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		r := start(t, patient)
		require.NoError(t, syscall.Kill(-r.cmd.Process.Pid, signal))
		assert.Equal(t, code, r.end(t))
		assert.Empty(t, r.stderr.String())
	}
}

// The second Ctrl-C does not wait for the end of the first one's grace.
func TestInterruptTwice(t *testing.T) {
	fastest := time.Hour
	for try := 0; try < 5 && fastest > 900*time.Millisecond; try++ { // a busy machine may be slow
		r := start(t, stubborn)
		began := time.Now()
		require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
		time.Sleep(50 * time.Millisecond) // two that come at once are one
		require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
		assert.Equal(t, 130, r.end(t))
		fastest = min(fastest, time.Since(began))
	}
	assert.Less(t, fastest, 900*time.Millisecond, "the grace alone is a second")
}

func TestInterruptAtStart(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), binary, "exec", "-c", "pass", "--tx",
		"popen//python="+pythons.Default(t).Path+` -c 'import os, time; os.write(2, str(os.getpid()).encode() + b"\n"); time.sleep(100)'`)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	text, err := bufio.NewReader(stderr).ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(stderr)
	require.NoError(t, err)
	assert.Empty(t, string(rest))
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 130, cmd.ProcessState.ExitCode())
	var pid int
	require.NoError(t, json.Unmarshal(bytes.TrimPrefix(text, []byte("[gw0] ")), &pid))
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
}

// As with "| head -1".
func TestBrokenPipe(t *testing.T) {
	r := start(t, "import os\nchannel.send(os.getpid())\nwhile True: channel.send('x' * 1000)")
	require.NoError(t, r.stdout.Close())
	assert.Equal(t, 141, r.end(t))
	assert.Empty(t, r.stderr.String())
}

// TestCallOfAnEndlessGenerator ends when nobody reads it any more, and at Ctrl-C.
func TestCallOfAnEndlessGenerator(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		cmd := exec.CommandContext(t.Context(), binary, "call", "--tx", "2*popen", "itertools.repeat", strings.Repeat("x", 1000))
		cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.WaitDelay = 10 * time.Second
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = bufio.NewReader(stdout).ReadBytes('\n')
		require.NoError(t, err)
		want := 141
		if interrupted {
			want = 130
			require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		} else {
			require.NoError(t, stdout.Close())
		}
		assert.Error(t, cmd.Wait())
		assert.Equal(t, want, cmd.ProcessState.ExitCode())
		assert.Empty(t, stderr.String())
	}
}

// Ctrl-C works as well while nobody reads what is printed.
func TestInterruptBlockedOutput(t *testing.T) {
	r := start(t, "import os\nchannel.send(os.getpid())\nfor i in range(1000): channel.send('x' * 1000)\nchannel.receive()")
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGINT))
	assert.Equal(t, 130, r.end(t))
	assert.Empty(t, r.stderr.String())
}
