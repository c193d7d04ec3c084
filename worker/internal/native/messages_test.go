package native

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func message(size int) []byte {
	m := make([]byte, headerSize+size)
	m[0] = 4
	binary.BigEndian.PutUint32(m[lengthAt:], uint32(size))
	for i := range m[headerSize:] {
		m[headerSize+i] = byte(i * 31)
	}
	return m
}

// TestMessagesStayWhole cuts streams between messages wherever the pieces end that come.
func TestMessagesStayWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		ends := map[int]bool{}
		for _, size := range rapid.SliceOf(rapid.IntRange(0, 50_000)).Draw(t, "sizes") {
			stream = append(stream, message(size)...)
			ends[len(stream)] = true
		}
		whole := len(stream)
		cut := rapid.IntRange(0, 20).Draw(t, "more")
		stream = append(stream, message(20)[:cut]...)
		var from io.Reader = bytes.NewReader(stream)
		switch rapid.IntRange(0, 2).Draw(t, "pieces") {
		case 0:
			from = iotest.HalfReader(from)
		case 1:
			from = iotest.DataErrReader(from)
		}
		r := &messageReader{from: from}
		var got []byte
		for {
			some, err := r.next()
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			got = append(got, some...)
			require.True(t, ends[len(got)], "an item ends within a message")
		}
		require.True(t, bytes.Equal(stream[:whole], got))
	})
}

// TestMessagesTooLargeComeInPieces has a length that nobody has memory for.
func TestMessagesTooLargeComeInPieces(t *testing.T) {
	huge := message(0)
	binary.BigEndian.PutUint32(huge[lengthAt:], 3<<30)
	r := &messageReader{from: io.MultiReader(bytes.NewReader(message(5)), bytes.NewReader(huge), endless{})}
	some, err := r.next()
	require.NoError(t, err)
	assert.Equal(t, message(5), some)
	total := 0
	for total < 2*largestPiece {
		some, err = r.next()
		require.NoError(t, err)
		total += len(some)
		assert.LessOrEqual(t, len(some), largestPiece+smallRead)
	}
	assert.LessOrEqual(t, cap(r.held), 3*largestPiece)

	// Behind the last piece of a large message comes the next message.
	size := largestPiece + largestPiece/2
	r = &messageReader{from: io.MultiReader(bytes.NewReader(message(size)), bytes.NewReader(message(7)))}
	var got []byte
	for len(got) < 2*headerSize+size+7 {
		some, err = r.next()
		require.NoError(t, err)
		got = append(got, some...)
	}
	assert.True(t, bytes.Equal(append(message(size), message(7)...), got))
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
