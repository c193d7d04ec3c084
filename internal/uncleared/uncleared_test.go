package uncleared

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

// taken is how many bytes of new memory f takes.
func taken(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestMemoryIsUsedAgain(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // what is kept stays
	for _, n := range []int{large, large + 1, 1 << 20, 1<<20 - 1, 1<<20 + 14, 5 << 20} {
		const times = 200
		some := uint64(times * n * 3 / 4) // with the race detector a sync.Pool drops one of four
		assert.Less(t, taken(func() {
			for range times {
				b := Bytes(n)
				assert.Len(t, b, n)
				GiveBack(b[14 : n-1]) // as an item lies in its message
			}
		}), some, n)
		assert.GreaterOrEqual(t, taken(func() {
			for range times {
				assert.Len(t, Bytes(n), n)
			}
		}), some, "%d: nobody has given it back", n)
	}
}

func TestGiveBackTakesAnything(t *testing.T) {
	for _, b := range [][]byte{nil, {}, make([]byte, 1), make([]byte, large-1), make([]byte, 1, large)} {
		GiveBack(b)
	}
	for _, n := range []int{0, 1, large - 1, large} {
		assert.Len(t, Bytes(n), n)
	}
}

// A short message must not take up a block that is many times as long.
func TestBlocksFit(t *testing.T) {
	for range 10 {
		GiveBack(make([]byte, 8<<20))
	}
	assert.Less(t, cap(Bytes(1<<20)), 4<<20)
}
