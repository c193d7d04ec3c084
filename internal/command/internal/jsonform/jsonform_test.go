package jsonform_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/command/internal/jsonform"
	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

type channel int32

func (c channel) ExecnetChannelID() int32 { return int32(c) }

// The two columns: a Python literal and its form. Both are read and written.
var forms = map[string]string{
	"None": "null", "True": "true", "False": "false",
	"5": "5", "-5": "-5", "9223372036854775808": "9223372036854775808", "-123456789012345678901234567890": "-123456789012345678901234567890",
	"5.0": "5.0", "-0.0": "-0.0", "1e+16": "1e+16", "1e-07": "1e-07", "0.1": "0.1", "5e-324": "5e-324",
	"nan": `{"__float__": "nan"}`, "inf": `{"__float__": "inf"}`, "-inf": `{"__float__": "-inf"}`,
	"(1+2j)": `{"__complex__": [1.0, 2.0]}`, "(-0-infj)": `{"__complex__": [-0.0, {"__float__": "-inf"}]}`,
	"''": `""`, `'a"\\\n\r\t\x00\x7f/\x85\u2028é😀<'`: `"a\"\\\n\r\t\u0000\u007f/\u0085\u2028é😀<"`,
	"b''": `{"__bytes__": ""}`, `b'hello\xff'`: `{"__bytes__": "aGVsbG//"}`,
	"[]": "[]", "[1, 'a', [None]]": `[1, "a", [null]]`,
	"set()": `{"__set__": []}`, "{1, b'a'}": `{"__set__": [1, {"__bytes__": "YQ=="}]}`, "{(1, (2,))}": `{"__set__": [[1, [2]]]}`,
	"frozenset()": `{"__frozenset__": []}`, "{frozenset({1})}": `{"__set__": [{"__frozenset__": [1]}]}`,
	"{}": "{}", "{'a': 1, '__other__': {}}": `{"a": 1, "__other__": {}}`,
	"{1: 'a', (1, 2): []}":              `{"__dict__": [[1, "a"], [[1, 2], []]]}`,
	"{'__bytes__': 'aGk='}":             `{"__dict__": [["__bytes__", "aGk="]]}`,
	"{'a': 1, '__dict__': [[1, 2]]}":    `{"__dict__": [["a", 1], ["__dict__", [[1, 2]]]]}`,
	"{'a': {None: {'__set__': None}}}":  `{"a": {"__dict__": [[null, {"__dict__": [["__set__", null]]}]]}}`,
	"{'bytes': 1, 'set': 2, 'dict': 3}": `{"bytes": 1, "set": 2, "dict": 3}`,
}

func TestForms(t *testing.T) {
	for literal, form := range forms {
		v, err := pyliteral.Parse(literal)
		require.NoError(t, err, literal)
		written, err := jsonform.Append([]byte("> "), v)
		require.NoError(t, err)
		assert.Equal(t, "> "+form, string(written), literal)
		read, err := jsonform.Parse(form)
		if assert.NoError(t, err, form) {
			assert.Equal(t, pyliteral.Format(v), pyliteral.Format(read), form)
		}
	}
}

// One direction only.
func TestAppendOnly(t *testing.T) {
	for form, v := range map[string]any{
		`[1, [2]]`:             serializer.Tuple{int64(1), serializer.Tuple{int64(2)}},
		`{"__channel__": 7}`:   channel(7),
		`[{"__channel__": 9}]`: []any{channel(9)},
	} {
		written, err := jsonform.Append(nil, v)
		require.NoError(t, err)
		assert.Equal(t, form, string(written))
	}
	_, err := jsonform.Append(nil, []any{struct{}{}})
	assert.ErrorContains(t, err, "struct {}")
}

func TestParseOnly(t *testing.T) {
	for text, literal := range map[string]string{
		" [ 1 ,\t2 ]\r\n": "[1, 2]", "1E2": "100.0", "-0": "0", "1e-999": "0.0", `"\u00e9\ud83d\ude00\/\b\f"`: `'é😀/\x08\x0c'`,
		`{"__tuple__": []}`: "()", `{"__tuple__": [1, [2, {"__tuple__": [3]}]]}`: "(1, [2, (3,)])",
		`{"__set__": [{"__tuple__": [[1]]}]}`: "{((1,),)}", `{ "__complex__" : [1, 2] }`: "(1+2j)",
		`{"__dict__": []}`: "{}", `"` + "\uFFFD" + `"`: "'\uFFFD'",
	} {
		v, err := jsonform.Parse(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, literal, pyliteral.Format(v), text)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]jsonform.SyntaxError{
		"":                                     {Offset: 0, Problem: "the text ends where a JSON value is expected"},
		"[1, 2":                                {Offset: 5, Problem: "the text ends where , or ] is expected"},
		"[1,]":                                 {Offset: 3, Problem: "a JSON value expected"},
		"[1 2]":                                {Offset: 3, Problem: ", or ] expected"},
		"1 2":                                  {Offset: 2, Problem: "something follows the value"},
		"01":                                   {Offset: 1, Problem: "something follows the value"},
		"-":                                    {Offset: 0, Problem: "not a number"},
		"+1":                                   {Offset: 0, Problem: "a JSON value expected"},
		"1e999":                                {Offset: 0, Problem: "too large for a float"},
		"[NaN]":                                {Offset: 1, Problem: "NaN is not JSON"},
		"True":                                 {Offset: 0, Problem: "True is not JSON"},
		"nul":                                  {Offset: 0, Problem: "a JSON value expected"},
		"'a'":                                  {Offset: 0, Problem: "a JSON value expected"},
		`["a`:                                  {Offset: 1, Problem: "the string does not end"},
		"\"\n\"":                               {Offset: 1, Problem: `a control character in a string: write it as \u000a`},
		"\"\xff\"":                             {Offset: 1, Problem: "the string is not UTF-8"},
		`"\x"`:                                 {Offset: 1, Problem: "no JSON escape"},
		`"\u12"`:                               {Offset: 1, Problem: "no JSON escape"},
		`"a\ud800"`:                            {Offset: 2, Problem: "half of a surrogate pair"},
		`"\ude00\ud83d"`:                       {Offset: 1, Problem: "half of a surrogate pair"},
		`{"a": 1, "a": 2}`:                     {Offset: 9, Problem: `"a" is twice in one object`},
		`{a: 1}`:                               {Offset: 1, Problem: "a name in quotes expected"},
		`{"a" 1}`:                              {Offset: 5, Problem: ": expected"},
		`{"__bytes__": 5}`:                     {Offset: 14, Problem: "__bytes__ takes base64 in a string"},
		`{"__bytes__": "a"}`:                   {Offset: 14, Problem: "not base64 (illegal base64 data at input byte 0)"},
		`{"__float__": "1"}`:                   {Offset: 14, Problem: `__float__ takes "nan", "inf" or "-inf"`},
		`{"__complex__": [1]}`:                 {Offset: 16, Problem: "__complex__ takes [real, imaginary], two numbers"},
		`{"__complex__": [1, "a"]}`:            {Offset: 16, Problem: "__complex__ takes [real, imaginary], two numbers"},
		`{"__channel__": 1}`:                   {Offset: 16, Problem: "a channel cannot be sent from here"},
		`{"__set__": 1}`:                       {Offset: 12, Problem: "__set__ takes an array"},
		`{"__set__": [1, 1.0]}`:                {Offset: 12, Problem: "an item is twice in the set"},
		`{"__set__": [{}]}`:                    {Offset: 13, Problem: "a dict is not hashable: it cannot be a key or in a set"},
		`{"__dict__": [[[{}], 1]]}`:            {Offset: 16, Problem: "a dict is not hashable: it cannot be a key or in a set"},
		`{"__dict__": [[1, 2, 3]]}`:            {Offset: 14, Problem: "__dict__ takes pairs: [key, value]"},
		`{"__dict__": [[1]]}`:                  {Offset: 14, Problem: "__dict__ takes pairs: [key, value]"},
		`{"__dict__": [[1,2],[1,3]]}`:          {Offset: 20, Problem: "the key is twice in the dict"},
		`{"__frozenset__": [{"__set__": []}]}`: {Offset: 31, Problem: "not hashable: it cannot be a key or in a set"},
		`{"a": 1, "__set__": []}`: {Offset: 9, Problem: `__set__ must be the only member of its object; ` +
			`a dict with such a key is written {"__dict__": [[key, value], ...]}`},
		`{"__set__": [], "a": 1}`: {Offset: 16, Problem: `__set__ must be the only member of its object; ` +
			`a dict with such a key is written {"__dict__": [[key, value], ...]}`},
	} {
		_, err := jsonform.Parse(text)
		var got *jsonform.SyntaxError
		if assert.ErrorAs(t, err, &got, text) {
			want.Text = text
			assert.Equal(t, want, *got)
		}
	}
	_, err := jsonform.Parse(strings.Repeat("9", 5000))
	assert.ErrorContains(t, err, "an int of more than 4300 digits")
	_, err = jsonform.Parse(strings.Repeat("[", 20000))
	assert.ErrorContains(t, err, "nested more than 10000 deep")
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "value")
		form, err := jsonform.Append(nil, v)
		require.NoError(t, err)
		require.True(t, json.Valid(form), "%s", form)
		require.NotContains(t, string(form), "\n")
		back, err := jsonform.Parse(string(form))
		require.NoError(t, err, "%s", form)
		// repr tells every type apart, and NaN is the same as NaN there.
		require.Equal(t, pyliteral.Format(listed(v)), pyliteral.Format(back), "%s", form)
	})
}

// listed is v with lists for the tuples that the form does not keep: all but those inside keys and
// sets.
func listed(v any) any {
	switch x := v.(type) {
	case serializer.Tuple:
		return listed([]any(x))
	case []any:
		items := []any{}
		for _, item := range x {
			items = append(items, listed(item))
		}
		return items
	case *serializer.Dict:
		d := serializer.NewDict()
		for key, value := range x.All() {
			// The key was one before.
			_ = d.Set(key, listed(value))
		}
		return d
	}
	return v
}

func hashable(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(),
		rapid.Map(rapid.StringMatching(`-?[1-9][0-9]{20,60}`), func(s string) any {
			n, _ := new(big.Int).SetString(s, 10)
			return n
		}),
		rapid.Float64().AsAny(), rapid.SampledFrom([]any{math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e16, 5.0}),
		rapid.Map(rapid.SliceOfN(rapid.Float64(), 2, 2), func(f []float64) any { return complex(f[0], f[1]) }),
		rapid.String().AsAny(), rapid.SampledFrom([]any{"__bytes__", "__set__", "__dict__", "__float__", "__channel__", "__tuple__", "a"}),
		rapid.SliceOf(rapid.Byte()).AsAny(),
	}
	if depth > 0 {
		items := rapid.SliceOfN(hashable(depth-1), 0, 3)
		kinds = append(kinds,
			rapid.Map(items, func(items []any) any { return serializer.Tuple(items) }),
			rapid.Map(items, func(items []any) any { return serializer.NewFrozenSet(items...) }))
	}
	return rapid.OneOf(kinds...)
}

func values(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return hashable(0)
	}
	items, keys := rapid.SliceOfN(values(depth-1), 0, 4), rapid.SliceOfN(hashable(2), 0, 4)
	return rapid.OneOf(
		hashable(2),
		rapid.Map(items, func(items []any) any { return items }),
		rapid.Map(items, func(items []any) any { return serializer.Tuple(items) }),
		rapid.Map(keys, func(items []any) any { return serializer.NewSet(items...) }),
		rapid.Custom(func(t *rapid.T) any { return dict(t, hashable(1), depth) }),
		rapid.Custom(func(t *rapid.T) any { return dict(t, rapid.String().AsAny(), depth) }),
	)
}

func dict(t *rapid.T, keys *rapid.Generator[any], depth int) *serializer.Dict {
	d := serializer.NewDict()
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		// Both generators make hashable keys.
		_ = d.Set(keys.Draw(t, "key"), values(depth-1).Draw(t, "value"))
	}
	return d
}

func FuzzParse(f *testing.F) {
	for _, form := range forms {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := jsonform.Parse(text)
		if err != nil {
			var syntax *jsonform.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.LessOrEqual(t, syntax.Offset, len(text))
			return
		}
		require.True(t, json.Valid([]byte(text)))
		form, err := jsonform.Append(nil, v)
		require.NoError(t, err)
		back, err := jsonform.Parse(string(form))
		require.NoError(t, err)
		require.Equal(t, pyliteral.Format(listed(v)), pyliteral.Format(back))
	})
}
