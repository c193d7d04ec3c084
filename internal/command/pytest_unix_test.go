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
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

// hangs is a suite with a test that passes and one that tells its process and does not end.
var hangs = map[string]string{"test_a.py": `
import os, time

def test_passes(): pass

def test_hangs():
    with open("pid.tmp", "w") as f: f.write(str(os.getpid()))
    os.rename("pid.tmp", "pid")
    time.sleep(1000)
`}

// awaitPid waits for the file that test_hangs writes.
func awaitPid(t *testing.T, dir string) (pid int) {
	t.Helper()
	return awaitNumber(t, dir, "pid")
}

// awaitNumber waits for a number in a file.
func awaitNumber(t *testing.T, dir, name string) (number int) {
	t.Helper()
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return false
		}
		number, err = strconv.Atoi(string(text))
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return number
}

// TestPytestInterrupted ends a run while a test hangs, from here and at a terminal, where the
// workers get the signal, too.
func TestPytestInterrupted(t *testing.T) {
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 2, syscall.SIGTERM: 143} {
		for _, everybody := range []bool{false, true} {
			dir := suiteFolder(t, hangs)
			cmd := exec.CommandContext(t.Context(), binary, "pytest", "-n2")
			cmd.Dir = dir
			cmd.Env = pytestEnv("VIRTUAL_ENV=" + filepath.Dir(filepath.Dir(pythons.WithExecnet(t))))
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, stderr := new(textbuffer.Buffer), new(textbuffer.Buffer)
			cmd.Stdout, cmd.Stderr = out, stderr
			require.NoError(t, cmd.Start())
			pid := awaitPid(t, dir)
			require.Eventually(t, func() bool { return strings.Contains(out.String(), "\n.") }, time.Minute, 10*time.Millisecond)
			target := cmd.Process.Pid
			if everybody {
				target = -target
			}
			began := time.Now()
			require.NoError(t, syscall.Kill(target, signal))
			assert.Error(t, cmd.Wait())
			assert.Less(t, time.Since(began), 20*time.Second)
			assert.Equal(t, code, cmd.ProcessState.ExitCode())
			assert.Empty(t, stderr.String())
			// One that was forked is reaped by the process that it comes from, maybe later.
			assert.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, 20*time.Second, 10*time.Millisecond, "the worker is left")
			assert.Contains(t, out.String(), "!! KeyboardInterrupt !!")
			assert.Regexp(t, `= (1 failed, )?1 passed(, 1 skipped)? in `, out.String())
			if !everybody {
				assert.Contains(t, out.String(), "test_hangs", "what was running")
				assert.Contains(t, out.String(), "time.sleep(1000)", "and where")
			}
		}
	}
}

// TestPytestReaps has the process that collects and forks take some time to end: its memory has to
// be given back. The program waits for it, or its time would be missing in that of the program.
func TestPytestReaps(t *testing.T) {
	dir := suiteFolder(t, map[string]string{
		"conftest.py": "import os\nwith open('collector', 'w') as f: f.write(str(os.getpid()))\nlarge = b'x' * (256 << 20)\n",
		"test_a.py":   "def test_a(): pass\ndef test_b(): pass\n",
	})
	result := runIn(t, dir, binary, "pytest", "-n2")
	assert.Equal(t, 0, result.code, result.stdout)
	assert.ErrorIs(t, syscall.Kill(awaitNumber(t, dir, "collector"), 0), syscall.ESRCH)
}

// As with "| head -1".
func TestPytestBrokenPipe(t *testing.T) {
	dir := suiteFolder(t, hangs)
	cmd := exec.CommandContext(t.Context(), binary, "pytest", "-n2", "-v")
	cmd.Dir = dir
	cmd.Env = pytestEnv("VIRTUAL_ENV=" + filepath.Dir(filepath.Dir(pythons.WithExecnet(t))))
	stderr := new(textbuffer.Buffer)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(stdout, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, stdout.Close())
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 141, cmd.ProcessState.ExitCode())
	assert.Empty(t, stderr.String())
}

// TestPytestLiveLine looks at what is at the bottom of a terminal while tests run, and that nothing
// of it is left.
func TestPytestLiveLine(t *testing.T) {
	dir := suiteFolder(t, map[string]string{"test_a.py": "import time, pytest\n\ndef test_long(): time.sleep(1.5)\n"})
	cmd := exec.CommandContext(t.Context(), binary, "pytest", "-n1")
	cmd.Dir = dir
	cmd.Env = pytestEnv("TERM=xterm", "VIRTUAL_ENV="+filepath.Dir(filepath.Dir(pythons.WithExecnet(t))))
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	require.NoError(t, err)
	defer terminal.Close()
	raw, err := io.ReadAll(terminal)
	if !errors.Is(err, syscall.EIO) { // how Linux tells the end
		require.NoError(t, err)
	}
	require.NoError(t, cmd.Wait())
	out := strings.ReplaceAll(string(raw), "\r\n", "\n")
	assert.Contains(t, out, "\x1b[2m[gw0]    0s  test_a.py::test_long\x1b[0m")
	assert.Contains(t, out, "\x1b[2m[gw0]    1s  test_a.py::test_long\x1b[0m")
	assert.Contains(t, out, strings.Repeat("=", 37)+" test session starts "+strings.Repeat("=", 37), "more than 80 columns wide")
	last := out[strings.LastIndex(out, "\x1b[J")+len("\x1b[J"):]
	assert.Regexp(t, `^\x1b\[32m\.\x1b\[0m\x1b\[32m +\[100%\]\x1b\[0m\n\n\x1b\[32m=+ .*1 passed`, last)
	assert.NotContains(t, last, "gw0")
}

func TestPytestWatch(t *testing.T) {
	dir := suiteFolder(t, map[string]string{
		"test_a.py": "import app\ndef test_a(): assert app.value == 1\n",
		"test_b.py": "def test_b(tmp_path):\n    open('written.json', 'w').close()\n",
		"app.py":    "value = 1\n",
	})
	cmd := exec.CommandContext(t.Context(), binary, "pytest", "-n1", "-v", "--watch")
	cmd.Dir = dir
	cmd.Env = pytestEnv("VIRTUAL_ENV=" + filepath.Dir(filepath.Dir(pythons.WithExecnet(t))))
	out := new(textbuffer.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	from := 0
	// next is what a run shows, up to where the next change is waited for.
	next := func() (text string) {
		t.Helper()
		const waits = "waiting for changes; Ctrl-C ends\n"
		require.Eventually(t, func() bool {
			text = out.String()[from:]
			return strings.Contains(text, waits)
		}, time.Minute, 10*time.Millisecond, "%s", out)
		text, _, _ = strings.Cut(text, waits)
		from += len(text) + len(waits)
		return text
	}
	change := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	assert.Contains(t, next(), "= 2 passed in ")

	change("test_b.py", "def test_b(): pass\ndef test_c(): assert 0\n")
	text := next()
	assert.Contains(t, text, "test_b.py changed: running its tests\n")
	assert.Contains(t, text, "= 1 failed, 1 passed in ")

	change("app.py", "value = 20\n")
	text = next()
	assert.Contains(t, text, "app.py changed: running all tests\n")
	assert.Contains(t, text, "= 2 failed, 1 passed in ")

	change("test_a.py", "def test_a(:\n")
	assert.Contains(t, next(), "= 1 error in ")
	change("test_a.py", "def test_a(): pass\n")
	assert.Contains(t, next(), "= 1 passed in ")

	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	assert.Error(t, cmd.Wait())
	assert.Equal(t, 2, cmd.ProcessState.ExitCode())
}

// together is a conftest.py with a fixture. Tests of this machine that use it wait until one has
// run on the other.
const together = `
import os, pytest, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))

@pytest.fixture
def together(mark=%q):
    if '.execnet-suites' in __file__:
        open(mark, 'w').close()
    end = time.time() + 120
    while not os.path.exists(mark):
        assert time.time() < end, 'no test has run on the other machine'
        time.sleep(0.01)
`

// TestPytestRsyncOverSSH copies a suite to a host that sshd serves, and runs it there, beside a
// worker of this one.
func TestPytestRsyncOverSSH(t *testing.T) {
	home := t.TempDir()
	server := sshdtest.Start(t, `SetEnv "HOME=`+home+`"`)
	dir := suiteFolder(t, map[string]string{"pytest.ini": "[pytest]\n", "lib/data.py": "", "gone.py": "", ".git/x": "",
		"conftest.py": fmt.Sprintf(together, filepath.Join(t.TempDir(), "far")),
		"tests/test_a.py": "import data, os, pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_n(n, together): pass\n" +
			"def test_here():\n    assert os.path.abspath(data.__file__) == 'here', os.path.exists('gone.py')\n"})
	python := "//python=" + pythons.WithExecnet(t)
	far := server.Spec() + python
	args := []string{"pytest", "-v", "--rsync", ".", "--tx", "2*" + far}
	r := runIn(t, dir, binary, append(args, "--tx", "popen"+python)...)
	require.Equal(t, 1, r.code, r.stdout+r.stderr)
	assert.Contains(t, r.stdout, "1 failed, 20 passed")
	assert.Regexp(t, `(?m)^\[gw[01]\].* PASSED tests/test_a.py::test_n`, r.stdout)
	assert.Contains(t, r.stdout, "\ntests/test_a.py:5: AssertionError\n")
	assert.NotContains(t, r.stdout, home)
	copies, err := filepath.Glob(filepath.Join(home, ".execnet-suites", filepath.Base(dir)+"-*"))
	require.NoError(t, err)
	require.Len(t, copies, 1)
	assert.FileExists(t, filepath.Join(copies[0], "lib", "data.py"))
	assert.NoDirExists(t, filepath.Join(copies[0], ".git"))

	// What is not here any more is not there either.
	require.NoError(t, os.Remove(filepath.Join(dir, "gone.py")))
	r = runIn(t, dir, binary, args...)
	require.Equal(t, 1, r.code, r.stdout+r.stderr)
	assert.Contains(t, r.stdout, "AssertionError: False\n")
	assert.Contains(t, r.stdout, "+ "+filepath.Join(dir, "lib", "data.py")+"\n")
	assert.NotContains(t, r.stdout, home)
	assert.NoFileExists(t, filepath.Join(copies[0], "gone.py"))
}
