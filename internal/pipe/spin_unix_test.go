//go:build unix

package pipe

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneReaderSpins(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	r, _, theirs := ends(t)
	r.spinTime, r.quick = time.Hour, true
	waits := reading(r)
	require.Eventually(t, spinning.Load, 10*time.Second, time.Millisecond)

	// Another one sleeps meanwhile.
	other, _, otherTheirs := ends(t)
	other.spinTime, other.quick = time.Hour, true
	sleeps := reading(other)
	_, err := otherTheirs.Write([]byte("x"))
	require.NoError(t, err)
	assert.NoError(t, <-sleeps)
	assert.True(t, spinning.Load())

	_, err = theirs.Write([]byte("x"))
	require.NoError(t, err)
	assert.NoError(t, <-waits)
	assert.False(t, spinning.Load())
	assert.True(t, r.quick, "it has waited less than an hour")
}

func TestSpinTimeEnds(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	r, ours, theirs := ends(t)
	r.spinTime, r.quick = time.Millisecond, true
	require.NoError(t, ours.SetReadDeadline(time.Now().Add(500*time.Millisecond)))
	_, err := r.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.False(t, spinning.Load())
	assert.False(t, r.quick, "a long wait is followed by one that sleeps")
	require.NoError(t, ours.SetReadDeadline(time.Time{}))
	_, err = theirs.Write([]byte("x"))
	require.NoError(t, err)
	_, err = r.Read(make([]byte, 1))
	assert.NoError(t, err)
}

// TestSpinningInVainMakesItRarer counts how many Reads do not spin between two that do.
func TestSpinningInVainMakesItRarer(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	r, _, theirs := ends(t)
	read := func(spinTime time.Duration) (skip int) {
		r.spinTime = spinTime
		for {
			r.quick = true
			before := r.skipped
			done := reading(r)
			time.Sleep(time.Millisecond)
			_, err := theirs.Write([]byte("x"))
			require.NoError(t, err)
			require.NoError(t, <-done)
			if r.skipped <= before {
				return r.skip
			}
		}
	}
	for _, want := range []int{1, 3, 7} {
		assert.Equal(t, want, read(0))
	}
	for _, want := range []int{3, 1, 0, 0} {
		assert.Equal(t, want, read(time.Hour))
	}
	r.skip = maxSkipped
	r.skipped = maxSkipped
	assert.Equal(t, maxSkipped, read(0))
}

func TestNobodySpinsOnOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r, ours, _ := ends(t)
	r.spinTime, r.quick = time.Hour, true
	require.NoError(t, ours.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err := r.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded, "after an hour otherwise")
}

// A file that blocks is left to block.
func TestReaderOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("ab"), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	r := NewReader(f)
	assert.False(t, r.spin.possible())
	b := make([]byte, 2)
	n, err := r.Read(b)
	require.NoError(t, err)
	assert.Equal(t, "ab", string(b[:n]))
}
