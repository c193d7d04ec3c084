package pool

import (
	"sync/atomic"
	"time"
)

// Stats are what a pool has done and is doing, for metrics.
type Stats struct {
	Workers []WorkerStats // one for each worker that there is now

	Busy   int // workers that have a job
	Idle   int // workers that have none
	Queued int // jobs that wait for a worker

	Done    int64 // jobs that have ended without an error
	Failed  int64 // jobs that have ended with an error, an exception for example
	Retried int64 // runs of jobs beyond the first
	Started int64 // workers
	Deaths  int64 // workers that died, or had to be killed because they did not answer

	// Waited and Ran add up how long jobs have waited for a worker and how long they have run. The
	// averages are these divided by the numbers of jobs.
	Waited, Ran time.Duration
}

// WorkerStats describe one worker.
type WorkerStats struct {
	Gateway string    // the id of its gateway
	Spec    string    // its spec
	Started time.Time // when it was ready
	Done    int64     // jobs that it has ended
	Busy    bool      // whether it has a job
	Memory  int64     // bytes that it occupied when that was last looked at; 0 without MaxMemory
}

// counters are the numbers behind Stats.
type counters struct {
	done, failed, retried, started, deaths, waited, ran atomic.Int64
}

// ended counts a job that has a result, or an error that is one.
func (c *counters) ended(err error) {
	if err != nil {
		c.failed.Add(1)
	} else {
		c.done.Add(1)
	}
}

// Stats returns the present numbers.
func (p *Pool) Stats() Stats {
	c := &p.counters
	s := Stats{
		Done: c.done.Load(), Failed: c.failed.Load(), Retried: c.retried.Load(), Started: c.started.Load(), Deaths: c.deaths.Load(),
		Waited: time.Duration(c.waited.Load()), Ran: time.Duration(c.ran.Load()),
	}
	_, s.Queued = p.idle.counts()
	for _, slot := range p.slots {
		slot.mu.Lock()
		w := slot.worker
		slot.mu.Unlock()
		if w == nil {
			continue
		}
		one := WorkerStats{Gateway: w.gateway.ID(), Spec: slot.spec.String(), Started: w.begun, Done: w.done.Load(), Busy: w.busy.Load(),
			Memory: w.memory.Load()}
		s.Workers = append(s.Workers, one)
		if one.Busy {
			s.Busy++
		} else {
			s.Idle++
		}
	}
	return s
}
