//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pool"
)

// many is how many short calls a Map gets in these tests. Nearly all go to workers together.
const many = 3000

// special are inputs of tasks.note, which does what they say there, and notes every input.
func special(path string, at map[int]string) []pool.Args {
	inputs := make([]pool.Args, many)
	for i := range inputs {
		inputs[i] = pool.Args{path, i, at[i]}
	}
	return inputs
}

// requireNotedOnce reads what tasks.note has noted: each input once, whatever became of it.
func requireNotedOnce(t *testing.T, path string, inputs int) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	times := map[string]int{}
	for _, line := range strings.Fields(string(text)) {
		times[line]++
	}
	for i := range inputs {
		require.Equal(t, 1, times[fmt.Sprint(i)], "runs of job %d", i)
	}
}

func TestShortCallsTravelTogether(t *testing.T) {
	group := execnet.NewGroup()
	p, _ := newPool(t, pool.Options{Group: group})
	for _, err := range pool.Map[int](within.Soon(t), p, "tasks.double", numbers(many), pool.Window(many)) {
		require.NoError(t, err)
	}
	var sent, received int64
	for gw := range group.All() {
		stats := gw.Stats()
		sent += stats.MessagesSent
		received += stats.MessagesReceived
	}
	// Where other programs want the processors, calls take longer, and fewer travel together.
	assert.Less(t, sent, received-many/10)
	stats := p.Stats()
	assert.EqualValues(t, many, stats.Done)
	assert.EqualValues(t, many, stats.Workers[0].Done+stats.Workers[1].Done)
	assert.Zero(t, stats.Busy)
	require.NoError(t, p.Close(within.Soon(t)))
	require.NoError(t, group.Terminate(within.Soon(t)))
}

// TestOnlyTheJobThatKillsIsLost has jobs among short ones that end their worker, crash, are killed,
// or hang with the global lock held.
func TestOnlyTheJobThatKillsIsLost(t *testing.T) {
	for _, retries := range []int{0, 1} {
		path := filepath.Join(t.TempDir(), "notes")
		p, _ := newPool(t, pool.Options{Timeout: 3 * time.Second, Retries: retries})
		at := map[int]string{500: "leave", 501: "die", 1200: "hang", 2000: "loop", 2600: "die", 2999: "leave"}
		next := 0
		for result, err := range pool.Map[int](within.Soon(t), p, "tasks.note", slices.Values(special(path, at)), pool.Window(many)) {
			require.Equal(t, next, result.Index)
			if kind := at[next]; kind != "" {
				var failed *pool.JobError
				require.ErrorAs(t, err, &failed, "%d %s", next, kind)
				assert.Equal(t, 1+retries, failed.Attempts, "%d %s", next, kind)
				if kind == "hang" || kind == "loop" {
					assert.ErrorIs(t, err, execnet.ErrTimeout)
				}
			} else {
				require.NoError(t, err, next)
				require.Equal(t, next, result.Value)
			}
			next++
		}
		assert.Equal(t, many, next)
		stats := p.Stats()
		assert.Equal(t, []int64{many - 6, 6, int64(6 * retries)}, []int64{stats.Done, stats.Failed, stats.Retried})
		if retries == 0 {
			requireNotedOnce(t, path, many)
		}
		require.NoError(t, p.Close(within.Soon(t)))
	}
}

// TestALongJobHoldsUpNoOther has a job that waits until all others have ended.
func TestALongJobHoldsUpNoOther(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "notes")
			p, _ := newPool(t, pool.Options{Specs: []string{"2*" + python.Spec()}})
			inputs := special(path, map[int]string{1000: "wait"})
			seen := 0
			for _, err := range pool.Map[int](within.Soon(t), p, "tasks.note", slices.Values(inputs), pool.Window(many), pool.Unordered()) {
				require.NoError(t, err)
				if seen++; seen == many-1 {
					require.NoError(t, os.WriteFile(path+".go", nil, 0o600))
				}
			}
			assert.Equal(t, many, seen)
			requireNotedOnce(t, path, many)
		})
	}
}

func TestALoopThatIsLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	p, _ := newPool(t, pool.Options{Retries: 3})
	seen := 0
	for _, err := range pool.Map[int](within.Soon(t), p, "tasks.note", slices.Values(special(path, nil)), pool.Window(many)) {
		require.NoError(t, err)
		if seen++; seen == many/2 {
			break
		}
	}
	assert.Zero(t, p.Stats().Retried)
	assert.Zero(t, p.Stats().Queued)
	n, err := pool.Call[int](within.Soon(t), p, "tasks.double", 4)
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Fields(string(text))
	assert.GreaterOrEqual(t, len(lines), seen)
	slices.Sort(lines)
	assert.Len(t, slices.Compact(lines), len(lines), "nothing has run twice")
}

// TestMaxTasksOfShortCalls also has new workers, which get several calls at first.
func TestMaxTasksOfShortCalls(t *testing.T) {
	p, _ := newPool(t, pool.Options{MaxTasks: 50})
	counts := map[int]int{}
	for result, err := range pool.Map[int](within.Soon(t), p, "tasks.counted_from", slices.Values(make([]int, 500))) {
		require.NoError(t, err)
		counts[result.Value]++
	}
	for n := range counts {
		assert.LessOrEqual(t, n, 50)
	}
	assert.GreaterOrEqual(t, counts[1], 10)
	assert.Zero(t, p.Stats().Deaths)
}

func TestArgumentsThatCannotBeSent(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	inputs := make([]any, 500)
	for i := range inputs {
		inputs[i] = i
	}
	inputs[300] = func() {}
	for result, err := range pool.Map[int](within.Soon(t), p, "tasks.double", slices.Values(inputs)) {
		var dump *execnet.DumpError
		if result.Index == 300 {
			require.ErrorAs(t, err, &dump)
		} else {
			require.NoError(t, err, result.Index)
		}
	}
	assert.Zero(t, p.Stats().Deaths)
}

// TestCloseWhileShortCallsRun closes a pool whose Map has more to do.
func TestCloseWhileShortCallsRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	p, _ := newPool(t, pool.Options{})
	closed := make(chan error, 1)
	done, notRun := 0, 0
	for _, err := range pool.Map[int](within.Soon(t), p, "tasks.note", slices.Values(special(path, nil)), pool.Window(many)) {
		if err != nil {
			require.ErrorIs(t, err, pool.ErrNotRun)
			require.ErrorIs(t, err, pool.ErrClosed)
			notRun++
		} else if done++; done == 100 {
			go func() { closed <- p.Close(context.Background()) }()
		}
	}
	require.NoError(t, <-closed)
	assert.Equal(t, many, done+notRun)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Len(t, strings.Fields(string(text)), done, "what has not been run has not been begun")
}
