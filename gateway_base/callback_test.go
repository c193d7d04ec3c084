package gatewaybase

import (
	"errors"
	"fmt"
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
	} {
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
			assert.Contains(t, remote.Formatted, "cannot use 7")
			<-ended
			assert.ErrorContains(t, here.WaitClose(within.Soon(t)), "cannot use 7")
			assert.True(t, here.IsClosed())
		})
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
