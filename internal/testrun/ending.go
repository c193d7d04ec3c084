package testrun

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
)

// stop ends the run: workers end their sessions behind the tests that they are running.
func (s *suite) stop() {
	s.ending = true
	for _, w := range s.workers {
		if w.tests == nil && w.state < stopping && s.passed {
			w.end() // it is of no use any more
		}
		w.stop()
	}
	if s.maxed {
		s.deadline = time.Now().Add(stopGrace)
	}
}

const (
	// stopGrace is how long running tests have when the run ends before they do.
	stopGrace = 2 * time.Second
	// stackTime is how long a worker may take to tell its stacks. If C code keeps its interpreter's
	// lock it cannot; but meanwhile it has printed them (see Plugin.watch).
	stackTime = time.Second
)

// fail ends the run because it cannot be carried out.
func (s *suite) fail(code ExitCode, err error) {
	if s.failure == nil {
		s.failure = &failure{code, err}
	}
	if s.ending {
		return
	}
	s.stop()
	s.deadline = time.Now().Add(stopGrace)
}

// failure is why a run could not be carried out.
type failure struct {
	code ExitCode
	err  error
}

// finished takes the end of a worker's session.
func (s *suite) finished(w *worker, m finished) {
	switch {
	case s.ending || w.state == stopping:
		s.finishedLate(w, m)
	case m.code == UsageError || m.code == Internal:
		s.fail(m.code, fmt.Errorf("execnet: pytest has ended in worker %s: %s", w.id, cmp.Or(m.reason, "exit code "+strconv.Itoa(int(m.code)))))
	case m.code == NoTests && len(w.given) == 0:
		s.stop()
	default:
		s.handle(&Notice{Text: fmt.Sprintf("%s: pytest has ended its session there: %s", w.id, cmp.Or(m.reason, "exit code "+strconv.Itoa(int(m.code))))})
		s.fail(m.code, nil)
	}
	if t := w.test(w.running); t != nil {
		// Ctrl-C at a terminal reaches workers, too.
		if s.ctx.Err() != nil {
			w.over = errtext.Of(timeout.During(s.ctx, "the run of tests"))
			s.tellDone(w.crash(t, nil))
		} else {
			s.tellDone(w.cut(t, "pytest has ended its session: "+m.reason))
		}
		w.running = -1
	}
	if m.measured != nil && s.coverage == nil {
		s.coverage = &coverage{w.plain, m.measured, m.topdir}
	}
	w.state = stopping
}

// finishedLate takes the end of a session that had to end. What plugins and conftest.py do then may
// fail, or may have set another exit code.
func (s *suite) finishedLate(w *worker, m finished) {
	switch {
	case s.failure != nil || s.ctx.Err() != nil || m.code == OK || m.code == NoTests:
	case m.code == TestsFailed && s.failures+s.problems > 0:
	case m.code == UsageError || m.code == Internal:
		s.fail(m.code, fmt.Errorf("execnet: pytest has failed at its end in worker %s: %s", w.id, cmp.Or(m.reason, "exit code "+strconv.Itoa(int(m.code)))))
	default:
		s.handle(&Notice{Text: fmt.Sprintf("%s: pytest has ended with exit code %d", w.id, m.code)})
		s.fail(m.code, nil)
	}
}

// ended takes the end of a worker.
func (s *suite) ended(w *worker, err error) {
	orderly := w.state == stopping && (err == nil || errors.Is(err, gatewaybase.ErrTerminated))
	w.state = gone
	w.end()
	s.workers = slices.DeleteFunc(s.workers, func(other *worker) bool { return other == w })
	if s.from == w && s.tests == nil && !s.ending {
		s.from = nil
		s.compareWaiting()
	}
	if orderly && w.running < 0 {
		return
	}
	if w.forked && w.gateway == nil && !s.ending {
		s.noFork(w, err)
		return
	}
	s.crashed(w, err)
}

// crashed takes the death of a worker: the test that it ran has failed, and another one runs the
// rest.
func (s *suite) crashed(w *worker, err error) {
	down := &WorkerDown{Worker: w.id, Err: err, Test: w.test(w.running)}
	if w.running >= 0 {
		w.given = slices.DeleteFunc(w.given, func(i int) bool { return i == w.running })
		w.ran++
	}
	// One that does not come so far as to run a test would hardly do so a second time.
	wanted := !s.ending && w.ran > 0
	replace := wanted && (s.MaxRestarts < 0 || s.restarts < s.MaxRestarts)
	down.AtLimit = wanted && !replace
	if replace {
		s.restarts++
		spec := w.plain.Clone()
		spec.ID = "gw" + strconv.Itoa(s.nextID)
		s.nextID++
		down.Replaced = spec.ID
		var todo []int
		if s.Dist == Each {
			todo = append([]int{}, w.given...)
		}
		s.start(spec, todo)
	}
	// Whether the run is over with it. Then an error tells of it.
	over := !s.ending && !replace && (len(s.workers) == 0 || w.tests == nil || s.Dist == Each)
	if !s.ending && !(over && down.Test == nil) || down.Test != nil && !(s.cutOff && w.over == "") {
		s.handle(down)
	}
	if down.Test != nil {
		if s.cutOff && w.over == "" {
			s.tellDone(w.cut(down.Test, "the run has ended before it"))
		} else {
			s.tellDone(w.crash(down.Test, err))
		}
	}
	if s.dist != nil {
		s.dist.lost(w, w.given)
	}
	if over {
		doing := fmt.Sprintf("worker %s has ended, and no other one takes its place", w.id)
		switch {
		case w.gateway == nil:
			doing = fmt.Sprintf("worker %s has not started", w.id)
		case w.digest == "":
			doing = fmt.Sprintf("worker %s has ended while pytest was starting or collecting there", w.id)
		}
		s.fail(Internal, errtext.Wrap(doing, orElse(err, "its session is over")))
	}
}

// interrupt ends the run at once, because ctx has ended.
func (s *suite) interrupt(why error) {
	s.fail(Interrupted, why)
	if s.failure.err == nil {
		s.failure = &failure{Interrupted, why}
	}
	for _, w := range s.workers {
		w.over = errtext.Of(why)
		if w.running >= 0 {
			w.tell("stacks")
		} else {
			w.end()
		}
	}
	s.deadline = time.Now().Add(stackTime)
}

// untilAlarm is the time until something is to be done although nobody has told anything.
func (s *suite) untilAlarm() time.Duration {
	next := time.Hour
	if !s.deadline.IsZero() {
		next = min(next, time.Until(s.deadline))
	}
	if len(s.held) > 0 && s.tests != nil && !s.ending {
		next = min(next, max(time.Until(s.allAt), 10*time.Millisecond))
	}
	if s.Timeout > 0 {
		for _, w := range s.workers {
			if w.running >= 0 {
				next = min(next, time.Until(w.since.Add(s.Timeout)))
			}
		}
	}
	return max(next, 0)
}

// alarm does what time has come for.
func (s *suite) alarm() {
	if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
		s.deadline, s.cutOff = time.Time{}, true
		s.kill()
	}
	if len(s.held) > 0 {
		s.feed()
	}
	for _, w := range s.workers {
		if s.Timeout > 0 && w.running >= 0 && time.Since(w.since) >= s.Timeout {
			if w.over == "" {
				w.over = fmt.Sprintf("it did not end within %v", s.Timeout)
				w.tell("stacks")
			} else {
				w.end()
			}
			w.since = w.since.Add(stackTime)
		}
	}
}

func (s *suite) exitCode() ExitCode {
	switch {
	case s.failure != nil:
		s.err = s.failure.err
		return s.failure.code
	case s.failures > 0 || s.problems > 0 || s.lowCoverage:
		return TestsFailed
	case !s.passed && !s.onlyCollected:
		return NoTests
	}
	return OK
}

func orElse(err error, reason string) error {
	if err == nil {
		return errors.New(reason)
	}
	return err
}
