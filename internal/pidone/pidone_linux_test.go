package pidone

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// helper, in the environment, makes the test program run what its arguments name, as process 1
// would: the kernel gives it the orphans below it.
const helper = "EXECNET_TEST_PIDONE"

func TestMain(m *testing.M) {
	if os.Getenv(helper) == "" {
		os.Exit(m.Run())
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	code, err := run(os.Args[1], os.Args[1:], false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// start starts a script below a process that reaps orphans. It is killed when the test has waited
// two minutes for it.
func start(t *testing.T, script string) (cmd *exec.Cmd, stdin io.WriteCloser, stdout io.Reader, stderr *bytes.Buffer) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.CommandContext(within.Soon(t), program, "/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), helper+"=1")
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err = cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, stdin, stdout, stderr
}

// gone is a shell function that waits until a process is reaped: a zombie has a folder in /proc.
const gone = `gone() { while [ -e /proc/$1 ]; do sleep 0.02; done; }
`

func TestOrphansAreReaped(t *testing.T) {
	cmd, _, stdout, stderr := start(t, gone+`
for i in 1 2 3 4 5; do
	orphan=$(sh -c 'sleep 1000 >/dev/null & echo $!')
	cut -d" " -f4 /proc/$orphan/stat
	kill $orphan
	gone $orphan
done
exit 7`)
	text, err := io.ReadAll(stdout)
	require.NoError(t, err)
	_ = cmd.Wait()
	require.Equal(t, 7, cmd.ProcessState.ExitCode(), stderr)
	assert.Equal(t, 5, strings.Count(string(text), strconv.Itoa(cmd.Process.Pid)+"\n"), string(text))
}

// What the child exits with is not lost when orphans end at the same time.
func TestExitCodes(t *testing.T) {
	for script, code := range map[string]int{
		"exit 0":                           0,
		"exit 3":                           3,
		"kill -KILL $$":                    128 + 9,
		"(exit 5 &) ; (exit 6 &) ; exit 4": 4,
	} {
		cmd, _, _, stderr := start(t, script)
		_ = cmd.Wait()
		assert.Equal(t, code, cmd.ProcessState.ExitCode(), "%s: %s", script, stderr)
	}
}

func TestSignalsReachTheChild(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1} {
		cmd, stdin, stdout, stderr := start(t, fmt.Sprintf("trap 'exit 5' %d; echo ready; while :; do read line || exit 6; done", signal))
		_, err := io.ReadFull(stdout, make([]byte, len("ready\n")))
		require.NoError(t, err, stderr)
		require.NoError(t, cmd.Process.Signal(signal))
		// The shell may finish reading a line first.
		_, _ = io.WriteString(stdin, "\n")
		_ = cmd.Wait()
		assert.Equal(t, 5, cmd.ProcessState.ExitCode(), "%v: %s", signal, stderr)
	}
}

func TestNoSuchProgram(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(within.Soon(t), program, "/nowhere/program")
	cmd.Env = append(os.Environ(), helper+"=1")
	out, _ := cmd.CombinedOutput()
	assert.Equal(t, 127, cmd.ProcessState.ExitCode())
	assert.Contains(t, string(out), "execnet: starting /nowhere/program as the child of process 1: no such file")
}

func TestOtherProcessesGoOn(t *testing.T) { Main() }
