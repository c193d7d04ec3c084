package pystring_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// TestCut compares with what Python reads.
func TestCut(t *testing.T) {
	python := pythons.WithExecnet(t)
	literals := []string{
		`'\\\'\"\a\b\f\n\r\t\v'`, `"it's"`, `'say "hi"'`, `u'\xe9\u20ac\U0001F40D'`, `'\0\7\12\1234\x00'`, `'\d\8\é é'`, `''`, `""`, "'é€🐍\u0085'",
	}
	bytesLiterals := []string{`b'\\\'\"\a\n\xff\u1234\N{x}\377'`, `b""`, `b"it's \d"`}
	check := func(literal, got string) {
		out, err := exec.Command(python, "-W", "ignore", "-c",
			`import ast, sys; v = ast.literal_eval(sys.argv[1]); sys.stdout.buffer.write(v if type(v) is bytes else v.encode())`, literal).Output()
		require.NoError(t, err, literal)
		assert.Equal(t, string(out), got, literal)
	}
	for _, literal := range literals {
		got, rest, err := pystring.CutString(literal + "'")
		require.NoError(t, err, literal)
		assert.Equal(t, "'", rest)
		check(literal, got)
	}
	for _, literal := range bytesLiterals {
		got, rest, err := pystring.CutBytes(literal + "x")
		require.NoError(t, err, literal)
		assert.Equal(t, "x", rest)
		check(literal, got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text, raw := rapid.String().Draw(t, "text"), rapid.SliceOf(rapid.Byte()).Draw(t, "raw")
		got, rest, err := pystring.CutString(pystring.ASCII(text) + ")")
		require.NoError(t, err)
		require.Equal(t, text+")", got+rest)
		got, rest, err = pystring.CutBytes(pystring.Bytes(raw) + ")")
		require.NoError(t, err)
		require.Equal(t, string(raw)+")", got+rest)
		var repr strings.Builder
		pystring.WriteReprBytes(&repr, raw)
		got, _, err = pystring.CutBytes(repr.String())
		require.NoError(t, err)
		require.Equal(t, string(raw), got)
	})
}

func TestQuote(t *testing.T) {
	assert.Equal(t, `"it's \"\\\n\t\x1b\x7f"`, pystring.ASCII("it's \"\\\n\t\x1b\x7f"))
	assert.Equal(t, `u"\xe9\u20ac\U0001f40d\ufffd"`, pystring.ASCII("é€🐍\xff"))
	assert.Equal(t, `b"\x00'\xff"`, pystring.Bytes([]byte("\x00'\xff")))
	var b strings.Builder
	pystring.WriteRepr(&b, "it's \xff é\u0085\u200b")
	assert.Equal(t, `"it's \xff é\x85\u200b"`, b.String())
}
