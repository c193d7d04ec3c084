package gatewaybase

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallbackGetsWhatWaitsAndWhatComes(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.Send(0))
	_, err := worker.RemoteStatus(soon(t)) // its answer comes after the item has gone
	require.NoError(t, err)
	var got []any
	require.NoError(t, here.SetCallback(func(v any) error { got = append(got, v); return nil }, nil))
	for i := 1; i < 100; i++ {
		require.NoError(t, there.Send(i))
	}
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(soon(t)))

	require.Len(t, got, 101)
	for i, v := range got[:100] {
		assert.Equal(t, int64(i), v)
	}
	assert.Nil(t, got[100], "the endmarker comes last, and before WaitClose returns")
	_, err = here.Receive(soon(t))
	assert.ErrorIs(t, err, ErrHasCallback)
	assert.ErrorIs(t, here.SetCallback(func(any) error { return nil }), ErrHasCallback)
}

func TestCallbackOnAnEndedChannel(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.Send("a"))
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(soon(t)))
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
	require.NoError(t, there.WaitClose(soon(t)))
	require.NoError(t, there.Close())
	require.NoError(t, here.WaitClose(soon(t)))
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
			require.NoError(t, there.Send(7))
			err := there.WaitClose(soon(t))
			var remote *RemoteError
			require.ErrorAs(t, err, &remote)
			assert.Contains(t, remote.Formatted, "cannot use 7")
			<-ended
			assert.ErrorContains(t, here.WaitClose(soon(t)), "cannot use 7")
			assert.True(t, here.IsClosed())
		})
	}
}

func TestBlockedCallbackHoldsUpNobodyElse(t *testing.T) {
	driver, worker, _ := pair(t)
	stuck, stuckThere := twoEnds(t, driver, worker)
	free, freeThere := twoEnds(t, driver, worker)
	let := make(chan struct{})
	require.NoError(t, stuck.SetCallback(func(any) error { <-let; return nil }))
	require.NoError(t, stuckThere.Send(1))
	got := make(chan any, 1)
	require.NoError(t, free.SetCallback(func(v any) error { got <- v; return nil }))
	require.NoError(t, freeThere.Send(2))
	assert.Equal(t, int64(2), <-got)
	close(let)
}

func TestCallbackMayReceiveAndSend(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	other, otherThere := twoEnds(t, driver, worker)
	require.NoError(t, here.SetCallback(func(v any) error {
		w, err := other.Receive(soon(t))
		return errors.Join(err, here.Send([]any{v, w}))
	}))
	require.NoError(t, there.Send("a"))
	require.NoError(t, otherThere.Send("b"))
	v, err := there.Receive(soon(t))
	require.NoError(t, err)
	assert.Equal(t, []any{"a", "b"}, v)
}
