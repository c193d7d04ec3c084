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
	err := p.run(ctx, nameOf(function, args), func(ctx context.Context, gw *execnet.Gateway) (err error) {
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
	return p.runTaken(ctx, nil, nil, name, f)
}

// runTaken runs a job that the pool has taken: first in w, unless that is nil. failed tells of
// attempts before that, if there were any.
func (p *Pool) runTaken(ctx context.Context, w *worker, failed *JobError, name func() string, f func(context.Context, *execnet.Gateway) error) error {
	for ; ; w = nil {
		var err error
		if w == nil {
			w, err = p.worker(ctx, 1)
		}
		switch {
		case err != nil && failed == nil:
			p.counters.failed.Add(1)
			return notRun(name, err)
		case err != nil:
			p.counters.failed.Add(1)
			return errors.Join(failed, errtext.Wrap("it was not tried again", err))
		}
		lost, err := p.attemptInTime(ctx, w, name, f)
		if !lost {
			p.counters.ended(err)
			return err
		}
		var again bool
		if failed, again = p.lost(name, w, failed, err); !again {
			return failed
		}
	}
}

// worker waits for a worker for so many jobs.
func (p *Pool) worker(ctx context.Context, jobs int) (*worker, error) {
	begin := time.Now()
	w, err := p.idle.get(ctx)
	p.counters.waited.Add(int64(time.Since(begin)) * int64(jobs))
	return w, err
}

// lost is the error of a job whose worker is lost. again reports whether it is tried again.
func (p *Pool) lost(name func() string, w *worker, before *JobError, err error) (failed *JobError, again bool) {
	failed = &JobError{Job: name(), Gateway: w.gateway.ID(), Spec: w.slot.spec.String(), Attempts: 1, Err: err}
	if before != nil {
		failed.Attempts += before.Attempts
	}
	if failed.Attempts > p.options.Retries {
		p.counters.failed.Add(1)
		return failed, false
	}
	p.counters.retried.Add(1)
	p.log.Warn("execnet: job is tried again", "job", failed.Job, "gateway", failed.Gateway, "attempt", failed.Attempts, "err", err)
	return failed, true
}

// attemptInTime runs a job once, within the pool's Timeout.
func (p *Pool) attemptInTime(ctx context.Context, w *worker, name func() string, f func(context.Context, *execnet.Gateway) error) (lost bool, err error) {
	run := ctx
	if p.options.Timeout > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, p.options.Timeout, errOverTime)
		defer cancel()
		run = limited
	}
	return p.attempt(ctx, run, w, name, func(ctx context.Context, gw *execnet.Gateway) (int, error) { return 1, f(ctx, gw) })
}

// attempt uses a worker once, for the job of this name. When run, which ends with ctx, ends before
// f returns, the worker is killed. f returns how many jobs have begun. lost means that the worker
// is, and that what it was doing may be tried again.
func (p *Pool) attempt(ctx, run context.Context, w *worker, name func() string, f func(context.Context, *execnet.Gateway) (int, error)) (lost bool, err error) {
	w.use()
	stop := context.AfterFunc(run, w.kill)
	begin := time.Now()
	returned, jobs := false, 1
	defer func() {
		p.counters.ran.Add(int64(time.Since(begin)))
		if !stop() || !returned {
			w.kill() // also if f panics
		}
		w.release(jobs)
	}()
	jobs, err = f(run, w.gateway)
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
		return false, timeout.During(ctx, name())
	case p.ctx.Err() != nil:
		return false, errtext.Wrap(name(), context.Cause(p.ctx))
	case w.gateway.Err() != nil:
		return true, w.gateway.Err()
	}
	return false, err
}

// errOverTime is the cause of a context's end when the pool's Timeout is over.
var errOverTime = errors.New("over time")

// notRun is the error of a job that no worker has begun.
func notRun(name func() string, why error) error {
	return &notRunError{name(), why}
}

type notRunError struct {
	job string
	why error
}

func (e *notRunError) Error() string {
	return ErrNotRun.Error() + ": " + e.job + ": " + errtext.Of(e.why)
}
func (e *notRunError) Unwrap() []error { return []error{ErrNotRun, e.why} }

// nameOf returns what shows a call.
func nameOf(function string, args []any) func() string {
	return func() string { return shown(function, args) }
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
