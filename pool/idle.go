package pool

import (
	"container/list"
	"context"
	"slices"
	"sync"

	"github.com/go-execnet/execnet/internal/timeout"
)

// idle holds the workers that wait for a job, or the jobs that wait for a worker. The one that has
// waited longest comes first.
type idle struct {
	mu      sync.Mutex // guards what follows, and retiring of every worker
	workers []*worker
	waiting *list.List // of chan answer, with room for one
	closed  error      // why no worker is given any more
	failed  error      // why no worker can be started, while that is so
}

// answer is what a job gets that has waited.
type answer struct {
	worker *worker
	err    error
}

func newIdle() *idle { return &idle{waiting: list.New()} }

// get returns a worker, which nobody else has until put is called.
func (i *idle) get(ctx context.Context) (*worker, error) {
	if ctx.Err() != nil {
		return nil, timeout.Cause(ctx) // a worker that runs a job whose context has ended is killed
	}
	i.mu.Lock()
	for len(i.workers) > 0 && i.closed == nil {
		w := i.workers[0]
		i.workers = slices.Delete(i.workers, 0, 1)
		if w.alive() {
			i.mu.Unlock()
			return w, nil
		}
	}
	if err := i.refusal(); err != nil {
		i.mu.Unlock()
		return nil, err
	}
	given := make(chan answer, 1)
	place := i.waiting.PushBack(given)
	i.mu.Unlock()
	select {
	case a := <-given:
		return a.worker, a.err
	case <-ctx.Done():
	}
	i.mu.Lock()
	i.waiting.Remove(place) // of no effect if an answer was given
	i.mu.Unlock()
	select {
	case a := <-given:
		if a.worker != nil {
			i.put(a.worker)
		}
	default:
	}
	return nil, timeout.Cause(ctx)
}

// refusal is why nobody need wait for a worker. The caller holds mu.
func (i *idle) refusal() error {
	if i.closed != nil {
		return i.closed
	}
	return i.failed
}

// put makes a worker available, or lets it leave if it was retired while it had a job. One that has
// ended is not taken.
func (i *idle) put(w *worker) {
	if !w.alive() {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failed = nil
	if w.retiring || i.closed != nil {
		w.leave()
		return
	}
	if first := i.waiting.Front(); first != nil {
		i.waiting.Remove(first).(chan answer) <- answer{worker: w}
		return
	}
	i.workers = append(i.workers, w)
}

// take removes a worker that has no job, and reports whether it had none.
func (i *idle) take(w *worker) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.remove(w)
}

func (i *idle) remove(w *worker) bool {
	at := slices.Index(i.workers, w)
	if at >= 0 {
		i.workers = slices.Delete(i.workers, at, at+1)
	}
	return at >= 0
}

// retire lets a worker leave: now if it has no job, otherwise when it is put back.
func (i *idle) retire(w *worker) {
	i.mu.Lock()
	defer i.mu.Unlock()
	w.retiring = true
	if i.remove(w) {
		w.leave()
	}
}

// close ends the waiting of all, for good.
func (i *idle) close(why error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed == nil {
		i.closed = why
	}
	i.answerAll(i.closed)
}

// fail ends the waiting of all, and nobody waits, until a worker is there again.
func (i *idle) fail(why error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failed = why
	i.answerAll(why)
}

// answerAll gives all that wait an error. The caller holds mu.
func (i *idle) answerAll(err error) {
	for first := i.waiting.Front(); first != nil; first = i.waiting.Front() {
		i.waiting.Remove(first).(chan answer) <- answer{err: err}
	}
}

// counts are how many workers have no job, and how many jobs no worker.
func (i *idle) counts() (workers, jobs int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.workers), i.waiting.Len()
}
