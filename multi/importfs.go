package multi

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/importfs"
)

// ImportFS makes the Python modules of fsys importable in all gateways of the group: in those that
// it has, side by side, and in those that are made later. For one gateway it does what
// execnet.ImportFS does, which says how modules are found.
//
// The error names the gateways in which that failed; the others have the modules. From then on a
// gateway that cannot have them cannot be made: MakeGateway returns the reason. StartGateway then
// waits for the far end, as MakeGateway does.
func (g *Group) ImportFS(ctx context.Context, fsys fs.FS) error {
	g.mu.Lock()
	g.imports = append(g.imports, fsys)
	members := g.living()
	g.mu.Unlock()
	errs := make([]error, len(members))
	var wg sync.WaitGroup
	for i, gw := range members {
		wg.Go(func() { errs[i] = importfs.Install(ctx, gw, fsys) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// join makes a new gateway a member when it can import what the group's gateways import. If it
// cannot, join ends it.
func (g *Group) join(ctx context.Context, gw *gatewaybase.Gateway) (*gatewaybase.Gateway, error) {
	for done := 0; ; {
		g.mu.Lock()
		missing := g.imports[done:]
		if len(missing) == 0 {
			defer g.mu.Unlock()
			g.gateways = append(g.gateways, gw)
			return gw, nil
		}
		g.mu.Unlock()
		for _, fsys := range missing {
			if err := importfs.Install(ctx, gw, fsys); err != nil {
				return nil, errors.Join(err, giveUp(ctx, gw))
			}
		}
		done += len(missing)
	}
}
