package serializer_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/serializer"
)

func TestKeyEquality(t *testing.T) {
	same := [][]any{
		{1, 1.0, true, complex(1, 0), int8(1), big.NewInt(1), uint64(1), float32(1)},
		{0, false, math.Copysign(0, -1), 0i},
		{"a", namedString("a")},
		{[]byte("a"), namedBytes("a"), [1]byte{'a'}},
		{nil, (*big.Int)(nil)},
		{0x1p70, new(big.Int).Lsh(big.NewInt(1), 70), complex(0x1p70, 0)},
		{uint64(math.MaxUint64), bigInt("18446744073709551615")},
		{tuple{1, "x", tuple{}}, tuple{1.0, "x", tuple{}}},
		{serializer.NewFrozenSet(1, 2), serializer.NewFrozenSet(2.0, true)},
		{serializer.NewFrozenSet(), serializer.FrozenSet{}},
		{1.5}, {1 + 1i}, {math.Inf(1)}, {math.Inf(-1)}, {""}, {[]byte{}}, {tuple{}}, {tuple{nil}}, {"1"},
	}
	for i, group := range same {
		for _, key := range group {
			for _, padding := range []int{0, 20} { // without and with an index
				d := serializer.NewDict()
				for p := range padding {
					require.NoError(t, d.Set(fmt.Sprint("padding", p), nil))
				}
				require.NoError(t, d.Set(key, "here"))
				for j, others := range same {
					for _, other := range others {
						_, found := d.Get(other)
						assert.Equal(t, i == j, found, "%v and %v", key, other)
					}
				}
			}
		}
	}
}

func TestNaNEqualsNothing(t *testing.T) {
	d := serializer.NewDict(math.NaN(), 1, math.NaN(), 2, tuple{math.NaN()}, 3)
	assert.Equal(t, 3, d.Len())
	_, found := d.Get(math.NaN())
	assert.False(t, found)
	assert.False(t, d.Delete(math.NaN()))
	assert.Equal(t, "{nan: 1, nan: 2, (nan,): 3}", d.String())
	many := serializer.NewSet()
	for range 20000 { // spread over the index: this takes no noticeable time
		require.NoError(t, many.Add(math.NaN()))
	}
	assert.Equal(t, 20000, many.Len())
}

func TestDictKeepsTheFirstKeyAndItsPlace(t *testing.T) {
	d := serializer.NewDict(1, "a", "x", "b")
	require.NoError(t, d.Set(true, "c"))
	assert.Equal(t, "{1: 'c', 'x': 'b'}", d.String())
	assert.True(t, d.Delete(1.0))
	assert.False(t, d.Delete(1))
	require.NoError(t, d.Set(true, "d"))
	assert.Equal(t, "{'x': 'b', True: 'd'}", d.String())
	assert.Equal(t, []any{"x", true}, slices.Collect(d.Keys()))
}

func TestUnhashable(t *testing.T) {
	for _, key := range []any{[]any{}, serializer.NewDict(), serializer.NewSet(), tuple{[]any{}}, []int{1}, map[string]int{}, func() {}} {
		assert.Error(t, serializer.NewDict().Set(key, 1), "%T", key)
		assert.Error(t, serializer.NewSet().Add(key), "%T", key)
		_, found := serializer.NewDict("a", 1).Get(key)
		assert.False(t, found)
		assert.Panics(t, func() { serializer.NewDict(key, 1) })
		assert.Panics(t, func() { serializer.NewSet(key) })
		assert.Panics(t, func() { serializer.NewFrozenSet(key) })
	}
	odd := []any{1}
	assert.Panics(t, func() { serializer.NewDict(odd...) })
}

func TestNilContainersReadAsEmpty(t *testing.T) {
	var d *serializer.Dict
	var s *serializer.Set
	_, found := d.Get(1)
	assert.False(t, found)
	assert.False(t, d.Delete(1))
	assert.Zero(t, d.Len())
	assert.Empty(t, slices.Collect(d.Keys()))
	assert.Equal(t, "{}", d.String())
	assert.False(t, s.Contains(1))
	assert.False(t, s.Delete(1))
	assert.Zero(t, s.Len())
	assert.Empty(t, slices.Collect(s.All()))
	assert.Equal(t, "set()", s.String())
	assert.Equal(t, "frozenset()", serializer.FrozenSet{}.String())
}

func TestReprOfCycles(t *testing.T) {
	l := []any{1, nil, nil}
	d := serializer.NewDict("l", l)
	l[1], l[2] = l, d
	assert.Equal(t, "[1, [...], {'l': [...]}]", serializer.Repr(l))
	assert.Equal(t, "{'l': [1, [...], {...}]}", d.String())
}

// A Dict behaves as a map plus a list of keys, under any sequence of changes.
func TestDictAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, model, order := serializer.NewDict(), map[int64]int{}, []int64{}
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			key := rapid.Int64Range(0, 30).Draw(t, "key")
			if rapid.Bool().Draw(t, "delete") {
				_, had := model[key]
				require.Equal(t, had, d.Delete(key))
				delete(model, key)
				order = slices.DeleteFunc(order, func(k int64) bool { return k == key })
			} else {
				if _, had := model[key]; !had {
					order = append(order, key)
				}
				model[key] = i
				require.NoError(t, d.Set(key, i))
			}
			require.Equal(t, len(order), d.Len())
		}
		keys := []int64{}
		for key, value := range d.All() {
			keys = append(keys, key.(int64))
			require.Equal(t, model[key.(int64)], value)
			got, ok := d.Get(key)
			require.True(t, ok)
			require.Equal(t, value, got)
		}
		require.Equal(t, order, keys)
	})
}
