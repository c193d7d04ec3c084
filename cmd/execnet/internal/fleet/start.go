// Package fleet starts gateways side by side, has all of them run the same source, and ends them,
// also when the user interrupts.
package fleet

import (
	"context"
	"errors"
	"runtime"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// ErrOtherFailed is why a start was given up whose gateway was all right.
var ErrOtherFailed = errors.New("another gateway did not start")

// Member is one gateway, or why there is none.
type Member struct {
	Spec    *xspec.Spec
	Gateway *gatewaybase.Gateway // nil if Err is set
	Err     error
}

// Start makes a gateway for each of specs, with a group's MakeGatewaySpec: side by side, several
// for each processor at a time, except that one which is reached through another of an earlier spec
// (via, installvia) waits for that. With together, the first failure ends the starts still under
// way, with ErrOtherFailed. It returns when all are done, members in the order of specs.
func Start(ctx context.Context, makeGateway func(context.Context, *xspec.Spec) (*gatewaybase.Gateway, error), specs []*xspec.Spec, together bool) []Member {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	members := make([]Member, len(specs))
	started := map[string]<-chan struct{}{}
	slots := make(chan struct{}, startsPerCPU*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, spec := range specs {
		before := []<-chan struct{}{started[spec.Via], started[spec.InstallVia]}
		done := make(chan struct{})
		wg.Go(func() {
			defer close(done)
			for _, other := range before {
				if other != nil {
					<-other
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			members[i] = Member{Spec: spec}
			if members[i].Err = context.Cause(ctx); members[i].Err != nil {
				return
			}
			members[i].Gateway, members[i].Err = makeGateway(ctx, spec)
			if members[i].Err != nil && together {
				cancel(ErrOtherFailed)
			}
		})
		started[spec.ID] = done
	}
	wg.Wait()
	return members
}

// startsPerCPU is how many interpreters may be starting for each processor. They wait a good part
// of the time.
const startsPerCPU = 4
