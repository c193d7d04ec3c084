package pool

import (
	"context"
	"iter"

	"github.com/go-execnet/execnet/internal/timeout"
)

// Args are the arguments of one call of [Map]. The last one may be [execnet.Kwargs].
type Args []any

// Result is what one call of [Map] has returned.
type Result[T any] struct {
	Index int // the place of its input, from 0 on
	Value T   // of no meaning if there is an error
}

// MapOption says how [Map] works: [Unordered] or [Window].
type MapOption func(*mapping)

// Unordered makes Map give results as they come, instead of in the order of the inputs.
func Unordered() MapOption { return func(m *mapping) { m.unordered = true } }

// Window is how many inputs Map takes beyond the results that its loop has seen. Less than 1 means
// DefaultWindow, which is also what holds without this option. Results in order that come early
// wait for those before them: the larger the window, the longer a slow job holds up no other, and
// the more results may be in memory.
func Window(n int) MapOption { return func(m *mapping) { m.window = n } }

// DefaultWindow is the window of Map without [Window].
const DefaultWindow = 1000

type mapping struct {
	unordered bool
	window    int
}

// Map calls a function for each input, side by side in all workers, and iterates over the results,
// in the order of the inputs unless [Unordered] says otherwise. An input is the function's one
// argument; one of type [Args] is all of them. Each result comes with its own error, which is that
// of [Call]; the others go on.
//
// If the calls prove short, about a millisecond's worth of them goes to a worker at a time, since
// the way there and back would take longer than they do. The worker still makes one after the
// other, each with a Timeout of its own. Those that it has not begun go to other workers when it
// dies or when one of them takes long, and that does not count as an attempt. Only a call that
// keeps Python's global lock all the time holds up those behind it, until it ends or its Timeout is
// over.
//
// The inputs may be endless: another goroutine takes them as fast as results are seen. When the
// loop is left, Map waits for what runs, whose workers are killed; it does not wait for an input
// that has not come. When ctx ends while there may be more inputs, the last result is an error in
// which errors.Is finds [ErrNotRun].
func Map[Out, In any](ctx context.Context, p *Pool, function string, inputs iter.Seq[In], options ...MapOption) iter.Seq2[Result[Out], error] {
	m := mapping{}
	for _, option := range options {
		option(&m)
	}
	if m.window < 1 {
		m.window = DefaultWindow
	}
	return func(yield func(Result[Out], error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		calls := newCalls[Out](ctx, p, function)
		defer calls.wait()
		defer cancel()

		// Each call has a channel for its outcome. Unordered ones share one.
		pending := make(chan chan outcome[Out], m.window)
		shared := make(chan outcome[Out], m.window)
		places := make(chan struct{}, m.window)
		complete := make(chan struct{}) // closed when all inputs were taken
		p.tasks.Go(func() {
			defer close(pending)
			index := 0
			for input := range inputs {
				select {
				case places <- struct{}{}:
				case <-ctx.Done():
					return
				}
				to, at := shared, index
				if !m.unordered {
					to = make(chan outcome[Out], 1)
				}
				index++
				args, ok := any(input).(Args)
				if !ok {
					args = Args{input}
				}
				if !calls.add(&call[Out]{args: args, index: at, to: to}) {
					return
				}
				pending <- to
			}
			close(complete)
		})
		for seen := 0; ; seen++ {
			to, ok := receive(ctx, pending)
			if !ok {
				select {
				case <-complete:
				default:
					yield(Result[Out]{Index: seen}, notRun(func() string { return function }, timeout.Cause(ctx)))
				}
				return
			}
			got := <-to
			<-places
			if !yield(got.result, got.err) {
				return
			}
		}
	}
}

// receive receives from a channel, and after ctx's end only what is in it already.
func receive[T any](ctx context.Context, from <-chan T) (T, bool) {
	select {
	case value, ok := <-from:
		return value, ok
	case <-ctx.Done():
	}
	select {
	case value, ok := <-from:
		return value, ok
	default:
		var none T
		return none, false
	}
}

type outcome[T any] struct {
	result Result[T]
	err    error
}
