package gpython

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestThreadGoesOnAfterTheProgram(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, `
import threading, time
c = channel.receive()
def work():
    for i in range(3):
        time.sleep(0.01)
        c.send(i)
    c.send(c.receive() * 2)
    c.close()
threading.Thread(target=work).start()
`)
	c, err := w.NewChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), c))
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	for i := range int64(3) {
		assert.Equal(t, i, receive(t, c))
	}
	require.NoError(t, c.Send(t.Context(), int64(21)))
	assert.Equal(t, int64(42), receive(t, c))
	require.NoError(t, c.WaitClose(within.Soon(t)))
}

func TestDroppedChannelIsClosedSoon(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, `
import _thread
c = channel.gateway.newchannel()
channel.send(c)
go = _thread.allocate_lock()
go.acquire()
d = channel.receive()
def work(d):
    go.acquire()
    d.send("last")
_thread.start_new_thread(work, (d,))
del c, d
go.release()
`)
	c := receive(t, ch).(*gatewaybase.Channel)
	d, err := w.NewChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), d))
	assert.Equal(t, "last", receive(t, d))
	// Nothing else makes the worker collect.
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	require.NoError(t, c.WaitClose(within.Soon(t)))
	require.NoError(t, d.WaitClose(within.Soon(t)))
}

func TestThreadThatFails(t *testing.T) {
	w := newWorker(t, nil)
	for name, c := range map[string]struct{ start, first string }{
		"Thread":           {"threading.Thread(target=work, name='mine').start()", "Exception in thread mine:\n"},
		"start_new_thread": {"_thread.start_new_thread(work, ())", "Exception ignored in thread started by: <function work at 0x"},
		"execmodel":        {"channel.gateway.execmodel.start(work)", "Exception ignored in thread started by: <function work at 0x"},
	} {
		t.Run(name, func(t *testing.T) {
			ch := w.exec(t, "import _thread, sys, threading\nsys.stderr = channel.makefile('w')\ndef work():\n    1 / 0\n"+c.start+"\nchannel.receive()")
			text := receive(t, ch).(string)
			assert.Contains(t, text, c.first)
			assert.Contains(t, text, "line 4, in work\n    1 / 0\nZeroDivisionError: division by zero\n")
			require.NoError(t, ch.Send(t.Context(), nil))
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		})
	}
}

// Each leaves a thread behind that would go on for ever: newWorker's end waits for it, and goleak
// looks for it.
func TestThreadsEndWithTheGateway(t *testing.T) {
	for name, body := range map[string]string{
		"busy":     "while True: pass",
		"sleeping": "time.sleep(1e6)",
		"waiting":  "lock.acquire()\n    lock.acquire()",
		"stubborn": "while True:\n        try:\n            time.sleep(1e6)\n        except KeyboardInterrupt:\n            channel.gateway.newchannel().send(1)",
		"joining":  "threading.current_thread().ended = threading.Event()\n    threading.current_thread().ended.wait()",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorker(t, nil)
			ch := w.exec(t, "import threading, time\nlock = threading.Lock()\ndef work():\n    channel.send('begun')\n    "+body+
				"\nthreading.Thread(target=work).start()\nchannel.receive()")
			assert.Equal(t, "begun", receive(t, ch))
			require.NoError(t, ch.Send(t.Context(), nil))
			require.NoError(t, ch.WaitClose(within.Soon(t)))
			time.Sleep(10 * time.Millisecond) // so that some wait since before the gateway's end
		})
	}
}

// Callbacks that wait for each other are told apart, as an RLock has to.
func TestCallbacksHaveIdentities(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, `
import threading, time
c, d = channel.receive(), channel.receive()
inside, lock = threading.Event(), threading.RLock()
def first(x):
    with lock:
        inside.set()
        time.sleep(0.05)
        channel.send("first")
def second(x):
    inside.wait()
    with lock:
        channel.send("second")
c.setcallback(first)
d.setcallback(second)
main = threading.current_thread()
channel.send(main is threading.main_thread())
channel.receive()
channel.send(threading.current_thread() is main)
`)
	c, err := w.NewChannel()
	require.NoError(t, err)
	d, err := w.NewChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), c))
	require.NoError(t, ch.Send(t.Context(), d))
	assert.Equal(t, true, receive(t, ch))
	require.NoError(t, d.Send(t.Context(), nil))
	require.NoError(t, c.Send(t.Context(), nil))
	assert.Equal(t, "first", receive(t, ch))
	assert.Equal(t, "second", receive(t, ch))
	require.NoError(t, ch.Send(t.Context(), nil))
	assert.Equal(t, true, receive(t, ch))
}

func TestExecModel(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{[]any{"thread", "<ExecModel 'thread'>", true, true}, "AttributeError"}, w.run(t, `
model = channel.gateway.execmodel
lock, event = model.RLock(), model.Event()
def work(n):
    with lock:
        model.sleep(0.001)
    event.set()
model.start(work, (1,))
channel.send([model.backend, repr(model), event.wait(20), model.get_ident() == model.get_ident()])
try:
    model.fork
except AttributeError as e:
    channel.send(type(e).__name__)
`))
}

func TestWritesToDescriptors(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{int64(0), "[Errno 9] Bad file descriptor", "a bytes-like object is required, not 'str'", true}, w.run(t, `
import os
channel.send(os.write(2, b""))
for fd, data in ((3, b"x"), (1, "x")):
    try:
        os.write(fd, data)
    except (OSError, TypeError) as e:
        channel.send(str(e))
channel.send(os.cpu_count() > 0 and os.getppid() > 0)
`))
}
