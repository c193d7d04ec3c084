package gatewaybase

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

const (
	givenSize  = 1 << 20
	givenTimes = 100
)

// numbered is a large item that no other one equals.
func numbered(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%07d|", i)), givenSize/8) }

// memoryOf is how much new memory it takes to receive givenTimes items in this way.
func memoryOf(t *testing.T, receive func(ctx context.Context, ch *Channel)) uint64 {
	t.Helper()
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	ctx := within.Soon(t)
	item := numbered(0)
	sent := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < givenTimes && err == nil; i++ {
			err = there.Send(ctx, item)
		}
		sent <- err
	}()
	defer func() { require.NoError(t, <-sent) }()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // what is kept stays
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	receive(ctx, here)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestGiveBack(t *testing.T) {
	// With the race detector a sync.Pool drops one of four.
	const much = givenTimes * givenSize * 3 / 4
	keeps := memoryOf(t, func(ctx context.Context, ch *Channel) {
		for range givenTimes {
			_, err := ch.Receive(ctx)
			require.NoError(t, err)
		}
	})
	assert.Greater(t, keeps, uint64(much))
	for name, receive := range map[string]func(context.Context, *Channel){
		"Receive": func(ctx context.Context, ch *Channel) {
			for range givenTimes {
				v, err := ch.Receive(ctx)
				require.NoError(t, err)
				GiveBack(v.([]byte))
			}
		},
		"typed": func(ctx context.Context, ch *Channel) {
			for range givenTimes {
				v, err := Receive[[]byte](ctx, ch)
				require.NoError(t, err)
				GiveBack(v)
			}
		},
		"a file": func(ctx context.Context, ch *Channel) {
			n, err := io.CopyN(io.Discard, ch.MakeFileReader(ctx), givenTimes*givenSize)
			require.NoError(t, err)
			assert.EqualValues(t, givenTimes*givenSize, n)
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Less(t, memoryOf(t, receive), uint64(much)) })
	}
}

// Items keep their bytes until they are given back, whoever receives and gives back meanwhile.
func TestGivenBackMemoryIsNobodysElse(t *testing.T) {
	driver, worker, _ := pair(t)
	ctx := within.Soon(t)
	var all sync.WaitGroup
	for range 2 {
		here, there := twoEnds(t, driver, worker)
		all.Go(func() {
			for i := range givenTimes {
				if !assert.NoError(t, there.Send(ctx, numbered(i))) {
					return
				}
			}
			assert.NoError(t, there.CloseSend())
		})
		for range 2 {
			all.Go(func() {
				var held [][]byte
				for v, err := range Items[[]byte](ctx, here) {
					if !assert.NoError(t, err) {
						return
					}
					if held = append(held, v); len(held) == 3 {
						first := held[0]
						assert.True(t, bytes.Equal(first, bytes.Repeat(first[:8], givenSize/8)), "it has changed")
						GiveBack(first)
						held = held[1:]
					}
				}
			})
		}
	}
	all.Wait()
}

// What is appended to an item does not come into others.
func TestItemsHaveTheirOwnCapacity(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	ctx := within.Soon(t)
	require.NoError(t, there.Send(ctx, []any{numbered(1), numbered(2)}))
	v, err := Receive[[][]byte](ctx, here)
	require.NoError(t, err)
	_ = append(v[0], make([]byte, 100)...)
	assert.True(t, bytes.Equal(numbered(2), v[1]))
}
