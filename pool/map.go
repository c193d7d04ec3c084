package pool

import (
	"context"
	"iter"
	"sync"

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
		calls := calls{most: len(p.slots)}
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
				if !calls.start(func() {
					value, err := Call[Out](ctx, p, function, args...)
					to <- outcome[Out]{Result[Out]{at, value}, err}
				}) {
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

// calls are the calls of one Map: as many goroutines as the pool has workers make them, one after
// the other. So a goroutine whose call has ended has its worker for the next one, and needs no new
// stack for it.
type calls struct {
	most    int
	running sync.WaitGroup

	mu      sync.Mutex // guards what follows
	callers int        // goroutines
	waiting []func()   // calls without a goroutine
	ended   bool
}

// start runs f beside others, unless nobody wants more.
func (c *calls) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended:
		return false
	case c.callers == c.most:
		c.waiting = append(c.waiting, f)
	default:
		c.callers++
		c.running.Go(func() {
			for ; f != nil; f = c.next() {
				f()
			}
		})
	}
	return true
}

// next returns the call that a goroutine makes next, nil if none waits.
func (c *calls) next() (f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.callers--
		return nil
	}
	f, c.waiting[0] = c.waiting[0], nil
	c.waiting = c.waiting[1:]
	return f
}

// wait lets no more calls begin, and waits for those under way.
func (c *calls) wait() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.running.Wait()
}

type outcome[T any] struct {
	result Result[T]
	err    error
}
