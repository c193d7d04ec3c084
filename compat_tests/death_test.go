//go:build unix

package compat_tests

import (
	"errors"
	"io"
	"maps"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// pidOf receives a worker's process id, which the source of the execution ch has to send.
func pidOf(t *testing.T, ch *execnet.Channel) int {
	t.Helper()
	pid, err := execnet.Receive[int](within.Soon(t), ch)
	require.NoError(t, err)
	return pid
}

// gone checks that no process of the id is left, not even a zombie.
func gone(t *testing.T, pid int) {
	t.Helper()
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "process %d is still there", pid)
}

// requireDied checks that call returned that the gateway has died, and returns that error.
func requireDied(t *testing.T, gw *execnet.Gateway, err error, call string) *execnet.GatewayDiedError {
	t.Helper()
	var died *execnet.GatewayDiedError
	require.ErrorAs(t, err, &died, call)
	assert.Equal(t, gw.ID(), died.ID, call)
	return died
}

// allFail starts calls of every kind that wait for a gateway's worker. Then it calls harm, and
// checks that within limit each of them fails because the gateway has died. Nothing is to come on
// the channel waiting. more are further calls. check gets the error of each call.
func allFail(t *testing.T, gw *execnet.Gateway, waiting *execnet.Channel, more map[string]func() error,
	limit time.Duration, harm func(), check func(call string, died *execnet.GatewayDiedError)) {
	t.Helper()
	idle, err := gw.NewChannel()
	require.NoError(t, err)
	withCallback, err := gw.NewChannel()
	require.NoError(t, err)
	called := make(chan any, 1)
	require.NoError(t, withCallback.SetCallback(func(item any) error { called <- item; return nil }, "END"))
	calls := map[string]func() error{
		"Receive":   func() error { _, err := waiting.Receive(within.Soon(t)); return err },
		"WaitClose": func() error { return idle.WaitClose(within.Soon(t)) },
		"ReadLine":  func() error { _, err := idle.MakeFileReader(t.Context()).ReadLine(); return err },
		"callback":  func() error { return withCallback.WaitClose(within.Soon(t)) },
	}
	maps.Copy(calls, more)
	type failure struct {
		call string
		err  error
		at   time.Time
	}
	failures := make(chan failure, len(calls))
	for call, wait := range calls {
		go func() {
			err := wait()
			failures <- failure{call, err, time.Now()}
		}()
	}
	time.Sleep(100 * time.Millisecond) // until they wait, which nothing announces
	began := time.Now()
	harm()
	for range calls {
		failed := <-failures
		check(failed.call, requireDied(t, gw, failed.err, failed.call))
		assert.Less(t, failed.at.Sub(began), limit, failed.call)
	}
	select {
	case item := <-called:
		assert.Equal(t, "END", item)
	case <-within.Soon(t).Done():
		t.Fatal("no endmarker")
	}
	_, err = gw.RemoteExec(t.Context(), "pass")
	check("RemoteExec", requireDied(t, gw, err, "RemoteExec"))
	_, err = gw.RemoteStatus(within.Soon(t))
	requireDied(t, gw, err, "RemoteStatus")
	requireDied(t, gw, gw.Err(), "Err")
}

// TestKilledWorker kills a worker with SIGKILL while calls of every kind wait for it.
func TestKilledWorker(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		stderr := new(textbuffer.Buffer)
		gw := makeGateway(t, newGroup(t, stderr), w.spec())
		busy := remoteExec(t, gw, `
import os, signal, sys
sys.stderr.write("the last line\n")
sys.stderr.flush()
channel.send(os.getpid())
os.kill(os.getpid(), signal.SIGSTOP) # so that it reads nothing more, and the pipe to it fills up
`)
		pid := pidOf(t, busy)
		other, err := gw.NewChannel()
		require.NoError(t, err)
		more := map[string]func() error{
			"full pipe": func() error { return busy.Send(t.Context(), make([]byte, 64<<20)) },
			"behind it": func() error {
				time.Sleep(20 * time.Millisecond)
				return other.Send(within.Soon(t), make([]byte, 1<<20))
			},
			"Items last": func() (err error) {
				for _, err = range busy.Items(within.Soon(t)) {
				}
				return err
			},
		}
		kill := func() { require.NoError(t, syscall.Kill(pid, syscall.SIGKILL)) }
		allFail(t, gw, busy, more, 10*time.Second, kill, func(call string, died *execnet.GatewayDiedError) {
			assert.Equal(t, syscall.SIGKILL, died.Exit.Signal, call)
			assert.Contains(t, died.Exit.Stderr, "the last line\n", call)
			assert.ErrorContains(t, died, "(signal: killed); its stderr ended:\n  the last line", call)
		})
		assert.Contains(t, stderr.String(), "the last line\n", "it reached the user too")
		gone(t, pid)
	})
}

// TestCrashedWorker has a worker write a long log and then the long report of Python's
// faulthandler: the error shows how that begins and ends, also through other gateways.
func TestCrashedWorker(t *testing.T) {
	python := pythons.Default(t)
	for name, specs := range map[string][]string{
		"popen": {python.Spec()}, "via Python": {python.Spec() + "//id=host", python.Spec() + "//via=host"},
		"via Go": {"popen//self//id=host", python.Spec() + "//via=host"},
	} {
		t.Run(name, func(t *testing.T) {
			group := newGroup(t, io.Discard)
			var gw *execnet.Gateway
			for _, spec := range specs {
				gw = makeGateway(t, group, spec)
			}
			ch := remoteExec(t, gw, `
import faulthandler, os, sys, threading
faulthandler.enable()
sys.stderr.write("a line of a log\n" * 5000)
sys.stderr.flush()
wait = threading.Event()
def deep(n):
    if n: deep(n - 1)
    else: wait.wait()
for _ in range(30): threading.Thread(target=deep, args=(60,), daemon=True).start()
os.abort()
`)
			died := requireDied(t, gw, ch.WaitClose(within.Soon(t)), "WaitClose")
			assert.Regexp(t, `(?m)^Fatal Python error: Aborted$`, died.Exit.Stderr)
			assert.Regexp(t, `(?m)^\[\.\.\. \d+ bytes are left out here \.\.\.\]$`, died.Exit.Stderr)
			assert.LessOrEqual(t, len(died.Exit.Stderr), 11<<10)
			assert.Regexp(t, `; its stderr ended:\n  Fatal Python error: Aborted\n(.*\n)*  \.\.\.\n(.*\n){19}.*$`, died.Error())
		})
	}
}

// TestExitedWorker ends the worker's process from inside.
func TestExitedWorker(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		gw := gateway(t, w.spec())
		ch := remoteExec(t, gw, "import os; channel.send('before'); os._exit(3)")
		assert.Equal(t, "before", receive(t, ch), "what came before the end is there")
		for range 2 {
			_, err := ch.Receive(within.Soon(t))
			var died *execnet.GatewayDiedError
			require.ErrorAs(t, err, &died)
			assert.True(t, died.Exit.Known)
			assert.Equal(t, 3, died.Exit.Code)
			assert.Nil(t, died.Exit.Signal)
		}
		assert.ErrorContains(t, gw.Err(), "(exit status 3)")
	})
}

// TestWorkerClosesItsPipe executes source that closes the worker's pipes and goes on running.
func TestWorkerClosesItsPipe(t *testing.T) {
	bothWorkers(t, func(t *testing.T, w worker) {
		group := newGroup(t, testLog{t})
		gw := makeGateway(t, group, w.spec())
		ch := remoteExec(t, gw, "import os, time; channel.send(os.getpid()); os.closerange(3, 100); time.sleep(1000)")
		pid := pidOf(t, ch)
		_, err := ch.Receive(within.Soon(t))
		var died *execnet.GatewayDiedError
		require.ErrorAs(t, err, &died)
		assert.False(t, died.Exit.Known, "it has not ended")
		require.NoError(t, group.Terminate(within.Time(t, 100*time.Millisecond)))
		gone(t, pid)
	})
}

// stuck are sources that do not end soon after GATEWAY_TERMINATE, and one that does.
var stuck = map[string]string{
	"busy":            "while True: pass",
	"holding the GIL": "import re; re.match('(a*)*b', 'a' * 40)",
	"stopped":         "import signal; os.kill(os.getpid(), signal.SIGSTOP)",
	"ignoring": `
import signal, time
for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)
while True:
    try: time.sleep(1000)
    except BaseException: pass
`,
	"writing":     "import time\nwhile True: channel.send(b'x' * 100000); time.sleep(0.01)",
	"subprocess":  "import subprocess; subprocess.call(['sleep', '2'])",
	"many":        "import threading, time\nfor i in range(20): threading.Thread(target=time.sleep, args=(1000,)).start()\ntime.sleep(1000)",
	"well enough": "channel.receive()",
}

// TestTerminateStuckWorkers terminates a group of workers that execute them.
func TestTerminateStuckWorkers(t *testing.T) {
	for _, p := range []pythons.Interpreter{pythons.All(t)[0], pythons.Default(t)} {
		for _, w := range workers(t, p) {
			t.Run(p.Version()+"/"+w.name, func(t *testing.T) {
				const timeout = time.Second
				group := newGroup(t, new(textbuffer.Buffer))
				var pids []int
				for _, source := range stuck {
					gw := makeGateway(t, group, w.spec())
					pids = append(pids, pidOf(t, remoteExec(t, gw, "import os; channel.send(os.getpid())\n"+source)))
				}
				began := time.Now()
				require.NoError(t, group.Terminate(within.Time(t, timeout)))
				assert.Less(t, time.Since(began), timeout+15*time.Second)
				assert.Zero(t, group.Len())
				for _, pid := range pids {
					gone(t, pid)
				}
				assert.Nil(t, group.Get("gw0"))
				require.NoError(t, group.Terminate(within.Time(t, timeout)), "an empty group is ended at once")
			})
		}
	}
}

// TestTerminateWaits checks that an execution may end by itself within the timeout.
func TestTerminateWaits(t *testing.T) {
	bothWorkers(t, func(t *testing.T, w worker) {
		group := newGroup(t, testLog{t})
		gw := makeGateway(t, group, w.spec())
		ch := remoteExec(t, gw, "import time; channel.send('up'); time.sleep(0.3); channel.send('done')")
		receive(t, ch)
		require.NoError(t, group.Terminate(within.Time(t, time.Hour)))
		assert.Equal(t, "done", receive(t, ch), "what it sent at the end was received")
		exit := gw.ExitStatus()
		assert.True(t, exit.Known)
		assert.Zero(t, exit.Code)
		assert.False(t, errors.Is(gw.Err(), execnet.ErrClosed))
	})
}
