package multi

import (
	"context"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// Answer is what one gateway of a group has answered.
type Answer[T any] struct {
	// Gateway is the gateway that was asked.
	Gateway *gatewaybase.Gateway
	// Value is what it has answered, if Err is nil.
	Value T
	// Err is the error that the same call on the gateway alone would have returned.
	Err error
}

// RInfo asks all gateways for their [gatewaybase.RInfo], side by side, and returns their answers in
// the order of the gateways. One that fails, or has not answered when ctx ends, hides no other.
func (g *Group) RInfo(ctx context.Context) []Answer[gatewaybase.RInfo] {
	return askAll(ctx, g, (*gatewaybase.Gateway).RInfo)
}

// RemoteStatus asks all gateways for their [gatewaybase.RemoteStatus], as [Group.RInfo] does.
// Workers answer while they execute something, so it shows which of them still live.
func (g *Group) RemoteStatus(ctx context.Context) []Answer[gatewaybase.RemoteStatus] {
	return askAll(ctx, g, (*gatewaybase.Gateway).RemoteStatus)
}

// RemoteMemory asks all gateways how many bytes of memory their processes occupy, as [Group.RInfo]
// does. As with Gateway.RemoteMemory, a worker executes something for it: one of
// execmodel=main_thread_only that is busy returns an error.
func (g *Group) RemoteMemory(ctx context.Context) []Answer[int64] {
	return askAll(ctx, g, (*gatewaybase.Gateway).RemoteMemory)
}

func askAll[T any](ctx context.Context, g *Group, ask func(*gatewaybase.Gateway, context.Context) (T, error)) []Answer[T] {
	members := g.members()
	answers := make([]Answer[T], len(members))
	var asking sync.WaitGroup
	for i, gw := range members {
		asking.Go(func() {
			value, err := ask(gw, ctx)
			answers[i] = Answer[T]{gw, value, err}
		})
	}
	asking.Wait()
	return answers
}
