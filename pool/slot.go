package pool

import (
	"context"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

const (
	// hopeless is after how many starts in a row that have failed, in every slot, jobs no longer
	// wait for a worker.
	hopeless = 3
	// steady is how old a worker must become for its death not to count as a start that has failed.
	steady = 10 * time.Second
)

// slot is the place of one worker. Its goroutine, keep, sees to it that there is one.
type slot struct {
	pool  *Pool
	spec  *xspec.Spec
	fresh chan chan<- error // asks for another worker; the answer is why that cannot be started

	mu       sync.Mutex // guards what follows
	worker   *worker    // nil while there is none
	failures int        // starts in a row that have failed, or given a worker that has died at once
	err      error      // why the last one has failed
}

// first is how the first start in a slot has ended.
type first struct {
	slot *slot
	err  error
}

func newSlot(p *Pool, spec *xspec.Spec) *slot {
	return &slot{pool: p, spec: spec, fresh: make(chan chan<- error)}
}

// keep starts a worker, and another one each time that it has ended, until the pool ends.
func (s *slot) keep() {
	w, err := s.start()
	s.pool.firsts <- first{s, err}
	for s.pool.ctx.Err() == nil {
		if err == nil {
			s.pool.idle.put(w)
			s.retire(s.watch(w))
		}
		s.pause()
		w, err = s.start()
	}
	if err == nil {
		s.retire(w)
	}
}

// watch lets a worker work until it has ended or gets no more jobs. Meanwhile another worker may
// take its place, and then that one's. watch returns the last one.
func (s *slot) watch(w *worker) *worker {
	p := s.pool
	var health <-chan time.Time
	if p.options.HealthCheck > 0 {
		ticker := time.NewTicker(p.options.HealthCheck)
		defer ticker.Stop()
		health = ticker.C
	}
	for {
		select {
		case <-p.ctx.Done():
			return w
		case <-w.gateway.Done():
			return w
		case <-w.left:
			return w
		case <-health:
			w.checkHealth()
		case answer := <-s.fresh:
			next, err := s.start()
			if err == nil {
				old := w
				w = next
				p.idle.put(w)
				p.idle.retire(old)
				p.tasks.Go(func() { old.untilUseless(); s.retire(old) })
			}
			answer <- err
		}
	}
}

// start starts a worker and prepares it.
func (s *slot) start() (*worker, error) {
	p := s.pool
	ctx, cancel := context.WithTimeout(p.ctx, p.options.StartTimeout)
	defer cancel()
	begin := time.Now()
	gw, err := p.group.MakeGatewaySpec(ctx, s.spec)
	if err != nil {
		s.failed(err)
		return nil, err
	}
	w := newWorker(s, gw)
	if err := s.prepare(ctx, gw); err != nil {
		s.failed(err)
		w.kill()
		w.end()
		return nil, err
	}
	s.mu.Lock()
	s.worker = w
	s.mu.Unlock()
	p.counters.started.Add(1)
	p.log.Debug("execnet: worker started", "gateway", gw.ID(), "spec", s.spec.String(), "took", time.Since(begin))
	return w, nil
}

// prepare makes a worker ready for its first job.
func (s *slot) prepare(ctx context.Context, gw *execnet.Gateway) error {
	p := s.pool
	if p.options.ImportFS != nil && !p.ownGroup {
		if err := execnet.ImportFS(ctx, gw, p.options.ImportFS); err != nil {
			return err
		}
	}
	if p.options.Init != nil {
		if err := p.options.Init(ctx, gw); err != nil {
			return errtext.Wrap("Init of "+gw.ID(), err)
		}
	}
	return nil
}

// failed notes a start that has failed. If there is no hope in any slot, jobs no longer wait.
func (s *slot) failed(err error) {
	p := s.pool
	s.mu.Lock()
	s.failures++
	s.err = err
	failures := s.failures
	s.mu.Unlock()
	if p.ctx.Err() != nil {
		return
	}
	p.log.Warn("execnet: worker cannot be started", "spec", s.spec.String(), "attempt", failures, "err", err)
	for _, other := range p.slots {
		if other.hopeful() {
			return
		}
	}
	p.idle.fail(p.failure(func(s *slot) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.err
	}))
}

// hopeful reports whether jobs may wait for a worker in this slot.
func (s *slot) hopeful() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.worker != nil || s.failures < hopeless
}

// retire ends a worker beside the slot's next one.
func (s *slot) retire(w *worker) {
	p := s.pool
	p.idle.take(w)
	s.mu.Lock()
	if s.worker == w {
		s.worker = nil
	}
	if w.used.Load() || w.alive() || time.Since(w.begun) >= steady {
		s.failures = 0
	} else {
		s.failures++
		s.err = w.gateway.Err()
	}
	s.mu.Unlock()
	p.tasks.Go(w.end)
}

// pause waits before the next start if the last one has failed.
func (s *slot) pause() {
	s.mu.Lock()
	failures := s.failures
	s.mu.Unlock()
	if failures == 0 {
		return
	}
	timer := time.NewTimer(backoff(s.pool.options.Backoff, failures))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.pool.ctx.Done():
	}
}

// backoff is how long to wait after so many failures.
func backoff(once time.Duration, failures int) time.Duration {
	for ; failures > 1 && once < MaxBackoff; failures-- {
		once *= 2
	}
	return min(once, MaxBackoff)
}

// replace puts another worker into the slot, which ends the present one when it has no job.
func (s *slot) replace(ctx context.Context) error {
	answer := make(chan error, 1)
	ended := s.pool.ctx.Done()
	select {
	case s.fresh <- answer:
	case <-ended:
		return context.Cause(s.pool.ctx)
	case <-ctx.Done():
		return timeout.During(ctx, "reloading "+s.spec.String())
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return timeout.During(ctx, "reloading "+s.spec.String())
	}
}
