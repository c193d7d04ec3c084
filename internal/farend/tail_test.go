package farend

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTail(t *testing.T) {
	var tail Tail
	write := func(b []byte) {
		n, err := tail.Write(b)
		require.NoError(t, err)
		require.Equal(t, len(b), n)
	}
	assert.Empty(t, tail.String())
	var all strings.Builder
	for i := range 3000 {
		piece := []byte(strings.Repeat("é", i%17) + "|")
		write(piece)
		all.Write(piece)
		want := all.String()[max(0, all.Len()-tailSize):]
		require.Equal(t, strings.TrimPrefix(want, "\xa9"), tail.String())
	}
	write(bytes.Repeat([]byte("x"), 3*tailSize))
	assert.Equal(t, strings.Repeat("x", tailSize), tail.String())
}
