// Package multi keeps gateways together: a Group makes them from specs, finds them by id, and ends them all, however
// stuck they are. It corresponds to execnet's multi.py.
package multi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sync"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/xspec"
)

// Group is a set of gateways that are found by id and ended together. Its zero value is an empty group, ready to use;
// its fields are to be set before the first gateway is made. It is execnet's Group.
type Group struct {
	// DefaultSpec is what MakeGateway uses for an empty spec; empty means "popen".
	DefaultSpec string
	// ExecModel is the execution model of workers whose spec names none; empty means "thread".
	ExecModel string
	// Stderr is where what the workers print to stderr goes; nil means os.Stderr.
	Stderr io.Writer

	mu       sync.Mutex // guards what follows
	gateways []*gatewaybase.Gateway
	reserved map[string]bool // ids of gateways that are being made
	autoID   int
}

// NewGroup returns an empty group.
func NewGroup() *Group { return &Group{} }

// DefaultGroup is the group that the face's MakeGateway and Terminate use, as execnet's default_group.
var DefaultGroup = NewGroup()

// MakeGateway starts an interpreter as spec says and returns the gateway to it when it has answered; ctx bounds that.
// The spec's grammar and keys are those of package xspec; an empty spec means DefaultSpec. A gateway whose spec names no
// id gets the next free one of gw0, gw1 and so on.
//
// It reports an xspec.Error for a spec that is none, ErrDuplicateID, a gatewayio.PythonNotFoundError when there is no
// interpreter to start, and a bootstrap.Error, with what the interpreter said, when it does not become a worker. It is
// execnet's Group.makegateway.
func (g *Group) MakeGateway(ctx context.Context, spec string) (*gatewaybase.Gateway, error) {
	if spec == "" {
		spec = g.DefaultSpec
	}
	if spec == "" {
		spec = "popen"
	}
	parsed, err := xspec.Parse(spec)
	if err != nil {
		return nil, err
	}
	return g.MakeGatewaySpec(ctx, parsed)
}

// MakeGatewaySpec is MakeGateway for a spec that is parsed already. It works on a copy.
func (g *Group) MakeGatewaySpec(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
	spec = spec.Clone()
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.ExecModel == "" {
		spec.ExecModel = g.ExecModel
	}
	release, err := g.reserve(spec)
	if err != nil {
		return nil, err
	}
	defer release()
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

// open makes the byte pipe that spec asks for.
func (g *Group) open(ctx context.Context, spec *xspec.Spec) (gatewaybase.IO, error) {
	if spec.Kind() == "popen" && spec.Via == "" {
		return gatewayio.Popen(spec, g.stderr())
	}
	return nil, &xspec.Error{Spec: spec.String(), Key: spec.Kind(), Problem: "this release starts local interpreters only (popen)"}
}

func (g *Group) stderr() io.Writer {
	if g.Stderr == nil {
		return os.Stderr
	}
	return g.Stderr
}

// ErrDuplicateID is what MakeGateway reports when the group has a gateway of that id.
var ErrDuplicateID = errors.New("the group already has a gateway with this id")

// reserve gives spec an id if it has none, and keeps the id from others until release is called.
func (g *Group) reserve(spec *xspec.Spec) (release func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forgetEnded()
	if spec.ID == "" {
		for spec.ID == "" || g.taken(spec.ID) {
			spec.ID = fmt.Sprintf("gw%d", g.autoID)
			g.autoID++
		}
	} else if g.taken(spec.ID) {
		return nil, fmt.Errorf("execnet: cannot make %s: id %q: %w", spec, spec.ID, ErrDuplicateID)
	}
	id := spec.ID
	if g.reserved == nil {
		g.reserved = map[string]bool{}
	}
	g.reserved[id] = true
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.reserved, id)
	}, nil
}

// taken reports whether a member, or a gateway in the making, has the id. The caller holds mu.
func (g *Group) taken(id string) bool {
	return g.reserved[id] || slices.ContainsFunc(g.gateways, func(gw *gatewaybase.Gateway) bool {
		return !gw.Exiting() && gw.ID() == id
	})
}

// forgetEnded drops gateways that have exited and left nothing behind. The caller holds mu.
func (g *Group) forgetEnded() {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	g.gateways = slices.DeleteFunc(g.gateways, func(gw *gatewaybase.Gateway) bool {
		return gw.Exiting() && gw.Join(done) == nil && gw.IO().Wait(done) == nil
	})
}

// members are the gateways that have not been asked to exit, in the order they were made.
func (g *Group) members() []*gatewaybase.Gateway {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.gateways), (*gatewaybase.Gateway).Exiting)
}

// Len is the number of gateways.
func (g *Group) Len() int { return len(g.members()) }

// At returns the i-th gateway in the order they were made, or nil. It is group[i] in execnet.
func (g *Group) At(i int) *gatewaybase.Gateway {
	if members := g.members(); i >= 0 && i < len(members) {
		return members[i]
	}
	return nil
}

// Get returns the gateway with the id, or nil. It is group["id"] in execnet.
func (g *Group) Get(id string) *gatewaybase.Gateway {
	for gw := range g.All() {
		if gw.ID() == id {
			return gw
		}
	}
	return nil
}

// All iterates over the gateways in the order they were made; those that have been asked to exit are no longer among
// them.
func (g *Group) All() iter.Seq[*gatewaybase.Gateway] { return slices.Values(g.members()) }

// String shows the ids, as execnet's repr does.
func (g *Group) String() string {
	ids := make([]string, 0)
	for gw := range g.All() {
		ids = append(ids, gw.ID())
	}
	return fmt.Sprintf("<Group %q>", ids)
}
