package pyvalue_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/go-python/gpython/py"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/serializer"
)

// testChannel and its object stand for a gateway's channels.
type testChannel struct{ id int32 }

func (c *testChannel) ExecnetChannelID() int32 { return c.id }

type channelObject struct{ ch *testChannel }

var channelType = py.NewType("Channel", "")

func (*channelObject) Type() *py.Type { return channelType }

type testChannels struct{}

func (testChannels) Wrap(ch serializer.Channel) py.Object { return &channelObject{ch.(*testChannel)} }

func (testChannels) Unwrap(o py.Object) (serializer.Channel, bool) {
	c, ok := o.(*channelObject)
	if !ok {
		return nil, false
	}
	return c.ch, true
}

var sharedChannel = &testChannel{7}

// scalars are hashable values without parts.
func scalars() *rapid.Generator[any] {
	bigInts := rapid.Map(rapid.SliceOfN(rapid.Byte(), 9, 40), func(b []byte) any {
		i := new(big.Int).SetBytes(append([]byte{1}, b...))
		if b[0]%2 == 0 {
			i.Neg(i)
		}
		return i
	})
	notNaN := rapid.Float64().Filter(func(f float64) bool { return f == f })
	return rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](sharedChannel), rapid.Bool().AsAny(), rapid.Int64().AsAny(),
		rapid.Int64Range(-2, 2).AsAny(), bigInts, notNaN.AsAny(), rapid.SampledFrom([]any{0.0, 1.0, math.Inf(1), 1 << 62 * 4.0}),
		rapid.Map(rapid.SliceOfN(notNaN, 2, 2), func(f []float64) any { return complex(f[0], f[1]) }),
		rapid.String().AsAny(), rapid.SampledFrom([]any{"a", "é", "\U0001f600"}), rapid.SliceOf(rapid.Byte()).AsAny(),
	)
}

func hashables(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalars()
	}
	parts := rapid.SliceOfN(hashables(depth-1), 0, 4)
	return rapid.OneOf(scalars(),
		rapid.Map(parts, func(items []any) any { return serializer.Tuple(items) }),
		rapid.Map(parts, func(items []any) any { return serializer.NewFrozenSet(items...) }))
}

func values(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return hashables(1)
	}
	parts := rapid.SliceOfN(values(depth-1), 0, 5)
	keys := rapid.SliceOfN(hashables(1), 0, 20)
	return rapid.OneOf(hashables(2),
		rapid.Map(parts, func(items []any) any { return items }),
		rapid.Map(parts, func(items []any) any { return serializer.Tuple(items) }),
		rapid.Map(keys, func(items []any) any { return serializer.NewSet(items...) }),
		rapid.Custom(func(t *rapid.T) any {
			d := serializer.NewDict()
			for _, key := range keys.Draw(t, "keys") {
				require.NoError(t, d.Set(key, values(depth-1).Draw(t, "value")))
			}
			return d
		}))
}

// dumped are the bytes of a value, which tell all types apart.
func dumped(t require.TestingT, v any) []byte {
	c := serializer.Codec{Channels: anyChannel{}}
	b, err := c.Append(nil, v)
	require.NoError(t, err)
	return b
}

type anyChannel struct{}

func (anyChannel) CheckChannel(serializer.Channel) error { return nil }
func (anyChannel) Channel(id int32) (any, error)         { return &testChannel{id}, nil }

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "v")
		o, err := pyvalue.FromGo(v, testChannels{})
		require.NoError(t, err)
		back, err := pyvalue.ToGo(o, testChannels{})
		require.NoError(t, err)
		assert.Equal(t, dumped(t, v), dumped(t, back))
		same, err := pyvalue.Equal(o, o)
		require.NoError(t, err)
		assert.True(t, same)
	})
}

// TestReprAgrees compares with the serializer's repr, which has its own tests against CPython.
func TestReprAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Filter(func(v any) bool { return !hasChannel(v) }).Draw(t, "v")
		o, err := pyvalue.FromGo(v, nil)
		require.NoError(t, err)
		text, err := pyvalue.Repr(o)
		require.NoError(t, err)
		assert.Equal(t, serializer.Repr(v), text)
	})
}

func hasChannel(v any) bool {
	found := false
	each := func(item any) { found = found || hasChannel(item) }
	switch x := v.(type) {
	case *testChannel:
		return true
	case []any:
		for _, item := range x {
			each(item)
		}
	case serializer.Tuple:
		for _, item := range x {
			each(item)
		}
	case *serializer.Set:
		for item := range x.All() {
			each(item)
		}
	case serializer.FrozenSet:
		for item := range x.All() {
			each(item)
		}
	case *serializer.Dict:
		for k, item := range x.All() {
			each(k)
			each(item)
		}
	}
	return found
}

// TestDictModel does the same to a Dict and to the serializer's.
func TestDictModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		model := serializer.NewDict()
		dict := pyvalue.NewDict()
		keys := rapid.SliceOfN(hashables(1), 1, 30).Draw(t, "keys")
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			o, err := pyvalue.FromGo(key, sameChannels{})
			require.NoError(t, err)
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				value := rapid.Int64().Draw(t, "value")
				require.NoError(t, model.Set(key, value))
				require.NoError(t, dict.Set(o, py.Int(value)))
			case 1:
				_, err := dict.M__delitem__(o)
				assert.Equal(t, model.Delete(key), err == nil)
			case 2:
				want, there := model.Get(key)
				got, ok, err := dict.Get(o)
				require.NoError(t, err)
				require.Equal(t, there, ok)
				if there {
					assert.Equal(t, py.Int(want.(int64)), got)
				}
			}
		}
		back, err := pyvalue.ToGo(dict, sameChannels{})
		require.NoError(t, err)
		assert.Equal(t, model.Len(), dict.Len())
		assert.Equal(t, dumped(t, model), dumped(t, back))
	})
}

// sameChannels always wraps the one channel of the generator in the same object.
type sameChannels struct{ testChannels }

var sharedObject = &channelObject{sharedChannel}

func (sameChannels) Wrap(serializer.Channel) py.Object { return sharedObject }

func TestToGoErrors(t *testing.T) {
	ctx := newContext()
	t.Cleanup(func() { assert.NoError(t, ctx.Close()) })
	for source, want := range map[string]*serializer.DumpError{
		"lambda: 1":                            {Problem: "can't serialize <class 'function'>"},
		"[1, (2, len)]":                        {Path: "[1][1]", Problem: "can't serialize <class 'builtin_function_or_method'>"},
		"{'a': {1: int}}":                      {Path: "['a'][1]", Problem: "can't serialize <class 'type'>"},
		"{len: 1}":                             {Path: "[" + "<built-in function len>" + "]", Problem: "can't serialize <class 'builtin_function_or_method'>"},
		"[range(3)]":                           {Path: "[0]", Problem: "can't serialize <class 'range'>"},
		"{1: 2}.keys()":                        {Problem: "can't serialize <class 'dict_keys'>"},
		"[x for x in [ValueError('a')]]":       {Path: "[0]", Problem: "can't serialize <class 'ValueError'>"},
		"NotImplemented":                       {Problem: "can't serialize <class 'NotImplementedType'>"},
		"(lambda l: (l.append(l), l)[1])([1])": {Path: "[1]", Problem: "the list contains itself"},
		"(lambda d: (d.setdefault('x', (d,)), d)[1])({})": {Path: "['x'][0]", Problem: "the dict contains itself"},
	} {
		o, err := evaluate(ctx, source)
		require.NoError(t, err, source)
		_, err = pyvalue.ToGo(o, testChannels{})
		assert.Equal(t, error(want), err, source)
	}
	o, err := evaluate(ctx, "(lambda x: [x, x, {1: x}])([5])")
	require.NoError(t, err)
	v, err := pyvalue.ToGo(o, nil)
	require.NoError(t, err, "the same list twice is no recursion")
	assert.Equal(t, "[[5], [5], {1: [5]}]", serializer.Repr(v))
}

func TestToGoOfGpythonsOwn(t *testing.T) {
	own := py.NewSetFromItems([]py.Object{py.Int(1)})
	for o, want := range map[py.Object]any{
		own:                         serializer.NewSet(int64(1)),
		(*py.BigInt)(big.NewInt(5)): big.NewInt(5),
	} {
		v, err := pyvalue.ToGo(o, nil)
		require.NoError(t, err)
		assert.Equal(t, want, v)
	}
	v, err := pyvalue.ToGo(py.StringDict{"b": py.Int(1), "a": py.None}, nil)
	require.NoError(t, err)
	assert.Equal(t, "{'a': None, 'b': 1}", serializer.Repr(v))
}

func TestFromGoErrors(t *testing.T) {
	for _, v := range []any{struct{}{}, []any{int8(1)}, serializer.NewDict("a", uint(5)), sharedChannel} {
		_, err := pyvalue.FromGo(v, nil)
		assert.ErrorContains(t, err, "has no counterpart in Python")
	}
}

func TestDeep(t *testing.T) {
	nest := func(depth int, around func(o py.Object) py.Object) py.Object {
		o := py.Object(py.Int(1))
		for range depth {
			o = around(o)
		}
		return o
	}
	for name, around := range map[string]func(o py.Object) py.Object{
		"list":  func(o py.Object) py.Object { return &py.List{Items: []py.Object{o}} },
		"tuple": func(o py.Object) py.Object { return py.Tuple{o} },
		"dict": func(o py.Object) py.Object {
			d := pyvalue.NewDict()
			_ = d.Set(py.Int(1), o)
			return d
		},
	} {
		deep := nest(20_000, around)
		_, err := pyvalue.ToGo(deep, nil)
		assert.ErrorContains(t, err, "nested more than 10000 levels deep", name)
		_, err = pyvalue.Repr(deep)
		assert.True(t, py.IsException(py.RuntimeError, err), name)
		_, err = pyvalue.Equal(deep, nest(20_000, around))
		assert.True(t, py.IsException(py.RuntimeError, err), name)
		_, err = pyvalue.ToGo(nest(9_000, around), nil)
		assert.NoError(t, err, name)
	}
	deep := nest(200_000, func(o py.Object) py.Object { return py.Tuple{o} })
	assert.True(t, py.IsException(py.RuntimeError, pyvalue.NewDict().Set(deep, py.None)))
}
