package compat_tests

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// yielding is a module with generators. closed holds what has been closed, by name.
const yielding = `
import datetime, os, sys, threading, types
yielding = types.ModuleType("yielding")
yielding.__dict__.update(datetime=datetime, os=os, sys=sys, threading=threading, sleep=channel.gateway.execmodel.sleep)
exec('''
closed, made = {}, [0]

def count(n, me="count", **kwargs):
    try:
        for i in range(n):
            made[0] = i + 1
            yield i
    except BaseException as error:
        closed[me] = type(error).__name__
        raise
    else:
        closed[me] = kwargs.get("end", "end")

def how_closed(me):
    return closed.pop(me, None)

def how_many():
    return made[0]

def blobs(n, size):
    made[0] = 0
    for i in range(n):
        made[0] += 1
        yield b"x" * size

def fails(n):
    for i in range(n):
        yield i
    raise KeyError("after %d" % n)

def dies(n):
    for i in range(n):
        yield i
    os._exit(3)

def fails_at_once():
    raise KeyError("at once")

def stuck(me):
    try:
        yield 1
        while True:
            sleep(0.001)
    finally:
        closed[me] = "interrupted"

def dates():
    yield datetime.date(2024, 1, 2)
    yield datetime.date(2024, 1, 3)

def unsendable():
    yield 1
    yield {"rows": [object()]}

def bad_end():
    try:
        yield 1
        yield 2
    finally:
        1/0

def in_main():
    while True:
        yield type(threading.current_thread()).__name__ == "_MainThread"

class Rows(object):
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return iter(range(self.n))
    def rows(self, start=0):
        for i in range(start, self.n):
            yield i
''', yielding.__dict__)
sys.modules["yielding"] = yielding
`

func withYielding(t *testing.T, spec string) *execnet.Gateway {
	t.Helper()
	gw := gateway(t, spec)
	require.NoError(t, remoteExec(t, gw, yielding).WaitClose(within.Soon(t)))
	return gw
}

// collect returns all items and the error of an iteration.
func collect[T any](ctx context.Context, gw *execnet.Gateway, function string, args ...any) (items []T, err error) {
	for item, err := range execnet.RemoteIter[T](ctx, gw, function, args...) {
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
	return items, nil
}

// everyModel runs a test with our worker in every CPython and every model, and with pip's workers.
func everyModel(t *testing.T, test func(t *testing.T, gw *execnet.Gateway, w worker)) {
	t.Helper()
	everyWorker(t, func(t *testing.T, w worker) { test(t, withYielding(t, w.spec()), w) })
	for name, spec := range models(t) {
		if name != "gevent" && name != "eventlet" {
			spec += "//execmodel=main_thread_only"
		}
		t.Run(name+"/"+spec[len(spec)-8:], func(t *testing.T) {
			t.Parallel()
			test(t, withYielding(t, spec), worker{})
		})
	}
}

func TestRemoteIter(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		for _, n := range []int{0, 1, 5000} {
			items, err := collect[int](within.Soon(t), gw, "yielding.count", n)
			require.NoError(t, err)
			require.Len(t, items, n)
			for i, item := range items {
				require.Equal(t, i, item)
			}
		}
		items, err := collect[any](within.Soon(t), gw, "yielding.Rows", execnet.Kwargs{"n": 3})
		require.NoError(t, err)
		assert.Equal(t, []any{int64(0), int64(1), int64(2)}, items)
		text, err := collect[string](within.Soon(t), gw, "sorted", []string{"b", "é", "a"})
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b", "é"}, text)
		blobs := 0
		for blob, err := range execnet.RemoteIter[any](within.Soon(t), gw, "yielding.blobs", 20, 1<<20) {
			require.NoError(t, err)
			require.Len(t, blob, 1<<20) // a str of Python 2 or bytes
			blobs++
		}
		assert.Equal(t, 20, blobs)
		awaitExecuting(t, gw, 0)
	})
}

// TestRemoteResults iterates over iterators only.
func TestRemoteResults(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		results := func(function string, args ...any) (items []any) {
			for item, err := range gatewaybase.RemoteResults[any](within.Soon(t), gw, function, args...) {
				require.NoError(t, err)
				items = append(items, item)
			}
			return items
		}
		assert.Equal(t, []any{int64(0), int64(1)}, results("yielding.count", 2))
		assert.Empty(t, results("yielding.count", 0))
		assert.Equal(t, []any{int64(1), int64(2)}, results("iter", []int{1, 2}))
		assert.Equal(t, []any{[]any{int64(1), int64(2)}}, results("sorted", []int{2, 1}))
		assert.Equal(t, []any{"a/b"}, results("posixpath.join", "a", "b"))
		assert.Equal(t, []any{nil}, results("yielding.how_closed", "nobody"))
		_, err := collect[int](within.Soon(t), gw, "yielding.how_closed", "nobody")
		require.ErrorIs(t, err, execnet.Exception("TypeError"))
		awaitExecuting(t, gw, 0)
	})
}

func TestRemoteIterErrors(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		var remote *execnet.RemoteError
		items, err := collect[int](within.Soon(t), gw, "yielding.fails", 3000)
		require.ErrorAs(t, err, &remote)
		assert.Len(t, items, 3000)
		assert.True(t, remote.IsInstance("KeyError"), "%v", err)
		assert.Contains(t, remote.Formatted, "after 3000")
		assert.Contains(t, remote.Formatted, "in fails")
		for function, class := range map[string]string{"yielding.fails_at_once": "KeyError", "yielding.nothing": "AttributeError", "yielding.how_many": "TypeError"} {
			items, err = collect[int](within.Soon(t), gw, function)
			require.ErrorAs(t, err, &remote, function)
			assert.True(t, remote.IsInstance(class), "%s: %v", function, err)
			assert.Empty(t, items)
		}
		_, err = collect[int](within.Soon(t), gw, "no such name")
		var bad *execnet.SourceError
		require.ErrorAs(t, err, &bad)
		var load *execnet.LoadError
		_, err = collect[string](within.Soon(t), gw, "yielding.count", 2000)
		require.ErrorAs(t, err, &load, "an item of another type")
		_, err = collect[int](within.Soon(t), gw, "yielding.count", make(chan int))
		var dump *execnet.DumpError
		require.ErrorAs(t, err, &dump, "an argument that cannot be sent")
		items, err = collect[int](within.Soon(t), gw, "yielding.unsendable")
		require.ErrorAs(t, err, &remote)
		assert.Contains(t, remote.Exception(), "DumpError")
		assert.Equal(t, []int{1}, items)
		if w.dir == "" {
			assert.Contains(t, remote.Formatted, `["rows"][0]`)
			dates, err := collect[string](within.Soon(t), gw, "yielding.dates")
			require.NoError(t, err)
			assert.Equal(t, []string{"2024-01-02", "2024-01-03"}, dates)
		}
		awaitExecuting(t, gw, 0)
	})
}

// TestRemoteIterWindow reads nothing for a while.
func TestRemoteIterWindow(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		if w.dir != "" {
			return // it has no RemoteCall beside an execution under main_thread_only, its default
		}
		ahead := func(least int) int {
			most := -1
			for ctx := within.Soon(t); ; { // until it has made so many, and makes no more
				n, err := execnet.RemoteCall[int](ctx, gw, "yielding.how_many")
				require.NoError(t, err)
				if n == most && n >= least {
					return n
				}
				most = n
				time.Sleep(50 * time.Millisecond)
			}
		}
		taken := 0
		for item, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.count", 100000) {
			require.NoError(t, err)
			require.Equal(t, taken, item)
			taken++
			if taken == 1 || taken == 3000 {
				assert.LessOrEqual(t, ahead(taken+512), taken+1024)
			}
			if taken == 3001 {
				break
			}
		}
		for _, err := range execnet.RemoteIter[any](within.Soon(t), gw, "yielding.blobs", 1000, 1<<20) {
			require.NoError(t, err)
			assert.LessOrEqual(t, ahead(0), 5)
			break
		}
		awaitExecuting(t, gw, 0)
	})
}

// TestRemoteIterBreak breaks out of loops: the generator has been closed when the loop has ended.
func TestRemoteIterBreak(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		for _, at := range []int{1, 700, 1500} {
			me := fmt.Sprint("break ", at)
			taken := 0
			for _, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.count", 1000000, me) {
				require.NoError(t, err)
				if taken++; taken == at {
					break
				}
			}
			how, err := execnet.RemoteCall[string](within.Soon(t), gw, "yielding.how_closed", me)
			require.NoError(t, err)
			assert.Equal(t, "GeneratorExit", how)
		}
		_, err := collect[int](within.Soon(t), gw, "yielding.count", 3, "whole", execnet.Kwargs{"end": "in order"})
		require.NoError(t, err)
		how, err := execnet.RemoteCall[string](within.Soon(t), gw, "yielding.how_closed", "whole")
		require.NoError(t, err)
		assert.Equal(t, "in order", how)
		awaitExecuting(t, gw, 0)
	})
}

// TestRemoteIterIsInterrupted by its context, and by the end of the loop if it does not yield.
func TestRemoteIterIsInterrupted(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		if w.dir != "" {
			return // it cannot
		}
		for _, how := range []string{"cancel", "deadline", "break"} {
			ctx, cancel := context.WithCancel(within.Soon(t))
			if how == "deadline" {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			for item, err := range execnet.RemoteIter[int](ctx, gw, "yielding.stuck", how) {
				switch how {
				case "cancel":
					assert.True(t, err == nil && item == 1 || errors.Is(err, context.Canceled), "%v", err)
					cancel()
					continue
				case "deadline":
					assert.True(t, err == nil && item == 1 || errors.Is(err, execnet.ErrTimeout), "%v", err)
					continue
				}
				break
			}
			cancel()
			awaitExecuting(t, gw, 0)
			closed, err := execnet.RemoteCall[string](within.Soon(t), gw, "yielding.how_closed", how)
			require.NoError(t, err)
			assert.Equal(t, "interrupted", closed)
		}
	})
}

// TestRemoteItersSideBySide also has calls between the items, under main_thread_only too.
func TestRemoteItersSideBySide(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		if w.dir != "" {
			return
		}
		var loops sync.WaitGroup
		for i := range 5 {
			loops.Go(func() {
				n := 0
				for item, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.count", 4000, fmt.Sprint(i)) {
					if !assert.NoError(t, err) {
						return
					}
					assert.Equal(t, n, item)
					n++
					if n%500 == 0 {
						sum, err := execnet.RemoteCall[int](within.Soon(t), gw, "operator.add", n, i)
						assert.NoError(t, err)
						assert.Equal(t, n+i, sum)
					}
				}
				assert.Equal(t, 4000, n)
			})
		}
		loops.Wait()
		for first, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.count", 2000) {
			require.NoError(t, err)
			for second, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.count", 2000) {
				require.NoError(t, err)
				if second == 1500 {
					break
				}
			}
			if first == 3 {
				break
			}
		}
		awaitExecuting(t, gw, 0)
	})
}

func TestRemoteIterInTheMainThread(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := withYielding(t, p.Spec()+"//execmodel=main_thread_only")
			n := 0
			for main, err := range execnet.RemoteIter[bool](within.Soon(t), gw, "yielding.in_main") {
				require.NoError(t, err)
				require.True(t, main)
				if n++; n == 5000 {
					break
				}
			}
		})
	}
}

// TestRemoteIterOfAWorkerThatDies ends with the usual errors, and the worker with its driver.
func TestRemoteIterOfAWorkerThatDies(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		var died *execnet.GatewayDiedError
		items, err := collect[int](within.Soon(t), gw, "yielding.dies", 3000)
		require.ErrorAs(t, err, &died)
		assert.Len(t, items, 3000)
		assert.Equal(t, 3, died.Exit.Code)
		_, err = collect[int](within.Soon(t), gw, "yielding.count", 1)
		require.ErrorAs(t, err, &died)
	})
}

// TestWorkerEndsWithAnOpenIteration, soon.
func TestWorkerEndsWithAnOpenIteration(t *testing.T) {
	everyModel(t, func(t *testing.T, gw *execnet.Gateway, w worker) {
		ctx := within.Soon(t)
		for _, err := range execnet.RemoteIter[int](ctx, gw, "yielding.count", 100000) {
			require.NoError(t, err)
			gw.Exit()
			began := time.Now()
			require.NoError(t, gw.Join(ctx))
			assert.Less(t, time.Since(began), 4*time.Second, "an iteration that waits for its reader holds up nothing")
			break
		}
	})
}

// TestRemoteIterAfterItsEnd prints what a finally block raises.
func TestRemoteIterAfterItsEnd(t *testing.T) {
	gw := withYielding(t, pythons.Default(t).Spec())
	for _, err := range execnet.RemoteIter[int](within.Soon(t), gw, "yielding.bad_end") {
		require.NoError(t, err)
		break
	}
	items, err := collect[int](within.Soon(t), gw, "yielding.bad_end")
	var remote *execnet.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, "ZeroDivisionError", remote.Exception())
	assert.Equal(t, []int{1, 2}, items)
}

// TestHostileIterations speaks the protocol of calls itself, and says what no driver says.
func TestHostileIterations(t *testing.T) {
	ofOurs(t, func(t *testing.T, spec string) {
		gw := withYielding(t, spec)
		calls, err := gw.RemoteExec(t.Context(), "def serve_calls(channel, python):\n    channel.send(None)\n",
			execnet.File("execnet/calls.py", 1), execnet.Call("serve_calls", map[string]any{"python": false}))
		require.NoError(t, err)
		assert.Equal(t, true, receive(t, calls))
		none, nothing := execnet.Tuple{}, execnet.NewDict()
		ask := func(request ...any) execnet.Tuple {
			require.NoError(t, calls.Send(within.Soon(t), execnet.Tuple(request)))
			answer, err := execnet.Receive[execnet.Tuple](within.Soon(t), calls)
			require.NoError(t, err)
			require.Equal(t, request[0], int(answer[0].(int64)))
			return answer
		}
		newChannel := func() *execnet.Channel {
			ch, err := gw.NewChannel()
			require.NoError(t, err)
			return ch
		}
		for i, request := range [][]any{
			{"yielding.count", none, nothing, 5, 1, 1}, {"yielding.count", none, nothing, newChannel(), "x", 1}, {"yielding.count", none, nothing, newChannel(), 1, nil},
			{"yielding.how_many", none, nothing, 5},
			{execnet.Tuple{1}, none}, {execnet.Tuple{"x", 1}, none}, {5, none}, {"yielding.count", 5}, {"yielding.count", none, 5},
		} {
			assert.Len(t, ask(append([]any{i + 1}, request...)...), 3, "%v", request)
		}
		for i, said := range []any{0, -1, 5, 1 << 40, "1", nil, []any{1}} {
			ch := newChannel()
			me := fmt.Sprint("hostile ", i)
			assert.Len(t, ask(100+i, "yielding.count", execnet.Tuple{100000, me}, nothing, ch, 4, 1<<20), 2)
			for range 4 {
				receive(t, ch)
			}
			require.NoError(t, ch.Send(within.Soon(t), said))
			var remote *execnet.RemoteError
			if err := ch.WaitClose(within.Soon(t)); err != nil {
				require.ErrorAs(t, err, &remote)
				assert.Contains(t, remote.Formatted, "TypeError", "%v", said)
			}
			how, err := execnet.RemoteCall[string](within.Soon(t), gw, "yielding.how_closed", me)
			require.NoError(t, err)
			assert.Equal(t, "GeneratorExit", how)
		}
		require.NoError(t, calls.Close())
		awaitExecuting(t, gw, 0)
	})
}
