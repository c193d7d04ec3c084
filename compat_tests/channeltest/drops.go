package channeltest

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var drops = []test{
	{"a channel dropped here is closed there", dropHere},
	{"a channel with a callback dropped here stays open for sending there", dropHereCallback},
	{"a channel dropped there is closed here", dropThere},
	{"a channel with a callback dropped there stays open for sending here", dropThereCallback},
	{"an execution's channel dropped here", dropExecution},
	{"channels in items that nobody receives", dropInside},
}

// receiveCollecting receives an item that comes only after the garbage collector has run.
func receiveCollecting(t *testing.T, ch *execnet.Channel) any {
	t.Helper()
	ctx, cancel := context.WithCancel(within.Soon(t))
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}()
	v, err := ch.Receive(ctx)
	require.NoError(t, err)
	return v
}

func dropHere(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
sub.waitclose(20)
channel.send(sub.isclosed())
try:
    sub.send(1)
except IOError:
    channel.send("IOError")
`)
	r.newThere(t, ch)
	assert.Equal(t, true, receiveCollecting(t, ch))
	assert.Equal(t, "IOError", receive(t, ch))
	ends(t, ch)
}

func dropHereCallback(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
sub.send(1)
sub.waitclose(20)
channel.send(sub.isclosed())
sub.send(2)
del sub
`)
	got := gathered(t, r.newThere(t, ch), 9)
	assert.Equal(t, false, receiveCollecting(t, ch), "it is sendonly")
	ends(t, ch)
	assert.Equal(t, int64(1), <-got)
	assert.Equal(t, int64(2), <-got)
	if r.caps.NoCloseAfterSendOnly {
		// When the status is here, everything that was sent before it has come too.
		_, err := r.gw.RemoteStatus(within.Soon(t))
		require.NoError(t, err)
		assert.Empty(t, got)
		return
	}
	r.collect(t)
	endmarker(t, got)
}

func dropThere(t *testing.T, r *run) {
	ch := r.exec(t, `
import gc
sub = channel.receive()
sub.send(1)
del sub
gc.collect()
channel.receive()
`)
	sub := r.newThere(t, ch)
	closedAfter(t, sub, int64(1))
	send(t, ch, nil)
	ends(t, ch)
}

func dropThereCallback(t *testing.T, r *run) {
	ch := r.exec(t, `
import gc
sub = channel.receive()
queue = channel.gateway.execmodel.queue.Queue()
sub.setcallback(queue.put, endmarker=u"END")
del sub
gc.collect()
for i in range(3):
    channel.send(queue.get())
`)
	sub := r.newThere(t, ch)
	require.NoError(t, sub.WaitClose(within.Soon(t)))
	assert.False(t, sub.IsClosed(), "it is sendonly")
	atEnd(t, sub)
	send(t, sub, "a", "b")
	assert.Equal(t, "a", receive(t, ch))
	assert.Equal(t, "b", receive(t, ch))
	require.NoError(t, sub.Close())
	assert.Equal(t, "END", receive(t, ch))
	ends(t, ch)
}

func dropExecution(t *testing.T, r *run) {
	out := r.exec(t, "channel.send(channel.receive().receive())")
	report := r.newThere(t, out)
	func() {
		ch := r.exec(t, `
report = channel.receive()
channel.waitclose(20)
report.send(channel.isclosed())
`)
		send(t, ch, report)
	}()
	r.eventually(t, func(status execnet.RemoteStatus) bool {
		runtime.GC() // drops the channel here, which the next status shows
		return status.NumExecuting <= 1
	})
	send(t, report, "end")
	assert.Equal(t, true, receive(t, report))
	assert.Equal(t, "end", receive(t, out))
	ends(t, out)
}

func dropInside(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.gateway.newchannel()
inner = channel.receive()
inner.send([sub])
channel.send("sent")
sub.waitclose(20)
channel.send(sub.isclosed())
`)
	func() {
		inner := r.newThere(t, ch)
		assert.Equal(t, "sent", receive(t, ch))
		runtime.KeepAlive(inner)
	}()
	assert.Equal(t, true, receiveCollecting(t, ch))
	ends(t, ch)
}
