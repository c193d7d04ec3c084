package serializer_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

// costSize is how long the values are whose memory is measured.
const costSize = 2 << 20

// repeated is a tuple of equal values that fill costSize.
func repeated(unit string) string {
	n := costSize / len(unit)
	return strings.Repeat(unit, n) + n32('@', int32(n)) + "Q"
}

// listOf is a list of equal values that fill costSize.
func listOf(unit string) string {
	n := costSize / (len(unit) + 6)
	var b strings.Builder
	b.WriteString(n32('K', int32(n)))
	for i := range n {
		b.WriteString(n32('F', int32(i)) + unit + "P")
	}
	return b.String() + "Q"
}

// distinct is what comes out of joining make(0), make(1) and so on until costSize, with tail of
// their number behind.
func distinct(make func(i int) string, tail func(n int) string) string {
	var b strings.Builder
	n := 0
	for ; b.Len() < costSize; n++ {
		b.WriteString(make(n))
	}
	return b.String() + tail(n) + "Q"
}

func ending(op byte) func(n int) string { return func(n int) string { return n32(op, int32(n)) } }

func empty(int) string { return "" }

var number = func(i int) string { return n32('F', int32(i)) }

// costly are the values that take most memory for their size.
var costly = map[string]struct {
	data func() string
	// refused says that no program sends such a value, and that it would take more than it may.
	refused bool
	into    func() any // a Go variable to load into, nil for any
}{
	"empty lists":       {data: func() string { return repeated(n32('K', 0)) }},
	"empty sets":        {data: func() string { return repeated(n32('O', 0)) }},
	"empty frozensets":  {data: func() string { return repeated(n32('E', 0)) }},
	"empty tuples":      {data: func() string { return repeated(n32('@', 0)) }},
	"nones":             {data: func() string { return repeated("L") }},
	"tuples of one":     {data: func() string { return repeated("L" + n32('@', 1)) }},
	"sets of one":       {data: func() string { return repeated("L" + n32('O', 1)) }},
	"frozensets of one": {data: func() string { return repeated("L" + n32('E', 1)) }},
	"dicts of one":      {data: func() string { return repeated("JLLP") }},
	"tuples of two":     {data: func() string { return repeated("LL" + n32('@', 2)) }},
	"empty strings":     {data: func() string { return repeated(n32('N', 0)) }},
	"empty bytes":       {data: func() string { return repeated(n32('A', 0)) }},
	"strings of one":    {data: func() string { return repeated(n32('N', 1) + "x") }},
	"latin-1":           {data: func() string { return repeated(n32('M', 1) + "\xff") }},
	"ints":              {data: func() string { return repeated(n32('F', 1000)) }},
	"digits":            {data: func() string { return repeated(n32('H', 1) + "5") }},
	"large ints":        {data: func() string { return repeated(n32('H', 19) + "9999999999999999999") }},
	"list of dicts":     {data: func() string { return listOf("J") }},
	"list of sets":      {data: func() string { return listOf(n32('O', 0)) }},
	"list of nones":     {data: func() string { return listOf("L") }},
	"list of ints":      {data: func() string { return listOf(n32('F', 1000)) }},
	"dict of dicts":     {data: func() string { return "J" + distinct(func(i int) string { return number(i) + "JP" }, empty) }},
	"dict of strings": {data: func() string {
		return "J" + distinct(func(i int) string { return n32('N', 7) + fmt.Sprintf("%07d", i) + n32('N', 0) + "P" }, empty)
	}},
	"set":           {data: func() string { return distinct(number, ending('O')) }},
	"frozenset":     {data: func() string { return distinct(number, ending('E')) }},
	"set of tuples": {data: func() string { return distinct(func(i int) string { return number(i) + n32('@', 1) }, ending('O')) }},

	"empty dicts":    {data: func() string { return repeated("J") }, refused: true},
	"one key":        {data: func() string { return "J" + strings.Repeat("LJP", costSize/3) + "Q" }, refused: true},
	"one item":       {data: func() string { return strings.Repeat("L", costSize) + n32('O', costSize) + "Q" }, refused: true},
	"channels":       {data: func() string { return distinct(func(i int) string { return n32('B', int32(i)) }, ending('@')) }, refused: true},
	"dicts unclosed": {data: func() string { return strings.Repeat("J", costSize) }, refused: true},

	"large structs":  {data: func() string { return repeated("LL" + n32('@', 2)) }, into: func() any { return new([][]struct{ A [100]int }) }, refused: true},
	"large pointers": {data: func() string { return repeated("JLLP") }, into: func() any { return new([]*struct{ A [100]int }) }, refused: true},
	"maps":           {data: func() string { return repeated("JLLP") }, into: func() any { return new([]map[string][4]int) }, refused: true},
	"set maps":       {data: func() string { return repeated("L" + n32('O', 1)) }, into: func() any { return new([]map[string]struct{}) }, refused: true},
	"slices":         {data: func() string { return repeated(n32('@', 0)) }, into: func() any { return new([][]int) }},
	"pointers":       {data: func() string { return listOf("J") }, into: func() any { return new([]*struct{ A int }) }},
}

// A value takes at most 24 times its size and 1 MiB, while it is loaded and afterwards. Each one is
// loaded in a process of its own, whose collector keeps close to what is in use.
func TestCostIsBounded(t *testing.T) {
	if name := os.Getenv("SERIALIZER_TEST_COST"); name != "" {
		measureCost(t, name)
		return
	}
	for name := range costly {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCostIsBounded$", "-test.v")
			cmd.Env = append(os.Environ(), "SERIALIZER_TEST_COST="+name, "GOGC=10")
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s", out)
			assert.Contains(t, string(out), "measured:")
		})
	}
}

func measureCost(t *testing.T, name string) {
	c := costly[name]
	data := []byte(c.data())
	codec := serializer.Codec{Channels: table{}}
	debug.FreeOSMemory()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, peak := make(chan bool), make(chan uint64)
	go func() {
		var m runtime.MemStats
		most := uint64(0)
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	var v any
	var err error
	if c.into == nil {
		v, err = codec.Load(data)
	} else {
		v = c.into()
		err = codec.Unmarshal(data, v)
	}
	stop <- true
	most := <-peak
	if c.refused {
		var le *serializer.LoadError
		require.ErrorAs(t, err, &le)
		assert.Contains(t, err.Error(), "MaxCost")
	} else {
		require.NoError(t, err)
	}
	runtime.KeepAlive(v)
	cost := int64(most-before.HeapAlloc) - 1<<20
	t.Logf("measured: %.1f times the size", float64(cost)/float64(len(data)))
	// The collector, which lets a tenth more than what is in use come up, is not the value's.
	assert.Less(t, float64(cost), 1.1*serializer.DefaultMaxCost*float64(len(data)))
}

// What a program sends is never refused, whatever it is made of.
func TestHonestValuesAreLoaded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var value func(depth int) any
	value = func(depth int) any {
		kind := r.IntN(13)
		if depth == 0 {
			kind = r.IntN(8)
		}
		switch kind {
		case 0:
			return nil
		case 1:
			return r.IntN(2) == 0
		case 2:
			return r.IntN(1 << 31)
		case 3:
			return r.Int64()
		case 4:
			return r.Float64()
		case 5:
			return strings.Repeat("é", r.IntN(20))
		case 6:
			return []byte(strings.Repeat("x", r.IntN(20)))
		case 7:
			return complex(r.Float64(), 1)
		}
		n := r.IntN(30)
		items := make([]any, n)
		for i := range items {
			items[i] = value(depth - 1)
		}
		switch kind {
		case 8, 9:
			return items
		case 10:
			return serializer.Tuple(items)
		case 11:
			d := serializer.NewDict()
			for i, item := range items {
				require.NoError(t, d.Set(i, item))
			}
			return d
		default:
			s := serializer.NewSet()
			for range n {
				require.NoError(t, s.Add(r.IntN(1000)))
			}
			return s
		}
	}
	for range 50 {
		data, err := serializer.Dumps([]any{value(5), value(5), value(5)})
		require.NoError(t, err)
		_, err = serializer.Loads(data)
		require.NoError(t, err)
	}
	for name, v := range map[string]any{
		"ints":       make([]int, 2_000_000),
		"nones":      make(serializer.Tuple, 1_000_000),
		"nested":     [][][]int{make([][]int, 300_000)},
		"maps":       slicesOf(func() map[string]string { return map[string]string{"a": ""} }),
		"empty maps": slicesOf(func() map[string]string { return map[string]string{} }),
	} {
		data, err := serializer.Dumps(v)
		require.NoError(t, err)
		_, err = serializer.Loads(data)
		require.NoError(t, err, name)
	}
}

func slicesOf[T any](f func() T) []T {
	all := make([]T, 100_000)
	for i := range all {
		all[i] = f()
	}
	return all
}

func TestMaxCost(t *testing.T) {
	data := "\x02" + strings.Repeat("J", 100_000) + n32('@', 100_000) + "Q"
	_, err := serializer.Loads([]byte(data))
	assert.ErrorContains(t, err, "more memory than 24 times its 100006 bytes")
	var dicts []struct{}
	assert.ErrorContains(t, serializer.Unmarshal([]byte(data), &dicts), "MaxCost")
	for _, times := range []int{100, math.MaxInt} {
		v, err := serializer.Loads([]byte(data), serializer.MaxCost(times))
		require.NoError(t, err)
		assert.Len(t, v, 100_000)
	}
}

// A large value is not loaded to its end when nobody wants it any more.
func TestLoadingCanBeEnded(t *testing.T) {
	errEnded := errors.New("ended")
	looks := 0
	c := serializer.Codec{Ended: func() error {
		if looks++; looks > 5 {
			return errEnded
		}
		return nil
	}}
	data, err := c.Append(nil, make([]int, 1_000_000))
	require.NoError(t, err)
	_, err = c.Load(data)
	assert.ErrorIs(t, err, errEnded)
	assert.Equal(t, 6, looks)
	looks = -10
	_, err = c.Load(data)
	assert.ErrorIs(t, err, errEnded, "while values are built")
	looks = -10
	var ints []int
	assert.ErrorIs(t, c.Unmarshal(data, &ints), errEnded)
	looks = 5
	small, err := c.Append(nil, make([]int, 10))
	require.NoError(t, err)
	_, err = c.Load(small)
	assert.NoError(t, err, "a small value takes no time")
}
