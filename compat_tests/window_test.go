//go:build unix

package compat_tests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// defaultWindow is the window of a channel for which nobody has set one.
const defaultWindow = 16 << 20

// TestWindowsOfGoWorkers runs the tests of windows with a worker that runs Python source itself.
// TestChannels and others run them with workers in Python.
func TestWindowsOfGoWorkers(t *testing.T) {
	channeltest.RunWindows(t, opener("popen//self"), channeltest.Caps{})
}

// windowed are the kinds of workers that have windows.
func windowed(t *testing.T) map[string]string {
	t.Helper()
	specs := models(t)
	specs["Go"] = "popen//self"
	specs["main thread only"] = "popen//execmodel=main_thread_only"
	specs["behind Go"] = behind(pythons.Default(t))
	return specs
}

// TestProducerThatNobodyReads has workers send much more than this end has room for.
func TestProducerThatNobodyReads(t *testing.T) {
	independent(t)
	const items, size = 64, 1 << 20
	for name, spec := range windowed(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, spec)
			ch := remoteExec(t, gw, `
for i in range(64):
    channel.send(b"x" * (1 << 20))
channel.send("all sent")
`)
			var n int
			require.Eventually(t, func() bool {
				before := n
				n = gw.Stats().UnreadBytes
				return n >= defaultWindow && n == before
			}, 30*time.Second, 50*time.Millisecond)
			assert.LessOrEqual(t, n, defaultWindow+size+6)
			// Other channels go on, and so do questions and calls.
			for range 20 {
				_, err := gw.RemoteStatus(within.Soon(t))
				require.NoError(t, err)
			}
			assert.LessOrEqual(t, gw.Stats().UnreadBytes, defaultWindow+size+6)
			for range items {
				require.Len(t, receive(t, ch), size)
			}
			assert.Equal(t, "all sent", receive(t, ch))
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}

// TestForkBesideASenderThatWaits forks while another thread of the source waits for room. The child
// cannot use the channel and ends; the sender goes on when there is room.
func TestForkBesideASenderThatWaits(t *testing.T) {
	independent(t)
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, python.Spec())
			ch := remoteExec(t, gw, `
import os, threading
def produce():
    for i in range(32):
        channel.send(b"x" * (1 << 20))
producer = threading.Thread(target=produce)
producer.start()
answers = channel.receive()
pid = os.fork()
if pid:
    answers.send(os.waitpid(pid, 0)[1] >> 8)
    producer.join()
else:
    try:
        channel.send(b"from the child")
    except EnvironmentError:
        raise SystemExit(7)
`)
			require.Eventually(t, func() bool { return gw.Stats().UnreadBytes >= defaultWindow }, 30*time.Second, 20*time.Millisecond)
			answers, err := gw.NewChannel()
			require.NoError(t, err)
			require.NoError(t, ch.Send(within.Soon(t), answers))
			assert.EqualValues(t, 7, receive(t, answers), "the child's exit code")
			for range 32 {
				require.Len(t, receive(t, ch), 1<<20)
			}
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}

// TestSlowReader takes a little at a time, for longer than a sender waits that is told nothing.
func TestSlowReader(t *testing.T) {
	independent(t)
	const items, size = 400, 64 << 10
	for name, spec := range map[string]string{"Python": "popen", "Go": "popen//self"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, spec)
			ch := remoteExec(t, gw, `
for i in range(400):
    channel.send(b"x" * (64 << 10))
`)
			began := time.Now()
			received := 0
			for ; time.Since(began) < 8*time.Second; received++ {
				require.Len(t, receive(t, ch), size)
				time.Sleep(200 * time.Millisecond)
				require.LessOrEqual(t, gw.Stats().UnreadBytes, defaultWindow+size+6)
			}
			for ; received < items; received++ {
				require.Len(t, receive(t, ch), size)
			}
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}

// TestProgramThatDoesNotRead is sent more than it has room for. Send waits, until it reads, and for
// no longer than its context allows.
func TestProgramThatDoesNotRead(t *testing.T) {
	independent(t)
	for name, spec := range windowed(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, spec)
			ch := remoteExec(t, gw, `
sub, go = channel.receive(), []
channel.setcallback(go.append)
while not go:
    channel.gateway.execmodel.sleep(0.01)
n = 0
for item in sub:
    n += len(item)
channel.send(n)
`)
			sub, err := gw.NewChannel()
			require.NoError(t, err)
			require.NoError(t, ch.Send(within.Soon(t), sub))
			item := make([]byte, 1<<20)
			sent := 0
			for err == nil && sent < 100*len(item) {
				if err = sub.Send(within.Time(t, time.Second), item); err == nil {
					sent += len(item)
				}
			}
			require.ErrorIs(t, err, execnet.ErrTimeout)
			require.NoError(t, ch.Send(within.Soon(t), "go"))
			require.NoError(t, sub.Send(within.Soon(t), item))
			require.NoError(t, sub.CloseSend())
			n, err := execnet.Receive[int](within.Soon(t), ch)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, n, sent+len(item))
			assert.LessOrEqual(t, n, sent+2*len(item)) // the last one may have been on its way
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}

// TestConfirmedBeforeTheSenderWaits confirms an item after a sender has found the window full, and
// before it waits to be told of that. With a window that SetWindow has set, nothing else wakes it.
func TestConfirmedBeforeTheSenderWaits(t *testing.T) {
	independent(t)
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			gw := gateway(t, python.Spec())
			ch := remoteExec(t, gw, `
import sys, time
checking = channel.receive()
class Slow(type(channel)):
    def get(self):
        limit = self.stored
        if self._sent >= limit and sys._getframe(1).f_code.co_name == "_await_room":
            checking.send("full")
            time.sleep(0.3) # meanwhile the item is received, and that is confirmed
        return limit
    def set(self, limit):
        self.stored = limit
    _limit = property(get, set)
channel.stored = channel._limit
channel.__class__ = Slow
for i in range(5):
    channel.send(i)
`)
			require.NoError(t, ch.SetWindow(1))
			checking, err := gw.NewChannel()
			require.NoError(t, err)
			require.NoError(t, ch.Send(within.Soon(t), checking))
			for i := range 5 {
				if i < 4 {
					assert.Equal(t, "full", receive(t, checking))
				}
				assert.EqualValues(t, i, receive(t, ch))
			}
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}
