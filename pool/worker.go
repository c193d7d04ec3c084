package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet"
)

const (
	// leaveTime is how long a worker that gets no more jobs may take to end.
	leaveTime = 5 * time.Second
	// killTime is how long a worker may take to be gone that was killed.
	killTime = 2 * time.Second
	// healthTime is how long a worker may take to tell its status.
	healthTime = 10 * time.Second
	// measureEvery is how often the memory of a worker is looked at.
	measureEvery = time.Second
)

// worker is one gateway of the pool. While it has a job only that uses it, except for what is
// guarded or atomic.
type worker struct {
	slot    *slot
	gateway *execnet.Gateway
	begun   time.Time

	used     atomic.Bool   // it has got a job
	busy     atomic.Bool   // it has one now
	done     atomic.Int64  // jobs that have ended in it, in whatever way
	memory   atomic.Int64  // in bytes, as last measured
	measured time.Time     // when that was
	oneByOne atomic.Bool   // it makes no calls in turn
	killed   atomic.Bool   // by the pool, so that its death surprises nobody
	retiring bool          // guarded by idle.mu
	left     chan struct{} // closed when it gets no more jobs
	leave    func()        // closes left
}

func newWorker(s *slot, gw *execnet.Gateway) *worker {
	left := make(chan struct{})
	return &worker{slot: s, gateway: gw, begun: time.Now(), left: left, leave: sync.OnceFunc(func() { close(left) })}
}

// alive reports whether the worker has neither ended nor been killed.
func (w *worker) alive() bool {
	if w.killed.Load() {
		return false
	}
	select {
	case <-w.gateway.Done():
		return false
	default:
		return true
	}
}

// most is how many jobs the worker may get at a time.
func (w *worker) most() int {
	switch {
	case w.oneByOne.Load():
		return 1
	case w.slot.pool.options.MaxTasks > 0:
		return w.slot.pool.options.MaxTasks - int(w.done.Load())
	}
	return mostTurns
}

// use notes that the worker has a job.
func (w *worker) use() {
	w.used.Store(true)
	w.busy.Store(true)
}

// kill ends the worker by force and does not wait until it is gone.
func (w *worker) kill() {
	w.killed.Store(true)
	if err := w.gateway.Kill(); err != nil {
		w.slot.pool.log.Warn("execnet: worker cannot be killed", "gateway", w.gateway.ID(), "err", err)
	}
}

// untilUseless waits until the worker has ended, gets no more jobs, or must end.
func (w *worker) untilUseless() {
	select {
	case <-w.slot.pool.ctx.Done():
	case <-w.gateway.Done():
	case <-w.left:
	}
}

// end ends the worker: in good order, or by force if the pool has ended while it has a job, or if
// it takes long.
func (w *worker) end() {
	p, gw := w.slot.pool, w.gateway
	if !w.alive() && !w.killed.Load() {
		p.counters.deaths.Add(1)
		p.log.Warn("execnet: worker died", "gateway", gw.ID(), "spec", w.slot.spec.String(), "jobs", w.done.Load(), "err", gw.Err())
	}
	if w.busy.Load() {
		w.kill()
	}
	gw.Exit()
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if gw.JoinFarEnd(ctx) != nil {
		w.kill()
		ctx, cancel := context.WithTimeout(context.Background(), killTime)
		defer cancel()
		if err := gw.JoinFarEnd(ctx); err != nil {
			p.log.Warn("execnet: worker is still there although it was killed", "gateway", gw.ID(), "err", err)
			return
		}
	}
	p.log.Debug("execnet: worker ended", "gateway", gw.ID(), "spec", w.slot.spec.String(), "jobs", w.done.Load())
}

// checkHealth asks a worker that has no job for its status, and kills it if it does not answer.
func (w *worker) checkHealth() {
	p := w.slot.pool
	if !p.idle.take(w) {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, healthTime)
	defer cancel()
	if _, err := w.gateway.RemoteStatus(ctx); err != nil && p.ctx.Err() == nil {
		p.log.Warn("execnet: worker does not answer and is killed", "gateway", w.gateway.ID(), "err", err)
		p.counters.deaths.Add(1)
		w.kill()
	}
	p.idle.put(w)
}

// release makes the worker available after so many jobs, or retires it if it has done enough or has
// become too large.
func (w *worker) release(jobs int) {
	p := w.slot.pool
	done := w.done.Add(int64(jobs))
	w.busy.Store(false)
	if p.options.MaxTasks > 0 && done >= int64(p.options.MaxTasks) {
		w.leave()
		return
	}
	if p.options.MaxMemory > 0 && time.Since(w.measured) >= measureEvery {
		p.tasks.Go(w.measure)
		return
	}
	p.idle.put(w)
}

// measure looks at the worker's memory and releases it.
func (w *worker) measure() {
	p := w.slot.pool
	ctx, cancel := context.WithTimeout(p.ctx, healthTime)
	defer cancel()
	w.measured = time.Now()
	memory, err := w.gateway.RemoteMemory(ctx)
	switch {
	case err == nil && memory > p.options.MaxMemory:
		w.memory.Store(memory)
		p.log.Debug("execnet: worker occupies too much memory and is replaced", "gateway", w.gateway.ID(), "bytes", memory)
		w.leave()
		return
	case err == nil:
		w.memory.Store(memory)
	case errors.Is(err, execnet.ErrTimeout) && p.ctx.Err() == nil:
		p.log.Warn("execnet: worker does not tell its memory and is killed", "gateway", w.gateway.ID())
		w.kill()
	}
	p.idle.put(w)
}
