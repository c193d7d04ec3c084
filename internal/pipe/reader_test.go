package pipe

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends are a reader of a pipe, that pipe, and the end to write to.
func ends(t *testing.T) (*Reader, *os.File, *os.File) {
	t.Helper()
	ours, theirs, err := New(false)
	require.NoError(t, err)
	t.Cleanup(func() {
		ours.Close()
		theirs.Close()
	})
	return NewReader(ours), ours, theirs
}

// reading is a Read under way.
func reading(r *Reader) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := r.Read(make([]byte, 10))
		done <- err
	}()
	return done
}

func TestReaderReadsAll(t *testing.T) {
	r, _, theirs := ends(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() {
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+len(rest)%7000)
			_, _ = theirs.Write(rest[:n])
			rest = rest[n:]
		}
		theirs.Close()
	}()
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(data, got))
	for range 3 {
		_, err = r.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err, "the end stays the end")
	}
}

// Whether a Read tries or sleeps, it finds the same.
func TestReaderFindsAsFilesDo(t *testing.T) {
	for name, quick := range map[string]bool{"sleeps": false, "tries": true} {
		t.Run(name, func(t *testing.T) {
			r, ours, theirs := ends(t)
			r.quick = quick
			_, err := theirs.Write([]byte("ab"))
			require.NoError(t, err)
			b := make([]byte, 1)
			n, err := r.Read(nil)
			assert.Zero(t, n)
			assert.NoError(t, err)
			r.quick = quick
			n, err = r.Read(b)
			assert.Equal(t, 1, n)
			assert.NoError(t, err)
			assert.Equal(t, "a", string(b))
			r.quick = quick
			require.NoError(t, ours.SetReadDeadline(time.Unix(1, 0)))
			n, err = r.Read(b)
			assert.Zero(t, n)
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.NoError(t, ours.SetReadDeadline(time.Time{}))
			r.quick = quick
			_, err = r.Read(b)
			assert.NoError(t, err)
			assert.Equal(t, "b", string(b), "nothing is lost")

			// What happens while a Read waits.
			r.quick = quick
			waits := reading(r)
			require.NoError(t, ours.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
			assert.ErrorIs(t, <-waits, os.ErrDeadlineExceeded)
			require.NoError(t, ours.SetReadDeadline(time.Time{}))
			r.quick = quick
			waits = reading(r)
			require.NoError(t, ours.Close())
			assert.ErrorIs(t, <-waits, os.ErrClosed)
			r.quick = quick
			_, err = r.Read(b)
			assert.ErrorIs(t, err, os.ErrClosed)
			assert.False(t, spinning.Load())
		})
	}
}
