//go:build unix

package compat_tests

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestNumpy calls functions of numpy, which is in the interpreter that has execnet.
func TestNumpy(t *testing.T) {
	independent(t)
	gw := makeGateway(t, newGroup(t, new(textbuffer.Buffer)), "popen//python="+pythons.WithExecnet(t))
	for function, test := range map[string]struct {
		args []any
		want any
	}{
		"numpy.sum":     {[]any{[]int{1, 2, 4}}, int64(7)},
		"numpy.mean":    {[]any{[]float64{1, 2}}, 1.5},
		"numpy.float32": {[]any{0.25}, 0.25},
		"numpy.any":     {[]any{[]bool{false, true}}, true},
		"numpy.str_":    {[]any{"a"}, "a"},
		"numpy.array":   {[]any{3}, int64(3)},
		"numpy.flip":    {[]any{[]string{"a", "b"}}, []any{"b", "a"}},
	} {
		got, err := gw.RemoteCall(within.Soon(t), function, test.args...)
		require.NoError(t, err, function)
		assert.Equal(t, test.want, got, function)
	}
	got, err := gw.RemoteCall(within.Soon(t), "numpy.array", []any{nil, "a"})
	require.NoError(t, err)
	assert.Equal(t, []any{nil, "a"}, got)
}

// TestArrays sends arrays to functions of numpy and takes what they return.
func TestArrays(t *testing.T) {
	independent(t)
	g := newGroup(t, new(textbuffer.Buffer))
	python := pythons.WithExecnet(t)
	for name, spec := range map[string]string{
		"Python":    "popen//python=" + python,
		"gevent":    "popen//execmodel=gevent//python=" + python,
		"behind Go": "popen//self" + hasBehind(python),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := within.Soon(t)
			gw := makeGateway(t, g, spec)
			rows := [][]float64{{1, 2, 3}, {4, 5, 6}}
			array, err := execnet.ArrayOf(rows)
			require.NoError(t, err)

			// It is not contiguous there.
			a, err := execnet.RemoteCall[execnet.NDArray](ctx, gw, "numpy.transpose", array)
			require.NoError(t, err)
			assert.Equal(t, "<f8", a.DType)
			assert.Equal(t, []int{3, 2}, a.Shape)
			view, err := execnet.ArrayView[float64](a)
			require.NoError(t, err)
			assert.Equal(t, []float64{1, 4, 2, 5, 3, 6}, view)

			back, err := execnet.RemoteCall[[][]float64](ctx, gw, "numpy.multiply", array, 2)
			require.NoError(t, err)
			assert.Equal(t, [][]float64{{2, 4, 6}, {8, 10, 12}}, back)

			// As keyword arguments, within others, and within results.
			pair, err := execnet.RemoteCall[struct{ A, B []int }](ctx, gw, "builtins.dict",
				[]any{[]any{"A", must(execnet.ArrayOf([]int8{-1, 2}))}}, execnet.Kwargs{"B": must(execnet.ArrayOf([]uint16{3}))})
			require.NoError(t, err)
			assert.Equal(t, struct{ A, B []int }{[]int{-1, 2}, []int{3}}, pair)
			counts, err := execnet.RemoteCall[struct {
				Values []int `execnet:"values"`
				Counts []int `execnet:"counts"`
			}](ctx, gw, "builtins.dict", execnet.Kwargs{"values": array, "counts": array})
			assert.Error(t, err, "%v", counts)

			// It can be written to there, and the numbers are numpy's.
			_, err = gw.RemoteCall(ctx, "numpy.ndarray.sort", array)
			require.NoError(t, err)
			for _, dtype := range []string{"?", "i1", "<u2", ">i4", "<i8", ">f4", "<f8", "<c8", ">c16"} {
				got, err := execnet.RemoteCall[[]complex128](ctx, gw, "numpy.array", []int{0, 1}, execnet.Kwargs{"dtype": dtype})
				if dtype == "?" {
					require.Error(t, err)
					got, err := execnet.RemoteCall[[]bool](ctx, gw, "numpy.array", []int{0, 1}, execnet.Kwargs{"dtype": dtype})
					require.NoError(t, err)
					assert.Equal(t, []bool{false, true}, got)
					continue
				}
				require.NoError(t, err, dtype)
				assert.Equal(t, []complex128{0, 1}, got, dtype)
			}
			empty, err := execnet.RemoteCall[[][]float32](ctx, gw, "numpy.zeros", execnet.Tuple{2, 0})
			require.NoError(t, err)
			assert.Equal(t, [][]float32{{}, {}}, empty)
			_, err = gw.RemoteCall(ctx, "numpy.sum", must(execnet.ArrayOf([][]int{})))
			require.NoError(t, err)

			large := make([]float64, 3<<20)
			for i := range large {
				large[i] = float64(i)
			}
			got, err := execnet.RemoteCall[[]float64](ctx, gw, "numpy.negative", must(execnet.ArrayOf(large)))
			require.NoError(t, err)
			require.Len(t, got, len(large))
			assert.Equal(t, -float64(len(large)-1), got[len(got)-1])
		})
	}
	t.Run("Go functions", func(t *testing.T) {
		ctx := within.Soon(t)
		gw := makeGateway(t, g, "popen//self"+hasBehind(python))
		array := must(execnet.ArrayOf([][]float64{{1, 2}, {3, 4}}))
		sums, err := execnet.RemoteCall[[]float64](ctx, gw, "arrays.row_sums", array)
		require.NoError(t, err)
		assert.Equal(t, []float64{3, 7}, sums)
		twice, err := execnet.RemoteCall[[][]float64](ctx, gw, "arrays.doubled", array)
		require.NoError(t, err)
		assert.Equal(t, [][]float64{{2, 4}, {6, 8}}, twice)
		ch, err := gw.RemoteExec(ctx, `
			import arrays, numpy
			a = numpy.arange(6.0).reshape(2, 3)
			channel.send(arrays.row_sums(a))
			channel.send(arrays.row_sums(a.T))
			channel.send(arrays.size(a))
			channel.send(arrays.row_sums(numpy.ones((3, 100000))))
			channel.send(arrays.doubled(a))
		`)
		require.NoError(t, err)
		for _, want := range []any{[]any{3.0, 12.0}, []any{3.0, 5.0, 7.0}, int64(48), []any{1e5, 1e5, 1e5}} {
			got, err := ch.Receive(ctx)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		got, err := execnet.Receive[[][]float64](ctx, ch)
		require.NoError(t, err)
		assert.Equal(t, [][]float64{{0, 2, 4}, {6, 8, 10}}, got)
	})
	pip, err := g.MakeGateway(within.Soon(t), "popen//bootstrap=import//python="+python)
	require.NoError(t, err)
	_, err = pip.RemoteCall(within.Soon(t), "numpy.sum", must(execnet.ArrayOf([]int{1})))
	assert.ErrorContains(t, err, "takes no arrays as arguments")
	for _, err := range execnet.RemoteIter[int](within.Soon(t), pip, "builtins.iter", must(execnet.ArrayOf([]int{1}))) {
		assert.ErrorContains(t, err, "takes no arrays as arguments")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
