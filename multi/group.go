// Package multi holds groups of gateways: a [Group] makes gateways from specs, finds them by id,
// and ends them all, however stuck they are. A [MultiChannel] uses one channel to each of them. The
// package corresponds to execnet's multi.py.
package multi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// Group is a set of gateways that are found by id and ended together. Its zero value is an empty
// group, ready to use. Set its fields before you make the first gateway. It is execnet's Group.
type Group struct {
	// DefaultSpec is what MakeGateway uses for an empty spec; empty means "popen".
	DefaultSpec string
	// ExecModel is the execution model of workers whose spec names none; empty means "thread".
	ExecModel string
	// AllowUnknownKeys admits specs with keys that package xspec does not know, as execnet does.
	// They have no effect here; a Gateway's Spec has them in Extra. Otherwise such a key is an
	// error, except one that begins with "x-".
	AllowUnknownKeys bool
	// MaxStarting bounds how many gateways MakeGateways starts at the same time. 0 means four for
	// each processor among those that run on this machine, and no bound for others.
	MaxStarting int
	// Stderr gets what the workers print to their stderr; nil means os.Stderr. Several gateways
	// write at the same time. While a Write blocks, up to 1 MiB of each gateway waits. After that a
	// local worker is held up when it prints; what one behind ssh prints is left out, and a line
	// says so, because its channels would have to wait, too. At a worker's end a Write has half a
	// second; then the gateway ends without it.
	Stderr io.Writer
	// Output, if it is not nil, gets each line that the workers and their children print, as they
	// come: of stdout (Python's print, os.write to descriptor 1, what children write there) and of
	// stderr, which does not go to Stderr then. One call is made at a time, and the lines of a
	// stream of a gateway come in their order; those of stdout and of stderr may overtake each
	// other. Without it what is printed to stdout goes nowhere. Workers of pip's execnet
	// (bootstrap=import) have no stdout for it. What a launcher prints, and its workers before they
	// are gateways and when they crash, goes to Stderr, unless the launch has only one worker.
	//
	// Output may take its time: channels go on meanwhile. 256 KiB of a worker's stdout may be on
	// their way; after that what prints waits as long as lines are taken. If none is taken for 5
	// seconds, the rest is left out until one is, and a line says how much that was. At the end of
	// a gateway a call has half a second, and then the gateway ends without it; the lines may still
	// come later.
	Output func(Line)
	// SlogHandler, if it is not nil, gets what is logged in the workers: the records of Python's
	// module logging that reach the root logger, and in a Go worker those of log/slog's default
	// logger, unless its program has set that itself. A worker logs what its own levels let through
	// (in Python WARNING and more, until the program sets the level of a logger); of that the
	// handler gets what it is enabled for.
	//
	// The levels of Python's DEBUG, INFO, WARNING and ERROR become those of log/slog, CRITICAL
	// becomes 12. The attributes are gateway (its id), logger (its name), file, line and function,
	// exception (the traceback) if there is one, and what extra= or attributes have added, as far
	// as it is bool, a number, str or None. Handlers of logging that write to stderr get nothing,
	// so that no record comes twice; those that write elsewhere do. Pip's workers
	// (bootstrap=import) send nothing.
	//
	// The handler may take its time, as Output may; what is left out because it takes nothing is
	// told by a record of level WARN.
	SlogHandler slog.Handler
	// Grace is how long Terminate lets workers end by themselves when its context has no deadline;
	// 0 means DefaultGrace.
	Grace time.Duration
	// MaxCost bounds the memory that a value from a worker may take: so many times the bytes of its
	// message, and 1 MiB. 0 means [serializer.DefaultMaxCost]. Receive returns a
	// [serializer.LoadError] for a value beyond it. Workers take the bound for what they receive
	// from the environment variable EXECNET_MAX_COST.
	MaxCost int
	// Uploading, if it is not nil, is told how far uploads of programs have come: of this program
	// for self in a spec, and of those of Deploy. It is called by several goroutines at the same
	// time, and holds up the upload. There is no call for a host that has the program already.
	Uploading func(Upload)
	// SSH is for gateways over ssh: passwords, timeouts and so on. Its Stderr is set from the
	// group's if it is nil.
	SSH gatewayio.SSHOptions

	printing sync.Mutex // held while Output is called

	mu       sync.Mutex // guards what follows
	gateways []*gatewaybase.Gateway
	starting map[string]*start // gateways that are being made, by id
	autoID   int
	imports  []fs.FS           // what all gateways import, in the order of ImportFS
	opener   *gatewayio.Opener // made when the first gateway needs it
}

// start is a gateway that is being made.
type start struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the gateway is a member, or has failed
}

// NewGroup returns an empty group.
func NewGroup() *Group { return &Group{} }

// DefaultGroup is the group that execnet.MakeGateway and execnet.Terminate use. It is execnet's
// default_group.
var DefaultGroup = NewGroup()

// MakeGateway starts an interpreter as spec says, and returns the gateway to it when the
// interpreter has answered. ctx bounds that. Package xspec describes the spec; an empty one means
// DefaultSpec. A gateway whose spec has no id gets the next free one of gw0, gw1 and so on.
//
// preload=numpy,pandas has the worker import modules. Gateways of this machine with the same
// interpreter, environment and modules are forked from one process that has imported them once, as
// multiprocessing's forkserver does: such a worker is ready at once and shares the memory of the
// modules. It needs Linux or macOS and Python 3.3; with gevent or eventlet, and if the modules
// start threads, each worker imports them itself, as it does everywhere else.
//
// ssh=host//self runs this program there, as a worker whose functions RemoteCall calls, on a host
// where nothing is installed. It is uploaded once, into a folder of the host's user; the next time
// it is there. Another system or processor gets the build for it (worker.Builds).
// popen//via=ID//self does the same where the gateway ID runs, if that is a Python; a Go worker
// starts its own program.
//
// launch=COMMAND runs a launcher such as mpirun or srun, which starts workers, here or elsewhere;
// they connect to this process. For several (n=4) there is MakeGateways. slurm=N does the same by
// Slurm's srun.
//
// It returns an [xspec.Error] for a spec that cannot be used, [ErrDuplicateID], a
// [gatewayio.PythonNotFoundError] when there is no interpreter to start, a [gatewayio.DeployError]
// when this program cannot be put on a host, a [gatewayio.ContainerError] for a container or pod in
// which nothing can be run, a [gatewayio.LaunchError] for a worker that a launcher does not start,
// and a [bootstrap.Error], with what the interpreter has printed, when it does not become a worker.
// It is execnet's Group.makegateway.
func (g *Group) MakeGateway(ctx context.Context, spec string) (*gatewaybase.Gateway, error) {
	parsed, err := g.parse(spec)
	if err != nil {
		return nil, err
	}
	return g.MakeGatewaySpec(ctx, parsed)
}

// parse reads a spec. An empty one means the default.
func (g *Group) parse(spec string) (*xspec.Spec, error) {
	return xspec.Parse(cmp.Or(spec, g.DefaultSpec, "popen"))
}

// check returns an error if spec does not describe a gateway, or has keys that are not allowed.
func (g *Group) check(spec *xspec.Spec) error {
	if !g.AllowUnknownKeys {
		if err := spec.CheckKeys(); err != nil {
			return err
		}
	}
	return spec.Validate()
}

// MakeGatewaySpec is MakeGateway for a parsed spec, of which it makes a copy.
func (g *Group) MakeGatewaySpec(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
	if workers := spec.Workers(); len(workers) > 1 {
		return nil, &xspec.Error{Spec: spec.String(), Key: "n", Problem: fmt.Sprintf("it asks for %d gateways, which MakeGateways makes", len(workers))}
	}
	spec = spec.Clone()
	if err := g.check(spec); err != nil {
		return nil, err
	}
	ctx, release, err := g.reserve(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer release()
	return g.start(ctx, spec)
}

// StartGateway is MakeGateway that does not wait: it returns at once, and reaches the far end
// meanwhile; ctx bounds that. What is sent until then goes along with the first words to the
// interpreter, so that over a slow network the first RemoteExec costs no round trip of its own.
//
// If the far end cannot be reached, the calls on the gateway that wait for it return the error that
// MakeGateway would have returned. The gateway is a member until its Exit even then. Where a worker
// cannot take messages that early (behind a socket server or a launcher, or with bootstrap=import
// or preload), StartGateway waits as MakeGateway does.
func (g *Group) StartGateway(ctx context.Context, spec string) (*gatewaybase.Gateway, error) {
	parsed, err := g.parse(spec)
	if err != nil {
		return nil, err
	}
	if !bootstrap.CanStartLazily(parsed) {
		return g.MakeGatewaySpec(ctx, parsed)
	}
	if err := g.check(parsed); err != nil {
		return nil, err
	}
	joining, release, err := g.reserve(ctx, parsed)
	if err != nil {
		return nil, err
	}
	defer release()
	said := g.newSaid(parsed)
	gw := bootstrap.StartLazily(ctx, func(ctx context.Context) (gatewaybase.IO, error) {
		return g.open(ctx, parsed, said.writer())
	}, said.configure(gatewaybase.Config{Spec: parsed, Warnings: g.stderr(), MaxCost: g.MaxCost}))
	return g.join(joining, gw)
}

// start makes a gateway whose id is reserved.
func (g *Group) start(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
	if ctx.Err() != nil {
		return nil, timeout.During(ctx, fmt.Sprintf("starting gateway %s (%s)", spec.ID, spec))
	}
	said := g.newSaid(spec)
	pipe, err := g.open(ctx, spec, said.writer())
	if launched := new(gatewayio.LaunchError); err != nil && ctx.Err() != nil && !errors.As(err, &launched) {
		return nil, errtext.Wrap(fmt.Sprintf("gateway %s (%s) did not start", spec.ID, spec), err)
	}
	if err != nil {
		return nil, err
	}
	gw, err := bootstrap.Start(ctx, pipe, said.configure(gatewaybase.Config{Spec: spec, Warnings: g.stderr(), MaxCost: g.MaxCost}))
	if err != nil {
		return nil, err
	}
	if gw, err = g.join(ctx, gw); err != nil {
		return nil, err
	}
	missing := spec.PreloadModules()
	if forked, ok := pipe.(*gatewayio.Preloaded); ok {
		missing = forked.Missing
	}
	if err := preload(ctx, gw, missing); err != nil {
		return nil, err
	}
	return gw, nil
}

// open opens the byte pipe that spec asks for. The worker's stderr goes to stderr, or to the
// group's if that is nil.
func (g *Group) open(ctx context.Context, spec *xspec.Spec, stderr io.Writer) (gatewaybase.IO, error) {
	return g.theOpener().OpenTo(ctx, spec, stderr)
}

// theOpener opens the pipes of all gateways.
func (g *Group) theOpener() *gatewayio.Opener {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opener == nil {
		g.opener = &gatewayio.Opener{Stderr: g.stderr(), SSH: g.SSH, Gateway: g.Get, WorkerModule: bootstrap.WorkerModule, Meanwhile: bootstrap.Prepare, Uploading: g.Uploading}
	}
	return g.opener
}

// SetExecModel sets the execution model of workers whose spec names none. It returns an error for
// an unknown model, and [ErrHasGateways] once the group has gateways. It is execnet's
// Group.set_execmodel, without the model of the driver's side, of which Go has only one.
func (g *Group) SetExecModel(model string) error {
	if !slices.Contains(xspec.ExecModels(), model) {
		return fmt.Errorf("execnet: unknown execution model %q; it is one of %s", model, strings.Join(xspec.ExecModels(), ", "))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgetEnded()
	if len(g.gateways)+len(g.starting) > 0 {
		return ErrHasGateways
	}
	g.ExecModel = model
	return nil
}

// ErrHasGateways is the error of SetExecModel when the group has gateways.
var ErrHasGateways = errors.New("execnet: cannot set the execution model: the group has gateways already")

func (g *Group) stderr() io.Writer {
	if g.Stderr == nil {
		return os.Stderr
	}
	return g.Stderr
}

// ErrDuplicateID is the error of making a gateway whose id another one of the group has.
var ErrDuplicateID = errors.New("execnet: the group already has a gateway with this id")

// ErrTerminated is the error of making a gateway when the group is terminated meanwhile, and of
// channels that are open when their gateway is terminated.
var ErrTerminated = gatewaybase.ErrTerminated

// reserve gives spec an id and an execution model if it has none. Nobody else gets the id until
// release is called. The context that it returns ends when the group is terminated.
func (g *Group) reserve(ctx context.Context, spec *xspec.Spec) (_ context.Context, release func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgetEnded()
	if spec.ID == "" {
		for spec.ID == "" || g.taken(spec.ID) {
			spec.ID = fmt.Sprintf("gw%d", g.autoID)
			g.autoID++
		}
	} else if g.taken(spec.ID) {
		return nil, nil, fmt.Errorf("%w: %q of %s", ErrDuplicateID, spec.ID, spec)
	}
	if spec.ExecModel == "" {
		spec.ExecModel = g.ExecModel
	}
	id := spec.ID
	g.removeDead(id)
	s := &start{done: make(chan struct{})}
	ctx, s.cancel = context.WithCancelCause(ctx)
	if g.starting == nil {
		g.starting = map[string]*start{}
	}
	g.starting[id] = s
	return ctx, func() {
		s.cancel(nil)
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.starting, id)
		close(s.done)
	}, nil
}

// taken reports whether a member that lives, or a gateway that is being made, has the id. The
// caller holds mu.
func (g *Group) taken(id string) bool {
	return g.starting[id] != nil || slices.ContainsFunc(g.gateways, func(gw *gatewaybase.Gateway) bool {
		return gw.ID() == id && !gw.Exiting() && gw.HasReceiver()
	})
}

// removeDead makes members that have died and have the id leave the group, so that another gateway
// can have it. The caller holds mu.
func (g *Group) removeDead(id string) {
	for _, gw := range g.gateways {
		if gw.ID() == id && !gw.HasReceiver() {
			gw.Exit()
		}
	}
}

// forgetEnded removes gateways that have exited and of which nothing is left. The caller holds mu.
func (g *Group) forgetEnded() {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	g.gateways = slices.DeleteFunc(g.gateways, func(gw *gatewaybase.Gateway) bool {
		return gw.Exiting() && gw.Join(done) == nil
	})
}

// members are the gateways that have not been asked to exit, in the order in which they were made.
func (g *Group) members() []*gatewaybase.Gateway {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.living()
}

// living is members. The caller holds mu.
func (g *Group) living() []*gatewaybase.Gateway {
	return slices.DeleteFunc(slices.Clone(g.gateways), (*gatewaybase.Gateway).Exiting)
}

// Len is the number of gateways.
func (g *Group) Len() int { return len(g.members()) }

// At returns the i-th gateway in the order in which they were made, or nil. It is group[i] in
// execnet.
func (g *Group) At(i int) *gatewaybase.Gateway {
	if members := g.members(); i >= 0 && i < len(members) {
		return members[i]
	}
	return nil
}

// Contains reports whether gw is one of the gateways. It is "in" in execnet.
func (g *Group) Contains(gw *gatewaybase.Gateway) bool { return slices.Contains(g.members(), gw) }

// Get returns the gateway with the id, or nil. It is group["id"] in execnet.
func (g *Group) Get(id string) *gatewaybase.Gateway {
	for gw := range g.All() {
		if gw.ID() == id {
			return gw
		}
	}
	return nil
}

// All iterates over the gateways in the order in which they were made, without those that have been
// asked to exit.
func (g *Group) All() iter.Seq[*gatewaybase.Gateway] { return slices.Values(g.members()) }

// String shows the ids, as execnet's repr does.
func (g *Group) String() string {
	ids := make([]string, 0)
	for gw := range g.All() {
		ids = append(ids, gw.ID())
	}
	return fmt.Sprintf("<Group %q>", ids)
}
