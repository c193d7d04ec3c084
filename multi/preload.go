package multi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
)

// preload has a worker import modules. If it cannot, the gateway is ended.
func preload(ctx context.Context, gw *gatewaybase.Gateway, modules []string) error {
	if len(modules) == 0 {
		return nil
	}
	ch, err := gw.RemoteExec(ctx, "import "+strings.Join(modules, ", "), gatewaybase.File("<preload>", 1))
	if err == nil {
		err = ch.WaitClose(ctx)
	}
	if err == nil {
		return nil
	}
	err = errtext.Wrap(fmt.Sprintf("gateway %s cannot preload %s", gw.ID(), strings.Join(modules, ",")), err)
	return errors.Join(err, giveUp(ctx, gw))
}

// ForgetPreloaded makes the next gateways whose spec has preload import their modules anew, for
// example because their files have changed. Those that there are already keep what they have.
func (g *Group) ForgetPreloaded() {
	g.mu.Lock()
	opener := g.opener
	g.mu.Unlock()
	if opener != nil {
		opener.ForgetPreloaded()
	}
}
