//go:build unix

package execnettest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/execnettest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// specVariable tells the spec to a test that runs again, since looking for interpreters takes long.
const specVariable = "EXECNETTEST_SPEC"

func spec(t testing.TB) string {
	if spec := os.Getenv(specVariable); spec != "" {
		return spec
	}
	return pythons.Default(t).Spec()
}

func TestGateway(t *testing.T) {
	one, two := execnettest.Gateway(t, spec(t)), execnettest.Gateway(t, "popen//via=gw0")
	assert.Equal(t, []string{"gw0", "gw1"}, []string{one.ID(), two.ID()})
	t.Run("another test", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "gw0", execnettest.Gateway(t, spec(t)).ID())
	})
	sum, err := execnet.RemoteCall[int](within.Soon(t), two, "operator.add", 1, 2)
	require.NoError(t, err)
	assert.Equal(t, 3, sum)
}

func TestGroup(t *testing.T) {
	var ended *execnet.Group
	t.Run("test", func(t *testing.T) {
		group := execnettest.Group(t, spec(t), spec(t)+"//id=b")
		ended = group
		assert.Equal(t, `<Group ["gw0" "b"]>`, group.String())
		t.Cleanup(func() { // what is registered later comes first
			info, err := group.Get("b").RInfo(within.Soon(t))
			require.NoError(t, err)
			assert.NotZero(t, info.PID)
		})
	})
	assert.Zero(t, ended.Len())
}

func TestEmptyGroup(t *testing.T) {
	group := execnettest.Group(t)
	assert.Zero(t, group.Len())
	group.DefaultSpec = spec(t)
	_, err := group.MakeGateway(within.Soon(t), "")
	require.NoError(t, err)
}

// modeVariable makes a test of this file the one that another one looks at from outside.
const modeVariable = "EXECNETTEST_MODE"

// again runs a test once more, in a process of its own, and returns what it has printed and its
// exit status, which is -1 if a signal has ended it.
func again(t *testing.T, name, mode string, args ...string) (printed string, status int) {
	t.Helper()
	cmd := exec.CommandContext(within.Time(t, time.Minute), os.Args[0], append(args, "-test.run=^"+name+"$")...)
	cmd.Env = append(os.Environ(), modeVariable+"="+mode, specVariable+"="+spec(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	// This would be package testing's panic about a log after the end.
	assert.NotContains(t, string(out), "has completed")
	return string(out), cmd.ProcessState.ExitCode()
}

// waiting and busy are what workers do. A busy one has to be killed five seconds after the test,
// and 20 seconds after the end of the test program it kills itself, which compat_tests shows.
const (
	waiting = "import os\nchannel.send(os.getpid())\nchannel.receive()"
	busy    = "import os, time\nchannel.send(os.getpid())\nwhile 1: time.sleep(0.1)"
)

// ends are the ways in which a test may end.
var ends = map[string]struct {
	end     func(t *testing.T)
	status  int
	printed string
	ordered bool   // the workers end before the test
	source  string // what the second worker does meanwhile
}{
	"return": {func(*testing.T) {}, 0, `^PASS\n$`, true, waiting},
	"fatal":  {func(t *testing.T) { t.Fatal("enough") }, 1, `execnettest_test.go:\d+: enough\n`, true, busy},
	"skip":   {func(t *testing.T) { t.Skip("enough") }, 0, `^PASS\n$`, true, waiting},
	"panic":  {func(*testing.T) { panic("enough") }, 2, `panic: enough`, true, busy},
	"panic of another goroutine": {func(t *testing.T) {
		go panic("enough")
		<-t.Context().Done()
	}, 2, `panic: enough`, false, waiting},
	"timeout": {func(t *testing.T) { <-t.Context().Done() }, 2, `panic: test timed out after 8s`, false, waiting},
	"exit":    {func(*testing.T) { os.Exit(7) }, 7, ``, false, waiting},
	"killed": {func(*testing.T) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}, -1, ``, false, waiting},
}

// TestNothingIsLeft has a test end in each way, and looks for its workers then.
func TestNothingIsLeft(t *testing.T) {
	if mode, pids, ok := strings.Cut(os.Getenv(modeVariable), ":"); ok {
		var list strings.Builder
		for _, source := range []string{waiting, ends[mode].source} {
			ch, err := execnettest.Gateway(t, spec(t)).RemoteExec(t.Context(), source)
			require.NoError(t, err)
			pid, err := execnet.Receive[int](t.Context(), ch)
			require.NoError(t, err)
			fmt.Fprintln(&list, pid)
		}
		require.NoError(t, os.WriteFile(pids, []byte(list.String()), 0o600))
		ends[mode].end(t)
		return
	}
	for mode, c := range ends {
		t.Run(mode, func(t *testing.T) {
			t.Parallel() // each waits most of the time
			pids := filepath.Join(t.TempDir(), "pids")
			printed, status := again(t, "TestNothingIsLeft", mode+":"+pids, "-test.timeout=8s")
			assert.Equal(t, c.status, status, printed)
			assert.Regexp(t, regexp.MustCompile(c.printed), printed)
			if c.source == busy {
				assert.Contains(t, printed, "    execnet: gateway gw1 did not end in order after the test (signal: killed)\n")
			}
			text, err := os.ReadFile(pids)
			require.NoError(t, err, printed)
			workers := strings.Fields(string(text))
			require.Len(t, workers, 2)
			for _, worker := range workers {
				pid, err := strconv.Atoi(worker)
				require.NoError(t, err)
				gone := func() bool { return syscall.Kill(pid, 0) != nil }
				if c.ordered {
					assert.True(t, gone(), "worker %d is there after the end", pid)
				} else {
					assert.Eventually(t, gone, 20*time.Second, 10*time.Millisecond, "worker %d outlives the test", pid)
				}
			}
		})
	}
}

const talkative = `
import logging, os, sys
print("by print")
os.system("echo by a child")
sys.stderr.write("by stderr\n")
sys.stdout.flush()
log = logging.getLogger("analysis")
log.warning("%d rows", 3, extra={"table": "prices", "gateway": "mine"})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("no mean")
log.info("is not wanted")
`

// TestLog shows where the output of workers is.
func TestLog(t *testing.T) {
	if os.Getenv(modeVariable) != "" {
		group := execnettest.Group(t, spec(t)+"//id=left", spec(t)+"//id=right")
		channels, err := group.RemoteExec(t.Context(), talkative)
		require.NoError(t, err)
		require.NoError(t, channels.WaitClose(t.Context()))
		ch, err := group.Get("right").RemoteExec(t.Context(), "import os, sys\nsys.stderr.write('no newline')\nsys.stderr.flush()\nos._exit(3)")
		require.NoError(t, err)
		assert.Error(t, ch.WaitClose(t.Context()))
		if os.Getenv(modeVariable) == "fail" {
			t.Error("for the log")
		}
		return
	}
	printed, status := again(t, "TestLog", "pass", "-test.v")
	assert.Equal(t, 0, status)
	for _, id := range []string{"left", "right"} {
		for _, want := range []string{
			`stdout\] by print`, `stdout\] by a child`, `stderr\] by stderr`,
			`log\] level=WARN msg="3 rows" logger=analysis file="<remote exec>" line=8 function=\S+ gateway=mine table=prices`,
			`log\] level=ERROR msg="no mean" logger=analysis file="<remote exec>" line=12 function=\S+`,
			`log\] Traceback \(most recent call last\):`, `log\] ZeroDivisionError: .*`,
		} {
			assert.Regexp(t, `(?m)^    \[`+id+" "+want+`$`, printed)
		}
	}
	assert.NotContains(t, printed, "is not wanted")
	assert.Regexp(t, `(?m)^    execnet: gateway right died \(exit status 3\); its stderr ended:\n(      .*\n)*      no newline$`, printed)
	printed, status = again(t, "TestLog", "fail")
	assert.Equal(t, 1, status)
	assert.Contains(t, printed, "    [left stdout] by print\n")
	printed, status = again(t, "TestLog", "pass")
	assert.Equal(t, 0, status)
	assert.Equal(t, "PASS\n", printed)
}

// TestStartsThatFail shows what a test prints whose gateway cannot be started.
func TestStartsThatFail(t *testing.T) {
	switch mode := os.Getenv(modeVariable); mode {
	case "":
		for mode, want := range map[string]string{
			"gateway":  `execnettest_test.go:\d+: execnet: .*no-such-python`,
			"group":    `execnettest_test.go:\d+: execnet: 1 of 2 gateways could not be made\n +gw1 \(popen//python=/no-such-python\): .*no-such-python`,
			"no start": `execnettest_test.go:\d+: execnet: .*timeout`,
			"spec":     `execnettest_test.go:\d+: execnet: .*did you mean "popen"`,
		} {
			printed, status := again(t, "TestStartsThatFail", mode, "-test.timeout=10s")
			assert.Equal(t, 1, status, mode)
			assert.Regexp(t, want, printed, mode)
			assert.Contains(t, printed, "--- FAIL: TestStartsThatFail", mode)
		}
	case "gateway":
		execnettest.Gateway(t, "popen//python=/no-such-python")
	case "group":
		execnettest.Group(t, spec(t), "popen//python=/no-such-python")
	case "no start":
		execnettest.Gateway(t, "popen//python="+pythons.Program(t, t.TempDir(), "silent", "#!/bin/sh\nexec sleep 1000\n"))
	case "spec":
		execnettest.Gateway(t, "popn")
	}
}
