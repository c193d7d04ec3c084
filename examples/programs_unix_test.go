//go:build unix

package examples

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

// TestAnywhere has a host whose user has nothing but an empty home folder and the programs of every
// Unix system.
func TestAnywhere(t *testing.T) {
	program := filepath.Join(t.TempDir(), "anywhere")
	out, err := exec.Command("go", "build", "-o", program, "./anywhere").CombinedOutput()
	require.NoError(t, err, "%s", out)
	home := t.TempDir()
	server := sshdtest.Start(t, `SetEnv "PATH=/usr/bin:/bin" SHLVL=2 "HOME=`+home+`"`)
	for range 2 {
		out, err := exec.Command(program, server.Spec()).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Regexp(t, `^ssh=box\S* has \d+ processors of kind \w+, and runs \w+ as process \d+\n$`, string(out))
		there, err := filepath.Glob(home + "/.cache/go-execnet/programs/anywhere-*")
		require.NoError(t, err)
		assert.Len(t, there, 1)
	}
}

func TestService(t *testing.T) {
	code := t.TempDir()
	model, err := os.ReadFile("service/python/model.py")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(code, "model.py"), model, 0o600))
	cmd, lines, address := startService(t, code)
	predict := func(x string) string {
		response, err := http.Get("http://" + address + "/predict?x=" + x)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.Status + " " + strings.TrimSpace(string(body))
	}
	assert.Equal(t, "200 OK 42", predict("21"))
	assert.Equal(t, "500 Internal Server Error internal error", predict("nonsense"))

	changed := strings.Replace(string(model), "SLOPE = 2.0", "SLOPE = 3.0", 1)
	require.NoError(t, os.WriteFile(filepath.Join(code, "model.py"), []byte(changed), 0o600))
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return predict("21") == "200 OK 63" }, 20*time.Second, 10*time.Millisecond)

	killChildren(t, cmd.Process.Pid)
	require.Eventually(t, func() bool { return predict("1") == "200 OK 3" }, 20*time.Second, 10*time.Millisecond)

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	assert.NoError(t, cmd.Wait())
	assert.Regexp(t, `(?s)reloading.*worker died.*signal: killed.*ending`, string(rest))
}

// TestServiceCannotEnd has a request take longer than the service waits at its end.
func TestServiceCannotEnd(t *testing.T) {
	code := t.TempDir()
	begun := filepath.Join(code, "begun")
	require.NoError(t, os.WriteFile(filepath.Join(code, "model.py"), fmt.Appendf(nil, "import time\ndef predict(x):\n    open(%q, 'w')\n    time.sleep(3600)\n", begun), 0o600))
	cmd, lines, address := startService(t, code)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if response, err := http.Get("http://" + address + "/predict?x=1"); err == nil {
			response.Body.Close()
		}
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(begun); return err == nil }, 2*time.Minute, 10*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Contains(t, string(rest), "context deadline exceeded")
	<-answered
}

// startService builds and starts the service, and returns what it prints and where it listens.
func startService(t *testing.T, code string) (cmd *exec.Cmd, lines *bufio.Reader, address string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "service")
	out, err := exec.Command("go", "build", "-o", program, "./service").CombinedOutput()
	require.NoError(t, err, "%s", out)

	cmd = exec.Command(program, code)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines = bufio.NewReader(stderr)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	found := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(first)
	require.NotNil(t, found, first)
	return cmd, lines, found[1]
}

// killChildren kills the children of a process.
func killChildren(t *testing.T, pid int) {
	t.Helper()
	list, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	require.NoError(t, err)
	killed := 0
	for line := range strings.Lines(string(list)) {
		var child, parent int
		_, err := fmt.Sscan(line, &child, &parent)
		require.NoError(t, err)
		if parent != pid {
			continue
		}
		// The worker before the reload may have ended since it was listed.
		if err := syscall.Kill(child, syscall.SIGKILL); err != syscall.ESRCH {
			require.NoError(t, err)
			killed++
		}
	}
	require.Positive(t, killed)
}

func TestHosts(t *testing.T) {
	cmd := exec.Command("go", "run", "./hosts", "popen", "popen//python=/no/such/python", "popen//id=other")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.Error(t, err)
	assert.Regexp(t, `^(popen(//id=other)? \(\S+, \d+\)\n){2}$`, string(out))
	assert.Contains(t, stderr.String(), "execnet: 1 of 3 gateways could not be made")
	assert.Contains(t, stderr.String(), "/no/such/python")
}
