package pyliteral_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

func TestParse(t *testing.T) {
	huge, _ := new(big.Int).SetString("-9223372036854775809", 10)
	for text, want := range map[string]any{
		"None": nil, "True": true, " False # no\n": false,
		"0": int64(0), "-9223372036854775808": int64(math.MinInt64), "-9223372036854775809": huge, "0xFF_ff": int64(65535),
		"1e999": math.Inf(1), "-inf": math.Inf(-1), "1_0.5": 10.5, ".5e-1": .05,
		"1+2j": complex(1, 2), "(-1-2j)": complex(-1, -2), "-3j": complex(math.Copysign(0, -1), -3), "inf-infj": complex(math.Inf(1), math.Inf(-1)),
		`'it\'s' "\tb" r"\t" u'é'`: "it's\tb\\té", `'\x41\101\u00e9\U0001F600\q\` + "\n'": `AAé😀\q`,
		"'''a\r\nb\rc'''": "a\nb\nc", "r'a\\\r\nb\\'c'": "a\\\nb\\'c", `b'\xff\101\u00e9' rb'\x'`: []byte("\xffA\\u00e9\\x"), "b''": []byte{}, "''": "",
		"()": serializer.Tuple{}, "1,": serializer.Tuple{int64(1)}, "(1)": int64(1), "(1,\n2) # two": serializer.Tuple{int64(1), int64(2)},
		"[]": []any{}, "[[1], # one\n 'a'\n 'b',]": []any{[]any{int64(1)}, "ab"},
		"{}": serializer.NewDict(), "{(1, b'k'): {}, None: 2,}": serializer.NewDict(serializer.Tuple{int64(1), []byte("k")}, serializer.NewDict(), nil, int64(2)),
		"{1, 1.0, 'a'}": serializer.NewSet(int64(1), "a"), "set()": serializer.NewSet(), "[1, \\\n2]": []any{int64(1), int64(2)},
	} {
		v, err := pyliteral.Parse(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, v, text)
		}
	}
	for text, want := range map[string]serializer.FrozenSet{
		"frozenset()": serializer.NewFrozenSet(), "frozenset({1, 'a'})": serializer.NewFrozenSet("a", int64(1)), "frozenset(set())": {},
		"frozenset ( { frozenset() } )": serializer.NewFrozenSet(serializer.NewFrozenSet()),
	} {
		v, err := pyliteral.Parse(text)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(v.(serializer.FrozenSet)), text)
	}
	v, err := pyliteral.Parse("nan")
	require.NoError(t, err)
	assert.True(t, math.IsNaN(v.(float64)))
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		text         string
		line, column int
		problem      string
	}{
		{"", 1, 1, "nothing to read"},
		{"  # only this\n", 2, 1, "nothing to read"},
		{"[1, 2", 1, 1, "'[' is never closed"},
		{"[1,\n {2: é}]", 2, 6, `é is not a literal; write a text in quotes, as in "é"`},
		{"[1 2]", 1, 4, `expected "," or "]", not '2'`},
		{"(1]", 1, 3, `expected "," or ")", not ']'`},
		{"'é' 1", 1, 5, "expected the end of the text, not '1'"},
		{"1\n2", 2, 1, "expected the end"},
		{"1,,", 1, 3, "expected a value, not ','"},
		{"[,]", 1, 2, "expected a value"},
		{"-", 1, 2, "expected a value, but the text ends here"},
		{"-\n1", 1, 2, "the line ends here"},
		{"--1", 1, 2, "a sign goes in front of a number only"},
		{"-'a'", 1, 2, "a sign goes"},
		{"-True", 1, 2, "a sign goes"},
		{"1+2", 1, 3, "only a real number and a complex one"},
		{"1j+2j", 1, 1, "only a real number"},
		{"1+-2j", 1, 3, "expected a value"},
		{"'a'+'b'", 1, 1, "only a real number"},
		{"1" + strings.Repeat("0", 400) + "+1j", 1, 1, "too large"},
		{"...", 1, 1, "ellipsis"},
		{"012", 1, 1, "0o"},
		{"0x", 1, 1, "0x needs digits"},
		{"1__0", 1, 1, "followed by '_'"},
		{"1abc", 1, 1, "followed by 'a'"},
		{"'abc", 1, 1, "never closed"},
		{`'abc\`, 1, 1, "never closed"},
		{"[\n'abc\n']", 2, 1, "three quotes"},
		{"'''abc''", 1, 1, "never closed"},
		{"f'{x}'", 1, 1, "computes"},
		{"ur'x'", 1, 1, "prefix ur"},
		{"'a' b'b'", 1, 5, "bytes and str"},
		{"b'é'", 1, 3, "ASCII"},
		{`'a\x4'`, 1, 3, "2 hexadecimal"},
		{`'\u12`, 1, 2, "4 hexadecimal"},
		{`'\ud83d\ude00'`, 1, 2, "surrogate"},
		{`'\U00110000'`, 1, 2, "no such character"},
		{`'\UFFFFFFFF'`, 1, 2, "no such character"},
		{`'\N{DASH}'`, 1, 2, "by name"},
		{"{1: 2, 3}", 1, 9, `expected ":" and a value`},
		{"{1, 2: 3}", 1, 6, `a set has no ":"`},
		{"{1: }", 1, 5, "expected a value"},
		{"{0, []}", 1, 5, "list cannot be a dict key"},
		{"{(1, {}): 0}", 1, 2, "dict cannot be a dict key"},
		{"set", 1, 4, `expected "(" behind set`},
		{"set({1})", 1, 5, `expected ")" to end set(`},
		{"frozenset([1])", 1, 11, "made of a set"},
		{"frozenset({1}", 1, 10, "never closed"},
		{"a\x00", 1, 2, "NUL"},
		{"'\xff'", 1, 2, "UTF-8"},
	} {
		v, err := pyliteral.Parse(test.text)
		assert.Nil(t, v, test.text)
		var e *pyliteral.SyntaxError
		if assert.True(t, errors.As(err, &e), "%q gives %v", test.text, err) {
			assert.Contains(t, e.Problem, test.problem, "%q", test.text)
			assert.Equal(t, []int{test.line, test.column}, []int{e.Line, e.Column}, "%q: %v", test.text, err)
			assert.Equal(t, test.text, e.Text)
		}
	}
}

func TestCaret(t *testing.T) {
	_, err := pyliteral.Parse("[1,\r\n\t'é', x,\r\n2]")
	require.EqualError(t, err, `line 2, column 7: x is not a literal; write a text in quotes, as in "x"`)
	assert.Equal(t, "\t'é', x,\n\t     ^\n", err.(*pyliteral.SyntaxError).Caret())
	_, err = pyliteral.Parse("[1,\n")
	assert.Equal(t, "[1,\n^\n", err.(*pyliteral.SyntaxError).Caret())
	_, err = pyliteral.Parse("")
	assert.Equal(t, "\n^\n", err.(*pyliteral.SyntaxError).Caret())
}

func TestDepth(t *testing.T) {
	for _, around := range []string{"[]", "()", "{}", "{1:}"} {
		opening, closing := around[:len(around)-1], around[len(around)-1:]
		middle := "0"
		if around == "{}" {
			opening, closing, middle = "frozenset({", "})", "0"
		}
		per := strings.Count(opening, "(") + strings.Count(opening, "[") + strings.Count(opening, "{")
		most := pyliteral.MaxDepth / per
		_, err := pyliteral.Parse(strings.Repeat(opening, most) + middle + strings.Repeat(closing, most))
		assert.NoError(t, err, around)
		_, err = pyliteral.Parse(strings.Repeat(opening, most+1) + middle + strings.Repeat(closing, most+1))
		assert.ErrorContains(t, err, "10000 brackets", around)
		_, err = pyliteral.Parse(strings.Repeat(opening, 1_000_000))
		assert.ErrorContains(t, err, "10000 brackets", around)
	}
}

func TestAppend(t *testing.T) {
	assert.Equal(t, "x = (1,)", string(pyliteral.Append([]byte("x = "), serializer.Tuple{int64(1)})))
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"[1, (2.5e3, -1j), {'a': b'\\x00', None: {1, 2}}, frozenset({()})]", "1+2j", "'''\\\n\\u00e9'''", "r'\\' b", "{1: 2, 3}", "((((", "\\\n1", "-0-0j", "0x_f", "'a' # b\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := pyliteral.Parse(text)
		if err != nil {
			e := err.(*pyliteral.SyntaxError)
			if v != nil || e.Problem == "" || e.Line < 1 || e.Column < 1 || strings.Count(e.Caret(), "\n") != 2 || !utf8.ValidString(e.Problem) {
				t.Fatalf("%q gives %v and %#v", text, v, e)
			}
			return
		}
		shown := pyliteral.Format(v)
		again, err := pyliteral.Parse(shown)
		if err != nil {
			t.Fatalf("%q gives %s, which cannot be read: %v", text, shown, err)
		}
		if loose(v) != loose(again) {
			t.Fatalf("%q gives %s, then %s", text, shown, pyliteral.Format(again))
		}
	})
}
