package rsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/rsync/internal/source"
)

// This file has the life of a target, which is the same in both protocols. AddTarget starts the
// receiving half there. Send makes a session for all targets of one protocol: a goroutine for each
// target receives what it says, one gives up those that stall, and the protocol's own code sends
// the tree and the files until every target has ended.

// phase is how far a target is. Phases follow one another in this order; a target that fails goes
// from any of them to ended.
type phase int

const (
	listing   phase = iota // it gets the tree and says which files it needs
	listed                 // it has said all it needs: EventList
	finishing              // everything was sent to it; its last item is to come
	finished               // its last item has come; only the end of the channel is missing
	ended                  // nothing more is received from it or sent to it
)

// target is one destination of a Send.
type target struct {
	gw      *gatewaybase.Gateway
	channel *gatewaybase.Channel
	dest    string
	options TargetOptions
	dialect dialect
	delta   bool // of large files only the changes are sent
	near    bool // the far end can probably read the files of this machine

	ctx    context.Context // ends with the target
	cancel context.CancelFunc
	peer   peer

	// The mutex of the target's session guards the rest.
	phase     phase
	err       error     // why it has ended, if it has not finished
	lastSign  time.Time // when it last showed a sign of life, or owed nothing
	bytesSent int64     // what its gateway had sent when watch last looked
	wanted    int64     // sum of the sizes of the files it asked for
	done      int64     // the same of those it has
	stats     Stats
	files     []*FileError
	warnings  []*FileError
}

// dialect is one of the two protocols: ownDialect or referenceDialect.
type dialect interface {
	// execute has the far end run the receiving half.
	execute(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error)
	// hello returns the first item that the receiving half gets.
	hello(t *target, dryRun bool) any
	// begin gives each target of a session its peer. The function it returns sends the tree, and
	// the files that are asked for, until each target has ended; ctx ends the targets.
	begin(s *session) (send func(ctx context.Context))
}

// peer is a target as its dialect sees it. Its methods are called with the session's mutex held.
type peer interface {
	// handle acts on one item of the target, and returns the events that it is worth. An error ends
	// the target.
	handle(item any) ([]Event, error)
	// owes reports whether a sign of life is due.
	owes() bool
}

// start has the far end run the receiving half.
func (t *target) start(dryRun bool) error {
	channel, err := t.dialect.execute(t.gw)
	if err == nil {
		err = channel.Reconfigure(context.Background(), gatewaybase.StrConfig{})
	}
	if err == nil {
		err = channel.Send(context.Background(), t.dialect.hello(t, dryRun))
	}
	if err != nil {
		if channel != nil {
			channel.Close()
		}
		return &TargetError{Gateway: t.gw.ID(), Dest: t.dest, Err: err}
	}
	t.channel = channel
	return nil
}

// fail ends the target; the first reason counts. The caller holds the session's mutex.
func (t *target) fail(err error) {
	if t.phase == ended {
		return
	}
	t.phase = ended
	t.err = err
	t.cancel()
}

// end ends the target because nothing more is received from it. It reports whether the target has
// the tree. The caller holds the session's mutex.
func (t *target) end(err error) (complete bool) {
	if errors.Is(err, io.EOF) {
		if complete = t.phase == finished; complete {
			err = nil
		} else {
			err = fmt.Errorf("the receiving half ended too early: %w", io.ErrUnexpectedEOF)
		}
	}
	t.fail(err)
	return complete
}

// takesBytes reports whether the far end has taken bytes since this was last asked: a large item
// may take long on its way. The caller holds the session's mutex.
func (t *target) takesBytes() bool {
	before := t.bytesSent
	t.bytesSent = t.gw.Stats().BytesSent
	return t.bytesSent > before
}

// count counts files that were written and the bytes sent for them. It is replaced by what the
// target itself reports at its end, if it does. The caller holds the session's mutex.
func (t *target) count(files, sent int64) {
	t.stats.Files += files
	t.stats.Literal += sent
}

func (t *target) event(kind EventKind, path string, size int64) Event {
	return Event{Kind: kind, Gateway: t.gw, Channel: t.channel, Dest: t.dest, Path: path, Size: size}
}

func (t *target) result(report *reporter) Result {
	r := Result{Gateway: t.gw, Dest: t.dest, Stats: t.stats, Warnings: append(report.sourceWarnings(), t.warnings...)}
	if t.err != nil || len(t.files) > 0 {
		r.Err = &TargetError{Gateway: t.gw.ID(), Dest: t.dest, Err: t.err, Files: t.files}
	}
	return r
}

// session is a Send to the targets of one dialect.
type session struct {
	tree    *source.Tree
	report  *reporter
	dryRun  bool
	targets []*target

	mu      sync.Mutex // guards the targets and what else a dialect says it guards
	changed sync.Cond  // anything that mu guards did
}

func newSession(tree *source.Tree, report *reporter, dryRun bool, targets []*target) *session {
	s := &session{tree: tree, report: report, dryRun: dryRun, targets: targets}
	s.changed.L = &s.mu
	return s
}

// run serves the targets until each has ended. What went wrong is in them then.
func (s *session) run(ctx context.Context, d dialect, stall time.Duration) {
	send := d.begin(s)
	var running sync.WaitGroup
	for _, t := range s.targets {
		t.ctx, t.cancel = context.WithCancel(context.Background())
		t.lastSign = time.Now()
	}
	for _, t := range s.targets {
		running.Go(func() { s.receive(t) })
	}
	over := make(chan struct{})
	running.Go(func() { s.watch(ctx, over, stall) })
	send(ctx)
	close(over)
	running.Wait()
}

// receive handles what a target says until the target ends.
func (s *session) receive(t *target) {
	defer t.channel.Close()
	for {
		item, err := t.channel.Receive(t.ctx)
		var events []Event
		complete := false
		s.mu.Lock()
		if err == nil {
			t.lastSign = time.Now()
			events, err = t.peer.handle(item)
		}
		if err != nil {
			complete = t.end(err)
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		s.report.events(events)
		if complete && t.options.Finished != nil {
			s.report.call(t.options.Finished)
		}
		if err != nil {
			return
		}
	}
}

// watch gives up targets that stall, and all of them when ctx ends, until the session is over.
func (s *session) watch(ctx context.Context, over <-chan struct{}, stall time.Duration) {
	tick := time.NewTicker(max(stall/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-ctx.Done():
			s.mu.Lock()
			s.failAll(context.Cause(ctx))
			s.mu.Unlock()
			return
		case now := <-tick.C:
			s.mu.Lock()
			for _, t := range s.targets {
				if !t.peer.owes() || t.takesBytes() {
					t.lastSign = now
				} else if now.Sub(t.lastSign) > stall {
					t.fail(&StallError{stall})
					s.changed.Broadcast()
				}
			}
			s.mu.Unlock()
		}
	}
}

// failAll ends all targets. The caller holds the mutex.
func (s *session) failAll(err error) {
	for _, t := range s.targets {
		t.fail(err)
	}
	s.changed.Broadcast()
}

// alive reports whether any target is left. The caller holds the mutex.
func (s *session) alive() bool {
	for _, t := range s.targets {
		if t.phase != ended {
			return true
		}
	}
	return false
}
