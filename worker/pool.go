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

// patience is how long executions have when the driver is gone (protocol.md section 8.3).
type patience struct {
	toEnd           time.Duration // by themselves
	whenInterrupted time.Duration // after their contexts have ended
	toBeRead        time.Duration // what they sent last, after all that
}

const (
	// deadlockPatience is how long a second execution waits for the first under main_thread_only.
	deadlockPatience = time.Second
	deadlockText     = "concurrent remote_exec would cause deadlock for main_thread_only execmodel"
)

// ErrStuck is what Serve reports when executions did not end although their contexts had. They
// still run: the program should end.
var ErrStuck = errors.New("execnet: executions have not ended")

// pool runs a worker's executions. It is execnet's WorkerPool.
type pool struct {
	model string
	run   func(context.Context, *gatewaybase.Execution)
	main  chan *gatewaybase.Execution // under main_thread_only: what Serve's goroutine is to run

	next      chan *gatewaybase.Execution // to a goroutine that has ended one: its stack has grown already
	done      chan struct{}               // closed when no more executions come
	ctx       context.Context             // of all executions
	interrupt context.CancelFunc
	patience  patience

	mu        sync.Mutex // guards what follows
	executing int
	waiting   []*held       // under main_thread_only, the executions behind the one that runs
	idle      chan struct{} // closed when executing is 0 again; nil while nobody waits for that
	stuck     bool
}

// held is an execution that waits for its turn.
type held struct {
	execution *gatewaybase.Execution
	refusal   *time.Timer
}

func newPool(model string, run func(context.Context, *gatewaybase.Execution)) *pool {
	p := &pool{model: model, run: run, next: make(chan *gatewaybase.Execution), done: make(chan struct{}), patience: patience{5 * time.Second, 10 * time.Second, 5 * time.Second}}
	p.ctx, p.interrupt = context.WithCancel(context.Background())
	if p.onMain() {
		p.main = make(chan *gatewaybase.Execution, 1) // at most one runs
	}
	return p
}

// onMain tells whether one execution at a time runs, in Serve's own goroutine.
func (p *pool) onMain() bool { return p.model == xspec.ExecModelMainThreadOnly }

// Execute implements gatewaybase.Executor.
func (p *pool) Execute(e *gatewaybase.Execution) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onMain() {
		if p.executing > 0 {
			p.hold(e)
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

// spare is how long a goroutine waits for another execution.
const spare = 5 * time.Second

// work runs an execution, and then others that come soon.
func (p *pool) work(e *gatewaybase.Execution) {
	limit := time.NewTimer(spare)
	defer limit.Stop()
	for {
		p.execute(e)
		limit.Reset(spare)
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

// hold lets an execution wait until the one before it has ended, but not for long. The caller holds
// mu.
func (p *pool) hold(e *gatewaybase.Execution) {
	h := &held{execution: e}
	h.refusal = time.AfterFunc(deadlockPatience, func() {
		p.mu.Lock()
		i := slices.Index(p.waiting, h)
		if i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		}
		p.mu.Unlock()
		if i >= 0 {
			e.End(deadlockText)
		}
	})
	p.waiting = append(p.waiting, h)
}

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
// contexts, and gives up on those that do not mind.
func (p *pool) Finish() {
	close(p.done)
	defer p.interrupt()
	for _, limit := range []time.Duration{p.patience.toEnd, p.patience.whenInterrupted} {
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

// whenIdle is closed once nothing is executing.
func (p *pool) whenIdle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.waiting {
		h.refusal.Stop() // nobody is there to be told
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

func (p *pool) isStuck() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stuck
}
