// Package pool runs jobs in workers that are all the same: Python interpreters, or Go workers, on
// this machine and on others. A job goes to a worker that is free. Workers that die, hang, grow too
// large or have done enough are replaced, and what they were doing is done elsewhere.
//
//	p, err := pool.New(ctx, pool.Options{Specs: []string{"4*popen", "4*ssh=host"}, Retries: 2})
//	...
//	defer p.Close(ctx)
//	n, err := pool.Call[int](ctx, p, "math.factorial", 10)
//
//	for result, err := range pool.Map[string](ctx, p, "tasks.work", slices.Values(names)) {
//		...
//	}
//
// Every worker does one job at a time. So a job has its worker's interpreter to itself, and what it
// does to that, up to a crash, reaches no other job. pebble and multiprocessing.Pool work in the
// same way.
package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/internal/txspec"
	"github.com/go-execnet/execnet/multi"
)

// Options say which workers a pool has and how it treats them and their jobs.
type Options struct {
	// Specs say which workers there are, as package xspec describes: "popen", "ssh=host", or
	// "4*popen" for four. Nil means a popen for each processor. They may have no ids, because a
	// worker is replaced before the one in its place has ended.
	Specs []string
	// Group is where the gateways are made, with its settings. The pool ends only those that are
	// its own. Nil means a group of its own.
	Group *execnet.Group
	// ImportFS has Python modules that every worker can import, as [execnet.ImportFS] says. Nil
	// means none but those of the workers' machines.
	ImportFS fs.FS
	// Init prepares each worker before its first job, for example with imports that take long:
	//
	//	_, err := execnet.New(ctx, gw, "importlib.import_module", "numpy")
	//
	// Its error means that the worker could not be started.
	Init func(context.Context, *execnet.Gateway) error
	// StartTimeout bounds a worker's start, with Init. 0 means DefaultStartTimeout.
	StartTimeout time.Duration
	// Backoff is how long a worker's place waits after a start that has failed, or after a worker
	// that has died without having done a job. It doubles from failure to failure, up to
	// MaxBackoff. 0 means DefaultBackoff.
	Backoff time.Duration

	// Timeout bounds each run of a job, from when it gets its worker. When it is over the worker is
	// killed, whatever it is doing. 0 means no bound but the caller's context.
	Timeout time.Duration
	// Retries is how often a job is run again whose worker has died or whose Timeout was over. An
	// exception is a result: it is not tried again.
	Retries int

	// MaxTasks is how many jobs a worker does before another one takes its place. 0 means no bound.
	MaxTasks int
	// MaxMemory is how many bytes of memory a worker may occupy. It is looked at after a job, at
	// most once a second for each worker; beyond it another worker takes its place. 0 means no
	// bound.
	MaxMemory int64
	// HealthCheck is how often a worker that has nothing to do is asked for its RemoteStatus. One
	// that does not answer within ten seconds is killed and replaced. 0 means never; that a worker
	// has died is noticed without it.
	HealthCheck time.Duration

	// Logger is told, as warnings, of starts that failed, of workers that died and of jobs that are
	// tried again, and, at level debug, of starts and orderly ends. Nil means slog.Default.
	Logger *slog.Logger
}

// What zero values of Options mean.
const (
	DefaultStartTimeout = time.Minute
	DefaultBackoff      = 100 * time.Millisecond
	MaxBackoff          = 30 * time.Second
)

var (
	// ErrClosed is why a job was not run: the pool was closed.
	ErrClosed = errors.New("execnet: the pool is closed")
	// ErrNotRun is in the error of every job that no worker has begun. Its cause is in the same
	// error.
	ErrNotRun = errors.New("execnet: the job was not run")
)

// Pool is a set of workers that are all the same. Its methods may be called side by side.
type Pool struct {
	options  Options
	group    *execnet.Group
	ownGroup bool
	log      *slog.Logger
	idle     *idle
	ctx      context.Context // ends when workers must
	cancel   context.CancelCauseFunc
	slots    []*slot
	firsts   chan first     // how the first start of each slot has ended
	tasks    sync.WaitGroup // all goroutines of the pool
	jobs     jobs
	counters counters
}

// New starts the workers and returns as soon as one of them is ready; the others follow. When ctx
// ends, so does the pool: its workers are ended at once, and jobs return ctx's cause. Otherwise
// Close ends it.
//
// It returns an error for options that cannot be, and an [execnet.MakeGatewaysError] if no worker
// could be started. Later on the pool goes on trying, and lives while one worker can.
func New(ctx context.Context, options Options) (*Pool, error) {
	p, err := newPool(ctx, options)
	if err != nil {
		return nil, errtext.Wrap("pool", err)
	}
	for _, s := range p.slots {
		p.tasks.Go(s.keep)
	}
	stop := context.AfterFunc(ctx, func() { p.end(timeout.Cause(ctx)) })
	p.tasks.Go(func() { <-p.ctx.Done(); stop() })
	if err := p.firstWorker(ctx); err != nil {
		p.end(err)
		p.tasks.Wait()
		return nil, errors.Join(err, p.endGroup())
	}
	return p, nil
}

func newPool(ctx context.Context, options Options) (*Pool, error) {
	if options.Specs == nil {
		options.Specs = []string{fmt.Sprintf("%d*popen", runtime.GOMAXPROCS(0))}
	}
	for name, value := range map[string]int64{
		"StartTimeout": int64(options.StartTimeout), "Backoff": int64(options.Backoff), "Timeout": int64(options.Timeout),
		"Retries": int64(options.Retries), "MaxTasks": int64(options.MaxTasks), "MaxMemory": options.MaxMemory,
		"HealthCheck": int64(options.HealthCheck),
	} {
		if value < 0 {
			return nil, fmt.Errorf("%s must not be negative", name)
		}
	}
	specs, err := txspec.Expand(options.Specs)
	if err != nil {
		return nil, err
	}
	if len(specs) == 0 {
		return nil, errors.New("a pool needs a spec, for one worker at least")
	}
	options.StartTimeout = cmp.Or(options.StartTimeout, DefaultStartTimeout)
	options.Backoff = cmp.Or(options.Backoff, DefaultBackoff)
	p := &Pool{options: options, group: options.Group, log: options.Logger, idle: newIdle()}
	if p.group == nil {
		p.group, p.ownGroup = execnet.NewGroup(), true
	}
	if options.ImportFS != nil && p.ownGroup {
		// So preload= of a spec can name the modules. There is no gateway yet that could fail.
		_ = p.group.ImportFS(ctx, options.ImportFS)
	}
	if p.log == nil {
		p.log = slog.Default()
	}
	for _, spec := range specs {
		if spec.ID != "" {
			return nil, fmt.Errorf("%s: a worker of a pool has no id of its own: leave id= away", spec)
		}
		p.slots = append(p.slots, newSlot(p, spec))
	}
	p.firsts = make(chan first, len(p.slots))
	p.ctx, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return p, nil
}

// firstWorker waits until a worker is ready or the first start of each has failed.
func (p *Pool) firstWorker(ctx context.Context) error {
	failed := map[*slot]error{}
	for len(failed) < len(p.slots) {
		select {
		case first := <-p.firsts:
			if first.err == nil {
				return nil
			}
			failed[first.slot] = first.err
		case <-ctx.Done():
			return timeout.During(ctx, "starting a pool")
		}
	}
	return p.failure(func(s *slot) error { return failed[s] })
}

// failure is the error when no worker can be started.
func (p *Pool) failure(of func(*slot) error) *execnet.MakeGatewaysError {
	failure := &execnet.MakeGatewaysError{Total: len(p.slots)}
	for _, s := range p.slots {
		failure.Failed = append(failure.Failed, multi.FailedGateway{ID: "worker", Spec: s.spec.String(), Err: of(s)})
	}
	return failure
}

// Close lets no more jobs begin, waits for those that were given to the pool before, and ends the
// workers. When ctx ends it ends the workers at once; jobs that have not ended by then return
// ErrClosed, and Close returns ctx's error. It returns when nothing is left of the workers.
func (p *Pool) Close(ctx context.Context) error {
	p.jobs.refuse(ErrClosed)
	var err error
	select {
	case <-p.jobs.none():
	case <-p.ctx.Done():
	case <-ctx.Done():
		err = timeout.During(ctx, "closing a pool with unfinished jobs")
	}
	p.end(ErrClosed)
	p.tasks.Wait()
	return errors.Join(err, p.endGroup())
}

// end ends the pool at once: no job begins, and the workers must end.
func (p *Pool) end(why error) {
	p.jobs.refuse(why)
	p.idle.close(why)
	p.cancel(why)
}

// endGroup closes what the pool's own group still holds: connections over ssh.
func (p *Pool) endGroup() error {
	if !p.ownGroup {
		return nil
	}
	return p.group.Terminate(context.Background())
}

// Reload replaces all workers, one after the other: a new one is started, and the old one ends when
// it has done its job. No job is lost. It is for code that has changed. It returns the first error
// of a start; the old worker then goes on.
func (p *Pool) Reload(ctx context.Context) error {
	p.group.ForgetPreloaded()
	for _, s := range p.slots {
		if err := s.replace(ctx); err != nil {
			return err
		}
	}
	return nil
}
