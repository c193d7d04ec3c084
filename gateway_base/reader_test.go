package gatewaybase

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// leading makes a goroutine of the test the one that reads: it has received an item, and waits for
// another.
func leading(t *testing.T, receive func(ch *Channel) error) (here, there *Channel, driver *Gateway, ended chan error) {
	t.Helper()
	driver, worker, _ := pair(t)
	here, there = twoEnds(t, driver, worker)
	ended = make(chan error, 1)
	go func() {
		_, err := here.Receive(within.Soon(t))
		if err == nil {
			err = receive(here)
		}
		ended <- err
	}()
	require.Eventually(t, func() bool { return receivers(here) == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, there.Send(t.Context(), 1))
	require.Eventually(t, func() bool {
		here.core.mu.Lock()
		defer here.core.mu.Unlock()
		return here.core.reading
	}, 5*time.Second, time.Millisecond)
	return here, there, driver, ended
}

func receivers(ch *Channel) int {
	ch.core.mu.Lock()
	defer ch.core.mu.Unlock()
	return ch.core.receiving
}

func TestLeaderHearsOfChangesHere(t *testing.T) {
	receive := func(ch *Channel) error {
		_, err := ch.Receive(context.Background())
		return err
	}
	here, _, _, ended := leading(t, receive)
	require.NoError(t, here.Close())
	assert.ErrorIs(t, <-ended, io.EOF)

	here, _, _, ended = leading(t, receive)
	require.NoError(t, here.SetCallback(func(any) error { return nil }, NoEndmarker))
	assert.ErrorIs(t, <-ended, ErrHasCallback)

	_, _, driver, ended := leading(t, receive)
	require.NoError(t, driver.Kill())
	assert.ErrorIs(t, <-ended, ErrTerminated)
}

func TestLeaderMindsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	here, there, _, ended := leading(t, func(ch *Channel) error {
		_, err := ch.Receive(ctx)
		return err
	})
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
	require.NoError(t, there.Send(t.Context(), 2))
	got, err := here.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, int64(2), got, "nothing is lost")
}

func TestLeaderServesOthers(t *testing.T) {
	here, there, driver, ended := leading(t, func(ch *Channel) error {
		_, err := ch.Receive(context.Background())
		return err
	})
	other, err := driver.newChannel()
	require.NoError(t, err)
	far, err := there.Gateway().table.ensure(other.core.id)
	require.NoError(t, err)
	farHandle := far.handle()
	require.NoError(t, farHandle.Send(t.Context(), "for the other"))
	got, err := other.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "for the other", got)
	require.NoError(t, there.Send(t.Context(), 2))
	assert.NoError(t, <-ended)
	assert.False(t, here.IsClosed())
}

// TestInterruptedFrames sends large items while reading is interrupted all the time.
func TestInterruptedFrames(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	item := make([]byte, 300000)
	for i := range item {
		item[i] = byte(i)
	}
	const n = 200
	var sending sync.WaitGroup
	sending.Go(func() {
		for range n {
			assert.NoError(t, there.Send(t.Context(), item))
		}
	})
	for got := 0; got < n; {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Microsecond)
		v, err := here.Receive(ctx)
		cancel()
		if errors.Is(err, ErrTimeout) {
			continue
		}
		require.NoError(t, err)
		require.Equal(t, item, v)
		got++
	}
	sending.Wait()
}

// TestManyWaitAndRead has several goroutines play request and answer at once, each of which may be
// the one that reads.
func TestManyWaitAndRead(t *testing.T) {
	driver, worker, _ := pair(t)
	var all sync.WaitGroup
	for range 8 {
		here, there := twoEnds(t, driver, worker)
		all.Go(func() {
			for i := range 500 {
				if !assert.NoError(t, here.Send(t.Context(), i)) {
					return
				}
				got, err := here.Receive(within.Soon(t))
				if !assert.NoError(t, err) || !assert.Equal(t, int64(i), got) {
					return
				}
			}
		})
		all.Go(func() {
			for range 500 {
				got, err := there.Receive(context.Background())
				if !assert.NoError(t, err) || !assert.NoError(t, there.Send(t.Context(), got)) {
					return
				}
			}
		})
	}
	all.Wait()
}
