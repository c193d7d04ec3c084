package testrun

import (
	"context"
	"slices"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// makeHosts makes the gateways among specs that others are reached through (via, installvia), and
// returns them and the specs of the others. They run no tests: pytest would have the main thread,
// in which a forwarder runs.
func makeHosts(ctx context.Context, group *multi.Group, specs []*xspec.Spec) (hosts []*gatewaybase.Gateway, workers []*xspec.Spec, err error) {
	for _, spec := range specs {
		isHost := spec.ID != "" && slices.ContainsFunc(specs, func(other *xspec.Spec) bool {
			return other.Via == spec.ID || other.InstallVia == spec.ID
		})
		if !isHost {
			workers = append(workers, spec)
			continue
		}
		gw, err := group.MakeGatewaySpec(ctx, spec)
		if err != nil {
			endHosts(ctx, hosts)
			return nil, nil, err
		}
		hosts = append(hosts, gw)
	}
	return hosts, workers, nil
}

// endHosts ends them, the last one first, as it may be reached through the others.
func endHosts(ctx context.Context, hosts []*gatewaybase.Gateway) {
	for _, gw := range slices.Backward(hosts) {
		leave(ctx, gw)
	}
}
