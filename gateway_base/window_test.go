package gatewaybase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// windowed is pair with ends that know windows.
func windowed(t *testing.T) (driver, worker *Gateway) {
	t.Helper()
	a, b := pipes.Pair(t)
	driver = New(a, Config{Spec: spec(t, "popen//id=driver"), Warnings: &textbuffer.Buffer{}, Windows: true})
	worker = New(b, Config{Spec: spec(t, "popen//id=worker"), Executor: runner{}, Warnings: &textbuffer.Buffer{}, Windows: true})
	t.Cleanup(func() {
		driver.Exit()
		worker.Exit()
		require.NoError(t, driver.Join(within.Soon(t)))
		require.NoError(t, worker.Join(within.Soon(t)))
	})
	return driver, worker
}

var windowItemData = bytes.Repeat([]byte("x"), 1<<20)

// produce sends items on ch, as many as it says or until Send fails, and tells how that ended.
func produce(ctx context.Context, ch *Channel, items int) <-chan error {
	ended := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < items && err == nil; i++ {
			err = ch.Send(ctx, windowItemData)
		}
		ended <- err
	}()
	return ended
}

// untilWaiting waits until a Send on ch waits for the window.
func untilWaiting(t *testing.T, ch *Channel) {
	t.Helper()
	w := &ch.core.gateway.windows
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		_, waits := w.wakes[ch.core]
		return waits
	}, 20*time.Second, time.Millisecond)
}

// untilWaitingWith is untilWaiting, where what has been sent has come, too.
func untilWaitingWith(t *testing.T, ch *Channel, reader *Gateway, most int) {
	t.Helper()
	untilWaiting(t, ch)
	var unread int
	require.Eventually(t, func() bool {
		before := unread
		unread = reader.Stats().UnreadBytes
		return unread > 0 && unread == before && reader.Stats().BytesReceived > 0
	}, 20*time.Second, 20*time.Millisecond)
	assert.LessOrEqual(t, unread, most)
}

func TestWindowBoundsWhatIsUnread(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	other, otherThere := twoEnds(t, driver, worker)
	const items = 64
	ended := produce(within.Soon(t), there, items)
	untilWaitingWith(t, there, driver, DefaultWindow+len(windowItemData)+6)

	for range 100 { // other channels go on, both ways
		require.NoError(t, other.Send(within.Soon(t), 1))
		_, err := otherThere.Receive(within.Soon(t))
		require.NoError(t, err)
		require.NoError(t, otherThere.Send(within.Soon(t), 2))
		_, err = other.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, driver.Stats().UnreadBytes, DefaultWindow+len(windowItemData)+6)
	for range items {
		_, err := here.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	require.NoError(t, <-ended)
}

// What never comes near the window costs no message.
func TestWindowCostsNothingForLittle(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	for range 20 {
		require.NoError(t, there.Send(within.Soon(t), "text"))
		_, err := here.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	assert.Zero(t, driver.Stats().MessagesSent)
	assert.EqualValues(t, 20, driver.Stats().MessagesReceived)
}

// A far end that is not this module's gets no message of windows, and is sent any number of items.
func TestWindowWithOthers(t *testing.T) {
	t.Parallel()
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	const items = 40
	require.NoError(t, <-produce(within.Soon(t), there, items))
	for range items {
		_, err := here.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	assert.Zero(t, driver.Stats().MessagesSent)
	require.ErrorIs(t, here.SetWindow(1), errors.ErrUnsupported)
}

// Everything is sent to an echo before anything is received: both ends wait for windows.
func TestWindowOfAnEcho(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	const items = 40
	echoed := make(chan error, 1)
	go func() {
		for item, err := range there.Items(within.Soon(t)) {
			if err == nil {
				err = there.Send(within.Soon(t), item)
			}
			if err != nil {
				echoed <- err
				return
			}
		}
		echoed <- there.Close()
	}()
	require.NoError(t, <-produce(within.Soon(t), here, items))
	require.NoError(t, here.CloseSend())
	n := 0
	for _, err := range here.Items(within.Soon(t)) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, items, n)
	require.NoError(t, <-echoed)
}

// Who waits for the close, or for the end of the gateway, or for a call, has everything queued.
func TestWindowIsLifted(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	for name, wait := range map[string]func(main, data *Channel) error{
		"its close": func(_, data *Channel) error { return data.WaitClose(within.Soon(t)) },
		"another":   func(main, _ *Channel) error { return main.WaitClose(within.Soon(t)) },
		"an item": func(main, _ *Channel) error {
			if _, err := main.Receive(within.Soon(t)); err != io.EOF {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			main, mainThere := twoEnds(t, driver, worker)
			data, dataThere := twoEnds(t, driver, worker)
			const items = 50
			ended := produce(within.Soon(t), dataThere, items)
			untilWaiting(t, dataThere)
			done := make(chan error, 1)
			go func() {
				err := <-ended
				done <- errors.Join(err, dataThere.Close(), mainThere.Close())
			}()
			require.NoError(t, wait(main, data))
			require.NoError(t, <-done)
			n := 0
			for _, err := range data.Items(within.Soon(t)) {
				require.NoError(t, err)
				n++
			}
			assert.Equal(t, items, n)
		})
	}
}

// A channel on which this end sends no more has a window all the same.
func TestWindowAfterCloseSend(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.CloseSend())
	_, err := there.Receive(within.Soon(t))
	require.ErrorIs(t, err, io.EOF)
	const items = 50
	ended := produce(within.Soon(t), there, items)
	untilWaitingWith(t, there, driver, DefaultWindow+len(windowItemData)+6)
	for range items {
		_, err := here.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	require.NoError(t, <-ended)
	require.NoError(t, there.Close())
	worker.table.mu.Lock()
	defer worker.table.mu.Unlock()
	assert.Empty(t, worker.table.sending)
}

// A Send that waits for a window ends when nobody will receive what it sends, or when it cannot be
// sent.
func TestWindowThatNobodyReadsEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		do   func(t *testing.T, driver, worker *Gateway, here, there *Channel)
		want error
	}{
		"closed there":    {func(t *testing.T, _, _ *Gateway, here, _ *Channel) { require.NoError(t, here.Close()) }, ErrClosed},
		"closed here":     {func(t *testing.T, _, _ *Gateway, _, there *Channel) { require.NoError(t, there.Close()) }, ErrClosed},
		"no more here":    {func(t *testing.T, _, _ *Gateway, _, there *Channel) { require.NoError(t, there.CloseSend()) }, ErrClosed},
		"its driver":      {func(_ *testing.T, driver, _ *Gateway, _, _ *Channel) { _ = driver.Kill() }, ErrClosed},
		"its own gateway": {func(_ *testing.T, _, worker *Gateway, _, _ *Channel) { worker.Exit() }, ErrClosed},
		"no window":       {func(t *testing.T, _, _ *Gateway, here, _ *Channel) { require.NoError(t, here.SetWindow(0)) }, nil},
		"terminated":      {func(_ *testing.T, driver, _ *Gateway, _, _ *Channel) { driver.Exit() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driver, worker := windowed(t)
			here, there := twoEnds(t, driver, worker)
			ended := produce(within.Soon(t), there, 40)
			untilWaiting(t, there)
			end.do(t, driver, worker, here, there)
			err := <-ended
			if end.want != nil {
				require.ErrorIs(t, err, end.want)
			}
			assert.NotErrorIs(t, err, ErrTimeout)
			runtime.KeepAlive(here)
		})
	}
	t.Run("dropped there", func(t *testing.T) {
		t.Parallel()
		driver, worker := windowed(t)
		here, there := twoEnds(t, driver, worker)
		ended := produce(within.Soon(t), there, 40)
		untilWaiting(t, there)
		runtime.KeepAlive(here)
		here = nil
		assert.Eventually(t, func() bool { runtime.GC(); return len(ended) == 1 }, 20*time.Second, time.Millisecond)
		require.ErrorIs(t, <-ended, ErrClosed)
	})
}

// An item that was withdrawn when its context ended does not fill the window.
func TestWindowAndContexts(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := produce(ctx, there, 100)
		untilWaiting(t, there)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.Eventually(t, func() bool { // all that is counted is there
			here.core.mu.Lock()
			defer here.core.mu.Unlock()
			in := &here.core.in
			return there.core.out.sent.Load() == in.unread-in.ahead+in.taken
		}, 20*time.Second, time.Millisecond)
		for range here.Len() {
			_, err := here.Receive(within.Soon(t))
			require.NoError(t, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := there.core.out.sent.Load()
	require.Error(t, there.Send(ctx, windowItemData))
	assert.LessOrEqual(t, there.core.out.sent.Load(), before)
}

func TestSetWindow(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	require.Error(t, here.SetWindow(-1))

	require.NoError(t, here.SetWindow(100))
	require.Eventually(t, func() bool { return there.core.out.limit.Load() == 100 }, 20*time.Second, time.Millisecond)
	ended := produce(within.Soon(t), there, 3) // each of them is larger than the window
	untilWaitingWith(t, there, driver, len(windowItemData)+6)
	assert.Equal(t, 1, here.Len())
	for range 3 {
		_, err := here.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	require.NoError(t, <-ended)

	require.NoError(t, here.SetWindow(4<<20))
	require.Eventually(t, func() bool { return there.core.out.limit.Load() == 4<<20 }, 20*time.Second, time.Millisecond)
	ended = produce(within.Soon(t), there, 30)
	untilWaitingWith(t, there, driver, 4<<20+len(windowItemData)+6)
	require.NoError(t, here.SetWindow(0))
	require.NoError(t, <-ended)
	require.NoError(t, <-produce(within.Soon(t), there, 30))
	require.Eventually(t, func() bool { return here.Len() == 60 }, 20*time.Second, time.Millisecond)
}

// A window that is lifted before anything has come under it holds nobody up.
func TestWindowIsLiftedAtOnce(t *testing.T) {
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	const items = 40
	for range 2 {
		require.NoError(t, here.SetWindow(1<<20))
		require.NoError(t, here.SetWindow(0))
		sent := produce(within.Soon(t), there, items)
		for range items {
			_, err := here.Receive(within.Soon(t))
			require.NoError(t, err)
		}
		require.NoError(t, <-sent)
		require.NoError(t, here.SetWindow(1<<20))
	}
}

// WaitClose lifts a window that was set again while it was full.
func TestWindowThatIsSetAgain(t *testing.T) {
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.SetWindow(1<<20))
	sent := produce(within.Soon(t), there, 10)
	untilWaiting(t, there)
	require.NoError(t, here.SetWindow(1<<20))
	closed := make(chan error, 1)
	go func() { closed <- here.WaitClose(within.Soon(t)) }()
	require.NoError(t, <-sent)
	require.NoError(t, there.Close())
	require.NoError(t, <-closed)
}

// A callback takes what it is called with, also if it waits.
func TestWindowOfACallback(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	goOn := make(chan struct{})
	var mu sync.Mutex
	n := 0
	require.NoError(t, here.SetCallback(func(any) error {
		<-goOn
		mu.Lock()
		defer mu.Unlock()
		n++
		return nil
	}, NoEndmarker))
	ended := produce(within.Soon(t), there, 50)
	untilWaitingWith(t, there, driver, DefaultWindow+len(windowItemData)+6)
	close(goOn)
	require.NoError(t, <-ended)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return n == 50 }, 20*time.Second, time.Millisecond)
}

// A program that does not know of windows goes on in the end, and one that has set one waits.
func TestWindowPatience(t *testing.T) {
	t.Parallel()
	driver, worker := windowed(t)
	here, there := twoEnds(t, driver, worker)
	other, otherThere := twoEnds(t, driver, worker)
	require.NoError(t, other.SetWindow(1<<20))
	require.Eventually(t, func() bool { return otherThere.core.out.limit.Load() == 1<<20 }, 20*time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	firm := produce(ctx, otherThere, 10)
	require.NoError(t, <-produce(within.Time(t, time.Minute), there, DefaultWindow/len(windowItemData)+8))
	untilWaiting(t, otherThere)
	assert.LessOrEqual(t, other.Len(), 2)
	cancel()
	require.ErrorIs(t, <-firm, context.Canceled)
	runtime.KeepAlive(here)
}

// What a far end says of windows cannot harm this end, whatever it is.
func TestWindowItemsThatCannotBe(t *testing.T) {
	t.Parallel()
	gw, far := rawWith(t, Config{Windows: true})
	ch, err := gw.newChannel()
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, far) }()
	kind := int64(asideWindow)
	id := int64(ch.ID())
	for _, item := range []any{
		nil, kind, "x", serializer.Tuple{kind}, serializer.Tuple{kind, id, 1, 1}, serializer.Tuple{kind, id, -5, 10, false},
		serializer.Tuple{kind, id, 5, -10, false}, serializer.Tuple{kind, id, 5, 10, 1}, serializer.Tuple{kind, "x", 5, 10, false},
		serializer.Tuple{kind, id + 1<<32, 5, 10, false}, serializer.Tuple{kind, 77, 5, 10, true}, serializer.Tuple{kind, 0, 5, 10, true},
	} {
		payload, err := asideCodec.Append(nil, item)
		require.NoError(t, err)
		_, err = far.Write(frameBytes(t, codeData, asideID, payload))
		require.NoError(t, err)
	}
	require.NoError(t, ch.Send(within.Soon(t), windowItemData))
	// More than was sent.
	payload, err := asideCodec.Append(nil, serializer.Tuple{kind, id, int64(1) << 60, 1 << 20, false})
	require.NoError(t, err)
	_, err = far.Write(frameBytes(t, codeData, asideID, payload))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return ch.core.out.limit.Load() == 1<<20 }, 20*time.Second, time.Millisecond)
	assert.Zero(t, ch.core.out.sent.Load())
	assert.True(t, gw.HasReceiver())
}
