package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestCallbackGetsWhatWaitsAndWhatComes(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.Send(t.Context(), 0))
	_, err := worker.RemoteStatus(within.Soon(t)) // its answer comes after the item has gone
	require.NoError(t, err)
	var got []any
	require.NoError(t, here.SetCallback(func(v any) error { got = append(got, v); return nil }, nil))
	for i := 1; i < 100; i++ {
		require.NoError(t, there.Send(t.Context(), i))
	}
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(within.Soon(t)))

	require.Len(t, got, 101)
	for i, v := range got[:100] {
		assert.Equal(t, int64(i), v)
	}
	assert.Nil(t, got[100], "the endmarker comes last, and before WaitClose returns")
	_, err = here.Receive(within.Soon(t))
	assert.ErrorIs(t, err, ErrHasCallback)
	assert.ErrorIs(t, here.SetCallback(func(any) error { return nil }, NoEndmarker), ErrHasCallback)
}

func TestCallbackOnAnEndedChannel(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.Send(t.Context(), "a"))
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(within.Soon(t)))
	var got []any
	require.NoError(t, here.SetCallback(func(v any) error { got = append(got, v); return nil }, "end"))
	assert.Equal(t, []any{"a", "end"}, got)
}

// The endmarker comes once, and the error that WaitClose returns is the callback's.
func TestCallbackThatFailsOnAnEndedChannel(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.Send(t.Context(), "a"))
	require.NoError(t, there.Send(t.Context(), "b"))
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(within.Soon(t)))
	var got []any
	require.NoError(t, here.SetCallback(func(v any) error { got = append(got, v); return errors.New("no") }, "end"))
	assert.Equal(t, []any{"a", "end"}, got)
	assert.ErrorContains(t, here.WaitClose(within.Soon(t)), "no")
}

func TestLocalCloseCallsTheEndmarkerOnce(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	got := make(chan any, 10)
	require.NoError(t, here.SetCallback(func(v any) error { got <- v; return nil }, "end"))
	require.NoError(t, here.Close())
	require.NoError(t, there.WaitClose(within.Soon(t)))
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(within.Soon(t)))
	assert.Equal(t, "end", <-got)
	assert.Empty(t, got)
}

func TestFailingCallbackClosesBothEnds(t *testing.T) {
	for name, f := range map[string]func(any) error{
		"error": func(v any) error { return fmt.Errorf("cannot use %v", v) },
		"panic": func(v any) error { panic(fmt.Sprintf("cannot use %v", v)) },
		"exit":  func(v any) error { runtime.Goexit(); return nil },
	} {
		says := "cannot use 7"
		if name == "exit" {
			says = "runtime.Goexit"
		}
		t.Run(name, func(t *testing.T) {
			driver, worker, _ := pair(t)
			here, there := twoEnds(t, driver, worker)
			ended := make(chan any, 1)
			require.NoError(t, here.SetCallback(func(v any) error {
				if v == nil {
					ended <- v
					return nil
				}
				return f(v)
			}, nil))
			require.NoError(t, there.Send(t.Context(), 7))
			err := there.WaitClose(within.Soon(t))
			var remote *RemoteError
			require.ErrorAs(t, err, &remote)
			assert.Contains(t, remote.Formatted, says)
			<-ended
			assert.ErrorContains(t, here.WaitClose(within.Soon(t)), says)
			assert.True(t, here.IsClosed())
		})
	}
}

// TestCallbackThatExitsAtTheEnd calls runtime.Goexit for the endmarker. The channel ends all the
// same, also if the callback is set in a goroutine that ends by it.
func TestCallbackThatExitsAtTheEnd(t *testing.T) {
	driver, worker, _ := pair(t)
	for _, late := range []bool{false, true} {
		here, there := twoEnds(t, driver, worker)
		if late {
			require.NoError(t, there.Close())
			require.NoError(t, here.WaitClose(within.Soon(t)))
		}
		set := make(chan bool)
		go func() {
			defer close(set)
			_ = here.SetCallback(func(v any) error { runtime.Goexit(); return nil }, "END")
		}()
		<-set
		require.NoError(t, there.Close())
		require.NoError(t, here.WaitClose(within.Soon(t)))
	}
}

func TestBlockedCallbackHoldsUpNobodyElse(t *testing.T) {
	driver, worker, _ := pair(t)
	stuck, stuckThere := twoEnds(t, driver, worker)
	free, freeThere := twoEnds(t, driver, worker)
	let := make(chan struct{})
	require.NoError(t, stuck.SetCallback(func(any) error { <-let; return nil }, NoEndmarker))
	require.NoError(t, stuckThere.Send(t.Context(), 1))
	got := make(chan any, 1)
	require.NoError(t, free.SetCallback(func(v any) error { got <- v; return nil }, NoEndmarker))
	require.NoError(t, freeThere.Send(t.Context(), 2))
	assert.Equal(t, int64(2), <-got)
	close(let)
}

func TestCallbackMayReceiveAndSend(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	other, otherThere := twoEnds(t, driver, worker)
	require.NoError(t, here.SetCallback(func(v any) error {
		w, err := other.Receive(within.Soon(t))
		return errors.Join(err, here.Send(t.Context(), []any{v, w}))
	}, NoEndmarker))
	require.NoError(t, there.Send(t.Context(), "a"))
	require.NoError(t, otherThere.Send(t.Context(), "b"))
	v, err := there.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []any{"a", "b"}, v)
}

// TestRareCallback: items come without the gateway's own goroutine reading at all times, both while
// somebody waits for another channel and while nobody does.
func TestRareCallback(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	other, otherThere := twoEnds(t, driver, worker)
	got := make(chan any, 3)
	require.NoError(t, SetRareCallback(here, func(item any) error {
		got <- item
		return nil
	}))
	assert.ErrorIs(t, SetRareCallback(here, nil), ErrHasCallback)
	for i := range 3 {
		ctx, cancel := context.WithCancel(within.Soon(t))
		waiting := make(chan error, 1)
		if i > 0 {
			require.NoError(t, otherThere.Send(t.Context(), "one that is received before"))
			_, err := other.Receive(ctx)
			require.NoError(t, err)
		}
		if i == 1 {
			go func() {
				_, err := other.Receive(ctx)
				waiting <- err
			}()
		}
		require.NoError(t, there.Send(t.Context(), i))
		assert.EqualValues(t, i, <-got)
		cancel()
		if i == 1 {
			assert.ErrorIs(t, <-waiting, context.Canceled)
		}
	}
	assert.False(t, driver.reader.continuous.Load())
}
