package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
)

// JobError says that a job has failed because of its worker: that has died, or the job's time was
// over. Use errors.As with a *JobError. errors.Is finds [execnet.ErrTimeout] in it, errors.As a
// [*execnet.GatewayDiedError] with exit status, signal and the end of stderr.
type JobError struct {
	Job      string // the function and its arguments, cut if they are long
	Gateway  string // the id of the worker that had it last
	Spec     string // and its spec
	Attempts int    // how often it was run
	Err      error  // how the last attempt has ended
}

// Error names the job, its last worker, and what has happened.
func (e *JobError) Error() string {
	times := ""
	if e.Attempts > 1 {
		times = fmt.Sprintf(" %d times, at last", e.Attempts)
	}
	return fmt.Sprintf("execnet: %s failed%s in %s (%s): %s", e.Job, times, e.Gateway, e.Spec, errtext.Of(e.Err))
}

// Unwrap returns Err.
func (e *JobError) Unwrap() error { return e.Err }

// Call calls a function by its name, "module.function", in a worker that is free, and returns its
// result as a T, as [execnet.RemoteCall] does, whose errors it returns. It waits for a worker until
// ctx ends. A worker that dies, or is over the pool's Timeout, loses the job to another one, as
// often as Retries says; then the error is a [JobError]. So a function may run more than once.
//
// If ctx ends while the function runs, the worker is killed, and another one takes its place.
func Call[T any](ctx context.Context, p *Pool, function string, args ...any) (T, error) {
	var result T
	err := p.run(ctx, func() string { return shown(function, args) }, func(ctx context.Context, gw *execnet.Gateway) (err error) {
		result, err = execnet.RemoteCall[T](ctx, gw, function, args...)
		return err
	})
	return result, err
}

// Do calls f with a worker that is free and that nobody else uses until f returns. It is for what
// one call cannot do: channels, several calls in the same interpreter. f must leave nothing running
// there. Waiting, time-outs, retries and errors are those of [Call]; f is called again when its
// worker has died. When f's context ends the worker is killed, so that f's calls return.
func (p *Pool) Do(ctx context.Context, f func(context.Context, *execnet.Gateway) error) error {
	return p.run(ctx, func() string { return "a job" }, f)
}

// run runs a job until it has a result, or may not be tried again.
func (p *Pool) run(ctx context.Context, name func() string, f func(context.Context, *execnet.Gateway) error) error {
	if err := p.jobs.begin(); err != nil {
		return notRun(name, err)
	}
	defer p.jobs.end()
	var failed *JobError
	for {
		begin := time.Now()
		w, err := p.idle.get(ctx)
		p.counters.waited.Add(int64(time.Since(begin)))
		switch {
		case err != nil && failed == nil:
			p.counters.failed.Add(1)
			return notRun(name, err)
		case err != nil:
			p.counters.failed.Add(1)
			return errors.Join(failed, fmt.Errorf("execnet: it was not tried again: %w", err))
		}
		lost, err := p.attempt(ctx, w, f)
		if !lost {
			if err != nil {
				p.counters.failed.Add(1)
			} else {
				p.counters.done.Add(1)
			}
			return err
		}
		attempts := 1
		if failed != nil {
			attempts += failed.Attempts
		}
		failed = &JobError{Job: name(), Gateway: w.gateway.ID(), Spec: w.slot.spec.String(), Attempts: attempts, Err: err}
		if attempts > p.options.Retries {
			p.counters.failed.Add(1)
			return failed
		}
		p.counters.retried.Add(1)
		p.log.Warn("execnet: job is tried again", "job", failed.Job, "gateway", failed.Gateway, "attempt", attempts, "err", err)
	}
}

// attempt runs a job once. lost means that its worker is, and that the job may be tried again.
func (p *Pool) attempt(ctx context.Context, w *worker, f func(context.Context, *execnet.Gateway) error) (lost bool, err error) {
	run := ctx
	if p.options.Timeout > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, p.options.Timeout, errOverTime)
		defer cancel()
		run = limited
	}
	w.given.Add(1)
	stop := context.AfterFunc(run, w.kill)
	begin := time.Now()
	returned := false
	defer func() {
		p.counters.ran.Add(int64(time.Since(begin)))
		if !stop() || !returned {
			w.kill() // also if f panics
		}
		w.release()
	}()
	err = f(run, w.gateway)
	returned = true

	var exception *execnet.RemoteError
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &exception):
		return exception.PythonDied(), err
	case context.Cause(run) == errOverTime:
		return true, errtext.Wrap(fmt.Sprintf("not done within %v", p.options.Timeout), execnet.ErrTimeout)
	case ctx.Err() != nil:
		return false, timeout.During(ctx, "a job")
	case p.ctx.Err() != nil:
		return false, context.Cause(p.ctx)
	case w.gateway.Err() != nil:
		return true, w.gateway.Err()
	}
	return false, err
}

// errOverTime is the cause of a context's end when the pool's Timeout is over.
var errOverTime = errors.New("over time")

// notRun is the error of a job that no worker has begun.
func notRun(name func() string, why error) error {
	return fmt.Errorf("%w: %s: %w", ErrNotRun, name(), why)
}

// shown is a call as it looks in Python, cut if it is long.
func shown(function string, args []any) string {
	var b strings.Builder
	b.WriteString(function + "(")
	for i, arg := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		text := fmt.Sprintf("%v", arg)
		if s, ok := arg.(string); ok {
			text = fmt.Sprintf("%q", s)
		}
		if len(text) > 40 {
			text = strings.ToValidUTF8(text[:40], "") + "..."
		}
		b.WriteString(text)
		if b.Len() > 200 {
			b.WriteString(", ...")
			break
		}
	}
	return b.String() + ")"
}

// jobs counts the jobs that have not ended, and refuses further ones when the pool ends.
type jobs struct {
	mu      sync.Mutex // guards what follows
	running int
	refusal error
	drained chan struct{} // closed when running is 0 and further ones are refused; nil before
}

func (j *jobs) begin() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refusal == nil {
		j.running++
	}
	return j.refusal
}

func (j *jobs) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running--
	if j.running == 0 && j.drained != nil {
		close(j.drained)
	}
}

// refuse lets no more jobs begin. The first reason counts.
func (j *jobs) refuse(why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refusal != nil {
		return
	}
	j.refusal = why
	j.drained = make(chan struct{})
	if j.running == 0 {
		close(j.drained)
	}
}

// none is closed when no job is left, after refuse.
func (j *jobs) none() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.drained
}
