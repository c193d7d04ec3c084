package pool

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// turns are calls that a worker makes one after the other.
type turns[Out any] struct {
	*calls[Out]
	left   []*call[Out] // with nil in the place of those that have ended or were put back
	made   atomic.Int64 // how many have ended
	inTime atomic.Int64 // how many had when the time of one was over
	behind bool         // the time of one was over, and it has ended all the same
	bound  *time.Timer  // ends the time of the call that is being made; nil if there is no bound
}

// attempt has the worker make them. It reports whether the worker is lost.
func (t *turns[Out]) attempt(w *worker) (lost bool, err error) {
	p := t.pool
	run, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	if limit := p.options.Timeout; limit > 0 {
		t.bound = time.AfterFunc(limit, func() {
			t.inTime.Store(t.made.Load())
			cancel(errOverTime)
		})
		defer t.bound.Stop()
	}
	args := make([][]any, len(t.left))
	for i, one := range t.left {
		args[i] = one.args
	}
	name := func() string { return shown(t.function, args[min(int(t.made.Load()), len(args)-1)]) }
	lost, err = p.attempt(t.ctx, run, w, name, func(ctx context.Context, gw *execnet.Gateway) (int, error) {
		err := gatewaybase.CallInTurn(ctx, gw, t.function, args, t.answered)
		begun := int(t.made.Load())
		if err != nil && err != gatewaybase.ErrNotInTurn {
			begun++
		}
		return begun, err
	})
	t.behind = context.Cause(run) == errOverTime && t.made.Load() != t.inTime.Load()
	return lost, err
}

// answered takes the answer of one of them, and gives the next one its time.
func (t *turns[Out]) answered(i int, value Out, err error) {
	one := t.left[i]
	t.left[i] = nil
	if err == gatewaybase.ErrNotMade {
		t.cameBack(one)
		return
	}
	t.pool.counters.ended(err)
	t.endWith(one, value, err)
	t.made.Add(1)
	if t.bound != nil {
		t.bound.Reset(t.pool.options.Timeout)
	}
}

// fail ends the first of those that are left, which may have begun, or makes it once more
// elsewhere. The others go back.
func (t *turns[Out]) fail(w *worker, lost bool, err error) {
	left := slices.DeleteFunc(t.left, func(one *call[Out]) bool { return one == nil })
	if len(left) == 0 {
		return
	}
	first := left[0]
	t.cameBack(left[1:]...)
	if t.behind {
		err = errBehind
	}
	if !lost {
		t.pool.counters.failed.Add(1)
		t.end(first, err)
		return
	}
	failed, again := t.pool.lost(nameOf(t.function, first.args), w, nil, err)
	if again {
		t.makeOne(first, nil, failed)
		return
	}
	t.end(first, failed)
}
