package worker

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// iterate returns all items and the error of an iteration.
func iterate[T any](ctx context.Context, gw *gatewaybase.Gateway, function string, args ...any) (items []T, err error) {
	for item, err := range gatewaybase.RemoteIter[T](ctx, gw, function, args...) {
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
	return items, nil
}

func TestIterationsOverGoFunctions(t *testing.T) {
	register(t, "iterating", Funcs{
		"count": count,
		"checked": func(n int) (iter.Seq[int], error) {
			if n < 0 {
				return nil, &Raised{Class: "ValueError", Message: "negative"}
			}
			return count(n), nil
		},
		"fails": func(n int) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := range n {
					if !yield(i, nil) {
						return
					}
				}
				yield(0, errors.New("no more"))
			}
		},
		"pairs": func() iter.Seq2[int, string] { return slices.All([]string{"a", "b"}) },
		"keys":  func() any { return maps.Keys(map[string]int{"a": 1}) },
		"slice": func() []string { return []string{"a", "b"} },
		"chan": func(ctx context.Context, n int) <-chan int {
			items := make(chan int)
			go func() {
				defer close(items)
				for i := range n {
					select {
					case items <- i:
					case <-ctx.Done():
						return
					}
				}
			}()
			return items
		},
		"number":  func() int { return 1 },
		"nothing": func() {},
		"channel": func(ch *gatewaybase.Channel) iter.Seq[int] { return count(1) },
		"panics":  func() iter.Seq[int] { return func(yield func(int) bool) { yield(1); panic("on purpose") } },
		"panic":   func() []panics { return make([]panics, 1) },
		"unsendable": func() iter.Seq[any] {
			return func(yield func(any) bool) { _ = yield(1) && yield([]any{make(chan int)}) }
		},
	})
	for _, model := range []string{"thread", "main_thread_only"} {
		t.Run(model, func(t *testing.T) {
			s := startServing(t, config{execModel: model, describeErrors: true})
			for function, want := range map[string][]any{
				"iterating.pairs": {serializer.Tuple{int64(0), "a"}, serializer.Tuple{int64(1), "b"}},
				"iterating.keys":  {"a"}, "iterating.slice": {"a", "b"},
			} {
				items, err := iterate[any](within.Soon(t), s.driver, function)
				require.NoError(t, err, function)
				assert.Equal(t, want, items, function)
				list, err := gatewaybase.RemoteCall[[]any](within.Soon(t), s.driver, function)
				require.NoError(t, err, function)
				assert.Equal(t, want, list, "all other callers get a list")
			}
			for _, function := range []string{"iterating.count", "iterating.checked", "iterating.chan"} {
				items, err := iterate[int](within.Soon(t), s.driver, function, 5000)
				require.NoError(t, err, function)
				assert.Equal(t, slices.Collect(count(5000)), items, function)
				items, err = gatewaybase.RemoteCall[[]int](within.Soon(t), s.driver, function, 0)
				require.NoError(t, err, function)
				assert.Equal(t, []int{}, items)
			}
			var remote *gatewaybase.RemoteError
			items, err := iterate[int](within.Soon(t), s.driver, "iterating.fails", 3000)
			require.ErrorAs(t, err, &remote)
			assert.Len(t, items, 3000)
			assert.Contains(t, remote.Formatted, "RuntimeError: no more")
			_, err = s.driver.RemoteCall(within.Soon(t), "iterating.fails", 3)
			require.ErrorAs(t, err, &remote)
			assert.Contains(t, remote.Formatted, "no more")
			for function, class := range map[string]string{
				"iterating.number": "TypeError", "iterating.nothing": "TypeError", "iterating.channel": "TypeError", "iterating.missing": "AttributeError",
				"iterating.count": "TypeError", "iterating.panics": "RuntimeError", "iterating.panic": "RuntimeError",
				"iterating.unsendable": "DumpError", "nowhere.count": "ModuleNotFoundError",
			} {
				_, err := iterate[int](within.Soon(t), s.driver, function)
				require.ErrorAs(t, err, &remote, function)
				assert.Contains(t, remote.Exception(), class, "%s: %v", function, err)
			}
			_, err = iterate[int](within.Soon(t), s.driver, "iterating.checked", -1)
			require.ErrorAs(t, err, &remote)
			assert.Equal(t, "ValueError", remote.Exception())
			_, err = gatewaybase.NewHandle(within.Soon(t), s.driver, "iterating.number")
			require.ErrorAs(t, err, &remote)
			assert.Contains(t, err.Error(), "keeps no objects")
			nothingRuns(t, s.driver)
		})
	}
}

// TestResultsOfGoFunctions are iterated over if they are iterators.
func TestResultsOfGoFunctions(t *testing.T) {
	register(t, "results", Funcs{
		"count":   count,
		"slice":   func() []string { return []string{"a", "b"} },
		"nothing": func() {},
		"fails":   func() (int, error) { return 0, &Raised{Class: "ValueError", Message: "on purpose"} },
		"channel": func(_ *gatewaybase.Channel, n int) int { return n + 1 },
		"array":   func(a serializer.NDArray) []int { return a.Shape },
	})
	s := startServing(t, config{describeErrors: true})
	results := func(function string, args ...any) (items []any, err error) {
		for item, err := range gatewaybase.RemoteResults[any](within.Soon(t), s.driver, function, args...) {
			if err != nil {
				return items, err
			}
			items = append(items, item)
		}
		return items, nil
	}
	for _, c := range []struct {
		function string
		args     []any
		want     []any
	}{
		{"results.count", []any{3}, []any{int64(0), int64(1), int64(2)}},
		{"results.count", []any{0}, nil},
		{"results.slice", nil, []any{[]any{"a", "b"}}},
		{"results.nothing", nil, []any{nil}},
		{"results.channel", []any{4}, []any{int64(5)}},
		{"results.array", []any{serializer.NDArray{DType: "<f8", Shape: []int{1}, Data: make([]byte, 8)}}, []any{[]any{int64(1)}}},
	} {
		items, err := results(c.function, c.args...)
		require.NoError(t, err, c.function)
		assert.Equal(t, c.want, items, c.function)
	}
	for function, class := range map[string]string{"results.fails": "ValueError", "results.count": "TypeError", "results.missing": "AttributeError"} {
		_, err := results(function)
		require.ErrorIs(t, err, gatewaybase.Exception(class), function)
	}
	nothingRuns(t, s.driver)
}

// TestIterationsEndWithTheirLoops at a break, with a context, and with the worker.
func TestIterationsEndWithTheirLoops(t *testing.T) {
	var made atomic.Int64
	ended := make(chan error, 10)
	endless := func(ctx context.Context) iter.Seq[int] {
		return func(yield func(int) bool) {
			defer func() { ended <- ctx.Err() }()
			for i := 0; yield(i); i++ {
				made.Store(int64(i))
			}
		}
	}
	register(t, "ending", Funcs{
		"endless": endless,
		"chan": func(ctx context.Context) <-chan int {
			items := make(chan int)
			go func() {
				defer func() { ended <- ctx.Err() }()
				for ctx.Err() == nil {
					select {
					case items <- 1:
					case <-ctx.Done():
					}
				}
			}()
			return items
		},
		"stuck": func(ctx context.Context) iter.Seq[int] {
			return func(yield func(int) bool) {
				yield(1)
				<-ctx.Done()
				ended <- ctx.Err()
			}
		},
		"add": func(a, b int) int { return a + b },
	})
	whenEnded := func() error {
		select {
		case err := <-ended:
			return err
		case <-within.Soon(t).Done():
			require.Fail(t, "the function goes on")
		}
		return nil
	}
	for _, model := range []string{"thread", "main_thread_only"} {
		t.Run(model, func(t *testing.T) {
			s := startServing(t, config{execModel: model})
			taken := 0
			for item, err := range gatewaybase.RemoteIter[int](within.Soon(t), s.driver, "ending.endless") {
				require.NoError(t, err)
				require.Equal(t, taken, item)
				if taken++; taken == 2000 {
					sum, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "ending.add", 1, 2)
					require.NoError(t, err)
					assert.Equal(t, 3, sum)
					assert.LessOrEqual(t, made.Load(), int64(taken+1024))
					break
				}
			}
			select {
			case err := <-ended:
				assert.NoError(t, err, "yield has returned false before the context ended")
			default:
				assert.Fail(t, "the loop has ended before the function")
			}
			for range gatewaybase.RemoteIter[int](within.Soon(t), s.driver, "ending.chan") {
				break
			}
			assert.ErrorIs(t, whenEnded(), context.Canceled)
			for range gatewaybase.RemoteIter[int](within.Soon(t), s.driver, "ending.stuck") {
				break // it does not yield within a second
			}
			assert.ErrorIs(t, whenEnded(), context.Canceled)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := iterate[int](ctx, s.driver, "ending.stuck")
			assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
			assert.ErrorIs(t, whenEnded(), context.Canceled)

			var loops sync.WaitGroup
			for range 3 {
				loops.Go(func() {
					n := 0
					for _, err := range gatewaybase.RemoteIter[int](within.Soon(t), s.driver, "ending.endless") {
						if n++; !assert.NoError(t, err) || n == 5000 {
							break
						}
					}
				})
			}
			loops.Wait()
			for range 3 {
				_ = whenEnded()
			}
			for range gatewaybase.RemoteIter[int](within.Soon(t), s.driver, "ending.endless") {
				s.driver.Exit()
				_ = whenEnded()
				break
			}
		})
	}
}

// TestHostileIterations speaks the protocol of calls itself, and says what no driver says.
func TestHostileIterations(t *testing.T) {
	ended := make(chan bool, 1)
	register(t, "hostile", Funcs{
		"count": count,
		"endless": func() iter.Seq[int] {
			return func(yield func(int) bool) {
				for yield(1) {
				}
				ended <- true
			}
		},
	})
	s := startServing(t, config{})
	calls, err := s.driver.RemoteExec(t.Context(), "\ndef serve_calls(channel, python):\n    channel.send(None)\n",
		gatewaybase.File("execnet/calls.py", 1), gatewaybase.Call("serve_calls", map[string]any{"python": false}))
	require.NoError(t, err)
	modules, err := calls.Receive(within.Soon(t))
	require.NoError(t, err)
	require.Contains(t, modules, "hostile")
	none, nothing := serializer.Tuple{}, serializer.NewDict()
	ask := func(request ...any) serializer.Tuple {
		require.NoError(t, calls.Send(within.Soon(t), serializer.Tuple(request)))
		answer, err := gatewaybase.Receive[serializer.Tuple](within.Soon(t), calls)
		require.NoError(t, err)
		require.Equal(t, request[0], int(answer[0].(int64)))
		return answer
	}
	newChannel := func() *gatewaybase.Channel {
		ch, err := s.driver.NewChannel()
		require.NoError(t, err)
		return ch
	}
	for i, request := range [][]any{
		{"hostile.count", none, nothing, 5, 1, 1}, {"hostile.count", none, nothing, newChannel(), 0, 1}, {"hostile.count", none, nothing, newChannel(), -1, 1},
		{"hostile.count", none, nothing, newChannel(), "1", 1}, {"hostile.count", none, nothing, newChannel(), 1, nil}, {"hostile.count", none, nothing, newChannel(), 1},
		{"hostile.count", none, nothing, newChannel(), 1, 1, 1}, {"hostile.count", none, nothing, calls, 1, 1}, {"hostile.count", none, nil, newChannel(), 1, 1},
		{serializer.Tuple{newChannel(), "count"}, none}, {"hostile.count", none, nothing, newChannel()},
	} {
		assert.Len(t, ask(append([]any{i + 1}, request...)...), 3, "%v", request)
	}
	for i, said := range []any{0, -1, 5, 1 << 40, "1", nil, []any{1}} {
		ch := newChannel()
		assert.Len(t, ask(100+i, "hostile.endless", none, nothing, ch, 4, 1<<20), 2)
		for range 4 {
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, int64(1), item)
		}
		require.NoError(t, ch.Send(within.Soon(t), said))
		require.NoError(t, ch.WaitClose(within.Soon(t)), "%v", said)
		<-ended
	}
	ch := newChannel()
	assert.Len(t, ask(200, "hostile.endless", none, nothing, ch, 1000, 60), 2)
	for range 10 {
		_, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
	}
	require.NoError(t, calls.Close())
	require.NoError(t, ch.Close())
	<-ended
	nothingRuns(t, s.driver)
}

// nothingRuns waits until the worker of gw has seen that all of its executions have ended, which is
// a moment after their functions have returned.
func nothingRuns(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	require.Eventually(t, func() bool {
		status, err := gw.RemoteStatus(within.Soon(t))
		return err == nil && status.NumExecuting == 0
	}, 10*time.Second, time.Millisecond)
}
