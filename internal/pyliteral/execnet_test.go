package pyliteral_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

const rounds = 3000

// TestFormatIsRepr sends values over the wire format to Python and compares what its repr prints;
// then Parse must give the value back.
func TestFormatIsRepr(t *testing.T) {
	python := newOracle(t)
	gen := values(3)
	for i := range rounds {
		v := gen.Example(i)
		dump, err := serializer.Dumps(v)
		require.NoError(t, err)
		text := pyliteral.Format(v)
		a := python.ask(t, question{Dump: dump})
		require.Empty(t, a.Error, text)
		require.Equal(t, a.Canonical, canonical(v))
		if !bigSet(v) {
			require.Equal(t, a.Repr, text)
		}

		again, err := pyliteral.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, loose(v), loose(again))
	}
}

// TestPrintable compares every character there is. Python and Go may know different versions of
// Unicode: then one of them prints characters that the other does not have, but never the other way
// round too.
func TestPrintable(t *testing.T) {
	a := newOracle(t).ask(t, question{})
	require.Empty(t, a.Error)
	printable := make(map[rune]bool)
	for _, r := range a.Printable {
		printable[r] = true
	}
	require.Greater(t, len(printable), 100_000)
	var onlyGo, onlyPython []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || r == '\'' || r == '\\' {
			continue
		}
		plain := pyliteral.Format(string(r)) == "'"+string(r)+"'"
		switch {
		case plain && !printable[r]:
			onlyGo = append(onlyGo, r)
		case !plain && printable[r]:
			onlyPython = append(onlyPython, r)
		}
	}
	if len(onlyGo) > 0 {
		assert.Empty(t, onlyPython, "Python's Unicode is %s, Go's %s", a.Unicode, unicode.Version)
	}
	if a.Unicode == unicode.Version {
		assert.Empty(t, onlyGo)
		assert.Empty(t, onlyPython)
	}
}

// TestParseIsLiteralEval puts texts together from pieces and reads them with ast.literal_eval too:
// both must accept the same ones and see the same values.
func TestParseIsLiteralEval(t *testing.T) {
	python := newOracle(t)
	piece := rapid.SampledFrom([]string{
		"0", "1", "7", "00", "012", "0x1F", "0o17", "0b101", "0x", "0b12", "_", "1_000", "9223372036854775808", "123456789012345678901234567890",
		".", ".5", "1.", "1e5", "1E-7", "1e999", "e", "j", "2j", "1.5J", "-", "+", "-1", "+2", " + 3j", "-4j",
		"''", `""`, "'a'", `"b"`, "b'x'", "B'y'", "rb'\\d'", "bR'z'", "u'é'", "r'\\n'", "ur'a'", "'\\n\\t\\x41\\u00e9\\U0001F600\\101\\0'", "b'\\xff\\101\\777\\u1234'", "'\\777'",
		"'\\q'", "'\\x4'", "b'é'", "'''a\nb'c'''", `"""\` + "\n" + `"""`, "'", `"`, "'''", "\\", "'\\'", "r'\\'", "r'\\''", "'a\\\r\nb'", "'''\r\n\r'''",
		"[", "]", "(", ")", "{", "}", "[]", "()", "{}", ",", ",", ":", "{1: 2}", "{1, 2}", "{1}", "[1,]", "(1,)", "((2))", "-(1)", "(-1)", "{1: 2,}", "{(): []}", "{[]}", "{{}: 1}", "{1.0: True}",
		" ", "  ", "\t", "\n", "\\\n", "# c", "#c\n", "None", "True", "False", "set()", "set( )", "set", "x",
	})
	pieces := rapid.SliceOfN(piece, 1, 6)
	bracketed := rapid.Custom(func(t *rapid.T) string {
		text := strings.Join(pieces.Draw(t, "pieces"), rapid.SampledFrom([]string{"", "", " ", ",", ", "}).Draw(t, "between"))
		around := rapid.SampledFrom([]string{"%", "%", "[%]", "(%)", "(%,)", "{%}", "{1: %}", "[%, 1]"}).Draw(t, "around")
		// Around the literal we take more spaces, newlines and continued lines than Python's parser
		// does.
		return strings.Trim(strings.Replace(around, "%", text, 1), " \t\n\\")
	})
	accepted := 0
	for i := range 3 * rounds {
		text := bracketed.Example(i)
		a := python.ask(t, question{Text: &text})
		v, err := pyliteral.Parse(text)
		if a.Error != "" {
			assert.Error(t, err, "only we accept %q: %s", text, a.Error)
			continue
		}
		if assert.NoError(t, err, "only Python accepts %q", text) {
			accepted++
			assert.Equal(t, a.Canonical, canonical(v), "%q", text)
		}
	}
	assert.Greater(t, accepted, rounds/10, "too few of the texts are literals to prove anything")
}
