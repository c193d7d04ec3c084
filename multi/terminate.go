package multi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
)

// DefaultGrace is how long Terminate lets workers end by themselves unless its context or
// Group.Grace says otherwise.
const DefaultGrace = 5 * time.Second

// killGrace is how long a killed worker may take to be gone. It takes longer only while the kernel
// itself does not let it go.
const killGrace = 5 * time.Second

// Terminate ends all gateways: it asks every worker to end, waits for them until ctx ends, and
// kills those that are left. A ctx without a deadline gives them Group.Grace. Terminate returns
// when all are gone and their processes are reaped, which takes hardly longer than that however
// stuck they are. A gateway that others are reached through ends after them, and they share its
// time. Gateways that are being made meanwhile are given up. The error names gateways that even
// survived the kill.
//
// The group is empty then and can be used again. Calls at the same time share the work: one whose
// ctx has ended makes the others quick as well. It is execnet's Group.terminate.
func (g *Group) Terminate(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded {
		limited, cancel := context.WithTimeout(ctx, cmp.Or(g.Grace, DefaultGrace))
		defer cancel()
		ctx = limited
	}
	g.abandonStarts()
	err := g.end(ctx, func(*gatewaybase.Gateway) bool { return true })
	g.mu.Lock()
	opener := g.opener
	g.opener = nil
	g.mu.Unlock()
	if opener != nil {
		opener.Close()
	}
	return err
}

// abandonStarts cancels the gateways that are being made, and waits until nothing is left of them.
func (g *Group) abandonStarts() {
	g.mu.Lock()
	var pending []*start
	for _, s := range g.starting {
		s.cancel(ErrTerminated)
		pending = append(pending, s)
	}
	g.mu.Unlock()
	for _, s := range pending {
		<-s.done
	}
}

// end ends the chosen gateways of the group, and removes them from it.
func (g *Group) end(ctx context.Context, chosen func(*gatewaybase.Gateway) bool) error {
	var errs []error
	for {
		round := g.nextToEnd(chosen)
		if len(round) == 0 {
			return errors.Join(errs...)
		}
		errs = append(errs, endAll(ctx, round)...)
		g.mu.Lock()
		g.gateways = slices.DeleteFunc(g.gateways, func(gw *gatewaybase.Gateway) bool { return slices.Contains(round, gw) })
		g.mu.Unlock()
	}
}

// nextToEnd asks those of the chosen gateways to exit through which no other one is reached.
func (g *Group) nextToEnd(chosen func(*gatewaybase.Gateway) bool) []*gatewaybase.Gateway {
	g.mu.Lock()
	defer g.mu.Unlock()
	needed := map[string]bool{}
	for _, gw := range g.gateways {
		if chosen(gw) {
			needed[gw.Spec().Via] = true
			needed[gw.Spec().InstallVia] = true
		}
	}
	var all, round []*gatewaybase.Gateway
	for _, gw := range g.gateways {
		if !chosen(gw) {
			continue
		}
		all = append(all, gw)
		if !needed[gw.ID()] {
			round = append(round, gw)
		}
	}
	if len(round) == 0 {
		round = all // ids that are used again can look like a circle
	}
	for _, gw := range round {
		gw.Exit()
	}
	return round
}

// endAll waits for gateways that were asked to exit, side by side, and kills them when ctx ends.
func endAll(ctx context.Context, gateways []*gatewaybase.Gateway) []error {
	errs := make([]error, len(gateways))
	var wg sync.WaitGroup
	for i, gw := range gateways {
		wg.Go(func() { errs[i] = end(ctx, gw) })
	}
	wg.Wait()
	return errs
}

// end waits for one gateway and kills it when ctx ends. A callback that has not returned by then
// goes on by itself: it may be the one that has called Terminate.
func end(ctx context.Context, gw *gatewaybase.Gateway) error {
	if gw.JoinFarEnd(ctx) == nil {
		_ = gw.Join(ctx)
		return nil
	}
	killErr := gw.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), killGrace)
	defer cancel()
	if err := gw.JoinFarEnd(ctx); err != nil {
		return errtext.Wrap(fmt.Sprintf("gateway %s is still there %v after it was killed", gw.ID(), killGrace), errors.Join(killErr, err))
	}
	return nil
}
