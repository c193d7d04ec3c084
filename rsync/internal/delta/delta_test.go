package delta

import (
	"bytes"
	"encoding/binary"
	"hash/adler32"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// applier makes a file from a delta, as a receiver does.
type applier struct {
	old           []byte
	made          []byte
	moved, copied int
}

func (a *applier) Literal(data []byte) {
	a.made = append(a.made, data...)
	a.moved += len(data)
}

func (a *applier) CopyBlocks(first, count uint32) {
	length := int(wire.BlockSize(int64(len(a.old))))
	part := a.old[int(first)*length : min(len(a.old), (int(first)+int(count))*length)]
	a.made = append(a.made, part...)
	a.copied += len(part)
}

func signAll(data []byte) []wire.Signature {
	var all []wire.Signature
	length := int(wire.BlockSize(int64(len(data))))
	for len(data) > 0 {
		n := min(length, len(data))
		all = append(all, wire.Sign(data[:n]))
		data = data[n:]
	}
	return all
}

// delta makes a delta in pieces of the given size and applies it.
func delta(old, now []byte, piece int) (*applier, bool) {
	a := &applier{old: old}
	m := New(int64(len(old)), signAll(old), a)
	for rest := now; len(rest) > 0; {
		n := min(piece, len(rest))
		m.Write(rest[:n])
		rest = rest[n:]
	}
	same := m.Finish()
	return a, same
}

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	// It never fails.
	_, _ = rand.NewChaCha8([32]byte(binary.BigEndian.AppendUint64(make([]byte, 24), seed))).Read(b)
	return b
}

func TestRolling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := noise(rapid.Uint64().Draw(t, "seed"), 20_000)
		if rapid.Bool().Draw(t, "extremes") {
			for i := range data {
				data[i] = byte(int8(data[i]) >> 7)
			}
		}
		n := rapid.IntRange(1, 15_000).Draw(t, "window")
		sum := startRolling(data[:n], dropTable(n))
		for i := range 300 {
			sum.a, sum.b = rollOn(sum.a, sum.b, data[i], data[i+n], sum.drop)
			require.Equal(t, adler32.Checksum(data[i+1:i+1+n]), sum.value())
		}
	})
}

func TestDeltaOfSame(t *testing.T) {
	for _, size := range []int{1, 2047, 2048, 2049, 100_000, 4096 * 30} {
		for _, data := range [][]byte{noise(1, size), make([]byte, size)} {
			a, same := delta(data, data, 10_000)
			require.True(t, same, size)
			require.Empty(t, a.made)
		}
	}
}

func TestDeltaMovesLittle(t *testing.T) {
	old := noise(2, 3<<20)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, test := range map[string]struct {
		now  []byte
		most int
	}{
		"inserted":  {join(old[:1_000_001], []byte("new"), old[1_000_001:]), 2*2048 + 3},
		"removed":   {join(old[:1_000_001], old[1_500_000:]), 2 * 2048},
		"appended":  {join(old, []byte("more")), 2048 + 4},
		"prefixed":  {join([]byte("more"), old), 4},
		"moved":     {join(old[2<<20:], old[:2<<20]), 2048},
		"cut":       {old[:2_000_000], 2048},
		"unrelated": {noise(3, 1<<20), 1 << 20},
		"empty":     {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, same := delta(old, test.now, 256<<10)
			require.False(t, same)
			require.True(t, bytes.Equal(test.now, a.made))
			require.LessOrEqual(t, a.moved, test.most)
		})
	}
}

func TestDeltaProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := noise(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 200_000).Draw(t, "size"))
		if rapid.Bool().Draw(t, "repeating") && len(old) > 2048 {
			for i := range old {
				old[i] = old[i%2048]
			}
		}
		now := bytes.Clone(old)
		edits := rapid.IntRange(0, 5).Draw(t, "edits")
		changed := 0
		for range edits {
			at := rapid.IntRange(0, len(now)).Draw(t, "at")
			end := min(len(now), at+rapid.IntRange(0, 5000).Draw(t, "removed"))
			put := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "put")
			changed += len(put)
			now = bytes.Join([][]byte{now[:at], put, now[end:]}, nil)
		}
		a, same := delta(old, now, rapid.IntRange(1000, 300_000).Draw(t, "piece"))
		if same {
			require.Equal(t, old, now)
			return
		}
		require.True(t, bytes.Equal(now, a.made))
		length := int(wire.BlockSize(int64(len(old))))
		require.LessOrEqual(t, a.moved, changed+(2*edits+1)*length)
	})
}

// Signatures that fit by their weak checksum only must cost time in proportion to the file and
// nothing else.
func TestDeltaOfMadeUpSignatures(t *testing.T) {
	now := make([]byte, 1<<20)
	signatures := signAll(now)
	for i := range signatures {
		signatures[i].Strong ^= uint32(i + 1)
	}
	a := &applier{}
	m := New(int64(len(now)), signatures, a)
	m.Write(now)
	require.False(t, m.Finish())
	require.True(t, bytes.Equal(now, a.made))
	require.Less(t, m.budget, int64(2048*5))
}

func TestDeltaOfHalfTheSignatures(t *testing.T) {
	old := noise(4, 100_000)
	a := &applier{old: old}
	m := New(int64(len(old)), signAll(old)[:20], a)
	m.Write(old)
	require.False(t, m.Finish())
	require.True(t, bytes.Equal(old, a.made))
	require.Equal(t, 20*2048, a.copied)
}

func BenchmarkDeltaUnrelated(b *testing.B) {
	old, now := noise(5, 16<<20), noise(6, 16<<20)
	signatures := signAll(old)
	b.SetBytes(int64(len(now)))
	for b.Loop() {
		m := New(int64(len(old)), signatures, &applier{made: make([]byte, 0, len(now))})
		for i := 0; i < len(now); i += 256 << 10 {
			m.Write(now[i : i+256<<10])
		}
		m.Finish()
	}
}
