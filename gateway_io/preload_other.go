//go:build !unix

package gatewayio

import (
	"context"
	"io"

	"github.com/go-execnet/execnet/xspec"
)

// forkServers are of no use here: no process can be forked.
type forkServers struct{}

func (*forkServers) retire() {}
func (*forkServers) close()  {}

func (*Opener) fork(context.Context, *xspec.Spec, []string, []string, io.Writer) (*Preloaded, error) {
	return nil, nil
}
