package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlockSize(t *testing.T) {
	for size, want := range map[int64]int64{0: 2048, 1: 2048, 4 << 20: 2048, 4<<20 + 1: 2048, 5 << 20: 3072, 1 << 30: 32 << 10, 10 << 30: 104448, 1 << 40: 1 << 20, 4 << 40: 4 << 20} {
		require.Equal(t, want, BlockSize(size), size)
		require.LessOrEqual(t, BlockCount(size), int64(1<<20))
	}
	require.EqualValues(t, 0, BlockCount(0))
	require.EqualValues(t, 2, BlockCount(2049))
}
