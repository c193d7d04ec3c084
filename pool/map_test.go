//go:build unix

package pool_test

import (
	"context"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pool"
)

func numbers(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestMapInOrder(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	next := 0
	for result, err := range pool.Map[int](within.Soon(t), p, "tasks.double", numbers(500)) {
		require.NoError(t, err)
		require.Equal(t, pool.Result[int]{Index: next, Value: 2 * next}, result)
		next++
	}
	assert.Equal(t, 500, next)
	for range pool.Map[int](within.Soon(t), p, "tasks.double", numbers(0)) {
		t.Error("there are no inputs")
	}
	var sums []int
	for result, err := range pool.Map[int](within.Soon(t), p, "tasks.add", slices.Values([]pool.Args{{1, 2}, {3, 4, execnet.Kwargs{"z": 5}}})) {
		require.NoError(t, err)
		sums = append(sums, result.Value)
	}
	assert.Equal(t, []int{3, 12}, sums)
}

func TestMapUnordered(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	var order []int
	for result, err := range pool.Map[float64](within.Soon(t), p, "tasks.sleep", slices.Values([]float64{1, 0, 0, 0}), pool.Unordered()) {
		require.NoError(t, err)
		order = append(order, result.Index)
	}
	assert.Equal(t, 0, order[3])
	slices.Sort(order)
	assert.Equal(t, []int{0, 1, 2, 3}, order)
}

func TestMapTakesNoMoreThanItsWindow(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	var taken atomic.Int64
	endless := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
			taken.Add(1)
		}
	}
	seen := 0
	for _, err := range pool.Map[int](within.Soon(t), p, "tasks.double", endless, pool.Window(3)) {
		require.NoError(t, err)
		seen++
		assert.LessOrEqual(t, int(taken.Load()), seen+3)
		if seen == 100 {
			break
		}
	}
}

// Results come although the next input does not, and ctx ends a Map whose inputs do not come.
func TestMapWithInputsThatDoNotCome(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	inputs := make(chan int, 1)
	inputs <- 5
	defer close(inputs)
	each := func(yield func(int) bool) {
		for i := range inputs {
			if !yield(i) {
				return
			}
		}
	}
	ctx, cancel := context.WithCancel(within.Soon(t))
	defer cancel()
	seen := 0
	for result, err := range pool.Map[int](ctx, p, "tasks.double", each) {
		if seen++; seen == 1 {
			require.NoError(t, err)
			require.Equal(t, 10, result.Value)
			cancel()
			continue
		}
		require.ErrorIs(t, err, pool.ErrNotRun)
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Equal(t, 2, seen)
}

func TestMapAmongCrashes(t *testing.T) {
	folder := t.TempDir()
	p, _ := newPool(t, pool.Options{Specs: []string{"3*" + pythons.Default(t).Spec()}, Retries: 1, Timeout: 3 * time.Second})
	var paths []string
	for i := range 12 {
		paths = append(paths, filepath.Join(folder, strconv.Itoa(i)))
	}
	for result, err := range pool.Map[string](within.Time(t, time.Minute), p, "tasks.leave_once", slices.Values(paths)) {
		require.NoError(t, err)
		require.Equal(t, "done", result.Value)
	}
	for result, err := range pool.Map[int](within.Soon(t), p, "tasks.fail", numbers(5)) {
		assert.ErrorIs(t, err, execnet.Exception("ValueError"), result.Index)
	}
}
