//go:build unix

package compat_tests

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// script makes an executable that stands in for an interpreter.
func script(t *testing.T, text string) string {
	t.Helper()
	return pythons.Program(t, t.TempDir(), "python", "#!/bin/sh\n"+text+"\n")
}

func TestWhatIsNoPython(t *testing.T) {
	independent(t)
	t.Parallel() // the banner takes 20 seconds, and hardly a processor
	for name, test := range map[string]struct {
		script, got string
		code        int
		says        string
	}{
		"a banner":              {"echo Welcome to this machine; cat >/dev/null", "Welcome to this machine\n", 0, `got "Welcome to this machine\n"`},
		"a banner, then an end": {"echo no; exit 7", "no\n", 7, "(exit status 7)"},
		"an end with a message": {"echo cannot load libpython >&2; exit 127", "", 127, "cannot load libpython"},
		"an end without a word": {"exit 0", "", 0, "ended without an answer"},
		"bytes":                 {`printf '\377\000'`, "\xff\x00", 0, `got "\xff\x00"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := within.Soon(t)
			if name == "a banner" {
				// An answer may still come, so the start waits as long as it may.
				ctx = within.Time(t, 20*time.Second)
			}
			err := failsToStart(t, ctx, "popen//id=odd//python="+script(t, test.script))
			var wrong *execnet.BootstrapError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, test.got, string(wrong.Got))
			assert.True(t, wrong.Exit.Known)
			assert.Equal(t, test.code, wrong.Exit.Code)
			assert.ErrorContains(t, err, test.says)
			assert.ErrorContains(t, err, "gateway odd (popen//id=odd//python=")
		})
	}
}

// TestGarbageAfterTheAnswer starts programs that answer the bootstrap like a worker and then send
// something else.
func TestGarbageAfterTheAnswer(t *testing.T) {
	independent(t)
	// The answer is "1" and the token that the first line holds behind the word "answer".
	const answers = `IFS= read -r line; read worker; token=${line##*answer}; token=${token#*: }; token=${token#*[!A-Z0-9]}; ` +
		`token=${token#*[!A-Z0-9]}; token=${token%%[!A-Z0-9]*}; printf 1%s "$token"; `
	for name, text := range map[string]string{
		"text":  answers + "printf 'Hello, I am no worker, but I say a lot\\n'; cat >/dev/null",
		"end":   answers + "exit 4",
		"half":  answers + "printf '\\004\\000\\000'; exit 4",
		"large": answers + "printf '\\004\\000\\000\\000\\001\\177\\377\\377\\377x'; exit 4",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, "popen//python="+script(t, text))
			ch, err := gw.RemoteExec(t.Context(), "channel.send(1)")
			if err == nil {
				_, err = ch.Receive(within.Soon(t))
			}
			var died *execnet.GatewayDiedError
			require.ErrorAs(t, err, &died)
			if name == "text" {
				assert.ErrorContains(t, err, "unknown message code")
			} else {
				assert.Equal(t, 4, died.Exit.Code)
			}
		})
	}
}

// TestSilentPython starts an interpreter that never answers, with a context that ends.
func TestSilentPython(t *testing.T) {
	independent(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	path := script(t, "echo $$ > "+pidFile+"; exec sleep 1000")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := failsToStart(t, ctx, "popen//python="+path)
	assert.Less(t, time.Since(began), 20*time.Second)
	assert.ErrorIs(t, err, execnet.ErrTimeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	out, err := exec.Command("sh", "-c", "kill -0 $(cat "+pidFile+")").CombinedOutput()
	assert.Error(t, err, "it was killed and reaped; %s", out)

	ctx, stop := context.WithCancel(t.Context())
	go func() { time.Sleep(100 * time.Millisecond); stop() }()
	err = failsToStart(t, ctx, "popen//python="+path)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestPythonThatCannotBeStarted(t *testing.T) {
	independent(t)
	plain := filepath.Join(t.TempDir(), "plain file")
	require.NoError(t, os.WriteFile(plain, []byte("text"), 0o600))
	for spec, says := range map[string]string{
		"popen//python=/no/such/python":      `cannot start "/no/such/python" (python= in the spec)`,
		"popen//python=no-such-python":       `cannot start "no-such-python"`,
		"popen//python='" + plain + "'":      "may be executed",
		"popen//python=" + t.TempDir():       "it is a folder",
		"popen//python='unbalanced":          "python= in the spec",
		"popen//python=env no-such-program ": "no-such-program",
	} {
		assert.ErrorContains(t, failsToStart(t, within.Soon(t), spec), says, spec)
	}
	t.Setenv("EXECNET_PYTHON", "/no/such/interpreter -X dev")
	assert.ErrorContains(t, failsToStart(t, within.Soon(t), "popen"), `cannot start "/no/such/interpreter" (from EXECNET_PYTHON)`)
	t.Setenv("EXECNET_PYTHON", "")
	t.Setenv("PATH", t.TempDir())
	var notFound *gatewayio.PythonNotFoundError
	err := failsToStart(t, within.Soon(t), "popen")
	require.ErrorAs(t, err, &notFound)
	assert.ErrorContains(t, err, "set EXECNET_PYTHON")
}

// TestReleaseThatDoesNotRun starts the installed worker where none is installed, or where the
// release does not run on this Python.
func TestReleaseThatDoesNotRun(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			err := failsToStart(t, within.Soon(t), "popen//python='"+p.Path+"' -S//bootstrap=import")
			assert.ErrorContains(t, err, "exit status 1")
			assert.ErrorContains(t, err, "execnet", "the traceback that names what is missing")
			assert.Regexp(t, `(Import|ModuleNotFound)Error: No module named '?execnet`, err.Error())
			if supported(p) {
				return
			}
			err = failsToStart(t, within.Soon(t), installed(t, p).spec())
			assert.ErrorContains(t, err, "exit status 1")
			assert.ErrorContains(t, err, "SyntaxError", "the release is too new for this Python, which says so")
		})
	}
}

// TestSpecKeys checks what the keys of a spec do before the first source runs.
func TestSpecKeys(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		dir := filepath.Join(t.TempDir(), "made", "if absent")
		greeting := "hé llo=x"
		if w.python.Major == 2 {
			greeting = "hello =x" // the environment of Python 2 takes only ASCII
		}
		spec := w.spec() + "//id=my-worker//chdir=" + dir + "//nice=5//env:GREETING=" + greeting + "//env:EMPTY=//dont_write_bytecode"
		gw := gateway(t, spec)
		ch := remoteExec(t, gw, `
import os, sys
channel.send((os.path.realpath(os.getcwd()), os.environ["GREETING"], os.environ["EMPTY"], sys.dont_write_bytecode, channel.gateway.id))
channel.send(os.getpid())
channel.receive()
`)
		real, err := filepath.EvalSymlinks(dir)
		require.NoError(t, err)
		assert.Equal(t, execnet.Tuple{real, greeting, "", true, "my-worker-worker"}, receive(t, ch))
		assert.Equal(t, min(niceness(t, os.Getpid())+5, 19), niceness(t, pidOf(t, ch)))
		assert.Equal(t, spec, gw.Spec().String())
		assert.Empty(t, gw.RemoteAddress())
	})
}

// niceness is the niceness of the process's main thread. Linux keeps one for each thread. The
// installed worker does not change those of the threads that it started earlier.
func niceness(t *testing.T, pid int) int {
	t.Helper()
	out, err := exec.Command("ps", "-o", "nice=", "-p", strconv.Itoa(pid)).Output()
	require.NoError(t, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	require.NoError(t, err)
	return n
}

func TestFolderThatCannotBe(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	bothWorkers(t, func(t *testing.T, w worker) {
		err := failsToStart(t, within.Soon(t), w.spec()+"//chdir="+plain+"/below")
		var wrong *execnet.BootstrapError
		require.ErrorAs(t, err, &wrong)
		assert.ErrorContains(t, err, "NotADirectoryError")
	})
}

func TestWrappedPython(t *testing.T) {
	independent(t)
	p := pythons.Default(t)
	gw := gateway(t, "popen//python=env FOO='two words' '"+p.Path+"' -W ignore")
	ch := remoteExec(t, gw, "import os, sys; channel.send((os.environ['FOO'], sys.warnoptions))")
	assert.Equal(t, execnet.Tuple{"two words", []any{"ignore"}}, receive(t, ch))
}

func TestUnknownExecutionModel(t *testing.T) {
	independent(t)
	err := failsToStart(t, within.Soon(t), "popen//execmodel=fibers")
	var wrong *execnet.XSpecError
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "fibers")
}

// TestStderr checks that a worker's stderr is passed on at once and that the end of it is kept.
func TestStderr(t *testing.T) {
	bothWorkers(t, func(t *testing.T, w worker) {
		stderr := new(textbuffer.Buffer)
		gw := makeGateway(t, newGroup(t, stderr), w.spec())
		ch := remoteExec(t, gw, `
import os, sys
sys.stderr.write("from Python\n"); sys.stderr.flush()
os.write(2, b"from below\n")
for i in range(3000): os.write(2, b"line %d\n" % i)
channel.send("written")
channel.receive()
os._exit(9)
`)
		receive(t, ch)
		require.Eventually(t, func() bool { return strings.HasSuffix(stderr.String(), "line 2999\n") }, 10*time.Second, time.Millisecond)
		assert.Equal(t, "from Python\nfrom below\nline 0\n", stderr.String()[:30])
		require.NoError(t, ch.Send(t.Context(), nil))
		_, err := ch.Receive(within.Soon(t))
		var died *execnet.GatewayDiedError
		require.ErrorAs(t, err, &died)
		assert.True(t, strings.HasPrefix(died.Exit.Stderr, "from Python\nfrom below\nline 0\n"), "the beginning is kept, too")
		_, end, found := strings.Cut(died.Exit.Stderr, " bytes are left out here ...]\n")
		assert.True(t, found)
		assert.InDelta(t, 8<<10, len(end), 20)
		assert.True(t, strings.HasSuffix(died.Exit.Stderr, "line 2998\nline 2999\n"))
		assert.ErrorContains(t, err, "line 2999")
		assert.NotContains(t, err.Error(), "line 2900", "the message shows the last lines only")
	})
}

// TestTraces runs a program with EXECNET_DEBUG, which is read at both ends.
func TestTraces(t *testing.T) {
	bothWorkers(t, func(t *testing.T, w worker) {
		for _, level := range []string{"1", "2"} {
			self, err := os.Executable()
			require.NoError(t, err)
			temp := t.TempDir()
			driver := exec.Command(self)
			driver.Env = append(os.Environ(), driverVariable+"="+w.spec(), driverModeVariable+"=end", "EXECNET_DEBUG="+level, "TMPDIR="+temp)
			stderr := new(textbuffer.Buffer)
			driver.Stderr = stderr
			out, err := driver.Output()
			require.NoError(t, err, "%s", stderr)
			assert.Len(t, strings.Fields(string(out)), 2)
			files, err := filepath.Glob(filepath.Join(temp, "execnet-debug-*"))
			require.NoError(t, err)
			traces := stderr.String()
			if level == "1" {
				assert.Len(t, files, 3, "the driver and two workers")
				assert.Empty(t, traces)
				for _, file := range files {
					text, err := os.ReadFile(file)
					require.NoError(t, err)
					traces += string(text)
				}
			} else {
				assert.Empty(t, files)
				for line := range strings.Lines(traces) {
					assert.Regexp(t, `^\[\d+\] |^$`, line)
				}
			}
			for _, part := range []string{"gw0", "gw1-worker", "CHANNEL_EXEC", "CHANNEL_DATA", "GATEWAY_TERMINATE"} {
				assert.Contains(t, traces, part, "level %s", level)
			}
		}
	})
}
