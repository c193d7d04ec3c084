package rsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// RSync sends one directory tree to any number of targets: AddTarget names them, Send does it. Its
// fields are to be set before the first AddTarget. It is execnet's RSync.
type RSync struct {
	// Source is the directory whose content is sent. It may be a symbolic link to one.
	Source string
	// Callback, if set, is told what happens, one call at a time, from goroutines of Send, which
	// wait for it. It is execnet's callback.
	Callback func(Event)
	// Verbose, if set, gets a line for each file sent to a target: the gateway, "<=" and the path.
	// execnet prints them unless it is told not to.
	Verbose io.Writer
	// Filter, if set, tells for each entry's path, which begins with Source, whether it belongs to
	// the tree. A directory that does not is not looked into. It is called from several goroutines.
	// It is execnet's RSync.filter.
	Filter func(path string) bool
	// Delta tells for which targets only the changes in large files are sent. It goes beyond
	// execnet.
	Delta Delta
	// DryRun changes nothing at the targets, but finds out what would be. Targets that run Python's
	// execnet cannot do that. It goes beyond execnet.
	DryRun bool
	// StallTimeout is how long a target that has something to do may show no sign of life before it
	// is given up; 0 means a minute. The other targets go on.
	StallTimeout time.Duration

	mu      sync.Mutex // guards what follows
	targets []*target
	results []Result
}

// New returns an RSync of a source directory.
func New(source string) *RSync { return &RSync{Source: source} }

// Delta is a policy for files of which a target has another version, from 64 KiB on.
type Delta int

const (
	// DeltaAuto sends changes to targets on other machines and whole files to workers on this one,
	// where comparing costs more than copying. Of those, files from 1 MiB on need not even be sent:
	// a worker that sees them copies them by itself.
	DeltaAuto Delta = iota
	// DeltaNever sends whole files.
	DeltaNever
	// DeltaAlways sends changes.
	DeltaAlways
)

// EventKind says what an Event tells of. The first two are execnet's.
type EventKind string

const (
	// EventList comes when a target has told everything it needs. Size is the sum of the sizes of
	// those files (those that are still to be compared included). Sending may have begun before it.
	EventList EventKind = "list"
	// EventAck comes when a file has arrived at a target: Path, and Size, what was sent for it.
	EventAck EventKind = "ack"
	// EventProgress comes whenever a target has told how far it is. Size is how many bytes of the
	// files it needed it has dealt with, whether they were sent or not; in the end that is what
	// EventList told.
	EventProgress EventKind = "progress"
	// EventDelete names an entry that was deleted at a target, or would be in a dry run, in Path.
	EventDelete EventKind = "delete"
	// EventSend names a file, in Path, that is now being sent to a target, or would be in a dry
	// run; Size is its size.
	EventSend EventKind = "send"
	// EventWarning tells of what did not go as it should but does not make the sync fail, in Err.
	EventWarning EventKind = "warning"
)

// Event is what Callback is told.
type Event struct {
	Kind EventKind
	// Gateway, Channel and Dest are the target's.
	Gateway *gatewaybase.Gateway
	Channel *gatewaybase.Channel
	Dest    string
	// Path is relative to Source, with slashes.
	Path string
	Size int64
	Err  *FileError
}

// TargetOptions are what a target's AddTarget may be given besides.
type TargetOptions struct {
	// Finished is called when the target has the tree. It is execnet's finishedcallback.
	Finished func()
	// Delete removes what is in the target's directory and not in the tree, what Filter leaves out
	// included. It is execnet's delete.
	Delete bool
}

// Result is what became of one target.
type Result struct {
	Gateway *gatewaybase.Gateway
	Dest    string
	// Err is nil if the target has the tree, as far as it could be read, or what Send reports of
	// it.
	Err error
	// Warnings name what the tree lacks and why that is in order: sockets and devices, which are
	// not sent, files that vanished before they could be sent, and files that changed while they
	// were.
	Warnings []FileError
	Stats
}

// Stats are what a target has counted. With Python's execnet at the target, or of one that ended
// early, Files and Literal alone are known: what it has acknowledged.
type Stats struct {
	Files   int64 // files written
	Touched int64 // files whose mode or times alone were set
	Dirs    int64 // directories made
	Links   int64 // symbolic links made
	Deleted int64 // entries deleted
	Failed  int64 // entries that could not be made
	Literal int64 // bytes of content that were sent, or copied from the source by a worker on the same machine
	Matched int64 // bytes that the target took from the version it had
}

// ErrNoTargets is what Send reports when there is nobody to send to: no AddTarget came before, or
// none since the last Send. A program that does not mind passes over it, as raises=False does in
// execnet.
var ErrNoTargets = errors.New("execnet: rsync: no targets; each Send needs its own AddTarget calls")

// AddTarget has gw receive the tree in the directory dest; it is made if need be, and is relative
// to the worker's directory. The receiving half starts at once. With a gateway whose spec says
// bootstrap=import that half is Python execnet's own, and the protocol that of protocol.md sections
// 11.1 to 11.4; otherwise it is this module's, with section 11.5.
//
// With Delete, in a dry run too, it refuses a dest on this machine that is the source or one of the
// directories that the source lies in, whatever links lead there, since the source would be
// deleted. It knows this of popen gateways without via whose python= is one word; others may be
// elsewhere, and what their dest holds is up to the caller. It is execnet's RSync.add_target.
func (r *RSync) AddTarget(gw *gatewaybase.Gateway, dest string, options TargetOptions) error {
	if options.Delete && holds(gw.Spec(), dest, r.Source) {
		return fmt.Errorf("execnet: rsync to %s of gateway %s: it is or holds the source %s, which Delete would destroy",
			printable(dest), gw.ID(), printable(r.Source))
	}
	t := &target{gw: gw, dest: dest, options: options, reference: gw.Spec().Bootstrap == "import"}
	switch r.Delta {
	case DeltaAuto:
		t.near = gw.Spec().Local()
		t.delta = !t.near
	case DeltaAlways:
		t.delta = true
	}
	if t.reference && r.DryRun {
		return fmt.Errorf("execnet: rsync: gateway %s runs Python's execnet, which knows no dry run: use a spec without bootstrap=import", gw.ID())
	}
	if err := t.start(r.DryRun); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets = append(r.targets, t)
	return nil
}

// Send sends the tree to all targets added since the last Send, and returns when each of them has
// it or has failed. Each file is read once for all targets that need it, unless some speak Python
// execnet's protocol and others ours. A target that fails leaves the others alone.
//
// It reports ErrNoTargets; a TargetError for each target that failed or lacks files; a SourceError
// when files could not be read; joined, if there are several. Results tells more. It is execnet's
// RSync.send.
func (r *RSync) Send(ctx context.Context) error {
	r.mu.Lock()
	targets := r.targets
	r.targets, r.results = nil, nil
	r.mu.Unlock()
	if len(targets) == 0 {
		return ErrNoTargets
	}
	report := &reporter{callback: r.Callback, verbose: r.Verbose}
	var results []Result
	tree, err := openSource(r.Source, r.Filter, report)
	if err == nil {
		err = r.send(ctx, tree, targets, report)
		tree.close()
		for _, t := range targets {
			result := t.result(report)
			results = append(results, result)
			err = errors.Join(err, result.Err)
		}
	} else {
		for _, t := range targets {
			t.channel.Close()
			results = append(results, Result{Gateway: t.gw, Dest: t.dest, Err: &TargetError{Gateway: t.gw.ID(), Dest: t.dest, Err: err}})
		}
	}
	r.mu.Lock()
	r.results = results
	r.mu.Unlock()
	return err
}

// Results tells what became of each target of the last Send, in the order in which they were added.
func (r *RSync) Results() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.results
}

const defaultStallTimeout = time.Minute

// send serves the targets of either protocol at the same time. It returns what is wrong with the
// source.
func (r *RSync) send(ctx context.Context, tree *source, targets []*target, report *reporter) error {
	stall := r.StallTimeout
	if stall <= 0 {
		stall = defaultStallTimeout
	}
	var own, reference []*target
	for _, t := range targets {
		if t.reference {
			reference = append(reference, t)
		} else {
			own = append(own, t)
		}
	}
	var running sync.WaitGroup
	if len(own) > 0 {
		running.Go(func() { newSession(tree, own, report, r.DryRun).run(ctx, stall) })
	}
	if len(reference) > 0 {
		running.Go(func() { newReferenceSession(tree, reference, report).run(ctx, stall) })
	}
	running.Wait()
	return report.sourceError(r.Source)
}
