package dialback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// limits are how long things may take, and what strangers can cost.
type limits struct {
	// silence is how long workers may be missing before the first notice; at each further one it is
	// silenceFactor times as long.
	silence time.Duration
	// stray is how long workers may still come when the launcher has ended well: it may have left
	// them to themselves.
	stray time.Duration
	// leave is how long a launcher may take to end by itself after its last worker.
	leave time.Duration
	// term is how long it may take after SIGTERM, before it is killed.
	term time.Duration
	// greeting is how long a handshake may take, up to the end of the greeting.
	greeting time.Duration
	// pending is how many connections can be at their handshake. Further ones wait in the system's
	// queue, since many workers may connect at the same time.
	pending int
}

var standardLimits = limits{
	silence: 10 * time.Second, stray: 10 * time.Second, leave: 10 * time.Second, term: 2 * time.Second,
	greeting: 30 * time.Second, pending: 64,
}

const silenceFactor = 6

var (
	// ErrEnded is the cause of an [Error]: the launcher has ended, so no worker will come.
	ErrEnded = errors.New("execnet: the launcher has ended")
	// ErrAgain is what Claim returns for a worker that was asked for before. Another one comes with
	// another launch only.
	ErrAgain = errors.New("execnet: the launcher starts its workers together, once: another worker in the place of this one comes " +
		"with the next launch, when all workers of this one have ended")
	errGivenUp = errors.New("execnet: the launch was given up")
)

// Launch is one start of a launcher: it listens for the workers until all have come, and ends the
// launcher when nobody has one of them or waits for one any more.
type Launch struct {
	spec     *xspec.Spec // of one of the workers
	limits   limits
	command  string // of the launcher, without that of the workers
	n        int
	address  string
	listener net.Listener
	identity *identity
	process  *process.Process
	launcher *launcher
	outlet   *farend.Outlet // for notices, and for what srun prints

	all    chan struct{}   // closed when all workers have come
	failed chan struct{}   // closed when no more will come; err says why
	ending chan struct{}   // closed when the launcher has to end
	hurry  chan struct{}   // closed when it has to end at once
	done   chan struct{}   // closed when nothing is left of it
	came   []chan struct{} // by rank: closed when the worker has come

	mu      sync.Mutex // guards what follows
	workers []*Worker  // by rank; nil for those that have not come
	taken   []bool     // by rank: a worker is coming, or has come
	asked   []bool     // by rank: Claim was called
	arrived int        // how many have come
	users   int        // calls of Claim that wait, and claimed workers that live
	refused int        // connections
	why     string     // why the last one was refused
	err     *Error
	ended   map[chan struct{}]bool // which of the channels above are closed

	tasks sync.WaitGroup
}

// Start listens, and runs the launcher that spec asks for; env nil means this process's
// environment. What the launcher and its workers print goes to stderr. The error is a
// *cmdline.StartError, or says why it cannot listen.
func Start(spec *xspec.Spec, env []string, stderr io.Writer) (*Launch, error) {
	return start(spec, env, stderr, standardLimits)
}

func start(spec *xspec.Spec, env []string, stderr io.Writer, limits limits) (*Launch, error) {
	launcher, worker, err := Command(spec)
	if err != nil {
		return nil, err
	}
	identity, err := newIdentity()
	if err != nil {
		return nil, err
	}
	l := &Launch{
		spec: spec, limits: limits, command: cmp.Or(spec.Launch, strings.Join(launcher, " ")), n: 1, identity: identity, outlet: farend.NewOutlet(cmp.Or(stderr, io.Discard)),
		all: make(chan struct{}), failed: make(chan struct{}), ending: make(chan struct{}), hurry: make(chan struct{}), done: make(chan struct{}),
		ended: map[chan struct{}]bool{},
	}
	if spec.Launched != nil {
		l.n = spec.Launched.N
	}
	l.workers, l.taken, l.asked = make([]*Worker, l.n), make([]bool, l.n), make([]bool, l.n)
	for range l.n {
		l.came = append(l.came, make(chan struct{}))
	}
	if l.listener, l.address, err = listenAt(listenOf(spec), spec.Advertise); err != nil {
		return nil, err
	}
	way := strings.Join([]string{l.address, identity.fingerprint, identity.secret}, ",")
	if l.process, l.launcher, err = startLauncher(append(launcher, worker...), environ(env, way), sourceOf(spec), l.watched(stderr)); err != nil {
		l.listener.Close()
		return nil, err
	}
	go l.run()
	return l, nil
}

// Claim waits for the worker of a rank and returns the pipe to it, which the caller owns. Each rank
// can be claimed once; then Claim returns ErrAgain, as it does when the launch has ended well. The
// error is an [*Error] if the worker does not come before ctx ends, or cannot come.
func (l *Launch) Claim(ctx context.Context, rank int) (*Worker, error) {
	l.mu.Lock()
	if l.asked[rank] || l.ended[l.ending] && l.err == nil {
		l.mu.Unlock()
		return nil, ErrAgain
	}
	l.asked[rank] = true
	l.users++
	l.mu.Unlock()

	var why error
	select {
	case <-l.came[rank]:
	case <-ctx.Done():
		why = timeout.Cause(ctx)
	case <-l.failed:
	}
	w, err := l.claimed(rank, why)
	if err != nil && l.release(false) {
		<-l.done
	}
	return w, err
}

// claimed returns the worker of a rank if it has come, whatever else has happened, or else the
// error that says why it is missing: why, or, if that is nil, the launch's own.
func (l *Launch) claimed(rank int, why error) (*Worker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.workers[rank]
	switch {
	case w != nil && !l.ended[l.ending]:
		l.tasks.Go(w.follow)
		return w, nil
	case why == nil && l.err != nil:
		return nil, l.err
	}
	return nil, l.error(cmp.Or(why, errGivenUp))
}

// release says that a user of the launch has done with it; hurry, that the launcher must not take
// its time. It reports whether that was the last one, so that the launch ends.
func (l *Launch) release(hurry bool) (last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	if l.users > 0 {
		return false
	}
	if hurry || l.arrived < l.n {
		l.close(l.hurry)
	}
	l.close(l.ending)
	return true
}

// End ends the launch at once, and waits until nothing is left of it.
func (l *Launch) End() {
	l.mu.Lock()
	l.close(l.hurry)
	l.close(l.ending)
	l.mu.Unlock()
	<-l.done
}

// Ending is closed when the launch ends, and Done when nothing is left of it.
func (l *Launch) Ending() <-chan struct{} { return l.ending }

// Done is closed when nothing is left of the launch.
func (l *Launch) Done() <-chan struct{} { return l.done }

// close closes a channel, if it is not closed yet. The caller holds mu.
func (l *Launch) close(c chan struct{}) {
	if !l.ended[c] {
		l.ended[c] = true
		close(c)
	}
}

// run is the launch's goroutine. It owns the listener and the launcher.
func (l *Launch) run() {
	defer close(l.done)
	listening, stop := context.WithCancel(context.Background())
	var listeners sync.WaitGroup
	listeners.Go(func() { l.accept(listening) })
	l.gather()
	stop()
	l.listener.Close()
	listeners.Wait()

	l.awaitEnding()
	l.fail(errGivenUp) // for those who still wait
	for _, w := range l.arrivedWorkers() {
		_ = w.Pipe.Kill() // most have ended by now
	}
	l.endLauncher()
	l.tasks.Wait()
	l.outlet.FlushSoon()
}

// gather waits until all workers have come, or no more will.
func (l *Launch) gather() {
	begin := time.Now()
	limit := l.limits.silence
	notice := time.NewTimer(limit)
	defer notice.Stop()
	var stray <-chan time.Time
	ended := l.launcher.ended
	for {
		select {
		case <-l.all:
			return
		case <-l.ending:
			return
		case <-notice.C:
			text := l.notice(limit)
			l.tasks.Go(func() { l.outlet.Offer([]byte(text + whyQueued(l.process.Exit().Stderr) + "\n")) })
			limit *= silenceFactor
			notice.Reset(time.Until(begin.Add(limit)))
		case <-ended:
			ended = nil
			after := time.Duration(0)
			if l.launcher.exit.Code == 0 {
				after = l.limits.stray
			}
			timer := time.NewTimer(after)
			defer timer.Stop()
			stray = timer.C
		case <-stray:
			_ = l.process.Wait(context.Background()) // its last words
			l.fail(ErrEnded)
			return
		}
	}
}

// notice says which workers are missing after some time.
func (l *Launch) notice(after time.Duration) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf("execnet: %d of %d workers of %q have connected after %.0f s; this process listens at %s",
		l.arrived, l.n, l.launcher.Args()[0], after.Seconds(), l.address)
	if isLoopback(l.address) {
		text += ", which only this machine reaches: for workers elsewhere write listen=ADDRESS in the spec"
	}
	return text
}

// fail notes why no more workers will come, unless all have.
func (l *Launch) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended[l.failed] {
		return
	}
	if l.arrived < l.n && err != errGivenUp {
		l.err = l.error(err)
	}
	l.close(l.failed)
}

// error describes the launch as it is. The caller holds mu.
func (l *Launch) error(err error) *Error {
	e := &Error{Launcher: l.command, N: l.n, Address: l.address, Exit: l.process.Exit(), Err: err}
	for rank, w := range l.workers {
		if w == nil {
			e.Missing = append(e.Missing, rank)
		}
	}
	if l.refused > 0 {
		e.Refused = fmt.Sprintf("connections that were refused: %d, the last one %s", l.refused, l.why)
	}
	return e
}

// endLauncher waits for the launcher's end, and brings it about if it takes too long.
func (l *Launch) endLauncher() {
	left := time.NewTimer(l.limits.leave)
	defer left.Stop()
	select {
	case <-l.launcher.ended:
	case <-left.C:
	case <-l.hurry:
	}
	select {
	case <-l.launcher.ended:
	default:
		l.launcher.terminate()
		ctx, cancel := context.WithTimeout(context.Background(), l.limits.term)
		defer cancel()
		if farend.Await(ctx, l.launcher.ended) != nil {
			_ = l.launcher.Kill() // it fails for what has ended
		}
	}
	_ = l.process.Wait(context.Background())
}
