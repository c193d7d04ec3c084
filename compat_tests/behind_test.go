//go:build unix

package compat_tests

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// behind is a spec that starts this program as a worker with a CPython behind it.
func behind(p pythons.Interpreter) string { return "popen//self" + hasBehind(p.Path) }

// hasBehind are the keys of a Go worker's spec that choose the CPython behind it.
func hasBehind(python string) string {
	return "//env:EXECNET_ENGINE=cpython//env:EXECNET_PYTHON='" + python + "'"
}

// everyBehind runs a test with every CPython found behind a Go worker.
func everyBehind(t *testing.T, test func(t *testing.T, spec string, p pythons.Interpreter)) {
	t.Helper()
	independent(t)
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			test(t, behind(p), p)
		})
	}
}

func pidsOf(t *testing.T, ch *execnet.Channel) (cpython, worker int) {
	t.Helper()
	pids, err := execnet.Receive[[2]int](within.Soon(t), ch)
	require.NoError(t, err)
	return pids[0], pids[1]
}

// TestChannelsBehind runs the channel test with a CPython behind a Go worker.
func TestChannelsBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, p pythons.Interpreter) {
		channeltest.Run(t, opener(spec), ours(p).caps())
	})
}

func TestMainThreadOnlyBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, p pythons.Interpreter) {
		channeltest.RunMainThreadOnly(t, opener(spec+"//execmodel=main_thread_only"), ours(p).caps())
	})
}

func TestGreenletsBehind(t *testing.T) {
	independent(t)
	python := pythons.WithExecnet(t)
	for _, model := range []string{"gevent", "eventlet"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			caps := ours(pythons.Default(t)).caps()
			caps.ExecModel = model
			channeltest.Run(t, opener("popen//self"+hasBehind(python)+"//execmodel="+model), caps)
		})
	}
}

// TestTransportsBehind runs the channel test over ssh and through other gateways.
func TestTransportsBehind(t *testing.T) {
	independent(t)
	self, err := os.Executable()
	require.NoError(t, err)
	server := sshdtest.Start(t)
	all := pythons.All(t)
	oldest, newest := all[0], all[len(all)-1]
	for name, specs := range map[string][]string{
		"ssh":        {server.Spec() + "//python=" + self + hasBehind(newest.Path)},
		"ssh, 2":     {server.Spec() + "//python=" + self + hasBehind(oldest.Path)},
		"via Python": {newest.Spec() + "//id=host", "popen//via=host//python=" + self + hasBehind(newest.Path)},
		"via Go":     {"popen//self//id=host", "popen//via=host//python=" + self + hasBehind(newest.Path)},
		"via itself": {behind(newest) + "//id=host", "popen//self//via=host"},
		"a Python":   {behind(newest) + "//id=host", newest.Spec() + "//via=host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caps := ours(newest).caps()
			if name == "ssh, 2" {
				caps = ours(oldest).caps()
			}
			channeltest.Run(t, route{specs: specs}.open, caps)
		})
	}
}

// TestDeathsBehind has the CPython die: what it has sent arrives, then each of its channels is told
// how it ended, and the Go worker starts another one for the next program.
func TestDeathsBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, _ pythons.Interpreter) {
		gw := makeGateway(t, newGroup(t, new(textbuffer.Buffer)), spec)
		const says = "import os, sys; sys.stderr.write('the last words\\n'); sys.stderr.flush(); "
		before := 0
		for _, death := range []struct{ source, says string }{
			{"import os; os._exit(3)", "died (exit status 3)"},
			{"import os; os.kill(os.getpid(), 9); channel.receive()", "died (signal: killed)"},
			{says + "os.kill(os.getpid(), 11); channel.receive()", "died (signal: segmentation fault); its stderr ended:\n  the last words"},
			{says + "os._exit(0)", "died (exit status 0); its stderr ended:\n  the last words"},
		} {
			waiting := remoteExec(t, gw, bothPIDs+"channel.receive()")
			pid, worker := pidsOf(t, waiting)
			assert.NotEqual(t, before, pid)
			before = pid
			given, err := gw.NewChannel()
			require.NoError(t, err)
			ch := remoteExec(t, gw, "given = channel.receive()\nmade = channel.gateway.newchannel()\nchannel.send((made, made.id))\n"+
				"for i in range(1000): channel.send(i)\n"+death.source)
			require.NoError(t, ch.Send(t.Context(), given))
			item := receive(t, ch).(execnet.Tuple)
			made := item[0].(*execnet.Channel)
			for i := range 1000 {
				require.Equal(t, int64(i), receive(t, ch), "all that was sent arrives")
			}
			for name, ch := range map[string]*execnet.Channel{"own": ch, "other": waiting, "made there": made, "made here": given} {
				var remote *execnet.RemoteError
				require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &remote, name)
				assert.Contains(t, remote.Formatted, death.says, name)
			}
			gone(t, pid)
			status, err := gw.RemoteStatus(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, execnet.RemoteStatus{ExecModel: "thread"}, status)
			next := remoteExec(t, gw, bothPIDs+"channel.send(channel.gateway.newchannel().id)")
			_, still := pidsOf(t, next)
			assert.Equal(t, worker, still)
			assert.Greater(t, receive(t, next), item[1], "not the id of a channel that the driver may still hold")
		}
	})
}

// TestNoPythonBehind starts what is no Python. The error says what to set, and nothing waits. The
// next program tries again.
func TestNoPythonBehind(t *testing.T) {
	independent(t)
	dir := t.TempDir()
	python := pythons.Default(t).Path
	for name, c := range map[string]struct{ script, says string }{
		"exits":  {"echo oh dear >&2\nexit 4\n", "the interpreter ended without an answer (exit status 4)"},
		"echoes": {"exec cat\n", "what is sent there comes back"},
		"noise":  {"exec yes noise\n", "more than 64 KiB came"},
		"second": {"[ -e '" + dir + "/flag' ] && exec '" + python + "' \"$@\"\ntouch '" + dir + "/flag'\n", "the interpreter ended without an answer"},
		"prints": {"echo welcome\nexec '" + python + "' \"$@\"\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := pythons.Program(t, dir, name, "#!/bin/sh\n"+c.script)
			gw := makeGateway(t, newGroup(t, new(textbuffer.Buffer)), "popen//self"+hasBehind(program))
			for i := range 2 {
				ch := remoteExec(t, gw, "channel.send(1 + 1)")
				if c.says == "" || name == "second" && i == 1 {
					assert.Equal(t, int64(2), receive(t, ch))
					continue
				}
				var remote *execnet.RemoteError
				require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &remote)
				assert.Contains(t, remote.Formatted, "the CPython behind this Go worker ('"+program+"', from EXECNET_PYTHON) did not start: ")
				assert.Contains(t, remote.Formatted, c.says)
			}
			got, err := gw.RemoteCall(within.Soon(t), "behind.pid")
			require.NoError(t, err, "the Go functions are there all the same")
			assert.NotZero(t, got)
		})
	}
}

// TestSetUpBehind has the keys of the spec reach both processes, and what execnet's driver executes
// for them, which may come when the CPython runs already.
func TestSetUpBehind(t *testing.T) {
	everyBehind(t, func(t *testing.T, spec string, _ pythons.Interpreter) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		require.NoError(t, err)
		first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
		gw := gateway(t, spec+"//chdir="+first+"//env:BEHIND=é1//nice=1")
		usual := niceness(t, os.Getpid())
		check := func(folder, variable string, nice int) {
			t.Helper()
			ch := remoteExec(t, gw, bothPIDs+"import os; v = os.environ['BEHIND']\n"+
				"channel.send([os.getcwd(), v if type(v) is type(u'') else v.decode('utf-8')])")
			cpython, worker := pidsOf(t, ch)
			assert.Equal(t, []any{folder, variable}, receive(t, ch))
			call, err := gw.RemoteCall(within.Soon(t), "behind.setup")
			require.NoError(t, err)
			assert.Equal(t, []any{folder, variable}, call)
			for _, pid := range []int{cpython, worker} {
				assert.Equal(t, min(usual+nice, 19), niceness(t, pid))
			}
		}
		check(first, "é1", 1)

		ch := remoteExec(t, gw, `
			import os
			path, nice, env = channel.receive()
			if path:
			    if not os.path.exists(path):
			        os.mkdir(path)
			    os.chdir(path)
			if nice and hasattr(os, 'nice'):
			    os.nice(nice)
			if env:
			    for name, value in env.items():
			        os.environ[name] = value
		`)
		require.NoError(t, ch.Send(t.Context(), execnet.Tuple{second, 2, map[string]string{"BEHIND": "2"}}))
		require.NoError(t, ch.WaitClose(within.Soon(t)))
		check(second, "2", 3)
	})
}

// TestTerminatedBehind ends a group whose CPythons execute what does not end soon. The Go workers
// are killed, and the CPythons end with them.
func TestTerminatedBehind(t *testing.T) {
	independent(t)
	for _, p := range []pythons.Interpreter{pythons.All(t)[0], pythons.Default(t)} {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			group := newGroup(t, new(textbuffer.Buffer))
			var pids []int
			for _, source := range stuck {
				gw := makeGateway(t, group, behind(p))
				cpython, worker := pidsOf(t, remoteExec(t, gw, bothPIDs+source))
				pids = append(pids, cpython, worker)
			}
			require.NoError(t, group.Terminate(within.Time(t, time.Second)))
			requireEnded(t, pids, 10*time.Second) // 2, and what a busy machine adds
		})
	}
}

// TestTerminatedWorkerBehind sends SIGTERM to a Go worker, as supervisors and kill do. Its driver
// is told the signal at once, and the CPython ends with it, whatever that does.
func TestTerminatedWorkerBehind(t *testing.T) {
	independent(t)
	sources := maps.Clone(stuck)
	sources["in a Go function"] = "import behind; behind.sleep()"
	for _, p := range []pythons.Interpreter{pythons.All(t)[0], pythons.Default(t)} {
		for name, source := range sources {
			t.Run(p.Version()+"/"+name, func(t *testing.T) {
				t.Parallel()
				gw := makeGateway(t, newGroup(t, new(textbuffer.Buffer)), behind(p))
				ch := remoteExec(t, gw, bothPIDs+source)
				cpython, worker := pidsOf(t, ch)
				require.NoError(t, syscall.Kill(worker, syscall.SIGTERM))
				var died *execnet.GatewayDiedError
				require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
				assert.Equal(t, syscall.SIGTERM, died.Exit.Signal)
				_, err := gw.RemoteExec(within.Soon(t), "pass")
				require.ErrorAs(t, err, &died)
				require.NoError(t, gw.Join(within.Soon(t)))
				requireEnded(t, []int{cpython, worker}, 10*time.Second) // 2, and a busy machine
			})
		}
	}
}

// TestStuckCallBehind ends a gateway while a CPython waits for a Go function that does not heed its
// context: the Go worker gives up on it.
func TestStuckCallBehind(t *testing.T) {
	independent(t)
	t.Parallel() // it takes 20 seconds, and hardly a processor
	gw := gateway(t, behind(pythons.Default(t)))
	cpython, worker := pidsOf(t, remoteExec(t, gw, bothPIDs+"import behind; behind.sleep()"))
	gw.Exit()
	require.NoError(t, gw.Join(within.Time(t, 40*time.Second)))
	assert.Equal(t, 1, gw.ExitStatus().Code)
	requireEnded(t, []int{cpython, worker}, 5*time.Second)
}

// TestStoppedBehind fills the pipes to a CPython that does not read. What the Go worker serves by
// itself goes on as long as there is room, and the end of the Go worker is that of the CPython.
func TestStoppedBehind(t *testing.T) {
	independent(t)
	t.Parallel()
	gw := gateway(t, behind(pythons.Default(t)))
	ch := remoteExec(t, gw, bothPIDs+"import signal; os.kill(os.getpid(), signal.SIGSTOP)")
	cpython, worker := pidsOf(t, ch)
	for range 10 {
		require.NoError(t, ch.Send(within.Soon(t), make([]byte, 1<<20)))
		_, err := gw.RemoteCall(within.Soon(t), "behind.pid")
		require.NoError(t, err)
	}
	var err error
	sent := 0
	for err == nil {
		err = ch.Send(within.Time(t, time.Second), make([]byte, 1<<20))
		sent++
	}
	assert.ErrorIs(t, err, execnet.ErrTimeout)
	assert.Less(t, sent, 32, "what waits in the Go worker is bounded")
	require.NoError(t, gw.Kill())
	requireEnded(t, []int{cpython, worker}, 10*time.Second) // 2, and what a busy machine adds
}

// TestEndOfStoppedBehind ends gateways whose Go workers are full of what a CPython does not read.
func TestEndOfStoppedBehind(t *testing.T) {
	independent(t)
	t.Parallel() // it takes 26 seconds, and hardly a processor
	for name, end := range map[string]func(t *testing.T, group *execnet.Group, gw *execnet.Gateway){
		"Exit alone": func(t *testing.T, _ *execnet.Group, gw *execnet.Gateway) {
			gw.Exit()
			require.NoError(t, gw.Join(within.Soon(t)))
			assert.True(t, gw.ExitStatus().Known)
		},
		"Terminate": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
			require.NoError(t, group.Terminate(within.Time(t, time.Second)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group := newGroup(t, new(textbuffer.Buffer))
			gw := makeGateway(t, group, behind(pythons.Default(t)))
			ch := remoteExec(t, gw, bothPIDs+"import signal; os.kill(os.getpid(), signal.SIGSTOP)")
			cpython, worker := pidsOf(t, ch)
			var err error
			for err == nil {
				err = ch.Send(within.Time(t, time.Second), make([]byte, 1<<20))
			}
			require.ErrorIs(t, err, execnet.ErrTimeout)
			end(t, group, gw)
			requireEnded(t, []int{cpython, worker}, time.Minute)
		})
	}
}

func listTemp(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// killRounds has a driver start workers with much traffic, kills one of the processes, each time
// another one and at another moment, and checks that nothing is left.
func killRounds(t *testing.T, rounds int, start func(t *testing.T, temp string) *exec.Cmd) {
	t.Helper()
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for round := range rounds {
		temp := t.TempDir()
		driver := start(t, temp)
		var said textbuffer.Buffer
		driver.Stderr = &said
		out, err := driver.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, driver.Start())
		var cpython, worker int
		_, err = fmt.Fscan(out, &cpython, &worker)
		require.NoError(t, err, "%s", &said)
		victim := []int{driver.Process.Pid, worker, cpython}[round%3]
		time.Sleep(time.Duration(random.IntN(int(300 * time.Millisecond))))
		require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
		// A driver that lives notices the death and ends by itself.
		died := time.AfterFunc(60*time.Second, func() { _ = driver.Process.Signal(syscall.SIGQUIT) })
		err = driver.Wait()
		assert.True(t, died.Stop(), "round %d, seed %d: the driver hangs: %s", round, seed, &said)
		if victim != driver.Process.Pid {
			assert.NoError(t, err, "round %d, seed %d: %s", round, seed, &said)
		}
		requireEnded(t, []int{cpython, worker}, 30*time.Second)
		assert.Empty(t, slices.DeleteFunc(listTemp(t, temp), func(name string) bool { return strings.HasPrefix(name, "go-build") }),
			"round %d, seed %d", round, seed)
	}
}

func TestKilledBehindByGo(t *testing.T) {
	independent(t)
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	killRounds(t, 12, func(t *testing.T, temp string) *exec.Cmd {
		driver := exec.Command(self)
		driver.Env = append(os.Environ(), "TMPDIR="+temp, driverVariable+"="+behind(pythons.Default(t)), driverModeVariable+"=traffic")
		return driver
	})
}

// pipTraffic is beTraffic for pip's driver.
const pipTraffic = `
import sys, threading
import execnet
def feed(ch):
    try:
        while True: ch.send(b"y" * 50000)
    except (IOError, execnet.RemoteError): pass
def drain(ch):
    try:
        while True: ch.receive()
    except (EOFError, IOError, execnet.RemoteError): pass
gw = execnet.makegateway("popen//python=" + sys.argv[1])
ch = gw.remote_exec(sys.argv[2])
print(*ch.receive(20), flush=True)
threads = []
for i in range(4):
    given = gw.newchannel()
    ch.send(given)
    threads += [threading.Thread(target=f, args=(given,)) for f in ((feed, drain), (drain,))[i % 2]]
for thread in threads: thread.start()
try:
    ch.receive()
except (EOFError, execnet.RemoteError): pass
for thread in threads: thread.join()
if gw.hasreceiver():
    try:
        assert gw.remote_exec("channel.send(1)").receive(20) == 1
    except (EOFError, IOError):  # the Go worker has died
        gw.join(20)
execnet.default_group.terminate(10)
`

func TestKilledBehindByPip(t *testing.T) {
	independent(t)
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	python := pythons.WithExecnet(t)
	killRounds(t, 12, func(t *testing.T, temp string) *exec.Cmd {
		driver := exec.Command(python, "-c", pipTraffic, self, everything)
		driver.Env = append(os.Environ(), "TMPDIR="+temp, "EXECNET_ENGINE=cpython", "EXECNET_PYTHON="+pythons.Default(t).Path)
		return driver
	})
}
