package pool

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

const (
	// turnsTime is how long the calls that a worker gets at a time may be expected to take.
	turnsTime = time.Millisecond
	// mostTurns is how many these are at the most.
	mostTurns = 32
	// leastTimeout is the shortest Timeout with which a worker gets several calls at a time: those
	// behind one that takes long are asked back in less time.
	leastTimeout = 100 * time.Millisecond
)

// errBehind is how an attempt ends that may have begun just when its worker was killed because of
// the job before it.
var errBehind = errors.New("execnet: the worker was killed because the job before was over its time")

// calls are the calls of one Map: as many goroutines as the pool has workers make them, one after
// the other. So a goroutine whose call has ended has its worker for the next one, and needs no new
// stack for it.
//
// Calls that have proved short go to a worker several at a time, because the way there and back
// would take longer than they do. The worker makes them in turn. Those that it has not begun come
// back when one of them takes long, and when it has died.
type calls[Out any] struct {
	ctx      context.Context
	pool     *Pool
	function string
	running  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	callers int        // goroutines
	waiting []*call[Out]
	size    int // how many calls a worker gets at a time
	ended   bool
}

// call is one call of a Map.
type call[Out any] struct {
	args  Args
	index int
	to    chan<- outcome[Out]
	taken bool // it is one of the pool's jobs
}

func newCalls[Out any](ctx context.Context, p *Pool, function string) *calls[Out] {
	return &calls[Out]{ctx: ctx, pool: p, function: function, size: 1}
}

// add has a call made, beside others, unless nobody wants more.
func (c *calls[Out]) add(one *call[Out]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.waiting = append(c.waiting, one)
	c.start()
	return true
}

// start starts a goroutine if there may be one more. The caller holds mu.
func (c *calls[Out]) start() {
	if c.callers == len(c.pool.slots) {
		return
	}
	c.callers++
	c.running.Go(func() {
		for some := c.next(); len(some) > 0; some = c.next() {
			c.make(some)
		}
	})
}

// next returns the calls that a goroutine makes next.
func (c *calls[Out]) next() []*call[Out] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.callers--
		return nil
	}
	workers := len(c.pool.slots)
	n := min(c.size, (len(c.waiting)+workers-1)/workers) // something is left for the others
	some := slices.Clone(c.waiting[:n])
	clear(c.waiting[:n])
	c.waiting = c.waiting[n:]
	return some
}

// putBack lets calls wait once more, before all others.
func (c *calls[Out]) putBack(some ...*call[Out]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = slices.Concat(some, c.waiting)
	c.start()
}

// cameBack is putBack for calls that a worker has not begun. The next ones go one by one.
func (c *calls[Out]) cameBack(some ...*call[Out]) {
	c.mu.Lock()
	c.size = 1
	c.mu.Unlock()
	c.putBack(some...)
}

// took decides how many calls a worker gets at a time, from how long some have taken.
func (c *calls[Out]) took(n int, d time.Duration) {
	if limit := c.pool.options.Timeout; 0 < limit && limit < leastTimeout {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size = max(1, min(int(turnsTime*time.Duration(n)/max(d, 1)), 2*c.size, mostTurns))
}

// make makes calls in one worker, or as many of them as that may get.
func (c *calls[Out]) make(some []*call[Out]) {
	some = slices.DeleteFunc(some, func(one *call[Out]) bool { return !c.take(one) })
	if len(some) == 0 {
		return
	}
	w, err := c.pool.worker(c.ctx, len(some))
	if err != nil {
		for _, one := range some {
			c.pool.counters.failed.Add(1)
			c.end(one, notRun(nameOf(c.function, one.args), err))
		}
		return
	}
	if most := w.most(); most < len(some) {
		c.putBack(some[most:]...)
		some = some[:most]
	}
	if len(some) == 1 {
		c.makeOne(some[0], w, nil)
	} else {
		c.makeInTurn(some, w)
	}
}

// take makes a call one of the pool's jobs.
func (c *calls[Out]) take(one *call[Out]) bool {
	if one.taken {
		return true
	}
	if err := c.pool.jobs.begin(); err != nil {
		one.to <- outcome[Out]{Result[Out]{Index: one.index}, notRun(nameOf(c.function, one.args), err)}
		return false
	}
	one.taken = true
	return true
}

// end ends a call with an error.
func (c *calls[Out]) end(one *call[Out], err error) {
	var none Out
	c.endWith(one, none, err)
}

func (c *calls[Out]) endWith(one *call[Out], value Out, err error) {
	c.pool.jobs.end()
	one.to <- outcome[Out]{Result[Out]{one.index, value}, err}
}

// makeOne makes a call as Call does: first in w, unless that is nil. failed tells of an attempt
// before that, if there was one.
func (c *calls[Out]) makeOne(one *call[Out], w *worker, failed *JobError) {
	var value Out
	err := c.pool.runTaken(c.ctx, w, failed, nameOf(c.function, one.args), func(ctx context.Context, gw *execnet.Gateway) (err error) {
		begin := time.Now()
		value, err = execnet.RemoteCall[Out](ctx, gw, c.function, one.args...)
		c.took(1, time.Since(begin))
		return err
	})
	c.endWith(one, value, err)
}

// makeInTurn makes several calls in a worker.
func (c *calls[Out]) makeInTurn(some []*call[Out], w *worker) {
	t := &turns[Out]{calls: c, left: slices.Clone(some)}
	begin := time.Now()
	lost, err := t.attempt(w)
	switch {
	case err == gatewaybase.ErrNotInTurn:
		w.oneByOne.Store(true)
		c.putBack(some...)
	case err == nil:
		if t.made.Load() == int64(len(some)) {
			c.took(len(some), time.Since(begin))
		}
	default:
		t.fail(w, lost, err)
	}
}

// wait lets no more calls begin, and waits for those under way.
func (c *calls[Out]) wait() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.running.Wait()
}
