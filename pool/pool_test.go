//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pool"
)

func TestCallsGoToAllWorkers(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	pids := map[int]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			err := p.Do(within.Soon(t), func(ctx context.Context, gw *execnet.Gateway) error {
				pid, err := execnet.RemoteCall[int](ctx, gw, "tasks.pid")
				mu.Lock()
				pids[pid] = true
				mu.Unlock()
				for { // until the other one has its worker, too
					mu.Lock()
					both := len(pids) == 2
					mu.Unlock()
					if both || err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
				}
			})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, pids, 2)
	sum, err := pool.Call[int](within.Soon(t), p, "tasks.add", 1, 2, execnet.Kwargs{"z": 4})
	require.NoError(t, err)
	assert.Equal(t, 7, sum)
	stats := p.Stats()
	assert.Equal(t, []int64{3, 0, 0, 2, 0}, []int64{stats.Done, stats.Failed, stats.Retried, stats.Started, stats.Deaths})
	assert.Equal(t, []int{0, 2, 0}, []int{stats.Busy, stats.Idle, stats.Queued})
	assert.Positive(t, stats.Ran)
}

func TestExceptionsAreResults(t *testing.T) {
	p, _ := newPool(t, pool.Options{Retries: 5})
	_, err := pool.Call[int](within.Soon(t), p, "tasks.fail", "as told")
	assert.ErrorIs(t, err, execnet.Exception("ValueError"))
	stats := p.Stats()
	assert.Equal(t, []int64{0, 1, 0, 0}, []int64{stats.Done, stats.Failed, stats.Retried, stats.Deaths})
}

func TestDeaths(t *testing.T) {
	p, l := newPool(t, pool.Options{})
	_, err := pool.Call[any](within.Soon(t), p, "tasks.leave", 3)
	var failed *pool.JobError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, []any{"tasks.leave(3)", 1}, []any{failed.Job, failed.Attempts})
	var died *execnet.GatewayDiedError
	require.ErrorAs(t, err, &died)
	assert.Equal(t, 3, died.Exit.Code)
	assert.Regexp(t, `^execnet: tasks\.leave\(3\) failed in gw\d \(.*\): gateway gw\d died \(exit status 3\)(?s:.*)leaving now`, err.Error())

	_, err = pool.Call[any](within.Soon(t), p, "tasks.die", int(syscall.SIGSEGV))
	require.ErrorAs(t, err, &died)
	assert.Equal(t, syscall.SIGSEGV, died.Exit.Signal)

	for range 4 { // both workers are replaced
		n, err := pool.Call[int](within.Soon(t), p, "tasks.double", 21)
		require.NoError(t, err)
		assert.Equal(t, 42, n)
	}
	assert.Eventually(t, func() bool { return p.Stats().Deaths == 2 && p.Stats().Started == 4 }, 20*time.Second, 5*time.Millisecond)
	assert.Contains(t, l.String(), "worker died")
}

func TestAJobIsTriedAgainElsewhere(t *testing.T) {
	p, l := newPool(t, pool.Options{Retries: 1, Timeout: 3 * time.Second})
	for _, function := range []string{"tasks.leave_once", "tasks.hang_once"} {
		text, err := pool.Call[string](within.Soon(t), p, function, filepath.Join(t.TempDir(), "mark"))
		require.NoError(t, err, function)
		assert.Equal(t, "done", text)
	}
	assert.EqualValues(t, 2, p.Stats().Retried)
	assert.Contains(t, l.String(), "job is tried again")

	_, err := pool.Call[any](within.Soon(t), p, "tasks.leave", 4)
	var failed *pool.JobError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 2, failed.Attempts)
	assert.Contains(t, err.Error(), "failed 2 times, at last in gw")
}

func TestAJobOverItsTimeKillsItsWorker(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, Timeout: time.Second})
	pid, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	_, err = pool.Call[any](within.Soon(t), p, "tasks.hang")
	require.ErrorIs(t, err, execnet.ErrTimeout)
	assert.Contains(t, err.Error(), "tasks.hang() failed in gw0")
	assert.Contains(t, err.Error(), "not done within 1s")
	another, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	assert.NotEqual(t, pid, another)
	requireGone(t, pid)
}

func TestWhoeverGivesUpLosesTheWorkerOnly(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, Retries: 3})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(200*time.Millisecond, func() { cancel(enough) })
	_, err := pool.Call[any](ctx, p, "tasks.hang")
	require.ErrorIs(t, err, enough)
	n, err := pool.Call[int](within.Soon(t), p, "tasks.double", 4)
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	assert.Zero(t, p.Stats().Retried)
	assert.Zero(t, p.Stats().Deaths)

	// One that waits for a worker leaves nothing behind.
	busy := make(chan error, 1)
	go func() { _, err := pool.Call[any](within.Soon(t), p, "tasks.sleep", 1.0); busy <- err }()
	require.Eventually(t, func() bool { return p.Stats().Busy == 1 }, 20*time.Second, time.Millisecond)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	_, err = pool.Call[int](ctx, p, "tasks.double", 4)
	require.ErrorIs(t, err, pool.ErrNotRun)
	require.ErrorIs(t, err, execnet.ErrTimeout)
	require.NoError(t, <-busy)
	assert.Zero(t, p.Stats().Queued)
}

func TestMaxTasks(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, MaxTasks: 3})
	var counts []int
	for range 8 {
		n, err := pool.Call[int](within.Soon(t), p, "tasks.counted")
		require.NoError(t, err)
		counts = append(counts, n)
	}
	assert.Equal(t, []int{1, 2, 3, 1, 2, 3, 1, 2}, counts)
	assert.Zero(t, p.Stats().Deaths)
}

func TestMaxMemory(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, MaxMemory: 128 << 20})
	first, err := pool.Call[int](within.Soon(t), p, "tasks.grow", 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stats := p.Stats()
		return len(stats.Workers) == 1 && stats.Workers[0].Memory > 1<<20
	}, 20*time.Second, time.Millisecond)
	require.Eventually(t, func() bool {
		pid, err := pool.Call[int](within.Soon(t), p, "tasks.grow", 200)
		require.NoError(t, err)
		return pid != first
	}, 20*time.Second, 10*time.Millisecond)
	assert.Zero(t, p.Stats().Deaths)
	requireGone(t, first)
}

func TestReload(t *testing.T) {
	p, _ := newPool(t, pool.Options{})
	before, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	var failed, done atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := pool.Call[int](within.Soon(t), p, "tasks.double", 1); err != nil {
					failed.Add(1)
				} else {
					done.Add(1)
				}
			}
		})
	}
	require.NoError(t, p.Reload(within.Soon(t)))
	stop()
	wg.Wait()
	assert.Zero(t, failed.Load())
	assert.Positive(t, done.Load())
	assert.EqualValues(t, 4, p.Stats().Started)
	requireGone(t, before)
	assert.Zero(t, p.Stats().Deaths)
}

// TestCallWhoseContextEnds costs its worker, if the function does not end.
func TestCallWhoseContextEnds(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}})
	pid, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	_, err = pool.Call[any](within.Time(t, 100*time.Millisecond), p, "tasks.hang")
	require.EqualError(t, err, "execnet: tasks.hang(): timeout")
	require.ErrorIs(t, err, execnet.ErrTimeout)
	requireGone(t, pid)
}

// TestCallWhoseContextHasEnded costs no worker.
func TestCallWhoseContextHasEnded(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}})
	before, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(within.Soon(t))
	cancel()
	_, err = pool.Call[int](ctx, p, "tasks.pid")
	require.ErrorIs(t, err, pool.ErrNotRun)
	require.ErrorIs(t, err, context.Canceled)
	after, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestHealthCheck(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for ten seconds")
	}
	p, l := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, HealthCheck: 100 * time.Millisecond})
	pid, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool { return p.Stats().Started == 2 }, 40*time.Second, 10*time.Millisecond)
	requireGone(t, pid)
	assert.Contains(t, l.String(), "does not answer and is killed")
}

func TestClose(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}})
	results := make(chan error, 3)
	for range 3 {
		go func() { _, err := pool.Call[any](within.Soon(t), p, "tasks.sleep", 0.2); results <- err }()
	}
	require.Eventually(t, func() bool { s := p.Stats(); return s.Busy == 1 && s.Queued == 2 }, 20*time.Second, time.Millisecond)
	require.NoError(t, p.Close(within.Soon(t)))
	for range 3 {
		require.NoError(t, <-results, "what was given to the pool is done")
	}
	_, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.ErrorIs(t, err, pool.ErrClosed)
	require.ErrorIs(t, err, pool.ErrNotRun)
	require.EqualError(t, err, "execnet: the job was not run: tasks.pid(): the pool is closed")
	require.NoError(t, p.Close(within.Soon(t)))
}

func TestCloseInTime(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, Retries: 3})
	pid, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	results := make(chan error, 2)
	for range 2 {
		go func() { _, err := pool.Call[any](within.Soon(t), p, "tasks.hang"); results <- err }()
	}
	require.Eventually(t, func() bool { s := p.Stats(); return s.Busy == 1 && s.Queued == 1 }, 20*time.Second, time.Millisecond)
	require.ErrorIs(t, p.Close(within.Time(t, 100*time.Millisecond)), execnet.ErrTimeout)
	notRun := 0
	for range 2 {
		err := <-results
		require.ErrorIs(t, err, pool.ErrClosed)
		require.ErrorContains(t, err, "tasks.hang(): the pool is closed")
		if errors.Is(err, pool.ErrNotRun) {
			notRun++
		}
	}
	assert.Equal(t, 1, notRun)
	requireGone(t, pid)
}

func TestTheContextEndsThePool(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := pool.New(ctx, pool.Options{Specs: []string{pythons.Default(t).Spec()}, Init: prepare})
	require.NoError(t, err)
	results := make(chan error, 2)
	for range 2 {
		go func() { _, err := pool.Call[any](within.Soon(t), p, "tasks.hang"); results <- err }()
	}
	require.Eventually(t, func() bool { s := p.Stats(); return s.Busy == 1 && s.Queued == 1 }, 20*time.Second, time.Millisecond)
	cancel()
	for range 2 {
		require.ErrorIs(t, <-results, context.Canceled)
	}
	require.NoError(t, p.Close(within.Soon(t)))
}

func TestNoWorkerCanBeStarted(t *testing.T) {
	_, err := pool.New(t.Context(), pool.Options{Specs: []string{"2*popen//python=/no/such/python"}})
	var failed *execnet.MakeGatewaysError
	require.ErrorAs(t, err, &failed)
	assert.Len(t, failed.Failed, 2)

	broken := errors.New("broken")
	_, err = pool.New(t.Context(), pool.Options{Specs: []string{pythons.Default(t).Spec()},
		Init: func(context.Context, *execnet.Gateway) error { return broken }})
	require.ErrorIs(t, err, broken)

	for _, options := range []pool.Options{{Specs: []string{"popen//id=a"}}, {Specs: []string{}}, {Specs: []string{"nonsense"}},
		{Retries: -1}, {Specs: []string{"0*popen"}}} {
		_, err := pool.New(t.Context(), options)
		assert.Error(t, err, "%+v", options)
	}
}

// A pool whose workers cannot be started any more says so, goes on trying, and recovers.
func TestStartsThatFailLater(t *testing.T) {
	broken := errors.New("broken for a while")
	var breaks atomic.Bool
	p, l := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}, Backoff: 10 * time.Millisecond,
		Init: func(ctx context.Context, gw *execnet.Gateway) error {
			if breaks.Load() {
				return broken
			}
			return prepare(ctx, gw)
		}})
	breaks.Store(true)
	_, err := pool.Call[any](within.Soon(t), p, "tasks.leave", 1)
	require.Error(t, err)
	_, err = pool.Call[int](within.Soon(t), p, "tasks.double", 1)
	require.ErrorIs(t, err, pool.ErrNotRun)
	require.ErrorIs(t, err, broken)
	assert.Contains(t, l.String(), "worker cannot be started")
	breaks.Store(false)
	require.Eventually(t, func() bool {
		n, err := pool.Call[int](within.Soon(t), p, "tasks.double", 4)
		return err == nil && n == 8
	}, 30*time.Second, 5*time.Millisecond)
}

func TestOneBadSpecOfTwo(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec(), "popen//python=/no/such/python"}})
	for range 5 {
		_, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
		require.NoError(t, err)
	}
}

func TestAPanicOfAJob(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{pythons.Default(t).Spec()}})
	assert.PanicsWithValue(t, "as told", func() {
		_ = p.Do(within.Soon(t), func(context.Context, *execnet.Gateway) error { panic("as told") })
	})
	n, err := pool.Call[int](within.Soon(t), p, "tasks.double", 4)
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	require.NoError(t, p.Close(within.Soon(t)))
}

func TestAGroupOfTheUser(t *testing.T) {
	group := execnet.NewGroup()
	other, err := group.MakeGateway(within.Soon(t), pythons.Default(t).Spec())
	require.NoError(t, err)
	p, _ := newPool(t, pool.Options{Group: group, Specs: []string{"popen//via=" + other.ID()}})
	n, err := pool.Call[int](within.Soon(t), p, "tasks.double", 4)
	require.NoError(t, err)
	assert.Equal(t, 8, n)
	require.NoError(t, p.Close(within.Soon(t)))
	assert.Equal(t, []*execnet.Gateway{other}, slices.Collect(group.All()))
	require.NoError(t, group.Terminate(within.Soon(t)))
}

// requireGone waits until there is no such process.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return errors.Is(syscall.Kill(pid, 0), os.ErrProcessDone) || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	},
		20*time.Second, 5*time.Millisecond, "process %d", pid)
}

func TestModulesOfTheDriver(t *testing.T) {
	modules := fstest.MapFS{"mine/__init__.py": {Data: []byte("from .sums import total")}, "mine/sums.py": {Data: []byte("def total(*n): return sum(n)")}}
	nothing := func(context.Context, *execnet.Gateway) error { return nil }
	group := execnet.NewGroup()
	for _, options := range []pool.Options{
		{Specs: []string{pythons.Default(t).Spec()}},
		{Specs: []string{pythons.Default(t).Spec() + "//preload=json,mine.sums"}},
		{Specs: []string{pythons.Default(t).Spec()}, Group: group},
	} {
		options.ImportFS, options.Init, options.MaxTasks = modules, nothing, 1
		p, _ := newPool(t, options)
		for range 3 {
			n, err := pool.Call[int](within.Soon(t), p, "mine.total", 1, 2, 4)
			require.NoError(t, err)
			assert.Equal(t, 7, n)
		}
		require.NoError(t, p.Close(within.Soon(t)))
	}
	require.NoError(t, group.Terminate(within.Soon(t)))
}
