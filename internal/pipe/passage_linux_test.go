package pipe

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// twoPipes are the ends of two pipes, and a passage from the first one to the second one.
func twoPipes(t *testing.T) (write, from, to, read *os.File, p *Passage) {
	t.Helper()
	var err error
	write, from, err = New(true)
	require.NoError(t, err)
	to, read, err = New(true)
	require.NoError(t, err)
	p = NewPassage()
	require.NotNil(t, p)
	t.Cleanup(func() {
		for _, f := range []*os.File{write, from, to, read} {
			f.Close()
		}
		p.Close()
	})
	return write, from, to, read, p
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func TestPassage(t *testing.T) {
	write, from, to, read, p := twoPipes(t)
	for _, n := range []int{1, 4096, 70_000, MostMoved} {
		data := randomBytes(n)
		go func() {
			_, _ = write.Write(data)
		}()
		require.True(t, p.Fill(from, n), "%d bytes", n)
		assert.Equal(t, n, p.Held())
		got := make([]byte, n)
		given := p.Drain(to, 0)
		assert.LessOrEqual(t, given, pipeSize)
		assert.Equal(t, n-given, p.Held(), "nobody reads, so the rest stays")
		p.Take(got[given:])
		assert.Zero(t, p.Held())
		_, err := io.ReadFull(read, got[:given])
		require.NoError(t, err)
		assert.True(t, bytes.Equal(data, got), "%d bytes", n)
	}
}

// What somebody reads meanwhile makes room.
func TestPassageToAReader(t *testing.T) {
	write, from, to, read, p := twoPipes(t)
	data := randomBytes(MostMoved)
	go func() {
		_, _ = write.Write(data)
	}()
	got := make(chan []byte)
	go func() {
		b := make([]byte, len(data))
		_, _ = io.ReadFull(read, b)
		got <- b
	}()
	require.True(t, p.Fill(from, len(data)))
	for p.Held() > 0 {
		p.Drain(to, time.Second)
	}
	assert.True(t, bytes.Equal(data, <-got))
}

// A passage that does not get all has what has come.
func TestPassageGetsLess(t *testing.T) {
	for name, end := range map[string]func(write, from *os.File){
		"the pipe ends":      func(write, _ *os.File) { write.Close() },
		"it is interrupted":  func(_, from *os.File) { _ = from.SetReadDeadline(time.Unix(1, 0)) },
		"its reader is done": func(_, from *os.File) { from.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			write, from, _, _, p := twoPipes(t)
			_, err := write.Write([]byte("four"))
			require.NoError(t, err)
			require.True(t, p.Fill(from, 2))
			end(write, from)
			assert.False(t, p.Fill(from, 10))
			got := make([]byte, p.Held())
			p.Take(got)
			assert.Equal(t, "four"[:len(got)], string(got))
			assert.GreaterOrEqual(t, len(got), 2)
		})
	}
	t.Run("it is full", func(t *testing.T) {
		write, from, _, _, p := twoPipes(t)
		data := randomBytes(passageSize + 4096)
		go func() {
			_, _ = write.Write(data)
		}()
		assert.False(t, p.Fill(from, len(data)))
		got := make([]byte, p.Held())
		p.Take(got)
		assert.True(t, bytes.Equal(data[:len(got)], got))
	})
	t.Run("it is no pipe", func(t *testing.T) {
		file, err := os.Open(os.DevNull)
		require.NoError(t, err)
		defer file.Close()
		_, _, _, _, p := twoPipes(t)
		assert.False(t, p.Fill(file, 1))
		assert.Zero(t, p.Drain(file, 0))
	})
}
