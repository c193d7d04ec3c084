package gatewaybase

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/pipe"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// immediate is a pipe to which can be written without waiting. It counts what is written, which is
// what the system has not moved.
type immediate struct {
	*pipes.Interruptible
	now    *pipe.Writer
	copied atomic.Int64
}

func newImmediate(near *pipes.Interruptible) *immediate {
	return &immediate{Interruptible: near, now: pipe.NewWriter(near.WriteFile())}
}

func (i *immediate) Write(b []byte) (int, error) {
	n, err := i.Interruptible.Write(b)
	i.copied.Add(int64(n))
	return n, err
}

func (i *immediate) WriteNow(b []byte) int {
	n := i.now.WriteNow(b)
	i.copied.Add(int64(n))
	return n
}

func randomItem(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// frameOf is the message that sends an item on a channel.
func frameOf(ch *Channel, item []byte) []byte {
	f := binary.BigEndian.AppendUint32([]byte{byte(codeData)}, uint32(ch.ID()))
	f = binary.BigEndian.AppendUint32(f, uint32(len(item)+stringHead+1))
	f = append(binary.BigEndian.AppendUint32(append(f, 'A'), uint32(len(item))), item...)
	return append(f, 'Q')
}

// Large items arrive whole and in order, among small ones, and the system moves them.
func TestRelayMovesLargeItems(t *testing.T) {
	t.Parallel()
	near, far := pipes.Pair(t)
	counting := newImmediate(near)
	driver, worker := relayedTo(t, counting)
	back := New(far, Config{Spec: spec(t, "popen//id=behind"), Executor: &behind{}, Warnings: &textbuffer.Buffer{}})
	back.table.next = relayIDs
	ch, err := driver.RemoteExec(t.Context(), "relay: echo")
	require.NoError(t, err)
	items := []any{randomItem(300 << 10)} // nothing waits when it comes, so some of it is moved
	for i := range 24 {
		items = append(items, int64(i), randomItem(leastMoved-20+i), string(bytes.Repeat([]byte{'x'}, 300<<10+i)), randomItem(1<<20+i), []any{randomItem(200 << 10)})
	}
	sent := make(chan error, 1)
	go func() {
		for _, item := range items {
			if err := ch.Send(within.Soon(t), item); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i, item := range items {
		got, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		require.True(t, assert.ObjectsAreEqual(item, got), "item %d", i)
	}
	require.NoError(t, <-sent)
	moved := worker.relay.Load().out.bytes.Load() - counting.copied.Load()
	if pipe.MostMoved > 0 {
		assert.Positive(t, moved)
	} else {
		assert.Zero(t, moved)
	}
	driver.Exit()
	require.NoError(t, driver.Join(within.Soon(t)))
	require.NoError(t, worker.Join(within.Soon(t)))
	require.NoError(t, back.Join(within.Soon(t)))
}

// What the far end does not take at once waits in memory, and nothing is lost of it, or comes in
// another order. Of an item in which the driver's stream ends nothing is passed on.
func TestRelayMovesToWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	near, far := pipes.Pair(t)
	driver, worker := relayedTo(t, newImmediate(near))
	ch, err := driver.RemoteExec(t.Context(), "relay: anything")
	require.NoError(t, err)
	defer runtime.KeepAlive(ch) // a dropped channel sends a close, here within an item
	items := [][]byte{randomItem(900 << 10), randomItem(10), randomItem(700 << 10), randomItem(1 << 20)}
	for _, item := range items {
		require.NoError(t, ch.Send(within.Soon(t), item)) // though nobody reads
	}
	part := frameOf(ch, make([]byte, 500<<10))[:headerSize+stringHead+(300<<10)]
	written := make(chan error, 1)
	go func() {
		_, err := driver.io.Write(part)
		written <- err
		_ = driver.Kill() // ends the stream
	}()
	in := bufio.NewReader(far)
	var messages messageReader
	m, err := messages.next(in)
	require.NoError(t, err)
	assert.Equal(t, codeExec, m.code)
	for _, item := range items {
		m, err := messages.next(in)
		require.NoError(t, err)
		require.Equal(t, codeData, m.code)
		v, err := driver.newCodec(defaultStrings).Load(m.payload)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(item, v.([]byte)))
	}
	require.NoError(t, <-written)
	m, err = messages.next(in)
	require.NoError(t, err)
	assert.Equal(t, codeTerminate, m.code)
	require.NoError(t, far.CloseRead())
	require.NoError(t, far.CloseWrite())
	require.NoError(t, worker.Join(within.Soon(t)))
	require.NoError(t, driver.Join(within.Soon(t)))
}

// What has come of an item when reading is interrupted is not lost, and no more is waited for than
// the rest of it.
func TestRelayMoveInterrupted(t *testing.T) {
	t.Parallel()
	near, far := pipes.Pair(t)
	driver, worker := relayedTo(t, newImmediate(near))
	ch, err := driver.RemoteExec(t.Context(), "relay: anything")
	require.NoError(t, err)
	defer runtime.KeepAlive(ch)
	in := bufio.NewReader(far)
	var messages messageReader
	_, err = messages.next(in)
	require.NoError(t, err)

	whole := frameOf(ch, randomItem(300<<10))
	_, err = driver.io.Write(whole[:len(whole)-3])
	require.NoError(t, err)
	from := worker.io.(*pipes.Interruptible)
	require.Eventually(t, func() bool { return pipe.Buffered(from.ReadFile()) == 0 }, 2*time.Minute, time.Millisecond)
	from.InterruptRead()
	_, err = driver.io.Write(whole[len(whole)-3:])
	require.NoError(t, err)
	m, err := messages.next(in)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(whole, m.frame))

	require.NoError(t, driver.Kill())
	_, err = messages.next(in)
	require.NoError(t, err)
	require.NoError(t, far.CloseRead())
	require.NoError(t, far.CloseWrite())
	require.NoError(t, worker.Join(within.Soon(t)))
	require.NoError(t, driver.Join(within.Soon(t)))
}

// gated is a pipe whose Write waits until somebody takes what it writes.
type gated struct {
	*pipes.Interruptible
	written chan []byte
}

func (g gated) Write(b []byte) (int, error) {
	g.written <- bytes.Clone(b)
	return len(b), nil
}

func (g gated) WriteNow([]byte) int { return 0 }

// An item that was to be moved, and finds others that wait to be written, is written behind them.
func TestMovedItemsWaitTheirTurn(t *testing.T) {
	if pipe.MostMoved == 0 {
		t.Skip("only Linux moves items")
	}
	near, far := pipes.Pair(t)
	out := gated{near, make(chan []byte)}
	o := newOutbox(out, func(f func()) { go f() })
	require.NoError(t, o.post(&frame{bytes: []byte("first")}))
	require.NoError(t, o.post(&frame{bytes: bytes.Repeat([]byte("2"), joinedSize)}))

	passage := pipe.NewPassage()
	require.NotNil(t, passage)
	defer passage.Close()
	_, err := far.Write([]byte("ird"))
	require.NoError(t, err)
	require.True(t, passage.Fill(near.ReadFile(), 3))
	require.NoError(t, o.postMoved(&frame{bytes: []byte("th---")}, 2, passage, near.WriteFile()))

	assert.Equal(t, "first", string(<-out.written))
	assert.Len(t, <-out.written, joinedSize)
	assert.Equal(t, "third", string(<-out.written))
	require.True(t, o.waitUntilIdle(2*time.Minute))
	assert.Equal(t, o.taken, o.written)
	o.fail(ErrClosed)
}
