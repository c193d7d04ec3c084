package gatewaybase

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func TestItemsArriveInOrderBothWays(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	for i := range 100 {
		require.NoError(t, here.Send(t.Context(), i))
		require.NoError(t, there.Send(t.Context(), serializer.Tuple{"n", i}))
	}
	for i := range 100 {
		v, err := there.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, int64(i), v)
		v, err = here.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, serializer.Tuple{"n", int64(i)}, v)
	}
}

func TestReceiveTyped(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.Send(t.Context(), map[string]any{"name": "x", "count": 3}))
	var got struct {
		Name  string `execnet:"name"`
		Count int    `execnet:"count"`
	}
	require.NoError(t, there.ReceiveInto(within.Soon(t), &got))
	assert.Equal(t, "x", got.Name)
	assert.Equal(t, 3, got.Count)
}

func TestReceiveTimeout(t *testing.T) {
	driver, worker, _ := pair(t)
	here, _ := twoEnds(t, driver, worker)
	_, err := here.Receive(within.Time(t, 10*time.Millisecond))
	assert.ErrorIs(t, err, ErrTimeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = here.Receive(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, ErrTimeout)

	assert.ErrorIs(t, here.WaitClose(ctx), context.Canceled)
}

func TestCloseReachesTheOtherEndAfterTheItems(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.Send(t.Context(), "last"))
	require.NoError(t, here.Close())
	require.NoError(t, here.Close(), "closing twice does nothing")
	assert.True(t, here.IsClosed())
	require.ErrorIs(t, here.Send(t.Context(), "more"), ErrClosed)

	require.NoError(t, there.WaitClose(within.Soon(t)))
	assert.True(t, there.IsClosed())
	v, err := there.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "last", v)
	for range 2 {
		_, err = there.Receive(within.Soon(t))
		assert.Equal(t, io.EOF, err)
	}
	assert.Zero(t, driver.table.open())
	assert.Zero(t, worker.table.open())
}

func TestCloseWithErrorIsRaisedOnce(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.Send(t.Context(), 1))
	require.NoError(t, here.CloseWithError(errors.New("no more disk")))

	v, err := there.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, int64(1), v)
	_, err = there.Receive(within.Soon(t))
	var remote *RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, "no more disk", remote.Formatted)
	_, err = there.Receive(within.Soon(t))
	assert.Equal(t, io.EOF, err)
	assert.NoError(t, there.WaitClose(within.Soon(t)), "the error has been raised")
}

func TestWaitCloseRaisesTheError(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.CloseWithError(errors.New("broken")))
	assert.EqualError(t, there.WaitClose(within.Soon(t)), "broken")
	assert.NoError(t, there.WaitClose(within.Soon(t)))
}

func TestItems(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	for i := range 3 {
		require.NoError(t, here.Send(t.Context(), i))
	}
	require.NoError(t, here.CloseWithError(errors.New("enough")))
	var got []any
	var last error
	for v, err := range there.Items(within.Soon(t)) {
		if err != nil {
			last = err
			continue
		}
		got = append(got, v)
	}
	assert.Equal(t, []any{int64(0), int64(1), int64(2)}, got)
	assert.EqualError(t, last, "enough")
	for range there.Items(within.Soon(t)) {
		t.Fatal("an ended channel has no items")
	}
}

func TestItemsStopWithTheContext(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	for i := range 3 {
		require.NoError(t, here.Send(t.Context(), i))
	}
	require.NoError(t, here.Close())
	require.NoError(t, there.WaitClose(within.Soon(t)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got []any
	var last error
	for v, err := range there.Items(ctx) {
		got, last = append(got, v), err
		cancel()
	}
	assert.Equal(t, []any{int64(0), nil}, got)
	assert.ErrorIs(t, last, context.Canceled)
}

func TestCloseSend(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.Send(t.Context(), "last"))
	require.NoError(t, here.CloseSend())
	require.NoError(t, here.CloseSend())
	require.ErrorIs(t, here.Send(t.Context(), "more"), ErrClosed)
	assert.False(t, here.IsClosed())

	var got []any
	for v, err := range there.Items(within.Soon(t)) {
		require.NoError(t, err)
		got = append(got, v)
	}
	assert.Equal(t, []any{"last"}, got)
	require.NoError(t, there.Send(t.Context(), "answer"))
	require.NoError(t, there.Close())
	v, err := here.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "answer", v)
	require.NoError(t, here.WaitClose(within.Soon(t)))
}

func TestChannelsTravelInsideValues(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	inner, err := driver.newChannel()
	require.NoError(t, err)
	require.NoError(t, here.Send(t.Context(), []any{"take", inner}))
	// At once, before the other end has looked at the item that names the channel.
	require.NoError(t, inner.Send(t.Context(), "early"))

	v, err := there.Receive(within.Soon(t))
	require.NoError(t, err)
	far := v.([]any)[1].(*Channel)
	assert.Equal(t, inner.ID(), far.ID())
	v, err = far.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "early", v)
	require.NoError(t, far.Send(t.Context(), "back"))
	v, err = inner.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "back", v)
}

func TestForeignChannelIsRefused(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	err := here.Send(t.Context(), there)
	var dump *serializer.DumpError
	require.ErrorAs(t, err, &dump)
	assert.ErrorContains(t, err, "gateway worker")
	_, err = serializer.Dumps(here)
	assert.ErrorAs(t, err, &dump)
}

func TestDroppedChannelTellsTheOtherEnd(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.Send(t.Context(), "kept"))
	here = nil
	collect(t, func() bool { return there.IsClosed() })
	v, err := there.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "kept", v)
	assert.Zero(t, driver.table.open())
	runtime.KeepAlive(here)
}

func TestDroppedChannelWithCallbackStillReceives(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	got := make(chan any, 10)
	require.NoError(t, here.SetCallback(func(v any) error { got <- v; return nil }, "end"))
	here = nil
	// Last message: the other end may send, and will receive nothing more.
	collect(t, func() bool { return there.WaitClose(instant(t)) == nil })
	assert.False(t, there.IsClosed())
	require.NoError(t, there.Send(t.Context(), "late"))
	assert.Equal(t, "late", <-got)
	require.NoError(t, there.Close())
	assert.Equal(t, "end", <-got)
	runtime.KeepAlive(here)
}

func TestDroppedItemDropsItsChannels(t *testing.T) {
	driver, worker, _ := pair(t)
	//lint:ignore SA4006 this keeps the channel alive for a while
	here, there := twoEnds(t, driver, worker)
	inner, err := driver.newChannel()
	require.NoError(t, err)
	require.NoError(t, here.Send(t.Context(), inner))
	require.Eventually(t, func() bool { return worker.table.knows(inner.core.id) }, 5*time.Second, time.Millisecond)
	there = nil
	collect(t, inner.IsClosed)
	runtime.KeepAlive(there)
}

func TestUnreceivedErrorIsWarnedOf(t *testing.T) {
	driver, worker, warnings := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.CloseWithError(errors.New("nobody looked")))
	require.NoError(t, here.core.waitEnded(within.Soon(t)))
	here = nil
	collect(t, func() bool { return strings.Contains(warnings.String(), "nobody looked") })
	assert.Contains(t, warnings.String(), "[driver] Warning: unhandled remote error")
	runtime.KeepAlive(here)
}

func (c *core) waitEnded(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gateway.reader.wait(ctx, c, func() bool { return c.receiveClosed }, "waiting")
}

// collect runs the garbage collector until ready.
func collect(t *testing.T, ready func() bool) {
	t.Helper()
	require.Eventually(t, func() bool { runtime.GC(); return ready() }, 10*time.Second, 5*time.Millisecond)
}

func instant(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestManySendersOneChannel(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	const senders, each = 16, 500
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				if err := here.Send(t.Context(), serializer.Tuple{s, i, strings.Repeat("x", i)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := make([]int64, senders)
	for range senders * each {
		v, err := there.Receive(within.Soon(t))
		require.NoError(t, err)
		item := v.(serializer.Tuple)
		require.Equal(t, next[item[0].(int64)], item[1], "each sender's items stay in order")
		next[item[0].(int64)]++
	}
	wg.Wait()
}

func TestFullPipesDoNotDeadlock(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	big := make([]byte, 4<<20)
	var wg sync.WaitGroup
	for _, ch := range []*Channel{here, there} {
		wg.Go(func() {
			for range 4 {
				assert.NoError(t, ch.Send(t.Context(), big))
			}
		})
	}
	wg.Wait()
	for _, ch := range []*Channel{here, there} {
		for range 4 {
			v, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			require.Len(t, v, len(big))
		}
	}
}

func TestStrConfigOfPython2(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	py2 := append([]byte("M\x00\x00\x00\x02"), 0xe9, 'a', 'Q')
	send := func() {
		_, err := far.Write(frameBytes(t, codeData, 1, py2))
		require.NoError(t, err)
	}
	send()
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "éa", v)

	require.NoError(t, ch.Reconfigure(t.Context(), StrConfig{}))
	m := readFrame(t, far)
	assert.Equal(t, message{codeReconfigure, 1, []byte("CC@\x00\x00\x00\x02Q"), nil}, m)
	send()
	v, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []byte{0xe9, 'a'}, v)

	require.NoError(t, gw.Reconfigure(t.Context(), StrConfig{Py2StrAsPy3Str: true, Py3StrAsPy2Str: true}))
	m = readFrame(t, far)
	assert.Equal(t, message{codeReconfigure, 0, []byte("RR@\x00\x00\x00\x02Q"), nil}, m)
	other, err := gw.newChannel()
	require.NoError(t, err)
	_, err = far.Write(frameBytes(t, codeData, int32(other.ID()), []byte("N\x00\x00\x00\x01aQ")))
	require.NoError(t, err)
	v, err = other.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []byte("a"), v)
}

func TestChannelsThatEndedBeforeTheyAreReceived(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	for _, reason := range []error{nil, errors.New("enough")} {
		inner, err := there.Gateway().newChannel()
		require.NoError(t, err)
		require.NoError(t, there.Send(t.Context(), []any{inner, there}))
		require.NoError(t, inner.Send(t.Context(), "item"))
		require.NoError(t, inner.CloseWithError(reason))
	}
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(within.Soon(t)))
	for _, want := range []string{"EOF", "enough"} {
		v, err := here.Receive(within.Soon(t))
		require.NoError(t, err)
		both, _ := v.([]any)
		require.Len(t, both, 2)
		assert.Same(t, here, both[1])
		inner, _ := both[0].(*Channel)
		require.NotNil(t, inner)
		v, err = inner.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, "item", v)
		_, err = inner.Receive(within.Soon(t))
		assert.EqualError(t, err, want)
	}
	assert.Zero(t, driver.table.open())
}

func TestChannelsInItemsForUnknownChannelsAreClosed(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	held, err := driver.newChannel()
	require.NoError(t, err)
	require.NoError(t, here.Send(t.Context(), held))
	require.Eventually(t, func() bool { return worker.table.get(held.core.id) != nil }, 5*time.Second, time.Millisecond)
	worker.table.remove(there.core)
	waiting, err := driver.newChannel()
	require.NoError(t, err)
	require.NoError(t, here.Send(t.Context(), []any{waiting, held}))
	require.NoError(t, waiting.WaitClose(within.Soon(t)))
	assert.True(t, waiting.IsClosed())
	assert.False(t, held.IsClosed(), "it waits in another item")
	runtime.KeepAlive(there)
}

func TestAfterClose(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	closed, never := make(chan bool), func() { t.Error("it was stopped") }
	stop := here.AfterClose(never)
	assert.True(t, stop())
	assert.False(t, stop())
	stop = here.AfterClose(func() { close(closed) })
	require.NoError(t, there.Close())
	<-closed
	assert.False(t, stop())

	again := make(chan bool)
	assert.False(t, here.AfterClose(func() { close(again) })())
	<-again
}

// TestReconfigureThatCrossesTheClose has one end set string configurations of channels that the
// other end closes meanwhile. No such channel stays open there.
func TestReconfigureThatCrossesTheClose(t *testing.T) {
	driver, worker, _ := pair(t)
	for range 300 {
		here, there := twoEnds(t, driver, worker)
		closed := make(chan error, 1)
		go func() { closed <- there.Close() }()
		require.NoError(t, here.Reconfigure(t.Context(), StrConfig{Py3StrAsPy2Str: true}))
		require.NoError(t, <-closed)
		require.NoError(t, here.WaitClose(within.Soon(t)))
	}
	require.Eventually(t, func() bool {
		worker.table.mu.Lock()
		defer worker.table.mu.Unlock()
		return len(worker.table.cores) == 0
	}, 20*time.Second, time.Millisecond)
}

// TestReconfigureBeforeTheChannelIsKnown has a channel's configuration come before the channel
// does, which is no open channel until then.
func TestReconfigureBeforeTheChannelIsKnown(t *testing.T) {
	driver, worker, _ := pair(t)
	ch, err := driver.newChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Reconfigure(t.Context(), StrConfig{Py3StrAsPy2Str: true}))
	status, err := driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Zero(t, status.NumChannels)
	core := worker.table.get(int32(ch.ID()))
	require.NotNil(t, core)
	assert.True(t, core.codec.Load().Py3StrAsPy2Str)
	there := core.handle()
	status, err = driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, 1, status.NumChannels)
	require.NoError(t, there.Close())
}
