package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/worker/engine"
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
	// idleTimeout is how long a goroutine that has ended an execution waits for another one.
	idleTimeout = 5 * time.Second
)

// errGoexit is the error of an execution that has ended its goroutine.
var errGoexit = gofunc.Traceback("", "RuntimeError",
	"a Go function has called runtime.Goexit, as FailNow of package testing does, and so returned nothing")

// errDeadlock is what execnet's worker answers then.
var errDeadlock = errors.New("concurrent remote_exec would cause deadlock for main_thread_only execmodel")

// errStuck is what serve returns when executions did not end although their contexts had. They
// still run: the program should end.
var errStuck = errors.New("execnet: executions have not ended")

// pool runs a worker's executions. It is execnet's WorkerPool.
type pool struct {
	model string
	run   func(context.Context, *gatewaybase.Execution)
	main  chan func() // under main_thread_only: what serve's goroutine is to run

	// next takes an execution to a goroutine that has ended one, whose stack has grown already.
	next      chan *begun
	done      chan struct{}   // closed when no more executions come
	ctx       context.Context // of all executions
	interrupt context.CancelFunc
	limits    limits

	mu        sync.Mutex // guards what follows
	executing int
	waiting   []*waiting // under main_thread_only, what is behind the one that runs
	// interrupts are the executions that have not ended, by channel: their contexts can be ended.
	// Of several on one channel it is the last.
	interrupts map[int]*begun
	idle       chan struct{} // closed when executing is 0 again; nil while nobody waits for that
	stuck      bool          // Finish gave up on executions that did not end
}

// waiting is an execution or a call that waits for its turn. An execution waits until refusal ends
// it.
type waiting struct {
	run     func()
	drop    func()      // called instead of run if the worker ends; nil for an execution
	refusal *time.Timer // nil for a call
}

func newPool(model string, run func(context.Context, *gatewaybase.Execution)) *pool {
	p := &pool{model: model, run: run, next: make(chan *begun), done: make(chan struct{}), limits: standardLimits,
		interrupts: map[int]*begun{}}
	p.ctx, p.interrupt = context.WithCancel(context.Background())
	if p.onMain() {
		p.main = make(chan func(), 1) // at most one runs
	}
	return p
}

// onMain tells whether one execution at a time runs, in the goroutine of serve.
func (p *pool) onMain() bool { return p.model == xspec.ExecModelMainThreadOnly }

// Execute implements gatewaybase.Executor.
func (p *pool) Execute(e *gatewaybase.Execution) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, interrupt := context.WithCancel(p.ctx)
	begun := &begun{e, ctx, interrupt}
	p.interrupts[e.Channel.ID()] = begun
	if p.onMain() {
		p.begin(p.refusable(begun))
		return
	}
	p.executing++
	select {
	case p.next <- begun:
	default:
		go p.work(begun)
	}
}

// begun is an execution with its context.
type begun struct {
	*gatewaybase.Execution
	ctx       context.Context
	interrupt context.CancelFunc
}

// begin runs something in serve's goroutine when it is its turn. The caller holds mu.
func (p *pool) begin(w *waiting) {
	if p.executing > 0 {
		p.waiting = append(p.waiting, w)
		return
	}
	if w.refusal != nil {
		w.refusal.Stop()
	}
	p.executing++
	p.main <- w.run
}

// InTurn implements gatewaybase.CallServer.
func (p *pool) InTurn(f func(context.Context)) bool {
	if !p.onMain() {
		p.mu.Lock()
		p.executing++
		p.mu.Unlock()
		defer p.ended()
		f(p.ctx)
		return true
	}
	over := make(chan bool, 1)
	run := func() {
		defer p.ended()
		defer func() { over <- true }()
		f(p.ctx)
	}
	p.mu.Lock()
	p.begin(&waiting{run: run, drop: func() { over <- false }})
	p.mu.Unlock()
	return <-over
}

// Interrupt implements gatewaybase.CallServer.
func (p *pool) Interrupt(channelID int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.interrupts[channelID]
	if e != nil {
		e.interrupt()
	}
	return e != nil
}

// work runs an execution, and then others that come within idleTimeout.
func (p *pool) work(e *begun) {
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

// runHere runs the executions for serve's goroutine until done is closed. If one of them calls
// runtime.Goexit, this goroutine cannot go on, but its deferred functions can: one of them runs the
// executions that follow, so that they are still in the goroutine that main_thread_only promises.
func (p *pool) runHere(done <-chan struct{}) {
	returns := false
	defer func() {
		if !returns {
			p.runHere(done)
		}
	}()
	for {
		select {
		case run := <-p.main:
			run()
		case <-done:
			returns = true
			return
		}
	}
}

// execute runs one execution.
func (p *pool) execute(e *begun) {
	defer p.ended()
	defer p.forget(e)
	if e.ctx.Err() != nil && p.ctx.Err() == nil { // interrupted before its turn
		e.End(engine.ErrInterrupted)
		return
	}
	p.run(e.ctx, e.Execution)
}

// forget ends the context of an execution that has ended.
func (p *pool) forget(e *begun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.interrupt()
	if id := e.Channel.ID(); p.interrupts[id] == e {
		delete(p.interrupts, id)
	}
}

// refusable is an execution that waits for its turn for deadlockTimeout at most.
func (p *pool) refusable(e *begun) *waiting {
	w := &waiting{run: func() { p.execute(e) }}
	w.refusal = time.AfterFunc(deadlockTimeout, func() {
		p.mu.Lock()
		i := slices.Index(p.waiting, w)
		if i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		}
		p.mu.Unlock()
		if i >= 0 {
			p.forget(e)
			e.End(errDeadlock)
		}
	})
	return w
}

// ended counts something that has ended, and starts what is next under main_thread_only.
func (p *pool) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 {
		next := p.waiting[0]
		p.waiting = p.waiting[1:]
		if next.refusal != nil {
			next.refusal.Stop()
		}
		p.main <- next.run
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
	for _, w := range p.waiting { // the driver is gone: nobody is there to be told
		if w.refusal != nil {
			w.refusal.Stop()
		} else {
			w.drop()
		}
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
