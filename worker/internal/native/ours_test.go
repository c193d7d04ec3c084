package native

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// via makes a gateway through another one, as a group does.
func via(t *testing.T, host *gatewaybase.Gateway, text string) *gatewaybase.Gateway {
	t.Helper()
	gw, err := tryVia(t, within.Soon(t), host, text)
	require.NoError(t, err)
	return gw
}

func tryVia(t *testing.T, ctx context.Context, host *gatewaybase.Gateway, text string) (*gatewaybase.Gateway, error) {
	t.Helper()
	spec := parse(t, text+"//via=x//id=sub")
	pipe, err := openThrough(ctx, host, spec)
	require.NoError(t, err)
	return begin(t, ctx, pipe, text+"//via=x//id=sub")
}

// openThrough opens a pipe by way of host, whatever id the spec's via= or installvia= has.
func openThrough(ctx context.Context, host *gatewaybase.Gateway, spec *xspec.Spec) (gatewaybase.IO, error) {
	opener := gatewayio.Opener{Gateway: func(string) *gatewaybase.Gateway { return host }}
	return opener.Open(ctx, spec)
}

func begin(t *testing.T, ctx context.Context, pipe gatewaybase.IO, text string) (*gatewaybase.Gateway, error) {
	t.Helper()
	gw, err := bootstrap.Start(ctx, pipe, gatewaybase.Config{Spec: parse(t, text), Warnings: io.Discard})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		gw.Exit()
		require.NoError(t, gw.Join(within.Soon(t)))
	})
	return gw, nil
}

func rinfo(t *testing.T, gw *gatewaybase.Gateway) gatewaybase.RInfo {
	t.Helper()
	info, err := gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	return info
}

func TestRInfo(t *testing.T) {
	driver, _ := connect(t)
	info := rinfo(t, driver)
	assert.Equal(t, os.Getpid(), info.PID)
	assert.Equal(t, "3.4.0", info.VersionInfo.String())
	folder, err := os.Getwd()
	require.NoError(t, err)
	assert.Equal(t, folder, info.CWD)
	assert.FileExists(t, info.Executable)
	assert.NotEmpty(t, info.Platform)
}

func TestRemoteMemory(t *testing.T) {
	driver, _ := connect(t)
	before, err := driver.RemoteMemory(within.Soon(t))
	require.NoError(t, err)
	assert.Greater(t, before, int64(1<<20))
	if runtime.GOOS != "linux" {
		return
	}
	child := exec.Command("python3", "-c", "data = b'x' * (64 << 20); print(1, flush=True); input()")
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = io.ReadFull(stdout, make([]byte, 2))
	require.NoError(t, err)
	after, err := driver.RemoteMemory(within.Soon(t))
	require.NoError(t, err)
	// Not all of it: this process may have given memory back meanwhile.
	assert.Greater(t, after-before, int64(32<<20), "what its children occupy belongs to it")
	require.NoError(t, stdin.Close())
	_ = child.Wait()
}

// requireEcho sends n bytes to a Python and gets them back.
func requireEcho(t *testing.T, gw *gatewaybase.Gateway, n int) {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), "for item in channel: channel.send(item)")
	require.NoError(t, err)
	piece := make([]byte, 100_001)
	for i := range piece {
		piece[i] = byte(i * 7)
	}
	sent := make(chan error, 1)
	go func() {
		var err error
		for range n/len(piece) + 1 {
			if err = ch.Send(t.Context(), piece); err != nil {
				break
			}
		}
		sent <- err
	}()
	for range n/len(piece) + 1 {
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		require.Equal(t, piece, item)
	}
	require.NoError(t, <-sent)
	require.NoError(t, ch.Close())
}

func TestForwardsToPythons(t *testing.T) {
	driver, _ := connect(t)
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			gw := via(t, driver, python.Spec())
			assert.NotEqual(t, os.Getpid(), rinfo(t, gw).PID)
			if python.Major == 3 {
				requireEcho(t, gw, 4<<20)
			}
			requireDies(t, gw, "import os, sys; sys.stderr.write('last words'); sys.stderr.flush(); os._exit(5)", func(exit gatewaybase.Exit) {
				assert.Equal(t, 5, exit.Code)
				assert.Equal(t, "last words", exit.Stderr)
			})
			if hasSignals {
				requireDies(t, via(t, driver, python.Spec()), "import os; os.kill(os.getpid(), 9)", func(exit gatewaybase.Exit) {
					assert.Equal(t, os.Kill.String(), exit.Signal.String())
				})
			}
		})
	}
}

func requireDies(t *testing.T, gw *gatewaybase.Gateway, source string, check func(gatewaybase.Exit)) {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), source)
	if err == nil { // it may be dead by now
		_, err = ch.Receive(within.Soon(t))
	}
	var died *gatewaybase.GatewayDiedError
	require.ErrorAs(t, err, &died)
	require.True(t, died.Exit.Known)
	check(died.Exit)
}

// TestForwardsToItself starts this program behind itself, twice, and an interpreter behind that.
func TestForwardsToItself(t *testing.T) {
	driver, _ := connect(t)
	first := via(t, driver, "popen//self")
	second := via(t, first, "popen//self")
	last := via(t, second, pythons.Default(t).Spec())
	pids := map[int]bool{os.Getpid(): true, rinfo(t, first).PID: true, rinfo(t, second).PID: true, rinfo(t, last).PID: true}
	assert.Len(t, pids, 4)
	requireEcho(t, last, 2<<20)
}

// TestForwardsTheEnvironment has an interpreter behind this program get variables that it reads
// only when it starts.
func TestForwardsTheEnvironment(t *testing.T) {
	driver, _ := connect(t)
	gw := via(t, driver, pythons.Default(t).Spec()+"//env:PYTHONHASHSEED=0//env:A_WORD=it's")
	ch, err := gw.RemoteExec(t.Context(), "import os, sys\nchannel.send([sys.flags.hash_randomization, os.environ['A_WORD']])")
	require.NoError(t, err)
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []any{int64(0), "it's"}, item)
}

func TestForwardErrors(t *testing.T) {
	driver, _ := connect(t)
	for command, want := range map[string]string{
		"no-such-python": `through gateway tested: OSError: cannot start "no-such-python"`,
		"'":              "ValueError: ",
		pythons.Default(t).Path + " -c print(42)":             `got "42`,
		pythons.Default(t).Path + " -c 'raise SystemExit(7)'": "exit status 7",
	} {
		_, err := tryVia(t, within.Soon(t), driver, "popen//python="+command)
		assert.ErrorContains(t, err, want, command)
	}
	_, err := tryVia(t, within.Soon(t), driver, "socket=127.0.0.1:1")
	assert.ErrorContains(t, err, "127.0.0.1:1")
}

func TestForwardRefusesWhatItDoesNotKnow(t *testing.T) {
	driver, _ := connect(t)
	argv := map[string]any{"interpreter": pythons.Default(t).Path, "argv": []any{"-c", "import sys; sys.stdin.read()"}}
	for name, test := range map[string]struct {
		kwargs      map[string]any
		io, control any
		want        string
	}{
		"missing argument":   {kwargs: map[string]any{"interpreter": nil}, want: "argv"},
		"too many":           {kwargs: map[string]any{"interpreter": nil, "argv": []any{}, "x": 1}, want: "unexpected"},
		"interpreter":        {kwargs: map[string]any{"interpreter": 1, "argv": []any{}}, want: "interpreter as str"},
		"arguments":          {kwargs: map[string]any{"interpreter": nil, "argv": []any{1}}, want: "list of str"},
		"nothing to start":   {kwargs: map[string]any{"interpreter": nil, "argv": []any{}}, want: "cannot start"},
		"text for the sub":   {kwargs: argv, io: "text", want: "expected bytes"},
		"no such order":      {kwargs: argv, control: "survive", want: "survive"},
		"order of execnet's": {kwargs: argv, control: rioKill, want: "1 asks"},
	} {
		t.Run(name, func(t *testing.T) {
			control, err := driver.NewChannel()
			require.NoError(t, err)
			ch, err := driver.RemoteExec(t.Context(), forwarderText, gatewaybase.File(forwardProcess.file, 1), gatewaybase.Call(forwardProcess.call, test.kwargs))
			require.NoError(t, err)
			require.NoError(t, ch.Send(t.Context(), control))
			if test.io != nil {
				require.NoError(t, ch.Send(t.Context(), test.io))
			}
			if test.control != nil {
				require.NoError(t, control.Send(t.Context(), test.control))
			}
			assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), test.want)
			require.NoError(t, control.WaitClose(within.Soon(t)))
		})
	}
	ch, err := driver.RemoteExec(t.Context(), forwarderText, gatewaybase.File(forwardConnection.file, 1),
		gatewaybase.Call(forwardConnection.call, map[string]any{"host": "", "port": 1 << 20, "timeout": 0}))
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), "no channel"))
	assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), "control channel")
}

// forwarderText has what the forwarder is recognised by.
const forwarderText = `
class Process(object): pass
class Connection(object): pass
class Forwarder(object): pass
def forward(channel, connect): pass
def forward_process(channel, interpreter, argv): pass
def forward_connection(channel, host, port, timeout): pass
`

// TestForwardKills has the driver kill a sub that reads nothing while the pipe to it is full.
func TestForwardKills(t *testing.T) {
	driver, _ := connect(t)
	spec := parse(t, "popen//via=x//id=sub//python="+pythons.Default(t).Path+` -c "import time; time.sleep(600)"`)
	pipe, err := openThrough(within.Soon(t), driver, spec)
	require.NoError(t, err)
	wrote := make(chan error, 1)
	go func() {
		_, err := pipe.Write(make([]byte, 8<<20))
		wrote <- err
	}()
	select {
	case err := <-wrote:
		t.Fatal("nobody takes it, and yet it is written:", err)
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, pipe.Kill())
	require.NoError(t, pipe.Wait(within.Soon(t)))
	assert.ErrorIs(t, <-wrote, io.ErrClosedPipe)
	assert.True(t, pipe.Exit().Known)
}

// TestForwardEndsWithItsDriver lets go of subs that do not end when their input does.
func TestForwardEndsWithItsDriver(t *testing.T) {
	stubborn := pythons.Default(t).Path + ` -c "import os, sys, time; os.write(1, ('%d\n' % os.getpid()).encode()); time.sleep(600)"`
	for name, letGo := range map[string]func(gatewaybase.IO, *gatewaybase.Gateway, func()){
		"channel":   func(p gatewaybase.IO, _ *gatewaybase.Gateway, _ func()) { p.CloseRead() },
		"terminate": func(_ gatewaybase.IO, _ *gatewaybase.Gateway, end func()) { end() },
		"death":     func(_ gatewaybase.IO, driver *gatewaybase.Gateway, _ func()) { _ = driver.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driver, end := connect(t)
			pipe, err := openThrough(within.Soon(t), driver, parse(t, "popen//via=x//id=sub//python="+stubborn))
			require.NoError(t, err)
			pid := readPID(t, pipe)
			begin := time.Now()
			letGo(pipe, driver, end)
			requireGone(t, pid)
			assert.Less(t, time.Since(begin), endTimeout+15*time.Second)
			require.NoError(t, pipe.Wait(within.Soon(t)))
		})
	}
}

func TestForwardsToASocketServer(t *testing.T) {
	driver, _ := connect(t)
	host, _ := connect(t)
	ch, err := host.RemoteExec(t.Context(), socketServerText, gatewaybase.File(socketServer.file, 1))
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), serializer.Tuple{"127.0.0.1", 0}))
	bound, err := gatewaybase.Receive[serializer.Tuple](within.Soon(t), ch)
	require.NoError(t, err)
	gw := via(t, driver, "socket=127.0.0.1:"+serializer.Repr(bound[1]))
	assert.NotEqual(t, os.Getpid(), rinfo(t, gw).PID)
	gw.Exit()
	require.NoError(t, gw.Join(within.Soon(t)))
	require.NoError(t, ch.WaitClose(within.Soon(t)), "the server has ended with the worker")
}

// socketServerText has what the socket server is recognised by.
const socketServerText = `
def listen(socket, host, port): pass
def accept(server): pass
def read_line(connection): pass
def serve_one(channel): pass
if __name__ == "__channelexec__":
    serve_one(channel)
`

func TestInstallsASocketServer(t *testing.T) {
	driver, _ := connect(t)
	pipe, err := openThrough(within.Soon(t), driver, parse(t, "socket//installvia=tested"))
	require.NoError(t, err)
	gw, err := begin(t, within.Soon(t), pipe, "socket//installvia=tested//id=sub")
	require.NoError(t, err)
	assert.NotEqual(t, os.Getpid(), rinfo(t, gw).PID)
}

func TestSocketServerThatNobodyConnectsTo(t *testing.T) {
	for name, letGo := range map[string]func(*gatewaybase.Channel, func()){
		"channel":   func(ch *gatewaybase.Channel, _ func()) { _ = ch.Close() },
		"terminate": func(_ *gatewaybase.Channel, end func()) { end() },
	} {
		t.Run(name, func(t *testing.T) {
			driver, end := connect(t)
			ch, err := driver.RemoteExec(t.Context(), socketServerText, gatewaybase.File(socketServer.file, 1))
			require.NoError(t, err)
			require.NoError(t, ch.Send(t.Context(), serializer.Tuple{"127.0.0.1", 0}))
			bound, err := gatewaybase.Receive[serializer.Tuple](within.Soon(t), ch)
			require.NoError(t, err)
			letGo(ch, end)
			end()
			_, err = net.Dial("tcp", "127.0.0.1:"+serializer.Repr(bound[1]))
			assert.Error(t, err)
		})
	}
}

func TestSocketServerErrors(t *testing.T) {
	driver, _ := connect(t)
	for name, item := range map[string]any{
		"expected (host": serializer.Tuple{"127.0.0.1", 1 << 16}, "expected": 5, "OSError": serializer.Tuple{"192.0.2.1", 0},
	} {
		ch, err := driver.RemoteExec(t.Context(), socketServerText, gatewaybase.File(socketServer.file, 1))
		require.NoError(t, err)
		require.NoError(t, ch.Send(t.Context(), item))
		assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), name)
	}
}

func TestReceivesRSync(t *testing.T) {
	driver, _ := connect(t)
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	require.NoError(t, os.WriteFile(filepath.Join(from, "file"), []byte("content"), 0o600))
	r := rsync.New(from)
	require.NoError(t, r.AddTarget(driver, to, rsync.TargetOptions{}))
	require.NoError(t, r.Send(within.Soon(t)))
	content, err := os.ReadFile(filepath.Join(to, "file"))
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))
}
