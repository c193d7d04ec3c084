package rsync

import (
	"context"
	"embed"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/internal/pyparts"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// The receiving half for Python workers travels as one source. Its parts stand in files, each for
// one job; the numbers in their names say the order.
//
//go:embed remote/*.py
var remoteParts embed.FS

// remoteSource is the source that the parts make together.
var remoteSource = sync.OnceValue(func() string { return pyparts.Join(remoteParts, "remote") })

// remoteModule is the name of its module in the user's cache folder.
const remoteModule = "execnet_go_rsync"

var remoteFolder = sync.OnceValues(func() (string, error) { return pycache.Put("rsync", remoteModule, remoteSource()) })

// cachedRemote has an interpreter of this machine import the receiving half.
const cachedRemote = pycache.Load + `
def serve(channel, folder, module, source):
    load(folder, module, lambda: source, "serve")(channel)
`

// executeRemote has the far end execute the receiving half. A Go worker recognises it by its file
// and function and runs its own.
func executeRemote(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error) {
	source, kwargs := remoteSource(), map[string]any(nil)
	if pycache.Shared(gw.Spec()) {
		if folder, err := remoteFolder(); err == nil {
			source = cachedRemote
			kwargs = map[string]any{"folder": folder, "module": remoteModule, "source": []byte(remoteSource())}
		}
	}
	return gw.RemoteExec(context.Background(), source, gatewaybase.File(wire.RemoteFile, 1), gatewaybase.Call(wire.RemoteFunction, kwargs))
}
