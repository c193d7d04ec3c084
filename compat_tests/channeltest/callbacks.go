package channeltest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var callbacks = []test{
	{"a callback with endmarker", callbackHere},
	{"a callback set late", callbackLate},
	{"a failing callback closes the channel", callbackFails},
	{"a panicking callback closes the channel", callbackPanics},
	{"a callback may use the gateway", callbackSends},
	{"a callback in the worker", callbackThere},
	{"a failing callback in the worker", callbackThereFails},
}

func callbackHere(t *testing.T, r *run) {
	const many = 1000
	ch := r.exec(t, "for i in range(1000): channel.send(i)")
	got := make(chan any, many+2)
	require.NoError(t, ch.SetCallback(func(item any) error { got <- item; return nil }, "END"))
	assert.ErrorIs(t, ch.SetCallback(func(any) error { return nil }, execnet.NoEndmarker), execnet.ErrHasCallback)
	_, err := ch.Receive(within.Soon(t))
	assert.ErrorIs(t, err, execnet.ErrHasCallback)
	ends(t, ch)
	close(got) // WaitClose returns after the last call: a later one would panic
	i := 0
	for item := range got {
		if i < many {
			require.Equal(t, int64(i), item)
		} else {
			assert.Equal(t, "END", item)
		}
		i++
	}
	assert.Equal(t, many+1, i)

	ch = r.exec(t, "channel.send(1); raise ValueError('x')")
	var items []any
	require.NoError(t, ch.SetCallback(func(item any) error { items = append(items, item); return nil }, nil))
	fails(t, ch, "ValueError")
	assert.Equal(t, []any{int64(1), nil}, items)
}

func callbackLate(t *testing.T, r *run) {
	ch := r.exec(t, "channel.send(1); channel.send(2)")
	ends(t, ch)
	var items []any
	require.NoError(t, ch.SetCallback(func(item any) error { items = append(items, item); return nil }, "END"))
	assert.Equal(t, []any{int64(1), int64(2), "END"}, items)
}

// failingCallback sets the callback f, which has to fail, and returns the error text that the
// worker gets for it.
func (r *run) failingCallback(t *testing.T, f func(any) error) string {
	t.Helper()
	ch := r.exec(t, `
sub = channel.receive()
sub.send(1)
try:
    sub.receive()
except sub.RemoteError as e:
    channel.send(str(e))
`)
	sub, err := r.gw.NewChannel()
	require.NoError(t, err)
	require.NoError(t, sub.SetCallback(f, execnet.NoEndmarker))
	send(t, ch, sub)
	told := receiveAs[string](t, ch)
	err = sub.WaitClose(within.Soon(t))
	var raised *execnet.RemoteError
	require.ErrorAs(t, err, &raised, "it closed here as well")
	assert.True(t, sub.IsClosed())
	ends(t, ch)
	return told
}

func callbackFails(t *testing.T, r *run) {
	told := r.failingCallback(t, func(any) error { return errors.New("no room left") })
	assert.Equal(t, "no room left", told)
}

func callbackPanics(t *testing.T, r *run) {
	told := r.failingCallback(t, func(item any) error { return item.(error) })
	assert.Contains(t, told, "panic in channel callback: interface conversion")
}

func callbackSends(t *testing.T, r *run) {
	ch := r.exec(t, "for i in range(10): channel.send(i)\nchannel.receive()")
	var answers []any
	all := make(chan struct{})
	require.NoError(t, ch.SetCallback(func(item any) error {
		// A round trip inside the callback: reading goes on meanwhile.
		inner, err := r.gw.RemoteExec(t.Context(), "channel.send(channel.receive() * 2)")
		if err != nil {
			return err
		}
		if err := inner.Send(t.Context(), item); err != nil {
			return err
		}
		answer, err := inner.Receive(within.Soon(t))
		answers = append(answers, answer)
		if len(answers) == 10 {
			close(all)
		}
		return err
	}, execnet.NoEndmarker))
	select {
	case <-all:
	case <-within.Soon(t).Done():
		t.Fatal("the callbacks did not finish")
	}
	for i, answer := range answers {
		assert.Equal(t, int64(2*i), answer)
	}
	send(t, ch, "end")
	ends(t, ch)
}

func callbackThere(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
got = []
done = channel.gateway.execmodel.Event()
def callback(item):
    got.append(item)
    if item == 999:
        done.set()
sub.setcallback(callback, endmarker=999)
try:
    sub.receive()
except IOError:
    channel.send("IOError")
channel.send("ready")
done.wait()
channel.send(got)
`)
	sub := r.newThere(t, ch)
	send(t, sub, 1)
	assert.Equal(t, "IOError", receive(t, ch))
	assert.Equal(t, "ready", receive(t, ch))
	send(t, sub, 2, "three")
	require.NoError(t, sub.Close())
	assert.Equal(t, []any{int64(1), int64(2), "three", int64(999)}, receive(t, ch))
	ends(t, ch)
}

func callbackThereFails(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
def callback(item):
    raise ValueError("refused: %r" % (item,))
sub.setcallback(callback)
channel.send("ready")
channel.receive()
channel.send(sub.isclosed())
`)
	sub := r.newThere(t, ch)
	assert.Equal(t, "ready", receive(t, ch))
	send(t, sub, 7)
	_, err := sub.Receive(within.Soon(t))
	var remote *execnet.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, "refused: 7", remote.Message())
	send(t, ch, nil)
	assert.Equal(t, true, receive(t, ch))
	ends(t, ch)
}
