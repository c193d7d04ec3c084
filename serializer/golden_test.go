package serializer_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

type (
	tuple = serializer.Tuple
	list  = []any
)

func bigInt(s string) *big.Int {
	i, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic(s)
	}
	return i
}

// golden are dumps made by execnet 2.1.2 on Python 3.11.
var golden = []struct {
	python string
	value  any
	dump   string
}{
	{"None", nil, "\x02LQ"},
	{"True", true, "\x02RQ"},
	{"False", false, "\x02CQ"},
	{"0", int64(0), "\x02F\x00\x00\x00\x00Q"},
	{"-1", int64(-1), "\x02F\xff\xff\xff\xffQ"},
	{"2147483647", int64(math.MaxInt32), "\x02F\x7f\xff\xff\xffQ"},
	{"-2147483648", int64(math.MinInt32), "\x02F\x80\x00\x00\x00Q"},
	{"2147483648", int64(math.MaxInt32 + 1), "\x02H\x00\x00\x00\n2147483648Q"},
	{"9223372036854775807", int64(math.MaxInt64), "\x02H\x00\x00\x00\x139223372036854775807Q"},
	{"9223372036854775808", bigInt("9223372036854775808"), "\x02H\x00\x00\x00\x139223372036854775808Q"},
	{"10000000000000000000000000", bigInt("10000000000000000000000000"), "\x02H\x00\x00\x00\x1a10000000000000000000000000Q"},
	{"0.0", 0.0, "\x02D\x00\x00\x00\x00\x00\x00\x00\x00Q"},
	{"-0.5", -0.5, "\x02D\xbf\xe0\x00\x00\x00\x00\x00\x00Q"},
	{"inf", math.Inf(1), "\x02D\x7f\xf0\x00\x00\x00\x00\x00\x00Q"},
	{"(1.5+2j)", 1.5 + 2i, "\x02T?\xf8\x00\x00\x00\x00\x00\x00@\x00\x00\x00\x00\x00\x00\x00Q"},
	{"''", "", "\x02N\x00\x00\x00\x00Q"},
	{"'café 🐍'", "café 🐍", "\x02N\x00\x00\x00\ncaf\xc3\xa9 \xf0\x9f\x90\x8dQ"},
	{"b''", []byte{}, "\x02A\x00\x00\x00\x00Q"},
	{`b'\x00\xff'`, []byte{0, 255}, "\x02A\x00\x00\x00\x02\x00\xffQ"},
	{"[]", list{}, "\x02K\x00\x00\x00\x00Q"},
	{"[1, [2]]", list{int64(1), list{int64(2)}}, "\x02K\x00\x00\x00\x02F\x00\x00\x00\x00F\x00\x00\x00\x01P" +
		"F\x00\x00\x00\x01K\x00\x00\x00\x01F\x00\x00\x00\x00F\x00\x00\x00\x02PPQ"},
	{"()", tuple{}, "\x02@\x00\x00\x00\x00Q"},
	{"(1, 'a', ())", tuple{int64(1), "a", tuple{}}, "\x02F\x00\x00\x00\x01N\x00\x00\x00\x01a@\x00\x00\x00\x00@\x00\x00\x00\x03Q"},
	{"{}", serializer.NewDict(), "\x02JQ"},
	{"{'a': 1, 2: None}", serializer.NewDict("a", int64(1), 2, nil),
		"\x02JN\x00\x00\x00\x01aF\x00\x00\x00\x01PF\x00\x00\x00\x02LPQ"},
	{"{(1, b'k'): [{}]}", serializer.NewDict(tuple{1, []byte("k")}, list{serializer.NewDict()}),
		"\x02JF\x00\x00\x00\x01A\x00\x00\x00\x01k@\x00\x00\x00\x02K\x00\x00\x00\x01F\x00\x00\x00\x00JPPQ"},
	{"set()", serializer.NewSet(), "\x02O\x00\x00\x00\x00Q"},
	{"{7}", serializer.NewSet(7), "\x02F\x00\x00\x00\x07O\x00\x00\x00\x01Q"},
	{"frozenset()", serializer.NewFrozenSet(), "\x02E\x00\x00\x00\x00Q"},
	{"frozenset({'x'})", serializer.NewFrozenSet("x"), "\x02N\x00\x00\x00\x01xE\x00\x00\x00\x01Q"},
	{"{frozenset({1}): {2}}", serializer.NewDict(serializer.NewFrozenSet(1), serializer.NewSet(2)),
		"\x02JF\x00\x00\x00\x01E\x00\x00\x00\x01F\x00\x00\x00\x02O\x00\x00\x00\x01PQ"},
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.python, func(t *testing.T) {
			dump, err := serializer.Dumps(g.value)
			require.NoError(t, err)
			assert.Equal(t, g.dump, string(dump))
			value, err := serializer.Loads([]byte(g.dump))
			require.NoError(t, err)
			assert.Equal(t, canonical(g.value), canonical(value))
			assert.Equal(t, g.python, serializer.Repr(value))
			var target any
			require.NoError(t, serializer.Unmarshal([]byte(g.dump), &target))
			assert.Equal(t, canonical(g.value), canonical(target))
		})
	}
}

// The opcodes that only Python 2 dumps.
func TestPython2(t *testing.T) {
	latin1 := []byte("\x02M\x00\x00\x00\x04caf\xe9Q")
	text := []byte("\x02N\x00\x00\x00\x05caf\xc3\xa9Q")
	unicode := []byte("\x02S\x00\x00\x00\x05caf\xc3\xa9Q")
	for _, c := range []struct {
		data []byte
		opts []serializer.Option
		want any
	}{
		{latin1, nil, []byte("caf\xe9")},
		{latin1, []serializer.Option{serializer.Py2StrAsPy3Str(true)}, "café"},
		{text, nil, "café"},
		{text, []serializer.Option{serializer.Py3StrAsPy2Str(true)}, []byte("café")},
		{unicode, nil, "café"},
		{unicode, []serializer.Option{serializer.Py2StrAsPy3Str(true), serializer.Py3StrAsPy2Str(true)}, "café"},
		{[]byte("\x02G\x00\x00\x00\x07Q"), nil, int64(7)},
		{[]byte("\x02I\x00\x00\x00\x0a4294967296Q"), nil, int64(1 << 32)},
	} {
		got, err := serializer.Loads(c.data, c.opts...)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	// A Python 2 dict made of str keys fills a struct whatever the options say.
	var target struct {
		Name string `execnet:"name"`
	}
	data := []byte("\x02JM\x00\x00\x00\x04nameM\x00\x00\x00\x02\xe9tPQ")
	require.NoError(t, serializer.Unmarshal(data, &target, serializer.Py2StrAsPy3Str(true)))
	assert.Equal(t, "ét", target.Name)
	err := serializer.Unmarshal(data, &target)
	assert.ErrorContains(t, err, `at ["name"]): a Python bytes does not fit a Go string`)
}

func TestLongIntegers(t *testing.T) {
	for text, want := range map[string]any{
		"0": int64(0), "-0": int64(0), "007": int64(7), "-12": int64(-12),
		"9223372036854775807": int64(math.MaxInt64), "-9223372036854775808": int64(math.MinInt64),
		"-9223372036854775809": bigInt("-9223372036854775809"), "00000000000000000000000000000000005": int64(5),
	} {
		dump := append([]byte{2, 'H', 0, 0, 0, byte(len(text))}, text+"Q"...)
		got, err := serializer.Loads(dump)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-", "+1", " 1", "1 ", "1_0", "1L", "0x1", "--1", "1.0", "١"} {
		dump := append([]byte{2, 'H', 0, 0, 0, byte(len(text))}, text+"Q"...)
		_, err := serializer.Loads(dump)
		assert.Error(t, err, text)
	}
}

// What execnet's own loader accepts although no dumper writes it.
func TestUnusualButLegal(t *testing.T) {
	item := func(index string, value byte) string { return index + string(value) + "P" }
	const i0, i1, last = "F\x00\x00\x00\x00", "F\x00\x00\x00\x01", "F\xff\xff\xff\xff"
	for name, c := range map[string]struct {
		data string
		want any
	}{
		"out of order":       {"K\x00\x00\x00\x02" + item(i1, 'R') + item(i0, 'C') + "Q", list{false, true}},
		"negative index":     {"K\x00\x00\x00\x02" + item(i0, 'R') + item(last, 'C') + "Q", list{true, false}},
		"bool index":         {"K\x00\x00\x00\x02" + item("R", 'C') + item("C", 'R') + "Q", list{true, false}},
		"index twice":        {"K\x00\x00\x00\x01" + item(i0, 'R') + item(i0, 'C') + "Q", list{false}},
		"long index":         {"K\x00\x00\x00\x01" + item("H\x00\x00\x00\x010", 'C') + "Q", list{false}},
		"containers in pack": {"JJ" + i0 + "LPK\x00\x00\x00\x00@\x00\x00\x00\x03Q", tuple{serializer.NewDict(), serializer.NewDict(0, nil), list{}}},
		"dict key twice":     {"JRLP" + i1 + "CPQ", serializer.NewDict(true, false)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := new(serializer.Codec).Load([]byte(c.data))
			require.NoError(t, err)
			assert.Equal(t, canonical(c.want), canonical(got))
		})
	}
}
