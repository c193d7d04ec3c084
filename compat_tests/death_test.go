//go:build unix

package compat_tests

import (
	"bytes"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// everyWorker runs a test with the workers of every CPython found.
func everyWorker(t *testing.T, test func(t *testing.T, w worker)) {
	t.Helper()
	for _, p := range pythons.All(t) {
		for _, w := range workers(t, p) {
			t.Run(p.Version()+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				test(t, w)
			})
		}
	}
}

// bothWorkers runs a test with the workers of the newest CPython.
func bothWorkers(t *testing.T, test func(t *testing.T, w worker)) {
	t.Helper()
	all := pythons.All(t)
	for _, w := range workers(t, all[len(all)-1]) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// buffer is a writer that can be read while it is written to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func remoteExec(t *testing.T, gw *execnet.Gateway, source string) *execnet.Channel {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), source)
	require.NoError(t, err)
	return ch
}

// pidOf has the worker tell its process id from ch, and checks that it is the gateway's process.
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

// TestKilledWorker kills a worker while calls of every kind wait for it.
func TestKilledWorker(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		stderr := new(buffer)
		gw, err := newGroup(t, stderr).MakeGateway(within.Soon(t), w.spec())
		require.NoError(t, err)
		busy := remoteExec(t, gw, `
import os, signal, sys
sys.stderr.write("the last words\n")
sys.stderr.flush()
channel.send(os.getpid())
os.kill(os.getpid(), signal.SIGSTOP) # so that it reads nothing more, and the pipe to it fills up
`)
		pid := pidOf(t, busy)
		idle, err := gw.NewChannel()
		require.NoError(t, err)
		withCallback, err := gw.NewChannel()
		require.NoError(t, err)
		ended := make(chan any, 1)
		require.NoError(t, withCallback.SetCallback(func(item any) error { ended <- item; return nil }, "END"))

		waiting := map[string]func() error{
			"Receive":   func() error { _, err := busy.Receive(within.Soon(t)); return err },
			"WaitClose": func() error { return idle.WaitClose(within.Soon(t)) },
			"ReadLine":  func() error { _, err := idle.MakeFileReader(t.Context()).ReadLine(); return err },
			"full pipe": func() error { return busy.Send(t.Context(), make([]byte, 64<<20)) },
			"behind it": func() error { time.Sleep(20 * time.Millisecond); return idle.Send(within.Soon(t), make([]byte, 1<<20)) },
			"callback":  func() error { return withCallback.WaitClose(within.Soon(t)) },
			"Items last": func() (err error) {
				for _, err = range busy.Items(within.Soon(t)) {
				}
				return err
			},
		}
		type failure struct {
			call string
			err  error
			at   time.Time
		}
		failures := make(chan failure, len(waiting))
		for call, wait := range waiting {
			go func() {
				err := wait()
				failures <- failure{call, err, time.Now()}
			}()
		}
		time.Sleep(100 * time.Millisecond) // so that they do wait; nothing tells
		killed := time.Now()
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		for range waiting {
			failed := <-failures
			var died *execnet.GatewayDiedError
			if assert.ErrorAs(t, failed.err, &died, failed.call) {
				assert.Equal(t, syscall.SIGKILL, died.Exit.Signal, failed.call)
				assert.Contains(t, died.Exit.Stderr, "the last words\n", failed.call)
				assert.Equal(t, gw.ID(), died.ID)
			}
			assert.Less(t, failed.at.Sub(killed), 10*time.Second, failed.call)
		}
		assert.Equal(t, "END", <-ended)
		assert.Contains(t, stderr.String(), "the last words\n", "it reached the user too")
		_, err = gw.RemoteExec(t.Context(), "pass")
		var died *execnet.GatewayDiedError
		assert.ErrorAs(t, err, &died)
		assert.ErrorContains(t, err, "(signal: killed); its stderr ended:\n  the last words")
		_, err = gw.RemoteStatus(within.Soon(t))
		assert.ErrorAs(t, err, &died)
		gone(t, pid)
	})
}

// TestExitedWorker ends the worker's process from inside.
func TestExitedWorker(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		gw := gateway(t, w.spec())
		ch := remoteExec(t, gw, "import os; channel.send('before'); os._exit(3)")
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err, "what came before the end is there")
		assert.Equal(t, "before", item)
		for range 2 {
			_, err = ch.Receive(within.Soon(t))
			var died *execnet.GatewayDiedError
			require.ErrorAs(t, err, &died)
			assert.True(t, died.Exit.Known)
			assert.Equal(t, 3, died.Exit.Code)
			assert.Nil(t, died.Exit.Signal)
		}
		assert.ErrorContains(t, gw.Err(), "(exit status 3)")
	})
}

// TestWorkerClosesItsPipe has remote code break the connection and live on.
func TestWorkerClosesItsPipe(t *testing.T) {
	bothWorkers(t, func(t *testing.T, w worker) {
		group := newGroup(t, testLog{t})
		gw, err := group.MakeGateway(within.Soon(t), w.spec())
		require.NoError(t, err)
		ch := remoteExec(t, gw, "import os, time; channel.send(os.getpid()); os.closerange(3, 100); time.sleep(1000)")
		pid := pidOf(t, ch)
		_, err = ch.Receive(within.Soon(t))
		var died *execnet.GatewayDiedError
		require.ErrorAs(t, err, &died)
		assert.False(t, died.Exit.Known, "it has not ended")
		require.NoError(t, group.Terminate(within.Time(t, 100*time.Millisecond)))
		gone(t, pid)
	})
}

// stuck are sources that do not end because they are asked to. Each sends its process id first.
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

// TestTerminateStuckWorkers ends a whole group of them at once.
func TestTerminateStuckWorkers(t *testing.T) {
	for _, p := range []pythons.Interpreter{pythons.All(t)[0], pythons.Default(t)} {
		for _, w := range workers(t, p) {
			t.Run(p.Version()+"/"+w.name, func(t *testing.T) {
				const timeout = time.Second
				group := newGroup(t, new(buffer))
				var pids []int
				for name, source := range stuck {
					gw, err := group.MakeGateway(within.Soon(t), w.spec())
					require.NoError(t, err, name)
					pids = append(pids, pidOf(t, remoteExec(t, gw, "import os; channel.send(os.getpid())\n"+source)))
				}
				began := time.Now()
				require.NoError(t, group.Terminate(within.Time(t, timeout)))
				assert.Less(t, time.Since(began), timeout+3*time.Second)
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

// TestTerminateIsPatient lets a worker that is about to finish do so.
func TestTerminateIsPatient(t *testing.T) {
	bothWorkers(t, func(t *testing.T, w worker) {
		group := newGroup(t, testLog{t})
		gw, err := group.MakeGateway(within.Soon(t), w.spec())
		require.NoError(t, err)
		ch := remoteExec(t, gw, "import time; channel.send('up'); time.sleep(0.3); channel.send('done')")
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		require.NoError(t, group.Terminate(within.Time(t, time.Hour)))
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err, "what it sent at the end was received")
		assert.Equal(t, "done", item)
		exit := gw.ExitStatus()
		assert.True(t, exit.Known)
		assert.Zero(t, exit.Code)
		assert.False(t, errors.Is(gw.Err(), execnet.ErrClosed))
	})
}
