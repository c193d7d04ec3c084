package channeltest

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var overChannels = []test{
	{"a channel sent to the worker", channelThere},
	{"a channel sent by the worker", channelHere},
	{"channels inside of values", channelsInValues},
	{"a channel that has ended before it is received", endedChannel},
	{"a channel sent back is the same", sameChannel},
	{"a channel of another gateway is refused", foreignChannel},
}

func channelThere(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
sub.send(sub.id)
for item in sub:
    sub.send(item * 2)
channel.send("the other channel ended")
`)
	sub := r.newThere(t, ch)
	assert.Equal(t, int64(sub.ID()), receive(t, sub))
	send(t, sub, 21)
	assert.Equal(t, int64(42), receive(t, sub))
	require.NoError(t, sub.Close())
	assert.Equal(t, "the other channel ended", receive(t, ch))
	ends(t, ch)
}

// channelHere uses the new channel at once: its first item follows the message that announces it.
func channelHere(t *testing.T, r *run) {
	ch := r.exec(t, `
for n in range(50):
    sub = channel.gateway.newchannel()
    channel.send(sub)
    sub.send(n)
    sub.send(sub.receive())
    sub.close()
`)
	for n := range 50 {
		sub := receiveAs[*execnet.Channel](t, ch)
		assert.Zero(t, sub.ID()%2, "the worker's ids are even")
		assert.Equal(t, int64(n), receive(t, sub))
		send(t, sub, "back")
		assert.Equal(t, "back", receive(t, sub))
		atEnd(t, sub)
	}
	ends(t, ch)
}

func endedChannel(t *testing.T, r *run) {
	ch := r.exec(t, `
for end in (None, "an error"):
    sub = channel.gateway.newchannel()
    channel.send([sub])
    sub.send("item")
    sub.close(end)
`)
	ends(t, ch) // now all messages about the new channels have come
	for _, end := range []string{"", "an error"} {
		list, _ := receive(t, ch).([]any)
		require.Len(t, list, 1)
		sub, _ := list[0].(*execnet.Channel)
		require.NotNil(t, sub)
		assert.True(t, sub.IsClosed())
		assert.Equal(t, "item", receive(t, sub))
		_, err := sub.Receive(within.Soon(t))
		if end == "" {
			assert.Equal(t, io.EOF, err)
		} else {
			assert.EqualError(t, err, end)
		}
	}
}

func channelsInValues(t *testing.T, r *run) {
	ch := r.exec(t, `
a, rest = channel.receive()
b = rest[u"b"][0]
c = channel.gateway.newchannel()
a.send("to a")
b.send("to b")
channel.send({u"c": (c, [a])})
c.send("to c")
channel.receive()
`)
	a, err := r.gw.NewChannel()
	require.NoError(t, err)
	b, err := r.gw.NewChannel()
	require.NoError(t, err)
	send(t, ch, execnet.Tuple{a, map[string]any{"b": []any{b}}})
	assert.Equal(t, "to a", receive(t, a))
	assert.Equal(t, "to b", receive(t, b))
	value := receiveAs[*execnet.Dict](t, ch)
	got, _ := value.Get("c")
	tuple, _ := got.(execnet.Tuple)
	require.Len(t, tuple, 2)
	assert.Equal(t, []any{a}, tuple[1])
	c, _ := tuple[0].(*execnet.Channel)
	require.NotNil(t, c)
	assert.Equal(t, "to c", receive(t, c))
	send(t, ch, nil)
	ends(t, ch)
}

func sameChannel(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
same = channel.receive()
channel.send(same is sub)
channel.send(sub)
channel.send(channel)
`)
	sub, err := r.gw.NewChannel()
	require.NoError(t, err)
	send(t, ch, sub, sub)
	assert.Equal(t, true, receive(t, ch))
	assert.Same(t, sub, receive(t, ch))
	assert.Same(t, ch, receive(t, ch))
	ends(t, ch)
}

func foreignChannel(t *testing.T, r *run) {
	other, err := execnet.NewGroup().MakeGateway(within.Soon(t), "popen")
	require.NoError(t, err)
	defer func() {
		require.NoError(t, other.Kill())
		require.NoError(t, other.Join(within.Soon(t)))
	}()
	foreign, err := other.NewChannel()
	require.NoError(t, err)
	ch := r.exec(t, "channel.send(channel.receive())")
	var wrong *execnet.DumpError
	require.ErrorAs(t, ch.Send(t.Context(), []any{foreign}), &wrong)
	assert.Equal(t, "[0]", wrong.Path)
	send(t, ch, "in its place")
	assert.Equal(t, "in its place", receive(t, ch))
	ends(t, ch)
}
