package serializer_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

type (
	namedInt    int16
	namedString string
	namedBytes  []byte
	namedList   []any
)

// celsius travels as a string such as "21.5C".
type celsius float64

func (c celsius) MarshalExecnet() (any, error) {
	if math.IsNaN(float64(c)) {
		return nil, errNoReading
	}
	return fmt.Sprintf("%gC", float64(c)), nil
}

func (c *celsius) UnmarshalExecnet(v any) error {
	text, ok := v.(string)
	if !ok {
		return errNoReading
	}
	_, err := fmt.Sscanf(text, "%gC", (*float64)(c))
	return err
}

var errNoReading = errors.New("no reading")

type base struct {
	ID   int
	Kind string `execnet:"kind"`
}

type hidden struct{ Shown int }

type everything struct {
	base
	hidden
	*Extra
	B       bool
	I8      int8
	I64     int64
	U8      uint8
	U64     uint64
	F32     float32
	F64     float64
	C64     complex64
	C128    complex128
	S       string
	Named   namedString `execnet:"named_string"`
	Raw     []byte
	NBytes  namedBytes
	Arr     [3]byte
	Nums    [2]int
	List    []namedInt
	Any     any
	Anys    []any
	Tup     serializer.Tuple
	Map     map[string]int
	IntMap  map[int][]string
	Flags   map[string]struct{}
	Ptr     *string
	PtrPtr  **int
	Nil     *int
	Big     *big.Int
	BigV    big.Int
	Dict    *serializer.Dict
	DictV   serializer.Dict
	Set     *serializer.Set
	Frozen  serializer.FrozenSet
	Temp    celsius
	Temps   map[string]*celsius
	Self    *everything
	Empty   string `execnet:",omitempty"`
	Skipped int    `execnet:"-"`
	//lint:ignore U1000 unexported fields do not travel
	private int
}

type Extra struct{ Note string }

func TestStructsRoundTrip(t *testing.T) {
	text, num, temp := "pointed to", 5, celsius(-3)
	pnum := &num
	in := everything{
		base: base{ID: 1, Kind: "k"}, hidden: hidden{2}, Extra: &Extra{"note"}, B: true, I8: -128, I64: math.MinInt64,
		U8: 255, U64: math.MaxUint64, F32: 1.5, F64: math.Pi, C64: 1 + 2i, C128: 3i, S: "é", Named: "n", Raw: []byte{0, 255},
		NBytes: namedBytes("nb"), Arr: [3]byte{1, 2, 3}, Nums: [2]int{4, 5}, List: []namedInt{6}, Any: tuple{int64(1), nil},
		Anys: []any{"a", []any{}}, Tup: tuple{true}, Map: map[string]int{"b": 2, "a": 1}, IntMap: map[int][]string{3: {"x"}, -3: {}},
		Flags: map[string]struct{}{"on": {}}, Ptr: &text, PtrPtr: &pnum, Big: bigInt("1" + strings.Repeat("0", 30)),
		BigV: *big.NewInt(9), Dict: serializer.NewDict(1, nil), DictV: *serializer.NewDict("k", "v"), Set: serializer.NewSet(1),
		Frozen: serializer.NewFrozenSet(tuple{1}), Temp: 21.5, Temps: map[string]*celsius{"out": &temp, "in": nil},
		Self: &everything{S: "inner", List: []namedInt{}, Raw: []byte{}, NBytes: namedBytes{}, Anys: []any{}, Tup: tuple{},
			Map: map[string]int{}, IntMap: map[int][]string{}, Flags: map[string]struct{}{}, Temps: map[string]*celsius{}},
	}
	in.Self.DictV = *serializer.NewDict()
	data, err := serializer.Marshal(in)
	require.NoError(t, err)
	var out everything
	require.NoError(t, serializer.Unmarshal(data, &out))
	assert.Equal(t, in.Frozen.String(), out.Frozen.String())
	assert.True(t, in.Self.Frozen.Equal(out.Self.Frozen))
	again, err := serializer.Marshal(&out)
	require.NoError(t, err)
	assert.Equal(t, data, again)
	in.Frozen, out.Frozen, in.Self.Frozen, out.Self.Frozen = serializer.FrozenSet{}, serializer.FrozenSet{}, serializer.FrozenSet{}, serializer.FrozenSet{}
	in.Self.DictV, out.Self.DictV = serializer.Dict{}, serializer.Dict{}
	assert.Equal(t, in, out)

	v, err := serializer.Loads(data)
	require.NoError(t, err)
	d := v.(*serializer.Dict)
	for _, absent := range []string{"Empty", "Skipped", "private", "base", "hidden", "Extra"} {
		_, ok := d.Get(absent)
		assert.False(t, ok, absent)
	}
	for key, want := range map[string]any{
		"ID": int64(1), "kind": "k", "Shown": int64(2), "Note": "note", "U64": bigInt("18446744073709551615"), "Nil": nil,
		"named_string": "n", "Arr": []byte{1, 2, 3}, "Nums": list{int64(4), int64(5)}, "Temp": "21.5C", "Ptr": "pointed to",
	} {
		got, _ := d.Get(key)
		assert.Equal(t, want, got, key)
	}
	flags, _ := d.Get("Flags")
	assert.IsType(t, &serializer.Set{}, flags)
}

func TestEmbeddingAsEncodingJSON(t *testing.T) {
	type A struct{ X, Y int }
	type B struct{ X, Z int }
	type C struct {
		Z int `execnet:"Z"`
	}
	type all struct {
		A
		*B
		C
		Y string
		N C `execnet:"n"`
	}
	// X is ambiguous, Y is the outer one, Z is C's because it is tagged.
	data, err := serializer.Dumps(all{A: A{1, 2}, B: &B{3, 4}, C: C{5}, Y: "y"})
	require.NoError(t, err)
	v, err := serializer.Loads(data)
	require.NoError(t, err)
	assert.Equal(t, "{'Z': 5, 'Y': 'y', 'n': {'Z': 0}}", serializer.Repr(v))

	type onlyPtr struct{ *Extra }
	data, err = serializer.Dumps(onlyPtr{})
	require.NoError(t, err)
	assert.Equal(t, "\x02JQ", string(data))
	var out onlyPtr
	require.NoError(t, serializer.Unmarshal([]byte("\x02J"+n32('N', 4)+"Note"+n32('N', 1)+"xPQ"), &out))
	assert.Equal(t, "x", out.Note)
}

func TestDumpForms(t *testing.T) {
	var nilMap map[string]int
	for _, c := range []struct {
		value any
		repr  string
	}{
		{[]int(nil), "[]"}, {nilMap, "{}"}, {[]byte(nil), "b''"}, {(*int)(nil), "None"}, {(*serializer.Dict)(nil), "None"},
		{(*serializer.Set)(nil), "None"}, {(*big.Int)(nil), "None"}, {tuple(nil), "()"}, {(*celsius)(nil), "None"},
		{map[string]any{"b": 1, "a": uint8(2)}, "{'a': 2, 'b': 1}"}, {map[int]bool{2: true, -1: false}, "{-1: False, 2: True}"},
		{map[[2]byte]int{{1, 2}: 3}, `{b'\x01\x02': 3}`}, {map[any]int{"x": 1, 2: 2}, "{2: 2, 'x': 1}"},
		{map[bool]struct{}{true: {}}, "{True}"}, {[]struct{}{{}}, "[{}]"}, {namedList{1}, "[1]"}, {namedBytes("x"), "b'x'"},
		{float32(0.5), "0.5"}, {uint64(math.MaxUint64), "18446744073709551615"}, {[2]string{"a", "b"}, "['a', 'b']"},
		{[]celsius{1}, "['1C']"}, {map[celsius]int{1: 1}, "{'1C': 1}"}, {map[float64]int{math.NaN(): 1}, "{nan: 1}"},
		{*serializer.NewDict("k", 1), "{'k': 1}"}, {*serializer.NewSet(1), "{1}"}, {*big.NewInt(3), "3"}, {[]bool{true}, "[True]"},
		{map[serializer.FrozenSet]int{serializer.NewFrozenSet(1): 2}, "{frozenset({1}): 2}"},
	} {
		data, err := serializer.Dumps(c.value)
		require.NoError(t, err, "%#v", c.value)
		v, err := serializer.Loads(data)
		require.NoError(t, err)
		assert.Equal(t, c.repr, serializer.Repr(v), "%#v", c.value)
	}
	_, err := serializer.Dumps([]any{celsius(math.NaN())})
	assert.ErrorIs(t, err, errNoReading)
	assert.ErrorContains(t, err, "[0]")
}

func TestUnmarshalForms(t *testing.T) {
	load := func(v any, target any) error {
		data, err := serializer.Dumps(v)
		require.NoError(t, err)
		return serializer.Unmarshal(data, target)
	}
	var ints []int
	require.NoError(t, load(tuple{1, 2}, &ints))
	assert.Equal(t, []int{1, 2}, ints)
	require.NoError(t, load(serializer.NewSet(3), &ints))
	assert.Equal(t, []int{3}, ints)
	require.NoError(t, load([]any{}, &ints))
	assert.NotNil(t, ints)
	require.NoError(t, load(nil, &ints))
	assert.Nil(t, ints)
	pairs := [][2]any{}
	require.NoError(t, load([]any{tuple{1, tuple{}}, tuple{[]any{1}, serializer.NewDict("a", tuple{2})}}, &pairs))
	assert.Equal(t, "[1 ()]", fmt.Sprint(pairs[0]))
	assert.Equal(t, "[[1] {'a': (2,)}]", fmt.Sprint(pairs[1]))
	number := 7
	require.NoError(t, load(nil, &number), "None leaves what cannot be nil as it is")
	assert.Equal(t, 7, number)
	var f float64
	require.NoError(t, load(int64(1<<53), &f))
	assert.Equal(t, float64(1<<53), f)
	var c complex64
	require.NoError(t, load(1.5, &c))
	assert.Equal(t, complex64(1.5), c)
	var frozen serializer.FrozenSet
	require.NoError(t, load(serializer.NewSet(1), &frozen))
	assert.True(t, frozen.Equal(serializer.NewFrozenSet(1)))
	var set serializer.Set
	require.NoError(t, load(frozen, &set))
	assert.True(t, set.Contains(1))
	var some struct{ A, B int }
	require.NoError(t, load(serializer.NewDict("x", tuple{1, []any{}}, "B", 2, tuple{1}, 3, []byte("A"), 4, "ab", 5), &some))
	assert.Equal(t, 0, some.A)
	assert.Equal(t, 2, some.B)
	byAny := map[any]int{"kept": 1}
	require.NoError(t, load(serializer.NewDict("x", 1, 2, 3), &byAny))
	assert.Equal(t, map[any]int{"kept": 1, "x": 1, int64(2): 3}, byAny)
	// The slice has the list's length wherever the items are written.
	require.NoError(t, serializer.Unmarshal([]byte("\x02"+n32('K', 2)+n32('F', -1)+n32('F', 9)+"P"+n32('F', 0)+n32('F', 8)+"PQ"), &ints))
	assert.Equal(t, []int{8, 9}, ints)
}

func TestUnmarshalErrors(t *testing.T) {
	type row struct{ Tags []int8 }
	for _, c := range []struct {
		value  any
		target any
		path   string
		says   string
	}{
		{"x", new(int), "", "a Python str does not fit a Go int"},
		{[]byte("x"), new(string), "", "a Python bytes does not fit a Go string"},
		{"x", new([]byte), "", "a Python str does not fit a Go []uint8"},
		{1.0, new(int), "", "a Python float does not fit a Go int"},
		{true, new(int), "", "a Python bool does not fit a Go int"},
		{1, new(bool), "", "a Python int does not fit a Go bool"},
		{tuple{}, new(int), "", "a Python tuple does not fit a Go int"},
		{300, new(uint8), "", "the int 300 does not fit a Go uint8"},
		{-1, new(uint64), "", "the int -1 does not fit a Go uint64"},
		{bigInt("99999999999999999999"), new(int64), "", "the int 99999999999999999999 does not fit"},
		{bigInt("99999999999999999999"), new(uint64), "", "the int 99999999999999999999 does not fit"},
		{int64(1<<53 + 1), new(float64), "", "the int 9007199254740993 does not fit a Go float64"},
		{1e300, new(float32), "", "the float 1e+300 does not fit a Go float32"},
		{[]any{1}, new([2]int), "", "1 items do not fit a Go [2]int"},
		{[]byte("abc"), new([2]byte), "", "3 bytes do not fit a Go [2]uint8"},
		{[]any{1}, new(map[string]int), "", "a Python list does not fit"},
		{[]any{1}, new(map[string]struct{}), "", "a Python list does not fit"},
		{tuple{1}, new(map[string]struct{}), "", "a Python tuple does not fit"},
		{serializer.NewDict(1, 2), new([]int), "", "a Python dict does not fit"},
		{serializer.NewSet(), new(serializer.Dict), "", "a Python set does not fit"},
		{1, new(fmt.Stringer), "", "a Python int does not fit a Go fmt.Stringer"},
		{serializer.NewDict([]byte("k"), 1), new(map[any]int), "", "cannot have"},
		{1, new(celsius), "", "no reading"},
		{1, new(chan int), "", "does not fit a Go chan int"},
		{[]any{serializer.NewDict("Tags", []any{1, 128})}, new([]row), `[0]["Tags"][1]`, "the int 128"},
		{serializer.NewDict("k", tuple{"x"}), new(map[string][]int), `["k"][0]`, "a Python str"},
		{nil, nil, "", "must be a pointer"},
		{nil, 3, "", "must be a pointer"},
		{nil, (*int)(nil), "", "must be a pointer"},
	} {
		data, err := serializer.Dumps(c.value)
		require.NoError(t, err)
		err = serializer.Unmarshal(data, c.target)
		var le *serializer.LoadError
		require.ErrorAs(t, err, &le, c.says)
		assert.Contains(t, err.Error(), c.says)
		assert.Equal(t, c.path, le.Path, c.says)
	}
}
