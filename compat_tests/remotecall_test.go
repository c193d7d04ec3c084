package compat_tests

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestRemoteCall calls functions of Python modules by name, in both workers of every CPython.
func TestRemoteCall(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		gw := gateway(t, w.spec())
		root, err := execnet.RemoteCall[float64](within.Soon(t), gw, "math.sqrt", 16)
		require.NoError(t, err)
		assert.Equal(t, 4.0, root)
		path, err := gw.RemoteCall(within.Soon(t), "posixpath.join", "a", "b")
		require.NoError(t, err)
		assert.Equal(t, "a/b", path)
		sorted, err := execnet.RemoteCall[[]int](within.Soon(t), gw, "sorted", []int{2, 3, 1}, execnet.Kwargs{"reverse": true})
		require.NoError(t, err)
		assert.Equal(t, []int{3, 2, 1}, sorted)

		for function, class := range map[string]string{
			"math.sqrt": "ValueError", "no_such_module.f": "ImportError", "math.no_such_function": "AttributeError",
		} {
			_, err := gw.RemoteCall(within.Soon(t), function, -1)
			var remote *gatewaybase.RemoteError
			require.ErrorAs(t, err, &remote, function)
			if class == "ImportError" && remote.Exception() == "ModuleNotFoundError" {
				class = remote.Exception() // since Python 3.6
			}
			assert.Equal(t, class, remote.Exception(), remote.Formatted)
		}
		for function, problem := range map[string]string{
			"math": "no builtin is named 'math'", "os.path": "os.path is a module", "math.pi": "math.pi is no function: 'float' object is not callable",
		} {
			for range 2 { // where it was found is remembered
				_, err := gw.RemoteCall(within.Soon(t), function)
				require.ErrorContains(t, err, problem)
				_, err = execnet.New(within.Soon(t), gw, function)
				if w.dir == "" {
					require.ErrorContains(t, err, problem)
				}
			}
		}
		if w.dir == "" {
			for function, advice := range map[string]string{"iter": "RemoteIter iterates over it", "object": "New makes a handle of it"} {
				var args []any
				if function == "iter" {
					args = append(args, "text")
				}
				_, err := gw.RemoteCall(within.Soon(t), function, args...)
				require.ErrorContains(t, err, " cannot be sent; "+advice)
				assert.NotContains(t, err.Error(), "During handling")
			}
		}
	})
}

// TestRemoteCallInGpython calls functions of gpython's modules in a Go worker that has no CPython.
func TestRemoteCallInGpython(t *testing.T) {
	independent(t)
	for name, spec := range map[string]string{
		"wanted": "popen//self//engine=gpython", "alone": "popen//self//env:EXECNET_ENGINE=auto//env:PATH=/nowhere",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw, ctx := gateway(t, spec), within.Soon(t)
			sums, err := execnet.RemoteCall[[]float64](ctx, gw, "arrays.row_sums", [][]float64{{1, 2}})
			require.NoError(t, err, "a Go function")
			assert.Equal(t, []float64{3}, sums)
			root, err := execnet.RemoteCall[float64](ctx, gw, "math.sqrt", 16)
			require.NoError(t, err)
			assert.Equal(t, 4.0, root)
			sorted, err := execnet.RemoteCall[[]int](ctx, gw, "sorted", []int{2, 3, 1}, execnet.Kwargs{"reverse": true})
			require.NoError(t, err)
			assert.Equal(t, []int{3, 2, 1}, sorted)
			for function, class := range map[string]string{
				"math.sqrt": "ValueError", "no_such_module.f": "ModuleNotFoundError", "math.no_such_function": "AttributeError",
				"arrays.no_such_function": "AttributeError", "math.pi": "TypeError",
			} {
				_, err := gw.RemoteCall(ctx, function, -1)
				var remote *gatewaybase.RemoteError
				require.ErrorAs(t, err, &remote, function)
				assert.Equal(t, class, remote.Exception(), remote.Formatted)
				lacks := name == "alone" && (function == "no_such_module.f" || function == "math.no_such_function")
				assert.Equal(t, lacks, strings.Contains(remote.Formatted, "A CPython would have run it"), remote.Formatted)
			}

			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_, err = gw.RemoteCall(short, "time.sleep", 3600)
			require.ErrorIs(t, err, execnet.ErrTimeout)
			require.Eventually(t, func() bool {
				status, err := gw.RemoteStatus(ctx)
				return err == nil && status.NumExecuting == 0
			}, 2*time.Minute, 10*time.Millisecond, "the call ends at the far end, too")
		})
	}
}
