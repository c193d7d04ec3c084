package channeltest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// windows tests what happens when nobody receives. To execnet all of it is as without windows.
var windows = []test{
	{"a window bounds what is unread", windowBounds},
	{"a window after the last item from here", windowAfterCloseSend},
	{"a sender that waits for a window ends with the channel", windowClosed},
	{"a sender that waits for a window is interrupted", windowInterrupted},
	{"waiting for the close lifts windows", windowLifted},
	{"waiting for what comes after more than a window", windowOfAnother},
	{"sending everything before anything is received", windowEcho},
	{"a callback in the worker never waits for a window", windowCallback},
}

// RunWindows runs the tests of windows alone.
func RunWindows(t *testing.T, open func(t *testing.T) *execnet.Gateway, caps Caps) {
	shared := &run{open(t), caps}
	for _, test := range windows {
		t.Run(test.name, func(t *testing.T) { test.f(t, shared) })
	}
	t.Run("nothing is left open", shared.nothingLeft)
}

const (
	windowSize = 256 << 10
	windowItem = 16 << 10
)

// full waits until a worker sends no more on ch, and checks that it is as little as it has to be.
func full(t *testing.T, r *run, ch *execnet.Channel) {
	t.Helper()
	if r.caps.ErrorsAreTexts {
		return
	}
	n := 0
	require.Eventually(t, func() bool {
		before := n
		n = ch.Len()
		return n >= windowSize/windowItem/2 && n == before
	}, 20*time.Second, 100*time.Millisecond)
	assert.LessOrEqual(t, n, windowSize/windowItem+1)
}

// setWindow sets a small window.
func setWindow(t *testing.T, r *run, ch *execnet.Channel) {
	t.Helper()
	err := ch.SetWindow(windowSize)
	if r.caps.ErrorsAreTexts {
		require.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	require.NoError(t, err)
}

// receiveItems receives so many items of a producer.
func receiveItems(t *testing.T, ch *execnet.Channel, n int) {
	t.Helper()
	for range n {
		require.Len(t, receive(t, ch), windowItem)
	}
}

// produce begins with an item from here, so that the window is set before.
const produce = `
channel.receive()
for i in range(400):
    channel.send(b"x" * (16 << 10))
channel.send("all sent")
`

func windowBounds(t *testing.T, r *run) {
	ch := r.exec(t, produce)
	setWindow(t, r, ch)
	send(t, ch, 1)
	full(t, r, ch)
	// execnet's own worker does not wait, and what two threads of it write to a socket at the same
	// time gets mixed up.
	if !r.caps.ErrorsAreTexts {
		other := r.exec(t, "for i in range(100): channel.send(channel.receive())")
		for i := range 100 {
			send(t, other, i)
			assert.EqualValues(t, i, receive(t, other))
		}
		ends(t, other)
		full(t, r, ch)
	}
	receiveItems(t, ch, 400)
	assert.Equal(t, "all sent", receive(t, ch))
	ends(t, ch)
}

func windowAfterCloseSend(t *testing.T, r *run) {
	ch := r.exec(t, `
for item in channel:
    pass
for i in range(400):
    channel.send(b"x" * (16 << 10))
`)
	setWindow(t, r, ch)
	require.NoError(t, ch.CloseSend())
	full(t, r, ch)
	receiveItems(t, ch, 400)
	if !r.caps.ErrorsAreTexts { // see CloseSend
		ends(t, ch)
	}
}

func windowClosed(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
sub.receive()
try:
    while True:
        sub.send(b"x" * (16 << 10))
except IOError:
    channel.send(str(sub.isclosed()))
`)
	sub := r.newThere(t, ch)
	setWindow(t, r, sub)
	send(t, sub, 1)
	full(t, r, sub)
	require.NoError(t, sub.Close())
	assert.Equal(t, "True", receive(t, ch))
	ends(t, ch)
}

func windowInterrupted(t *testing.T, r *run) {
	if r.caps.ErrorsAreTexts {
		return // it knows no interrupts either
	}
	r.idle(t)
	ch := r.exec(t, produce)
	setWindow(t, r, ch)
	send(t, ch, 1)
	full(t, r, ch)
	require.NoError(t, ch.Interrupt(within.Soon(t)))
	assert.EqualError(t, ch.WaitClose(within.Soon(t)), "keyboard-interrupted")
	r.idle(t)
	ch = r.exec(t, "channel.send('and goes on')")
	assert.Equal(t, "and goes on", receive(t, ch))
	ends(t, ch)
}

func windowLifted(t *testing.T, r *run) {
	ch := r.exec(t, produce)
	setWindow(t, r, ch)
	send(t, ch, 1)
	full(t, r, ch)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	receiveItems(t, ch, 400)
	assert.Equal(t, "all sent", receive(t, ch))
}

// windowOfAnother has each end wait for what the other one does after it has sent more than a
// window of what nobody receives yet.
func windowOfAnother(t *testing.T, r *run) {
	const items, size = 24, 1 << 20
	ch := r.exec(t, `
sub = channel.receive()
channel.receive()
for i in range(24):
    sub.send(sub.receive())
channel.send("all sent")
`)
	sub := r.newThere(t, ch)
	blob := make([]byte, size)
	for range items {
		require.NoError(t, sub.Send(within.Soon(t), blob))
	}
	send(t, ch, 1)
	assert.Equal(t, "all sent", receive(t, ch))
	for range items {
		require.Len(t, receive(t, sub), size)
	}
	ends(t, ch)
}

// windowEcho has both ends wait for windows: that of the worker is 16 MiB.
func windowEcho(t *testing.T, r *run) {
	const items, size = 40, 1 << 20
	ch := r.exec(t, `
for i in range(40):
    channel.send(channel.receive())
`)
	setWindow(t, r, ch)
	blob := make([]byte, size)
	for range items {
		require.NoError(t, ch.Send(within.Soon(t), blob))
	}
	for range items {
		require.Len(t, receive(t, ch), size)
	}
	ends(t, ch)
}

func windowCallback(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
sub.setcallback(sub.send)
channel.send("set")
channel.receive()
`)
	sub := r.newThere(t, ch)
	setWindow(t, r, sub)
	assert.Equal(t, "set", receive(t, ch))
	blob := make([]byte, windowItem)
	for range 100 {
		require.NoError(t, sub.Send(within.Soon(t), blob))
	}
	receiveItems(t, sub, 100)
	require.NoError(t, sub.Close())
	send(t, ch, 1)
	ends(t, ch)
}
