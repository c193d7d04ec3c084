package multi

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// FailedGateway is a gateway that MakeGateways or MakeGatewaysPartial could not make.
type FailedGateway struct {
	ID   string // its id, empty if it failed before it got one
	Spec string // the spec as it was given
	Err  error  // the error that MakeGateway would have returned
}

// MakeGatewaysError is the error of MakeGateways and MakeGatewaysPartial: which gateways failed,
// and why. Use errors.As with a *MakeGatewaysError. errors.Is and errors.As also find the reasons.
type MakeGatewaysError struct {
	Failed []FailedGateway // in the order of the specs
	Total  int             // how many were asked for
}

// Error has a line for each gateway that failed, and more lines where its reason has more. Several
// with the same spec and reason share a line, as those of a launch do.
func (e *MakeGatewaysError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: %d of %d gateways could not be made", len(e.Failed), e.Total)
	for i := 0; i < len(e.Failed); {
		f, reason := e.Failed[i], e.Failed[i].Err.Error()
		var ids []string
		for ; i < len(e.Failed) && e.Failed[i].Spec == f.Spec && e.Failed[i].Err.Error() == reason; i++ {
			ids = append(ids, e.Failed[i].ID)
		}
		reason = strings.ReplaceAll(reason, "\n", "\n    ")
		fmt.Fprintf(&b, "\n  %s (%s): %s", strings.Join(ids, ", "), f.Spec, strings.TrimPrefix(reason, "execnet: "))
	}
	return b.String()
}

// Unwrap returns the reasons.
func (e *MakeGatewaysError) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		errs[i] = f.Err
	}
	return errs
}

// pending is a gateway that MakeGateways makes.
type pending struct {
	text    string // the spec as it was given
	spec    *xspec.Spec
	ctx     context.Context
	gateway *gatewaybase.Gateway
	err     error
	ended   chan struct{} // closed when gateway or err is set
}

// MakeGateways makes a gateway for each spec, as MakeGateway does, side by side within the bounds
// of MaxStarting. It returns them in the order of the specs, in which they also get their ids. For
// a launch with n=4 it makes four, in the order of their ranks; with id=x they are x-0 to x-3. A
// gateway that is reached through another one of the same call (via, installvia) waits for that
// one, whose spec must stand before it.
//
// If some fail, MakeGateways waits for the others, ends them, and returns a [MakeGatewaysError]
// that names each one that failed. ctx bounds the starts.
func (g *Group) MakeGateways(ctx context.Context, specs ...string) ([]*gatewaybase.Gateway, error) {
	gateways, failure := g.makeAll(ctx, specs, false)
	if failure == nil {
		return gateways, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), startGrace)
	defer cancel()
	err := g.end(ctx, func(gw *gatewaybase.Gateway) bool { return slices.Contains(gateways, gw) })
	if err != nil {
		return nil, errors.Join(failure, err)
	}
	return nil, failure
}

// MakeGatewaysPartial makes gateways as [Group.MakeGateways] does, and returns those that it could
// make, in the order of the specs, also if others fail. Then the error is a [MakeGatewaysError]
// that names each one that failed. One that is reached through a gateway that failed fails, too.
func (g *Group) MakeGatewaysPartial(ctx context.Context, specs ...string) ([]*gatewaybase.Gateway, error) {
	gateways, failure := g.makeAll(ctx, specs, true)
	if failure != nil {
		return gateways, failure
	}
	return gateways, nil
}

// makeAll makes the gateways and waits for all of them. If some of the specs are wrong it makes
// none, unless partial is set. It returns those that it has made, and nil or which have failed.
func (g *Group) makeAll(ctx context.Context, specs []string, partial bool) ([]*gatewaybase.Gateway, *MakeGatewaysError) {
	all := g.admitAll(specs)
	failed := false
	for _, n := range all {
		if n.err == nil {
			var release func()
			n.ctx, release, n.err = g.reserve(ctx, n.spec)
			if n.err == nil {
				defer release()
			}
		}
		failed = failed || n.err != nil
	}
	if partial || !failed {
		g.startAll(all)
	}
	return g.outcome(all)
}

// admitAll parses and checks the specs, of which some stand for several gateways.
func (g *Group) admitAll(specs []string) (all []*pending) {
	for _, text := range specs {
		spec, err := g.admit(text)
		if err != nil {
			all = append(all, &pending{text: text, spec: spec, err: err, ended: make(chan struct{})})
			continue
		}
		for _, worker := range spec.Workers() {
			all = append(all, &pending{text: text, spec: worker, ended: make(chan struct{})})
		}
	}
	return all
}

// admit parses and checks a spec.
func (g *Group) admit(text string) (*xspec.Spec, error) {
	spec, err := g.parse(text)
	if err != nil {
		return nil, err
	}
	return spec, g.check(spec)
}

// startAll starts the gateways and waits for all of them.
func (g *Group) startAll(all []*pending) {
	limit := g.MaxStarting
	if limit <= 0 {
		limit = 4 * runtime.GOMAXPROCS(0)
	}
	slots := make(chan struct{}, limit)
	var wg sync.WaitGroup
	for i, n := range all {
		wg.Go(func() {
			defer close(n.ended)
			if n.err != nil {
				return
			}
			for _, host := range all[:i] {
				if host.spec != nil && (host.spec.ID == n.spec.Via || host.spec.ID == n.spec.InstallVia) {
					<-host.ended // ctx bounds that too
				}
			}
			// Unless the user has set a bound, only interpreters on this machine wait for each
			// other.
			if g.MaxStarting > 0 || n.spec.Local() {
				slots <- struct{}{}
				defer func() { <-slots }()
			}
			n.gateway, n.err = g.start(n.ctx, n.spec)
		})
	}
	wg.Wait()
}

// startGrace is how long gateways have to end, before they are killed, after another one has
// failed.
const startGrace = 2 * time.Second

// giveUp ends a gateway that is of no use, at once if ctx has ended.
func giveUp(ctx context.Context, gw *gatewaybase.Gateway) error {
	ctx, cancel := context.WithTimeout(ctx, startGrace)
	defer cancel()
	gw.Exit()
	return end(ctx, gw)
}

// outcome makes the results of makeAll.
func (g *Group) outcome(all []*pending) ([]*gatewaybase.Gateway, *MakeGatewaysError) {
	var gateways []*gatewaybase.Gateway
	failure := &MakeGatewaysError{Total: len(all)}
	for _, n := range all {
		switch {
		case n.err != nil:
			f := FailedGateway{Spec: n.text, Err: n.err}
			if n.spec != nil {
				f.ID = n.spec.ID
			}
			failure.Failed = append(failure.Failed, f)
		case n.gateway != nil:
			gateways = append(gateways, n.gateway)
		}
	}
	g.arrange(gateways)
	if len(failure.Failed) == 0 {
		return gateways, nil
	}
	return gateways, failure
}

// arrange puts members into this order. They joined the group in the order in which they were
// ready.
func (g *Group) arrange(gateways []*gatewaybase.Gateway) {
	g.mu.Lock()
	defer g.mu.Unlock()
	present := slices.DeleteFunc(slices.Clone(gateways), func(gw *gatewaybase.Gateway) bool {
		return !slices.Contains(g.gateways, gw) // it has ended already
	})
	next := 0
	for i, gw := range g.gateways {
		if slices.Contains(present, gw) {
			g.gateways[i] = present[next]
			next++
		}
	}
}
