package serializer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIsASCIISeesEveryByte(t *testing.T) {
	for n := range 40 {
		text := strings.Repeat("a", n)
		assert.True(t, isASCII(text))
		assert.True(t, isASCII([]byte(text)))
		for i := range n {
			other := text[:i] + "\x80" + text[i+1:]
			assert.False(t, isASCII(other), "%d of %d", i, n)
			assert.False(t, isASCII([]byte(other)), "%d of %d", i, n)
		}
	}
}
