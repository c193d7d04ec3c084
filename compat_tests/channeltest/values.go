package channeltest

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

var values = []test{
	{"values of every type both ways", valuesBothWays},
	{"Go's own types", goTypes},
	{"typed receive", typedReceive},
	{"large values", largeValues},
	{"deep nesting", deepNesting},
	{"values that cannot be sent", unsendable},
	{"text that is not Unicode", surrogates},
	{"string rules of a channel", channelStrings},
}

// value is a Go value as it is received, and the Python expression for it.
type value struct {
	of     any
	python string
}

func bigInt(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		panic("no number: " + digits)
	}
	return n
}

func everyType() []value {
	return []value{
		{nil, "None"}, {true, "True"}, {false, "False"},
		{int64(0), "0"}, {int64(-1), "-1"}, {int64(math.MaxInt32), "2**31 - 1"}, {int64(math.MinInt32), "-2**31"},
		{int64(math.MaxInt32 + 1), "2**31"}, {int64(math.MinInt32 - 1), "-2**31 - 1"},
		{int64(math.MaxInt64), "2**63 - 1"}, {int64(math.MinInt64), "-2**63"},
		{bigInt("9223372036854775808"), "2**63"}, {bigInt("-9223372036854775809"), "-2**63 - 1"},
		{bigInt("1" + strings.Repeat("0", 4000)), "10**4000"}, {bigInt("-1" + strings.Repeat("0", 700)), "-10**700"},
		{0.0, "0.0"}, {math.Copysign(0, -1), "-0.0"}, {0.1, "0.1"}, {math.MaxFloat64, "1.7976931348623157e308"},
		{5e-324, "5e-324"}, {math.Inf(1), "float('inf')"}, {math.Inf(-1), "float('-inf')"}, {math.NaN(), "float('nan')"},
		{complex(0, 1), "1j"}, {complex(3, -4), "3-4j"},
		{"", "u''"}, {"a", "u'a'"}, {"é€😀", `u'\xe9\u20ac\U0001f600'`}, {"line\nNUL\x00\"'\\", `u'line\nNUL\x00"\'\\'`},
		{[]byte{}, "b''"}, {[]byte("a"), "b'a'"}, {[]byte{0, 255, '\n'}, `b'\x00\xff\n'`},
		{[]any{}, "[]"}, {[]any{int64(1), "a", []byte("b"), nil, []any{2.5}}, "[1, u'a', b'b', None, [2.5]]"},
		{execnet.Tuple{}, "()"}, {execnet.Tuple{int64(1)}, "(1,)"},
		{execnet.Tuple{int64(1), execnet.Tuple{"a", execnet.Tuple{}}}, "(1, (u'a', ()))"},
		{execnet.NewDict(), "{}"}, {execnet.NewDict("a", int64(1)), "{u'a': 1}"},
		{execnet.NewDict(int64(1), []any{}), "{1: []}"}, {execnet.NewDict(nil, true), "{None: True}"},
		{execnet.NewDict(1.5, execnet.NewDict(true, "x")), "{1.5: {True: u'x'}}"}, {execnet.NewDict([]byte("k"), "v"), "{b'k': u'v'}"},
		{execnet.NewDict(execnet.Tuple{int64(1), execnet.Tuple{"a", []byte("b"), nil}}, int64(2)), "{(1, (u'a', b'b', None)): 2}"},
		{execnet.NewDict(execnet.NewFrozenSet(int64(1)), "f"), "{frozenset([1]): u'f'}"},
		{execnet.NewDict("é", "ü"), `{u'\xe9': u'\xfc'}`}, {execnet.NewDict(bigInt("100000000000000000000"), nil), "{10**20: None}"},
		{execnet.NewSet(), "set()"}, {execnet.NewSet(int64(1)), "set([1])"}, {execnet.NewSet(execnet.Tuple{"a"}), "set([(u'a',)])"},
		{execnet.NewFrozenSet(), "frozenset()"}, {execnet.NewFrozenSet("a"), "frozenset([u'a'])"},
		{execnet.NewFrozenSet(execnet.NewFrozenSet(int64(1))), "frozenset([frozenset([1])])"},
		{execnet.NewSet(execnet.NewFrozenSet()), "set([frozenset()])"},
	}
}

// sameSource is Python source that compares values and their types, at every level. The two int
// types of Python 2 count as one.
const sameSource = `
import struct
INTS = (int, type(2**100))
def same(a, b):
    if type(a) in INTS and type(b) in INTS:
        return a == b
    if type(a) is not type(b):
        return False
    if type(a) is float:
        return struct.pack("d", a) == struct.pack("d", b) or (a != a and b != b)
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) in (set, frozenset):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    if type(a) is dict:
        return len(a) == len(b) and all(any(same(k, l) and same(a[k], b[l]) for l in b) for k in a)
    return a == b
`

// textAndBytes is the strconfig by which text and bytes of Python 2 arrive here as text and bytes.
var textAndBytes = execnet.StrConfig{}

func valuesBothWays(t *testing.T, r *run) {
	ch := r.exec(t, sameSource+`
for value, expression in channel:
    expected = eval(expression)
    if not same(value, expected):
        raise ValueError("%r arrived as %r" % (expression, value))
    try:
        channel.send(value)
    except struct.error:
        channel.send("struct.error")
`)
	require.NoError(t, ch.Reconfigure(t.Context(), textAndBytes))
	for _, v := range everyType() {
		require.NoError(t, ch.Send(t.Context(), execnet.Tuple{v.of, v.python}))
	}
	for _, v := range everyType() {
		back := receive(t, ch)
		if n, ok := v.of.(int64); ok && n < math.MinInt32 && r.caps.NoIntBelowInt32 ||
			strings.HasPrefix(v.python, "-10**") && r.caps.NoIntBelowInt32 || v.python == "-2**63 - 1" && r.caps.NoIntBelowInt32 {
			assert.Contains(t, []any{"struct.error", []byte("struct.error")}, back, v.python)
			continue
		}
		assertSame(t, v.of, back, v.python)
	}
	require.NoError(t, ch.Close())
}

// assertSame checks that a received value has the expected type and the expected Python repr.
func assertSame(t *testing.T, want, got any, of string) {
	t.Helper()
	assert.IsType(t, want, got, of)
	assert.Equal(t, execnet.Tuple{want}.String(), execnet.Tuple{got}.String(), of)
}

func goTypes(t *testing.T, r *run) {
	type name string
	type record struct {
		Name  string `execnet:"name"`
		Empty int    `execnet:"empty,omitempty"`
		Tags  []string
	}
	ch := r.exec(t, sameSource+`
for value, expression in channel:
    if not same(value, eval(expression)):
        raise ValueError("%r arrived as %r" % (expression, value))
    channel.send(True)
`)
	for _, v := range []value{
		{int8(-128), "-128"}, {uint16(65535), "65535"}, {uint64(math.MaxUint64), "2**64 - 1"}, {uint32(math.MaxUint32), "2**32 - 1"},
		{float32(1.5), "1.5"}, {complex64(complex(1, 2)), "1+2j"}, {name("n"), "u'n'"}, {[3]int{1, 2, 3}, "[1, 2, 3]"},
		{[]string{"a"}, "[u'a']"}, {map[string]int{"a": 1}, "{u'a': 1}"}, {map[int][]byte{1: []byte("x")}, "{1: b'x'}"},
		{map[string]struct{}{"a": {}}, "set([u'a'])"}, {record{Name: "r"}, "{u'name': u'r', u'Tags': []}"}, {new(int), "0"},
		{[]any(nil), "[]"}, {*big.NewInt(7), "7"}, {big.NewInt(-8), "-8"},
	} {
		send(t, ch, execnet.Tuple{v.of, v.python})
		assert.Equal(t, true, receive(t, ch), v.python)
	}
	require.NoError(t, ch.Close())
}

func typedReceive(t *testing.T, r *run) {
	type point struct {
		X, Y int
		Name string `execnet:"name"`
	}
	ch := r.exec(t, `
channel.send({u"X": 1, u"Y": -2, u"name": u"p"})
channel.send([{u"X": 3}])
channel.send({u"a": [1, 2], u"b": []})
channel.send(u"no number")
channel.send(7)
`)
	assert.Equal(t, point{1, -2, "p"}, receiveAs[point](t, ch))
	assert.Equal(t, []point{{X: 3}}, receiveAs[[]point](t, ch))
	assert.Equal(t, map[string][]int{"a": {1, 2}, "b": {}}, receiveAs[map[string][]int](t, ch))
	_, err := execnet.Receive[int](within.Soon(t), ch)
	var wrong *execnet.LoadError
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, 7, receiveAs[int](t, ch), "the item that did not fit is gone, and no other")
	ends(t, ch)
}

func largeValues(t *testing.T, r *run) {
	ch := r.exec(t, "for item in channel: channel.send(item)")
	require.NoError(t, ch.Reconfigure(t.Context(), textAndBytes))
	data := make([]byte, 5<<20)
	for i := range data {
		data[i] = byte(i * 7)
	}
	list := make([]any, 20000)
	dict := execnet.NewDict()
	for i := range list {
		list[i] = execnet.Tuple{int64(i), "item " + strconv.Itoa(i)}
		require.NoError(t, dict.Set(int64(i), float64(i)))
	}
	text := strings.Repeat("é€😀", 200000)
	send(t, ch, data, list, dict, text)
	back, _ := receive(t, ch).([]byte)
	assert.True(t, bytes.Equal(data, back), "%d bytes came back as %d", len(data), len(back))
	assert.Equal(t, list, receive(t, ch))
	gotDict, _ := receive(t, ch).(*execnet.Dict)
	require.Equal(t, dict.Len(), gotDict.Len())
	for key, value := range gotDict.All() {
		n, _ := key.(int64)
		require.Equal(t, float64(n), value)
	}
	if !r.caps.UnorderedDicts {
		assert.Equal(t, dict.String(), gotDict.String(), "in the same order")
	}
	assert.True(t, receive(t, ch) == text, "the text came back changed")
	require.NoError(t, ch.Close())
}

func deepNesting(t *testing.T, r *run) {
	ch := r.exec(t, `
def nested(depth):
    value = []
    for i in range(depth):
        value = [value]
    return value
for depth, value in channel:
    seen = 0
    while value:
        value, = value
        seen += 1
    assert seen == depth, (seen, depth)
    try:
        channel.send(nested(depth))
    except Exception:
        channel.send("too deep")
`)
	for _, depth := range []int{100, 3000} {
		var v any = []any{}
		for range depth {
			v = []any{v}
		}
		send(t, ch, execnet.Tuple{depth, v})
		back := receive(t, ch)
		if depth > 1000 && (!r.caps.PyPy || back == "too deep") {
			// Dumpers written in Python cannot dump this, and raise an exception.
			assert.Equal(t, "too deep", back)
			continue
		}
		seen := 0
		for inner, _ := back.([]any); len(inner) == 1; inner, _ = inner[0].([]any) {
			seen++
		}
		assert.Equal(t, depth, seen)
	}
	require.NoError(t, ch.Close())
}

func unsendable(t *testing.T, r *run) {
	ch := r.exec(t, `
class Mine(object): pass
class MyInt(int): pass
for bad in (Mine(), MyInt(3), type, [1, (Mine(),)], {u"k": Mine}):
    try:
        channel.send(bad)
    except Exception as e:
        channel.send(type(e).__name__)
channel.send(channel.receive())
`)
	for range 5 {
		assert.Equal(t, "DumpError", receive(t, ch))
	}
	loop := make([]any, 1)
	loop[0] = loop
	for path, bad := range map[string]any{"": func() {}, "[1]": []any{1, make(chan int)}, `["k"]`: map[string]any{"k": "\xff"}} {
		var wrong *execnet.DumpError
		require.ErrorAs(t, ch.Send(t.Context(), bad), &wrong)
		assert.Equal(t, path, wrong.Path)
	}
	var wrong *execnet.DumpError
	require.ErrorAs(t, ch.Send(t.Context(), loop), &wrong)
	send(t, ch, "nothing of these was sent")
	assert.Equal(t, "nothing of these was sent", receive(t, ch))
	ends(t, ch)
}

func surrogates(t *testing.T, r *run) {
	ch := r.exec(t, `
try:
    channel.send(u"\ud800")
except Exception as e:
    channel.send(type(e).__name__)
`)
	v, err := ch.Receive(within.Soon(t))
	if r.caps.Python2 {
		// Python 2's codec writes a lone surrogate without an error, but that is not UTF-8.
		var wrong *serializer.LoadError
		require.ErrorAs(t, err, &wrong)
	} else {
		require.NoError(t, err)
		assert.Equal(t, "DumpError", v)
	}
	ends(t, ch)
}

// channelStrings tests the strconfig of one channel (protocol.md section 4.7).
func channelStrings(t *testing.T, r *run) {
	ch := r.exec(t, `
for item in channel:
    channel.send(type(item).__name__)
    channel.send("\xe9")
    channel.send(u"\xe9")
`)
	for _, test := range []struct {
		config   execnet.StrConfig
		py2, py3 execnet.Tuple // the type of the item there; its "\xe9" and its u"\xe9" here
	}{
		{execnet.StrConfig{Py2StrAsPy3Str: true}, execnet.Tuple{"unicode", "é", "é"}, execnet.Tuple{"str", "é", "é"}},
		{execnet.StrConfig{}, execnet.Tuple{"unicode", []byte("\xe9"), "é"}, execnet.Tuple{"str", "é", "é"}},
		{execnet.StrConfig{Py3StrAsPy2Str: true}, execnet.Tuple{"str", []byte("\xe9"), "é"},
			execnet.Tuple{"bytes", []byte("é"), []byte("é")}},
		{execnet.StrConfig{Py2StrAsPy3Str: true, Py3StrAsPy2Str: true}, execnet.Tuple{"str", "é", "é"},
			execnet.Tuple{"bytes", []byte("é"), []byte("é")}},
	} {
		require.NoError(t, ch.Reconfigure(t.Context(), test.config))
		send(t, ch, "text")
		want := test.py3
		if r.caps.Python2 {
			want = test.py2
		}
		if !r.caps.Python2 && r.caps.OneStringRule {
			want = slices.Clone(want)
			want[0] = "str"
		}
		name := receive(t, ch)
		if b, ok := name.([]byte); ok { // the strconfig applies to the name too
			name = string(b)
		}
		assert.Equal(t, want, execnet.Tuple{name, receive(t, ch), receive(t, ch)}, "%+v", test.config)
	}
	require.NoError(t, ch.Close())
}
