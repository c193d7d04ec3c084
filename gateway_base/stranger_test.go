package gatewaybase

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestWhatIsSentOnAStranger arrives although the channel is named later, and so does the end.
func TestWhatIsSentOnAStranger(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	large := bytes.Repeat([]byte("x"), 1<<20)
	for name, end := range map[string]func(ch *Channel) error{
		"close": (*Channel).Close, "no more": (*Channel).CloseSend, "error": func(ch *Channel) error { return ch.CloseWithError(errors.New("on purpose")) },
	} {
		for _, items := range []int{0, 3} {
			fed, err := driver.NewChannel()
			require.NoError(t, err)
			done := make(chan error, 1)
			began := make(chan struct{})
			go func() {
				close(began)
				for range items {
					if err := fed.Send(t.Context(), large); err != nil {
						done <- err
						return
					}
				}
				done <- end(fed)
			}()
			<-began
			if items == 0 {
				require.NoError(t, <-done) // the end alone need not wait
			}
			require.NoError(t, here.Send(t.Context(), []any{fed}), name)
			list, err := Receive[[]*Channel](within.Soon(t), there)
			require.NoError(t, err)
			for range items {
				item, err := list[0].Receive(within.Soon(t))
				require.NoError(t, err)
				assert.Len(t, item, len(large))
			}
			_, err = list[0].Receive(within.Soon(t))
			if name == "error" {
				require.ErrorContains(t, err, "on purpose")
			} else {
				require.ErrorIs(t, err, io.EOF)
			}
			if items > 0 {
				require.NoError(t, <-done)
			}
		}
	}
}

// TestSendOnAStrangerEnds with its context, with the channel, after some seconds, and when somebody
// may have told the far end the channel's id.
func TestSendOnAStrangerEnds(t *testing.T) {
	driver, worker, _ := pair(t)
	twoEnds(t, driver, worker)
	stranger := func() *Channel {
		ch, err := driver.NewChannel()
		require.NoError(t, err)
		return ch
	}
	require.ErrorContains(t, stranger().Send(within.Soon(t), 1), "the far end does not know it yet")
	require.ErrorIs(t, stranger().Send(within.Time(t, time.Millisecond), 1), ErrTimeout)

	ch, sent := stranger(), make(chan error, 1)
	go func() { sent <- ch.Send(within.Soon(t), 1) }()
	require.NoError(t, ch.Close())
	require.ErrorIs(t, <-sent, ErrClosed)

	ch = stranger()
	_, err := worker.table.ensure(int32(ch.ID()))
	require.NoError(t, err)
	require.NoError(t, ch.Send(within.Soon(t), 1))

	for range 100 {
		stranger()
	}
	ctx := within.Soon(t)
	for driver.table.strange.Load() > 2 {
		runtime.GC()
		require.NoError(t, ctx.Err(), "channels that nobody holds are forgotten")
	}

	ch = stranger()
	go func() { sent <- ch.Send(within.Soon(t), 1) }()
	require.NoError(t, driver.Kill())
	require.Error(t, <-sent)
}

// TestCloseOfAStrangerWhoseNamingGaveUp arrives: what names the channel goes out all the same.
func TestCloseOfAStrangerWhoseNamingGaveUp(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	named, err := gw.NewChannel()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- ch.Send(ctx, []any{named, make([]byte, 8<<20)}) }()
	head := make([]byte, headerSize)
	_, err = io.ReadFull(far, head) // it is being written
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-sent, context.Canceled)
	require.NoError(t, named.Close())
	_, err = io.CopyN(io.Discard, far, int64(binary.BigEndian.Uint32(head[5:])))
	require.NoError(t, err)
	m := readFrame(t, far)
	assert.Equal(t, codeClose, m.code)
	assert.Equal(t, named.core.id, m.channel)
}
