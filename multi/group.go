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
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/xspec"
)

// Group is a set of gateways that are found by id and ended together. Its zero value is an empty
// group, ready to use. Set its fields before you make the first gateway. It is execnet's Group.
type Group struct {
	// DefaultSpec is what MakeGateway uses for an empty spec; empty means "popen".
	DefaultSpec string
	// ExecModel is the execution model of workers whose spec names none; empty means "thread".
	ExecModel string
	// MaxStarting bounds how many gateways MakeGateways starts at the same time. 0 means four for
	// each processor among those that run on this machine, and no bound for others.
	MaxStarting int
	// Stderr gets what the workers print to their stderr; nil means os.Stderr.
	Stderr io.Writer
	// Grace is how long Terminate lets workers end by themselves when its context has no deadline;
	// 0 means DefaultGrace.
	Grace time.Duration
	// SSH is for gateways over ssh: passwords, timeouts and so on. Its Stderr is set from the
	// group's if it is nil.
	SSH gatewayio.SSHOptions

	mu       sync.Mutex // guards what follows
	gateways []*gatewaybase.Gateway
	starting map[string]*start // gateways that are being made, by id
	autoID   int
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
// It returns an [xspec.Error] for a spec that cannot be used, [ErrDuplicateID], a
// [gatewayio.PythonNotFoundError] when there is no interpreter to start, and a [bootstrap.Error],
// with what the interpreter has printed, when it does not become a worker. It is execnet's
// Group.makegateway.
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

// MakeGatewaySpec is MakeGateway for a parsed spec, of which it makes a copy.
func (g *Group) MakeGatewaySpec(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
	spec = spec.Clone()
	if err := spec.Validate(); err != nil {
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
// cannot take messages that early (behind a socket server, or with bootstrap=import), StartGateway
// waits as MakeGateway does.
func (g *Group) StartGateway(ctx context.Context, spec string) (*gatewaybase.Gateway, error) {
	parsed, err := g.parse(spec)
	if err != nil {
		return nil, err
	}
	if !bootstrap.CanStartLazily(parsed) {
		return g.MakeGatewaySpec(ctx, parsed)
	}
	if err := parsed.Validate(); err != nil {
		return nil, err
	}
	_, release, err := g.reserve(ctx, parsed)
	if err != nil {
		return nil, err
	}
	defer release()
	gw := bootstrap.StartLazily(ctx, func(ctx context.Context) (gatewaybase.IO, error) {
		return g.open(ctx, parsed)
	}, gatewaybase.Config{Spec: parsed, Warnings: g.stderr()})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gateways = append(g.gateways, gw)
	return gw, nil
}

// start makes a gateway whose id is reserved.
func (g *Group) start(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	pipe, err := g.open(ctx, spec)
	if err != nil {
		return nil, err
	}
	gw, err := bootstrap.Start(ctx, pipe, gatewaybase.Config{Spec: spec, Warnings: g.stderr()})
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gateways = append(g.gateways, gw)
	return gw, nil
}

// open opens the byte pipe that spec asks for.
func (g *Group) open(ctx context.Context, spec *xspec.Spec) (gatewaybase.IO, error) {
	g.mu.Lock()
	if g.opener == nil {
		g.opener = &gatewayio.Opener{Stderr: g.stderr(), SSH: g.SSH, Gateway: g.Get}
	}
	opener := g.opener
	g.mu.Unlock()
	return opener.Open(ctx, spec)
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
