package rsync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/rsync/internal/source"
)

// RSync sends one directory tree to any number of targets: [RSync.AddTarget] names them and
// [RSync.Send] sends. Its fields are to be set before the first AddTarget. It is execnet's RSync.
type RSync struct {
	// Source is the directory whose content is sent. It may be a symbolic link to one.
	Source string
	// Callback, if set, is called for each event, one call at a time, from goroutines of Send,
	// which wait for it. It is execnet's callback.
	Callback func(Event)
	// Verbose, if set, gets a line for each file sent to a target: the gateway, "<=" and the path.
	// execnet prints these lines unless its argument verbose is false.
	Verbose io.Writer
	// Filter, if set, tells for each entry's path, which begins with Source, whether it belongs to
	// the tree. A directory that does not is not looked into. It is called from several goroutines.
	// It is execnet's RSync.filter.
	Filter func(path string) bool
	// Delta tells for which targets only the changes in large files are sent. It goes beyond
	// execnet.
	Delta Delta
	// DryRun changes nothing at the targets, but finds out what would be changed. Targets that run
	// Python's execnet cannot do that. It goes beyond execnet.
	DryRun bool
	// StallTimeout is how long a target that owes an answer may show no sign of life before it
	// fails with a *StallError; 0 means a minute. The other targets go on.
	StallTimeout time.Duration

	mu      sync.Mutex // guards what follows
	targets []*target
	results []Result
}

// New returns an RSync that sends what is in a directory.
func New(source string) *RSync { return &RSync{Source: source} }

// Delta is a policy for files of 64 KiB and more of which a target has another version.
type Delta int

const (
	// DeltaAuto sends changes to targets on other machines and whole files to workers on this one,
	// where comparing costs more than copying. A worker on this machine that can read the source
	// copies files of 1 MiB and more by itself, so that they are not sent at all.
	DeltaAuto Delta = iota
	// DeltaNever sends whole files.
	DeltaNever
	// DeltaAlways sends changes to all targets.
	DeltaAlways
)

// EventKind says what an [Event] is about. EventList and EventAck are execnet's.
type EventKind string

const (
	// EventList comes when a target has said everything it needs. Size is the sum of the sizes of
	// those files (those that are still to be compared included). Sending may have begun before it.
	EventList EventKind = "list"
	// EventAck comes when a file has arrived at a target: Path, and Size, what was sent for it.
	EventAck EventKind = "ack"
	// EventProgress comes whenever a target has said how far it is. Size is how many bytes of the
	// files it needed are done, whether they were sent or not; in the end it is EventList's Size.
	EventProgress EventKind = "progress"
	// EventDelete comes for an entry that was deleted at a target, or would be without DryRun:
	// Path.
	EventDelete EventKind = "delete"
	// EventSend comes when a file is going to be sent to a target, or would be without DryRun:
	// Path, and Size, its size.
	EventSend EventKind = "send"
	// EventWarning comes for what did not go as it should but does not make the sync fail: Err. If
	// it is about the source, Gateway and Channel are nil and Dest is empty.
	EventWarning EventKind = "warning"
)

// Event is what [RSync.Callback] is given. Fields that its kind does not mention are zero.
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

// TargetOptions are the options of [RSync.AddTarget].
type TargetOptions struct {
	// Finished, if set, is called when the target has the tree, like Callback. It is execnet's
	// finishedcallback.
	Finished func()
	// Delete removes what is in the target's directory and not in the tree, including what Filter
	// leaves out. It is execnet's delete.
	Delete bool
}

// Result is how the sync with one target ended.
type Result struct {
	Gateway *gatewaybase.Gateway
	Dest    string
	// Err is nil if the target has the tree, as far as it could be read; otherwise it is the
	// *TargetError that Send reports.
	Err error
	// Warnings are about what the target lacks, or may lack, without that being an error: sockets
	// and devices, which are not sent, files that vanished before they could be sent, files that
	// changed while they were sent, and directories whose mode or time could not be set.
	Warnings []*FileError
	Stats
}

// Stats are what a target has counted. Of a target that runs Python's execnet, or that ended early,
// only Files and Literal are known: what it has acknowledged.
type Stats struct {
	Files   int64 // files written
	Touched int64 // files whose mode or times alone were set
	Dirs    int64 // directories made
	Links   int64 // symbolic links made
	Deleted int64 // entries deleted
	Failed  int64 // entries that could not be made
	Literal int64 // bytes of content that were sent, or that the worker copied from the source
	Matched int64 // bytes that the target took from the version it had
}

// AddTarget has a gateway receive the tree in the directory dest, which is made if need be and is
// relative to the worker's directory. The receiving half starts at once. If the gateway's spec says
// bootstrap=import, it is that of Python's execnet ([protocol.md section 11.1] to 11.4), otherwise
// this module's ([protocol.md section 11.5]). It is execnet's RSync.add_target.
//
// It reports a *[TargetError] if the receiving half cannot be started. With Delete, in a dry run
// too, it refuses a dest on this machine that is the source or one of the directories that the
// source is in, whatever links lead there, since the source would be deleted. It can only check
// this for popen gateways without via whose python= is one word; the interpreter of others may be
// on another machine, and what their dest holds is up to the caller.
//
// [protocol.md section 11.1]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#111-start
// [protocol.md section 11.5]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#115-this-modules-halves
func (r *RSync) AddTarget(gw *gatewaybase.Gateway, dest string, options TargetOptions) error {
	if options.Delete && holds(gw.Spec(), dest, r.Source) {
		return fmt.Errorf("execnet: rsync to %s of gateway %s: it is or holds the source %s, which Delete would destroy",
			paths.Printable(dest), gw.ID(), paths.Printable(r.Source))
	}
	t := &target{gw: gw, dest: dest, options: options, dialect: ownDialect{}}
	if gw.Spec().Bootstrap == "import" {
		t.dialect = referenceDialect{}
		if r.DryRun {
			return fmt.Errorf("execnet: rsync: gateway %s runs Python's execnet, which knows no dry run: use a spec without bootstrap=import", gw.ID())
		}
	}
	switch r.Delta {
	case DeltaAuto:
		t.near = gw.Spec().Local()
		t.delta = !t.near
	case DeltaAlways:
		t.delta = true
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
// it or has failed. A target that fails does not stop the others. When ctx ends, the targets that
// are left fail with its error. Each file is read once for all targets that need it, or twice if
// some targets run Python's execnet and others do not. It is execnet's RSync.send.
//
// It reports [ErrNoTargets]; that the source is no directory or cannot be read; a *[TargetError]
// for each target that failed or lacks files; a *[SourceError] when files could not be read. If
// there are several errors they are joined, as by errors.Join. Results tells more.
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
	tree, err := source.Open(r.Source, r.Filter, report)
	if err == nil {
		r.send(ctx, tree, targets, report)
		tree.Close()
		err = report.sourceError(r.Source)
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

// Results tells how the last Send ended for each target, in the order in which they were added.
func (r *RSync) Results() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.results
}

const defaultStallTimeout = time.Minute

// send serves the targets of both dialects at the same time.
func (r *RSync) send(ctx context.Context, tree *source.Tree, targets []*target, report *reporter) {
	stall := r.StallTimeout
	if stall <= 0 {
		stall = defaultStallTimeout
	}
	speaking := make(map[dialect][]*target)
	for _, t := range targets {
		speaking[t.dialect] = append(speaking[t.dialect], t)
	}
	var running sync.WaitGroup
	for d, targets := range speaking {
		running.Go(func() { newSession(tree, report, r.DryRun, targets).run(ctx, d, stall) })
	}
	running.Wait()
}
