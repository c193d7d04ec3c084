//go:build unix

package multi_test

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
)

// three returns a group of three gateways.
func three(t *testing.T) *multi.Group {
	t.Helper()
	g := newGroup(t)
	_, err := g.MakeGateways(within.Soon(t), "", "", "")
	require.NoError(t, err)
	return g
}

func TestMultiChannelSendsAndReceivesOnEach(t *testing.T) {
	t.Parallel()
	g := three(t)
	m, err := g.RemoteExec(t.Context(), `
		for item in channel:
			channel.send((channel.gateway.id, item))
	`)
	require.NoError(t, err)
	require.Equal(t, 3, m.Len())
	require.NoError(t, m.SendEach(t.Context(), 1))
	items, err := m.ReceiveEach(within.Soon(t))
	require.NoError(t, err)
	require.Len(t, items, 3)
	assert.Equal(t, "gw0-worker", items[0].(serializer.Tuple)[0], "the order is the group's")

	require.NoError(t, m.SendEach(t.Context(), 2))
	received, err := m.ReceiveEachWithChannel(within.Soon(t))
	require.NoError(t, err)
	for i, r := range received {
		assert.Same(t, m.At(i), r.Channel)
	}
	assert.Equal(t, m.Len(), len(slices.Collect(m.All())))
	assert.True(t, m.Contains(m.At(1)))
	assert.Nil(t, m.At(3))
	assert.Nil(t, m.At(-1))
	other, err := g.At(0).NewChannel()
	require.NoError(t, err)
	assert.False(t, m.Contains(other))

	require.NoError(t, m.At(1).Close())
	err = m.SendEach(t.Context(), 3)
	require.ErrorIs(t, err, gatewaybase.ErrClosed)
	assert.ErrorContains(t, err, "gateway gw1")
	items, err = m.ReceiveEach(within.Soon(t))
	assert.ErrorIs(t, err, io.EOF)
	assert.Len(t, items, 1, "what came before the channel that has ended")
	item, err := m.At(2).Receive(within.Soon(t))
	require.NoError(t, err, "nothing was taken from the channels behind")
	assert.NotNil(t, item)
}

func TestReceiveQueue(t *testing.T) {
	t.Parallel()
	g := three(t)
	m, err := g.RemoteExec(t.Context(), `
		for i in range(100):
			channel.send(i)
		if channel.gateway.id == "gw1-worker":
			raise ValueError("one")
	`)
	require.NoError(t, err)
	first, err := m.At(0).Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, int64(0), first)

	q, err := m.MakeReceiveQueue("end")
	require.NoError(t, err)
	again, err := m.MakeReceiveQueue(gatewaybase.NoEndmarker)
	require.NoError(t, err)
	assert.Same(t, q, again)
	_, err = m.ReceiveEach(within.Soon(t))
	assert.ErrorIs(t, err, gatewaybase.ErrHasCallback)

	next := map[*gatewaybase.Channel]int64{m.At(0): 1, m.At(1): 0, m.At(2): 0}
	ends := 0
	for r, err := range q.Items(within.Soon(t)) {
		require.NoError(t, err)
		if r.Item == "end" {
			assert.Equal(t, int64(100), next[r.Channel], "the endmarker comes last")
			ends++
			continue
		}
		require.Equal(t, next[r.Channel], r.Item)
		next[r.Channel]++
	}
	assert.Equal(t, 3, ends)
	assert.Zero(t, q.Len())
	_, err = q.Receive(within.Soon(t))
	assert.ErrorIs(t, err, io.EOF)

	err = m.WaitClose(within.Soon(t))
	var remote *gatewaybase.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, "one", remote.Message())
	assert.ErrorContains(t, err, "gateway gw1")
	assert.NoError(t, m.WaitClose(within.Soon(t)), "an error is raised once")
}

func TestReceiveQueueWaits(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "")
	m, err := g.RemoteExec(t.Context(), "channel.receive()")
	require.NoError(t, err)
	q, err := m.MakeReceiveQueue(gatewaybase.NoEndmarker)
	require.NoError(t, err)
	short, cancel := context.WithTimeout(context.Background(), 1)
	defer cancel()
	_, err = q.Receive(short)
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = q.Receive(cancelled)
	assert.ErrorIs(t, err, context.Canceled)

	ended := make(chan error, 1)
	go func() {
		_, err := q.Receive(context.Background())
		ended <- err
	}()
	require.NoError(t, g.At(0).Kill())
	assert.ErrorIs(t, <-ended, io.EOF, "the end of the gateway ends the queue")
}

func TestReceiveQueueBesideACallback(t *testing.T) {
	t.Parallel()
	g := three(t)
	m, err := g.RemoteExec(t.Context(), "channel.send(5)")
	require.NoError(t, err)
	require.NoError(t, m.At(1).SetCallback(func(any) error { return nil }, gatewaybase.NoEndmarker))
	q, err := m.MakeReceiveQueue(gatewaybase.NoEndmarker)
	require.ErrorIs(t, err, gatewaybase.ErrHasCallback)
	assert.ErrorContains(t, err, "gateway gw1")
	n := 0
	for r, err := range q.Items(within.Soon(t)) {
		require.NoError(t, err)
		assert.Equal(t, int64(5), r.Item)
		n++
	}
	assert.Equal(t, 2, n, "the other channels lose nothing")
}

func TestMultiChannelItems(t *testing.T) {
	t.Parallel()
	g := three(t)
	m, err := g.RemoteExec(t.Context(), `
		channel.send(1)
		channel.send(2)
		if channel.gateway.id == "gw2-worker":
			1/0
	`)
	require.NoError(t, err)
	var sum int64
	var last error
	for r, err := range m.Items(within.Soon(t)) {
		if err != nil {
			last = err
			break
		}
		sum += r.Item.(int64)
	}
	assert.Equal(t, int64(9), sum)
	var remote *gatewaybase.RemoteError
	require.ErrorAs(t, last, &remote)
	assert.Equal(t, "ZeroDivisionError", remote.Exception())
}

func TestMultiChannelWaitCloseReportsTheFirst(t *testing.T) {
	t.Parallel()
	g := three(t)
	m, err := g.RemoteExec(t.Context(), `
		def fail(channel):
			if channel.gateway.id != "gw0-worker":
				raise KeyError(channel.gateway.id)
	`, gatewaybase.Call("fail", nil))
	require.NoError(t, err)
	assert.ErrorContains(t, m.WaitClose(within.Soon(t)), "gw1-worker")

	m, err = g.RemoteExec(t.Context(), "channel.receive()")
	require.NoError(t, err)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, m.WaitClose(cancelled), context.Canceled)
}

func TestGroupRemoteExecFails(t *testing.T) {
	t.Parallel()
	g := three(t)
	_, err := g.RemoteExec(t.Context(), "def f(x): pass", gatewaybase.Call("f", nil))
	assert.ErrorContains(t, err, "must be named channel")
	_, err = g.RemoteExecFile(t.Context(), "no-such-file.py")
	assert.ErrorContains(t, err, "no-such-file.py")
	empty, err := multi.NewGroup().RemoteExec(t.Context(), "pass")
	require.NoError(t, err)
	assert.Zero(t, empty.Len())
	items, err := empty.ReceiveEach(within.Soon(t))
	assert.NoError(t, err)
	assert.Empty(t, items)
	assert.NoError(t, empty.WaitClose(within.Soon(t)))
	for range empty.Items(within.Soon(t)) {
		t.Error("an item of no channel")
	}
}

// TestReceiveQueueHasTheWindowsOfItsChannels: what is in the queue counts as unread, so the far
// ends wait, and go on when it is received.
func TestReceiveQueueHasTheWindowsOfItsChannels(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	_, err := g.MakeGateways(within.Soon(t), "", "")
	require.NoError(t, err)
	const items = 32
	m, err := g.RemoteExec(t.Context(), `
		def produce(channel, items):
			channel.receive()
			for i in range(items):
				channel.send((i, b"x" * (1 << 20)))
	`, gatewaybase.Call("produce", map[string]any{"items": items}))
	require.NoError(t, err)
	for ch := range m.All() {
		require.NoError(t, ch.SetWindow(4<<20))
	}
	require.NoError(t, m.SendEach(t.Context(), "begin"))
	q, err := m.MakeReceiveQueue("end")
	require.NoError(t, err)
	counts := map[*gatewaybase.Channel]int64{}
	receive := func() any {
		r, err := q.Receive(within.Soon(t))
		require.NoError(t, err)
		if item, ok := r.Item.(serializer.Tuple); ok {
			require.Equal(t, counts[r.Channel], item[0])
			counts[r.Channel]++
		}
		return r.Item
	}
	receive()

	waiting, err := g.RemoteExec(t.Context(), `
		import sys, time
		def functions():
			for frame in list(sys._current_frames().values()):
				while frame is not None:
					yield frame.f_code.co_name
					frame = frame.f_back
		while True:
			names = set(functions())
			if "_await_room" in names or "produce" not in names:
				break
			time.sleep(0.01)
		channel.send("produce" in names)
	`)
	require.NoError(t, err)
	produce, err := waiting.ReceiveEach(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []any{true, true}, produce, "both wait before they have sent everything")
	assert.LessOrEqual(t, q.Len(), 2*6)

	for ends := 0; ends < 2; {
		if receive() == "end" {
			ends++
		}
	}
	for _, n := range counts {
		assert.EqualValues(t, items, n)
	}
	require.NoError(t, m.WaitClose(within.Soon(t)))
}

// TestReceiveQueueIsReadLate waits for the ends of the channels first, as a program may.
func TestReceiveQueueIsReadLate(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "")
	m, err := g.RemoteExec(t.Context(), `
		for i in range(40):
			channel.send(b"x" * (1 << 20))
	`)
	require.NoError(t, err)
	q, err := m.MakeReceiveQueue(gatewaybase.NoEndmarker)
	require.NoError(t, err)
	require.NoError(t, m.WaitClose(within.Soon(t)))
	assert.Equal(t, 40, q.Len())
	n := 0
	for _, err := range q.Items(within.Soon(t)) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, 40, n)
}

// TestReceiveQueueOfAnItemThatCannotBeLoaded closes that channel at both ends.
func TestReceiveQueueOfAnItemThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "")
	m, err := g.RemoteExec(t.Context(), `
		channel.send(1)
		channel.gateway._send(4, channel.id, b"?")  # no opcode
		channel.send(2)
		channel.waitclose()
	`)
	require.NoError(t, err)
	q, err := m.MakeReceiveQueue("end")
	require.NoError(t, err)
	var got []any
	for r, err := range q.Items(within.Soon(t)) {
		require.NoError(t, err)
		got = append(got, r.Item)
	}
	assert.Equal(t, []any{int64(1), "end"}, got)
	assert.Error(t, m.WaitClose(within.Soon(t)))
}
