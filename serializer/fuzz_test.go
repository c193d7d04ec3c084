package serializer_test

import (
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

func addSeeds(f *testing.F) {
	for _, g := range golden {
		f.Add([]byte(g.dump)[1:])
	}
	for _, data := range []string{
		n32('B', 3) + "Q", n32('M', 2) + "a\xffQ", n32('S', 1) + "aQ", n32('G', 1) + "Q", n32('I', 1) + "1Q",
		n32('K', 2) + n32('F', -1) + "LP" + n32('F', 0) + n32('B', 1) + "PQ", "JJ" + n32('@', 2) + "Q",
		n32('K', 1<<31-1) + "Q", "LL" + n32('O', 2) + n32('E', 1) + n32('@', 1) + "Q",
		"J" + n32('N', 2) + "ID" + n32('F', 5) + "P" + n32('N', 4) + "Next" + "JPQ",
	} {
		f.Add([]byte(data))
	}
}

type fuzzTarget struct {
	ID    int16
	Name  string
	Next  *fuzzTarget
	List  []fuzzTarget
	Map   map[string][]float32
	Set   map[any]struct{}
	Any   any
	Tup   serializer.Tuple
	Bytes [2]byte
	Dict  serializer.Dict
}

// Whatever the bytes are, nothing panics, nothing takes more memory than they justify, and all ways
// of reading agree on whether they are sound.
func FuzzLoads(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		codec := serializer.Codec{Channels: table{}, MaxDepth: 1000}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := codec.Load(data[:len(data):len(data)])
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+1000*uint64(len(data)) {
			t.Fatalf("%d bytes of input took %d bytes of memory", len(data), grown)
		}
		idErr := new(serializer.Codec).ChannelIDs(data, func(int32) error { return nil })
		public, publicErr := serializer.Loads(append([]byte{2}, data...))
		var le *serializer.LoadError
		for _, e := range []error{err, idErr, publicErr} {
			if e != nil {
				require.ErrorAs(t, e, &le)
				require.GreaterOrEqual(t, le.Offset, int64(0))
				require.LessOrEqual(t, le.Offset, int64(len(data)+1))
			}
		}
		if err == nil {
			require.NoError(t, idErr)
			out, err := codec.Append(nil, v)
			require.NoError(t, err)
			again, err := codec.Load(out)
			require.NoError(t, err)
			third, err := codec.Append(nil, again)
			require.NoError(t, err)
			require.Equal(t, string(out), string(third))
		}
		if publicErr == nil {
			require.NoError(t, err)
			require.Equal(t, serializer.Repr(public), serializer.Repr(v))
		}
		for _, target := range []any{new(any), new(fuzzTarget), new([]fuzzTarget), new(map[string]any), new([]int), new(serializer.Set),
			new([]any), new(map[any]any)} {
			targetErr := codec.Unmarshal(data, target)
			if idErr != nil {
				require.Error(t, targetErr)
			}
			if targetErr != nil && !errors.As(targetErr, &le) {
				t.Fatalf("a %T", targetErr)
			}
			if p, ok := target.(*any); ok {
				require.Equal(t, err == nil, targetErr == nil)
				require.Equal(t, serializer.Repr(v), serializer.Repr(*p))
			}
		}
	})
}

// What loads is what was dumped, and dumping is a function of the value.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(1), "text", []byte("bytes"), 1.5, uint8(3))
	f.Add(int64(-1<<63), "\xff", []byte{}, math.Copysign(0, -1), uint8(0))
	f.Fuzz(func(t *testing.T, i int64, s string, b []byte, x float64, n uint8) {
		d := serializer.NewDict(i, s, b, x)
		for k := range n {
			require.NoError(t, d.Set(tuple{int64(k), i}, []any{s, serializer.NewFrozenSet(b, x)}))
		}
		v := []any{d, tuple{i, s, b, x, complex(x, x)}, serializer.NewSet(s, b)}
		data, err := serializer.Dumps(v)
		if err != nil {
			var de *serializer.DumpError
			require.ErrorAs(t, err, &de)
			require.Contains(t, err.Error(), "UTF-8")
			return
		}
		got, err := serializer.Loads(data)
		require.NoError(t, err)
		require.Equal(t, canonical(v), canonical(got))
		var typed []any
		require.NoError(t, serializer.Unmarshal(data, &typed))
		require.Equal(t, canonical(v), canonical(typed))
	})
}
