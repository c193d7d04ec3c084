package serializer_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

func TestArrayOf(t *testing.T) {
	type meters float32
	for name, test := range map[string]struct {
		value any
		dtype string
		shape []int
		size  int
	}{
		"float64":       {[]float64{1, 2}, "<f8", []int{2}, 16},
		"rows":          {[][]int32{{1, 2, 3}, {4, 5, 6}}, "<i4", []int{2, 3}, 24},
		"array":         {[2][3]uint16{}, "<u2", []int{2, 3}, 12},
		"int":           {[]int{1}, "<i8", []int{1}, 8},
		"bool":          {[]bool{true}, "|b1", []int{1}, 1},
		"bytes":         {[]byte{1, 2}, "|u1", []int{2}, 2},
		"complex":       {[]complex64{1i}, "<c8", []int{1}, 8},
		"named":         {[]meters{1}, "<f4", []int{1}, 4},
		"scalar":        {3.5, "<f8", []int{}, 8},
		"nil":           {[]float64(nil), "<f8", []int{0}, 0},
		"no rows":       {[][]float64{}, "<f8", []int{0, 0}, 0},
		"no columns":    {[][]float64{{}, nil}, "<f8", []int{2, 0}, 0},
		"arrays, empty": {[][3]int8{}, "|i1", []int{0, 3}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := serializer.ArrayOf(test.value)
			require.NoError(t, err)
			if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
				test.dtype = strings.Replace(test.dtype, "<", ">", 1)
			}
			assert.Equal(t, test.dtype, a.DType)
			assert.Equal(t, test.shape, a.Shape)
			assert.Len(t, a.Data, test.size)
		})
	}
	for name, value := range map[string]any{
		"nil": nil, "text": "text", "texts": []string{"a"}, "ragged": [][]int{{1}, {}}, "any": []any{1},
		"ragged deep": [][][]int{{{1}}, {{1, 2}}}, "pointers": []*int{nil},
	} {
		_, err := serializer.ArrayOf(value)
		var de *serializer.DumpError
		assert.ErrorAs(t, err, &de, name)
	}
	_, err := serializer.ArrayOf([][]int{{1, 2}, {3}})
	assert.EqualError(t, err, "execnet: cannot serialize [1]: 1 items where an array of the shape [2 2] has 2")
}

func TestArrayInto(t *testing.T) {
	big := serializer.NDArray{DType: ">i2", Shape: []int{2, 2}, Data: []byte{0, 1, 0xff, 0xff, 1, 0, 0, 0}}
	var ints [][]int
	require.NoError(t, big.Into(&ints))
	assert.Equal(t, [][]int{{1, -1}, {256, 0}}, ints)
	var floats [2][2]float32
	require.NoError(t, big.Into(&floats))
	assert.Equal(t, [2][2]float32{{1, -1}, {256, 0}}, floats)
	for name, target := range map[string]any{
		"negative": new([][]uint), "too large": new([][]int8), "flat": new([]int), "texts": new([][]string),
		"short": new([1][2]int), "no pointer": 3, "nil": nil, "bools": new([][]bool),
	} {
		var le *serializer.LoadError
		assert.ErrorAs(t, big.Into(target), &le, name)
	}
	wide := serializer.NDArray{DType: "<u8", Shape: []int{1}, Data: []byte{1, 0, 0, 0, 0, 0, 0, 0x80}}
	assert.Error(t, wide.Into(new([]float64)), "a float64 does not hold it exactly")
	assert.Error(t, wide.Into(new([]int64)))
	var unsigned []uint64
	require.NoError(t, wide.Into(&unsigned))
	assert.Equal(t, []uint64{1<<63 + 1}, unsigned)
	var number complex128
	require.NoError(t, serializer.NDArray{DType: "<f8", Shape: nil, Data: make([]byte, 8)}.Into(&number))
}

// TestArrayHostile loads descriptions of arrays that are none.
func TestArrayHostile(t *testing.T) {
	for name, a := range map[string]serializer.NDArray{
		"no dtype":  {Shape: []int{1}, Data: []byte{1}},
		"objects":   {DType: "|O8", Shape: []int{1}, Data: make([]byte, 8)},
		"half":      {DType: "<f2", Shape: []int{1}, Data: make([]byte, 2)},
		"no order":  {DType: "|i8", Shape: []int{1}, Data: make([]byte, 8)},
		"short":     {DType: "<i8", Shape: []int{2}, Data: make([]byte, 8)},
		"negative":  {DType: "|i1", Shape: []int{-1, -1}, Data: []byte{1}},
		"overflow":  {DType: "|i1", Shape: []int{1 << 32, 1 << 32, 1 << 32}, Data: nil},
		"too many":  {DType: "<i8", Shape: []int{math.MaxInt/8 + 1}, Data: nil},
		"empty, no": {DType: "x", Data: []byte{1}},
	} {
		data, err := serializer.Dumps(a)
		require.NoError(t, err)
		_, err = serializer.ArrayView[int8](a)
		var le *serializer.LoadError
		assert.ErrorAs(t, err, &le, name)
		var target []int8
		assert.ErrorAs(t, serializer.Unmarshal(data, &target), &le, name)
	}
	// Many rows of nothing take no bytes on the wire.
	data, err := serializer.Dumps(serializer.NDArray{DType: "|i1", Shape: []int{1 << 40, 0}})
	require.NoError(t, err)
	assert.ErrorContains(t, serializer.Unmarshal(data, new([][]int8)), "it takes more memory")
	data, err = serializer.Dumps(map[string]any{"dtype": "<i8", "other": 1})
	require.NoError(t, err)
	assert.ErrorContains(t, serializer.Unmarshal(data, new([]int)), "a Python dict does not fit a Go []int")
}

func TestArrayView(t *testing.T) {
	a, err := serializer.ArrayOf([][]float32{{1, 2}})
	require.NoError(t, err)
	view, err := serializer.ArrayView[float32](a)
	require.NoError(t, err)
	view[1] = 7
	var rows [][]float64
	require.NoError(t, a.Into(&rows))
	assert.Equal(t, [][]float64{{1, 7}}, rows)
	_, err = serializer.ArrayView[float64](a)
	assert.EqualError(t, err, fmt.Sprintf("execnet: cannot load the value (byte 0): an array of dtype %q is not in memory as a Go []float64", a.DType))

	// At an odd address, as it may come from the wire.
	odd := append(make([]byte, 1, 9), a.Data...)[1:]
	view, err = serializer.ArrayView[float32](serializer.NDArray{DType: a.DType, Shape: a.Shape, Data: odd})
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 7}, view)
}
