package multi

import (
	"context"

	gatewayio "github.com/go-execnet/execnet/gateway_io"
)

// Upload is how far the upload of a program has come. Its fields:
//
//	Spec        *xspec.Spec // of the gateway that needs it, or the one that Deploy was given
//	Sent, Total int64       // bytes, which are fewer than the program's where it travels compressed
type Upload = gatewayio.Upload

// Deploy puts the program in the file path where a worker of spec would run, unless it is there
// already, and returns its path there. It starts nothing. So a Python driver has a Go worker by
// "ssh=host//python=PATH". The spec needs ssh, vagrant_ssh, popen or a container, and may have via;
// where it has self, that means nothing.
//
// The program is kept in a folder of the host's user, under a name with the hash of its content. If
// there is a file path-GOOS-GOARCH for another system or processor of the host, that is taken. The
// host needs a POSIX shell. What nobody has used there for 30 days is removed by a later upload.
//
// It returns a [gatewayio.DeployError] when no folder of the host takes the program or there is no
// build for it, an [xspec.Error] for a spec that cannot be used, and what MakeGateway returns for a
// host that cannot be reached. Python's execnet has no such function.
func (g *Group) Deploy(ctx context.Context, spec, path string) (string, error) {
	parsed, err := g.parse(spec)
	if err != nil {
		return "", err
	}
	if err := g.check(parsed); err != nil {
		return "", err
	}
	return g.theOpener().Deploy(ctx, parsed, path)
}
