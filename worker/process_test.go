package worker

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// start starts this program as a worker, in a process of its own.
func start(t *testing.T, spec string) *gatewaybase.Gateway {
	t.Helper()
	group := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, group.Terminate(within.Time(t, 10*time.Second))) })
	gw, err := group.MakeGateway(within.Soon(t), spec)
	require.NoError(t, err)
	return gw
}

func TestSelf(t *testing.T) {
	gw := start(t, "popen//self")
	got, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "textstats.count", "these are four words")
	require.NoError(t, err)
	assert.Equal(t, 4, got)
	pid, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "textstats.getpid")
	require.NoError(t, err)
	assert.NotEqual(t, os.Getpid(), pid)
}

// TestGoexitInMain has functions end the main goroutine, in which main_thread_only runs them. The
// others still run in it, and the process ends with status 0.
func TestGoexitInMain(t *testing.T) {
	gw := start(t, "popen//self//execmodel=main_thread_only")
	for range 100 {
		_, err := gw.RemoteCall(within.Soon(t), "textstats.goexit")
		assert.ErrorContains(t, err, "runtime.Goexit")
		got, err := gw.RemoteCall(within.Soon(t), "textstats.goroutine")
		require.NoError(t, err)
		assert.Equal(t, "goroutine 1", got)
	}
	gw.Exit()
	require.NoError(t, gw.Join(within.Soon(t)))
	assert.Equal(t, gatewaybase.Exit{Known: true}, gw.ExitStatus())
}

func TestStackOverflow(t *testing.T) {
	gw := start(t, "popen//self")
	_, err := gw.RemoteCall(within.Soon(t), "textstats.overflow")
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, err, &died)
	assert.Contains(t, died.Error(), "\n  runtime: goroutine stack exceeds 1048576-byte limit\n")
	assert.Contains(t, died.Error(), "\n  fatal error: stack overflow\n")
}

func TestSourceImportsRegisteredFunctions(t *testing.T) {
	gw := start(t, "popen//self")
	ch, err := gw.RemoteExec(t.Context(), `
		import textstats
		for doc in channel:
			channel.send(textstats.count(doc))
	`)
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), "one two three"))
	got, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, int64(3), got)
	require.NoError(t, ch.CloseSend())
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}

func TestSetUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	gw := start(t, "popen//self//chdir="+dir+"//env:GREETING=good day//nice=1")
	got, err := gw.RemoteCall(within.Soon(t), "textstats.getwd")
	require.NoError(t, err)
	assert.Equal(t, dir, got)
	got, err = gw.RemoteCall(within.Soon(t), "textstats.getenv", "GREETING")
	require.NoError(t, err)
	assert.Equal(t, "good day", got)

	group := multi.NewGroup()
	_, err = group.MakeGateway(within.Soon(t), "popen//self//chdir=/dev/null/x")
	assert.ErrorContains(t, err, "/dev/null")
}

func TestPrintingDisturbsNothing(t *testing.T) {
	gw := start(t, "popen//self")
	_, err := gw.RemoteCall(within.Soon(t), "textstats.print", strings.Repeat("\x01", 1000))
	require.NoError(t, err)
	got, err := gw.RemoteCall(within.Soon(t), "textstats.count", "a")
	require.NoError(t, err)
	assert.Equal(t, int64(1), got)
}

func TestFunctionsHearOfTheEnd(t *testing.T) {
	group := multi.NewGroup()
	gw, err := group.MakeGateway(within.Soon(t), "popen//self")
	require.NoError(t, err)
	// As RemoteCall its context ends with the channel, at once.
	_, err = gw.RemoteExec(t.Context(), "import textstats\nchannel.send(1)\ntextstats.hang()")
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, group.Terminate(within.Time(t, 500*time.Millisecond)))
	assert.Less(t, time.Since(began), 10*time.Second, "it was killed")
}

func TestKilledWorker(t *testing.T) {
	gw := start(t, "popen//self")
	called := make(chan error)
	go func() {
		_, err := gw.RemoteCall(within.Soon(t), "textstats.hang")
		called <- err
	}()
	pid, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "textstats.getpid")
	require.NoError(t, err)
	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, <-called, &died)
	assert.Equal(t, os.Kill, died.Exit.Signal)
}

// ending runs this program as a worker with the given stdin and returns how it ended.
func ending(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(within.Soon(t), program, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	var failed *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &failed)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestStrangersAreRefused(t *testing.T) {
	for _, line := range []string{
		"", "hello\n", "GET / HTTP/1.1\r\n\r\n", "'print(1)'\n", `"__import__('os').system('echo hacked')"` + "\n", strings.Repeat("x", 1<<20),
	} {
		for _, args := range [][]string{{"worker"}, {"-u", "-c", cmdline.BootstrapLine}} {
			status, stdout, stderr := ending(t, line, args...)
			assert.Equal(t, exitRefused, status, "%.20q", line)
			assert.Empty(t, stdout)
			assert.True(t, strings.HasPrefix(stderr, "execnet: "), stderr)
			assert.Less(t, len(stderr), 1000)
		}
	}
}

func TestGarbageAfterTheLineEndsTheWorker(t *testing.T) {
	status, stdout, stderr := ending(t, `"serve_popen(\"gw0-worker\", \"thread\", {})"`+"\n\xff\xff\xff\xff\xff\xff\xff\xff\xff", word)
	assert.Equal(t, exitFailed, status, stderr)
	assert.Equal(t, "1", stdout)
	assert.Contains(t, stderr, "gw0-worker")
}

// Python's own options reach the program where it is taken for an interpreter. It does not go on
// with what it does otherwise.
func TestPythonsOptionsAreRefused(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for _, options := range []string{"-W error", "-X dev", "-m execnet info"} {
		args := append(strings.Fields(options), "-u", "-c", cmdline.BootstrapLine)
		status, stdout, stderr := ending(t, "", args...)
		assert.Equal(t, exitRefused, status, options)
		assert.Empty(t, stdout)
		assert.Equal(t, "execnet: "+program+" is a Go worker, no Python: it does not take "+options+"\n", stderr)
		group := &multi.Group{Stderr: io.Discard}
		_, err := group.MakeGateway(within.Soon(t), "popen//python="+program+" "+options)
		assert.ErrorContains(t, err, "it does not take "+options)
	}
}

// Stderr is what reaches the driver: what the program writes to it, tracebacks that it prints, and
// those of its threads.
func TestStderrOfSource(t *testing.T) {
	var stderr bytes.Buffer
	group := &multi.Group{Stderr: &stderr}
	gw, err := group.MakeGateway(within.Soon(t), "popen//self")
	require.NoError(t, err)
	ch, err := gw.RemoteExec(t.Context(), `
		import sys, threading, traceback
		sys.stderr.write("written\n")
		print("printed", file=sys.stderr)
		sys.__stderr__.write("")
		sys.stderr.flush()
		try:
			1 / 0
		except ZeroDivisionError:
			traceback.print_exc()
		def work():
			raise KeyError("in a thread")
		thread = threading.Thread(target=work)
		thread.start()
		thread.join()
		print("nobody sees that")
	`)
	require.NoError(t, err)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	require.NoError(t, group.Terminate(within.Time(t, 10*time.Second)))
	text := stderr.String()
	assert.True(t, strings.HasPrefix(text, "written\nprinted\nTraceback (most recent call last):\n"), text)
	assert.Contains(t, text, "\nZeroDivisionError: division by zero\n")
	assert.Contains(t, text, "KeyError: 'in a thread'\n")
	assert.NotContains(t, text, "nobody")
}
