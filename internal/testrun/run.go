package testrun

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// suite is a run. One goroutine, which calls loop, uses its fields.
type suite struct {
	Config
	handle func(Event)
	ctx    context.Context // the caller's
	box    *mailbox
	uid    string
	seed   int
	forks  forks
	live   context.Context // ends when all workers are to be killed
	kill   context.CancelFunc
	serves sync.WaitGroup // of goroutines that serve workers

	workers  []*worker // those that are not gone, in the order of their starts
	tests    []Test    // the common collection; nil until it is known
	from     *worker   // who has told it
	dist     distribution
	memory   *memory
	held     []*xspec.Spec // workers that are not started, because that may not be worth it
	allAt    time.Time     // when they are started nevertheless
	restarts int
	nextID   int
	distOpen bool            // whether the suite may say how its tests are distributed
	toldUp   map[string]bool // problems and warnings that were told
	reports  []string        // options of plugins whose reports will not be there

	coverage *coverage // what pytest-cov has measured, or nil
	// lowCoverage says that it is less than the user wants.
	lowCoverage bool
	failures    int
	problems    int       // parts that could not be collected
	passed      bool      // whether a test has ended
	ending      bool      // no test is begun any more
	deadline    time.Time // when workers are ended by force, once ending
	failure     *failure  // why the run cannot be carried out, or nil
	maxed       bool      // whether MaxFail has been reached
	cutOff      bool      // whether workers were ended that still ran tests
	// onlyCollected says that no test was to be run.
	onlyCollected bool
	code          ExitCode
	err           error
}

func run(ctx context.Context, c Config, handle func(Event)) (ExitCode, error) {
	if len(c.Specs) == 0 {
		return UsageError, errors.New("execnet: there is no worker to run tests: give a spec for each")
	}
	distOpen := c.Dist == ""
	c.Dist = cmp.Or(c.Dist, Load)
	if !slices.Contains([]Dist{Load, WorkSteal, LoadScope, LoadFile, LoadGroup, Each}, c.Dist) {
		return UsageError, fmt.Errorf("execnet: unknown distribution %q; it is load, worksteal, loadscope, loadfile, loadgroup or each", c.Dist)
	}
	uid := make([]byte, 16)
	_, _ = rand.Read(uid)
	s := &suite{Config: c, handle: handle, ctx: ctx, box: newMailbox(), uid: hex.EncodeToString(uid), seed: int(binary.BigEndian.Uint32(uid)), toldUp: map[string]bool{}, nextID: len(c.Specs), distOpen: distOpen,
		memory: &memory{Version: memoryVersion, Tests: map[string]remember{}}}
	// Workers live on when ctx ends: they tell what they are doing then.
	s.live, s.kill = context.WithCancel(context.WithoutCancel(ctx))
	defer s.kill()
	c.Group.Output = func(l multi.Line) {
		s.box.put(nil, &Printed{l.Gateway, l.Stream == multi.Stderr, l.Text})
	}
	hosts, workers, err := makeHosts(ctx, c.Group, c.Specs)
	if err != nil {
		return Internal, err
	}
	defer endHosts(ctx, hosts)
	s.Specs = nil
	for i, spec := range workers {
		spec = spec.Clone()
		spec.ID = cmp.Or(spec.ID, "gw"+strconv.Itoa(i))
		spec.ChDir = cmp.Or(spec.ChDir, s.Dir)
		s.Specs = append(s.Specs, spec)
	}
	s.startFirst()
	defer s.forks.end()
	if s.Memory != "" { // which is needed when they have collected
		runtime.Gosched() // or with one processor they would start behind this
		var problem error
		if s.memory, problem = readMemory(s.Memory); problem != nil {
			handle(&Notice{Text: errtext.Of(problem)})
		}
	}
	s.loop(ctx)
	if s.forks.folder != "" {
		c.Group.ForgetPreloaded() // its process ends with the last worker
	}
	if s.Memory != "" && s.passed {
		if err := s.memory.write(s.Memory); err != nil {
			handle(&Notice{Text: errtext.Of(err)})
		}
	}
	return s.code, s.err
}

// start starts a worker.
func (s *suite) start(plain *xspec.Spec, todo []int) *worker {
	spec := plain.Clone()
	w := &worker{id: spec.ID, spec: spec, plain: plain, running: -1, todo: todo}
	w.ctx, w.end = context.WithCancel(s.live)
	forkable := s.forkable(plain)
	// Of forked workers only the first one is there so early.
	w.whole = s.Dist == Each || forkable && s.from == nil
	settings := s.settings(w)
	if forkable {
		if err := s.forks.prepare(spec, settings); err != nil {
			s.notForked(errtext.Of(err))
		} else {
			w.forked = true
		}
	}
	spec.ExecModel = cmp.Or(spec.ExecModel, xspec.ExecModelMainThreadOnly)
	s.workers = append(s.workers, w)
	s.serves.Go(func() { w.serve(s.Group, settings, s.box) })
	return w
}

// settings is the first item that a worker gets.
func (s *suite) settings(w *worker) map[string]any {
	// pytest-cov and pytest-randomly look for what their halves at the driver would have put there.
	input := map[string]any{"workerid": w.id, "workercount": len(s.Specs), "testrunuid": s.uid, "randomly_seed": s.seed,
		"cov_master_rsync_roots": []any{}}
	env := map[string]any{"PYTEST_XDIST_WORKER": w.id, "PYTEST_XDIST_WORKER_COUNT": strconv.Itoa(len(s.Specs)), "PYTEST_XDIST_TESTRUNUID": s.uid}
	settings := map[string]any{"args": append([]string{}, s.Args...), "only": nil, "not": s.Select.Not, "env": env, "workerinput": input,
		"timeout": s.Timeout.Seconds(), "color": s.Color, "width": s.Width, "whole": w.whole}
	if s.Select.Only != nil {
		settings["only"] = s.Select.Only
	}
	return settings
}

// loop takes what happens until all workers are gone.
func (s *suite) loop(ctx context.Context) {
	ended := ctx.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for len(s.workers) > 0 {
		timer.Reset(s.untilAlarm())
		select {
		case <-s.box.filled:
			for _, l := range s.box.take() {
				s.take(l)
			}
			s.feed()
		case <-ended:
			ended = nil
			s.interrupt(timeout.During(ctx, "the run of tests"))
		case <-timer.C:
			s.alarm()
		}
	}
	s.box.close()
	s.serves.Wait()
	if s.coverage != nil && ctx.Err() == nil {
		s.tellCoverage(ctx)
	}
	if len(s.reports) > 0 && s.passed {
		s.handle(&Notice{Text: fmt.Sprintf("%s: there is no report of the whole run, since no worker sees all tests; for that, run python -m pytest", strings.Join(s.reports, ", "))})
	}
	s.code = s.exitCode()
}

// take takes what a worker, or one of its processes, has told.
func (s *suite) take(l letter) {
	w := l.from
	switch m := l.what.(type) {
	case *Printed:
		s.printed(m)
	case opened:
		w.gateway, w.channel = m.gateway, m.channel
		if s.ending {
			w.stop()
		}
	case ready:
		w.state = max(w.state, collecting)
		if n, err := strconv.Atoi(m.up.Options["maxfail"]); err == nil && s.MaxFail == 0 {
			s.MaxFail = n
		}
		s.handle(m.up)
		s.takeDist(Dist(m.up.Options["dist"]))
		s.tellNotForked()
		s.reports = m.reports
	case problem:
		s.once(m.CollectProblem, m.ID, string(m.Outcome), m.Message)
	case warned:
		s.once(m.Warning, m.ID, m.Category, m.Message, m.Path, strconv.Itoa(m.Line))
	case collected:
		s.collected(w, m)
	case found:
		s.found(w, m.tests)
	case started:
		w.running, w.begun = m.index, time.Now()
		w.since = w.begun
		if t := w.test(m.index); t != nil {
			s.handle(&TestStarted{w.id, t, m.at})
		}
	case done:
		s.done(w, m)
	case returned:
		w.asked = nil
		w.given = slices.DeleteFunc(w.given, func(i int) bool { return slices.Contains(m.indexes, i) })
		s.dist.taken(w, m.indexes)
	case stacks:
		w.stacks = m.text
		if w.over != "" {
			w.end()
		}
	case notice:
		s.notForked(m.text)
	case internal:
		s.fail(Internal, fmt.Errorf("execnet: pytest itself has failed in worker %s:\n%s", w.id, m.text))
	case finished:
		s.finished(w, m)
	case refused:
		w.state = stopping
		s.fail(m.code, fmt.Errorf("execnet: pytest does not start in worker %s: %s", w.id, m.text))
	case ended:
		s.ended(w, m.err)
	}
}

// takeDist takes the distribution that the suite asks for, in the way of pytest-xdist.
func (s *suite) takeDist(d Dist) {
	if !s.distOpen {
		return
	}
	s.distOpen = false
	switch d {
	case "":
	case Load, WorkSteal, LoadScope, LoadFile, LoadGroup:
		s.Dist = d
	default: // pytest has refused what is none of pytest-xdist's, if that is installed
		s.handle(&Notice{Text: fmt.Sprintf("--dist %s in the suite's options has no effect", d)})
	}
}

// once hands out an event that several workers may have, if it is the first one.
func (s *suite) once(e Event, parts ...string) {
	key := fmt.Sprintf("%T%q", e, parts)
	if s.Dist == Each || !s.toldUp[key] {
		s.toldUp[key] = true
		s.handle(e)
	}
}

// done takes the end of a test.
func (s *suite) done(w *worker, m done) {
	t := w.test(m.index)
	w.running = -1
	w.ran++
	if at := slices.Index(w.given, m.index); at >= 0 { // it is the first one
		w.given = slices.Delete(w.given, at, at+1)
	}
	if t != nil {
		m.Test = t
		s.tellDone(&m.TestDone)
	}
}

func (s *suite) tellDone(d *TestDone) {
	s.passed = true
	s.memory.note(d)
	s.handle(d)
	if d.Outcome.Bad() {
		s.failures++
		if s.MaxFail > 0 && s.failures >= s.MaxFail && !s.ending {
			s.maxed = true
			s.stop()
		}
	}
}

// feed gives tests to workers that can run some, and ends the run when none is left.
func (s *suite) feed() {
	if s.ending {
		return
	}
	var able []*worker
	for _, w := range s.workers {
		if w.state == waiting && w.tests != nil {
			able = append(able, w)
		}
	}
	if len(able) == 0 {
		return
	}
	if s.dist == nil {
		s.dist = newDistribution(s.Dist, s.tests, len(s.workers), s.memory)
	}
	s.dist.feed(able)
	if len(s.held) > 0 && !time.Now().Before(s.allAt) && !s.dist.empty() {
		s.startHeld(len(s.held))
	}
	idle := func(w *worker) bool {
		return w.state == waiting && w.tests != nil && len(w.given) == 0 && w.running < 0
	}
	if s.dist.empty() && (s.Dist != Each && !slices.ContainsFunc(able, func(w *worker) bool { return !idle(w) }) ||
		!slices.ContainsFunc(s.workers, func(w *worker) bool { return !idle(w) })) {
		s.stop()
	}
}
