package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// limits are how long executions have when the driver is gone (protocol.md section 8.3).
type limits struct {
	end         time.Duration // to end by themselves
	interrupted time.Duration // to end after their contexts have ended
	read        time.Duration // after all that, for the driver to read what they sent last
}

var standardLimits = limits{end: 5 * time.Second, interrupted: 10 * time.Second, read: 5 * time.Second}

const (
	// deadlockTimeout is how long a second execution waits for the first under main_thread_only.
	deadlockTimeout = time.Second
	deadlockText    = "concurrent remote_exec would cause deadlock for main_thread_only execmodel"
	// idleTimeout is how long a goroutine that has ended an execution waits for another one.
	idleTimeout = 5 * time.Second
)

// errStuck is what serve returns when executions did not end although their contexts had. They
// still run: the program should end.
var errStuck = errors.New("execnet: executions have not ended")

// pool runs a worker's executions. It is execnet's WorkerPool.
type pool struct {
	model string
	run   func(context.Context, *gatewaybase.Execution)
	main  chan *gatewaybase.Execution // under main_thread_only: what serve's goroutine is to run

	// next takes an execution to a goroutine that has ended one, whose stack has grown already.
	next      chan *gatewaybase.Execution
	done      chan struct{}   // closed when no more executions come
	ctx       context.Context // of all executions
	interrupt context.CancelFunc
	limits    limits

	mu        sync.Mutex // guards what follows
	executing int
	waiting   []*waiting    // under main_thread_only, the executions behind the one that runs
	idle      chan struct{} // closed when executing is 0 again; nil while nobody waits for that
	stuck     bool          // Finish gave up on executions that did not end
}

// waiting is an execution that waits for its turn, until refusal ends it.
type waiting struct {
	execution *gatewaybase.Execution
	refusal   *time.Timer
}

func newPool(model string, run func(context.Context, *gatewaybase.Execution)) *pool {
	p := &pool{model: model, run: run, next: make(chan *gatewaybase.Execution), done: make(chan struct{}), limits: standardLimits}
	p.ctx, p.interrupt = context.WithCancel(context.Background())
	if p.onMain() {
		p.main = make(chan *gatewaybase.Execution, 1) // at most one runs
	}
	return p
}

// onMain tells whether one execution at a time runs, in the goroutine of serve.
func (p *pool) onMain() bool { return p.model == xspec.ExecModelMainThreadOnly }

// Execute implements gatewaybase.Executor.
func (p *pool) Execute(e *gatewaybase.Execution) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onMain() {
		if p.executing > 0 {
			p.enqueue(e)
			return
		}
		p.executing++
		p.main <- e
		return
	}
	p.executing++
	select {
	case p.next <- e:
	default:
		go p.work(e)
	}
}

// work runs an execution, and then others that come within idleTimeout.
func (p *pool) work(e *gatewaybase.Execution) {
	limit := time.NewTimer(idleTimeout)
	defer limit.Stop()
	for {
		p.execute(e)
		limit.Reset(idleTimeout)
		select {
		case e = <-p.next:
		case <-limit.C:
			return
		case <-p.done:
			return
		}
	}
}

// execute runs one execution.
func (p *pool) execute(e *gatewaybase.Execution) {
	defer p.ended()
	p.run(p.ctx, e)
}

// enqueue lets an execution wait until the one before it has ended, for deadlockTimeout at most.
// The caller holds mu.
func (p *pool) enqueue(e *gatewaybase.Execution) {
	w := &waiting{execution: e}
	w.refusal = time.AfterFunc(deadlockTimeout, func() {
		p.mu.Lock()
		i := slices.Index(p.waiting, w)
		if i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		}
		p.mu.Unlock()
		if i >= 0 {
			e.End(deadlockText)
		}
	})
	p.waiting = append(p.waiting, w)
}

// ended counts an execution that has ended, and starts the next one under main_thread_only.
func (p *pool) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 {
		next := p.waiting[0]
		p.waiting = p.waiting[1:]
		next.refusal.Stop()
		p.main <- next.execution
		return
	}
	p.executing--
	if p.executing == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

// Status implements gatewaybase.Executor.
func (p *pool) Status() (executing int, execModel string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.executing, p.model
}

// Finish implements gatewaybase.Executor: it gives the executions time to end, then ends their
// contexts, and gives up on those that do not end even so.
func (p *pool) Finish() {
	close(p.done)
	defer p.interrupt()
	for _, limit := range []time.Duration{p.limits.end, p.limits.interrupted} {
		timer := time.NewTimer(limit)
		select {
		case <-p.whenIdle():
			timer.Stop()
			return
		case <-timer.C:
		}
		p.interrupt()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stuck = p.executing > 0
}

// whenIdle returns a channel that is closed once nothing is executing. Executions that wait for
// their turn are dropped.
func (p *pool) whenIdle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.waiting {
		w.refusal.Stop() // the driver is gone: nobody is there to be told
	}
	p.waiting = nil
	if p.idle == nil {
		p.idle = make(chan struct{})
		if p.executing == 0 {
			defer func() { close(p.idle); p.idle = nil }()
		}
	}
	return p.idle
}

// isStuck tells whether Finish gave up on executions.
func (p *pool) isStuck() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stuck
}
