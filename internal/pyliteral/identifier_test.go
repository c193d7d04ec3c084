package pyliteral_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/pyliteral"
)

func TestIsIdentifier(t *testing.T) {
	for _, s := range []string{"a", "_", "_1", "A9", "é", "名前", "e\u0301", "Ⅳ", "x‿y", "None"} {
		assert.True(t, pyliteral.IsIdentifier(s), "%q", s)
	}
	for _, s := range []string{"", "1a", "a b", "a-b", "a.b", "a\n", "\u0301e", "x²", "\xff", "a\xff"} {
		assert.False(t, pyliteral.IsIdentifier(s), "%q", s)
	}
}

func TestIsKeyword(t *testing.T) {
	for _, s := range []string{"None", "def", "yield", "nonlocal"} {
		assert.True(t, pyliteral.IsKeyword(s), s)
	}
	for _, s := range []string{"", "none", "async", "print", "define"} {
		assert.False(t, pyliteral.IsKeyword(s), s)
	}
}
