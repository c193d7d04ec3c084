package multi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// NoTimeout makes Terminate wait for as long as the workers take, and kill none.
const NoTimeout time.Duration = -1

// killGrace is how long a killed worker may take to be gone. Only one that the kernel itself holds up takes longer.
const killGrace = 2 * time.Second

// Terminate ends all gateways: it asks every worker to end, waits for at most timeout, and kills those that are left. It
// returns when all are gone, their processes reaped, which takes hardly longer than timeout however stuck they are. A
// gateway that others are reached through ends after them, and they share its time. With NoTimeout it waits without
// end. The error names gateways that resisted even that.
//
// The group is empty then and can be used again. It is execnet's Group.terminate.
func (g *Group) Terminate(timeout time.Duration) error {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if timeout >= 0 {
		ctx, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	var errs []error
	for {
		round := g.nextToEnd()
		if len(round) == 0 {
			return errors.Join(errs...)
		}
		errs = append(errs, endAll(ctx, round)...)
	}
}

// nextToEnd asks those gateways to exit that no other depends on, and takes them out of the group together with the ones
// that were asked before.
func (g *Group) nextToEnd() []*gatewaybase.Gateway {
	g.mu.Lock()
	defer g.mu.Unlock()
	needed := map[string]bool{}
	for _, gw := range g.gateways {
		needed[gw.Spec().Via] = true
	}
	var round, rest []*gatewaybase.Gateway
	for _, gw := range g.gateways {
		if needed[gw.ID()] {
			rest = append(rest, gw)
		} else {
			gw.Exit()
			round = append(round, gw)
		}
	}
	g.gateways = rest
	return round
}

// endAll waits for gateways that were asked to exit, each in a goroutine of its own, and kills them when ctx ends.
func endAll(ctx context.Context, gateways []*gatewaybase.Gateway) []error {
	errs := make([]error, len(gateways))
	var wg sync.WaitGroup
	for i, gw := range gateways {
		wg.Go(func() { errs[i] = end(ctx, gw) })
	}
	wg.Wait()
	return errs
}

func end(ctx context.Context, gw *gatewaybase.Gateway) error {
	if wait(ctx, gw) == nil {
		return nil
	}
	killErr := gw.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), killGrace)
	defer cancel()
	if err := wait(ctx, gw); err != nil {
		return fmt.Errorf("execnet: gateway %s is still there %v after it was killed: %w", gw.ID(), killGrace, errors.Join(killErr, err))
	}
	return nil
}

// wait waits for both the gateway and the process behind it.
func wait(ctx context.Context, gw *gatewaybase.Gateway) error {
	if err := gw.Join(ctx); err != nil {
		return err
	}
	return gw.IO().Wait(ctx)
}
