package native

import (
	"context"
	"os"
	"runtime"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/version"
	"github.com/go-execnet/execnet/serializer"
)

// serveRInfo sends what execnet's RInfo is made of (protocol.md section 10.3), and this module's
// version. version_info is that of the Python which gpython implements.
func serveRInfo(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	platform := runtime.GOOS // sys.platform is the same but for Windows
	if platform == "windows" {
		platform = "win32"
	}
	return ch.Send(ctx, serializer.NewDict(
		"executable", programPath(),
		"version_info", serializer.Tuple{3, 4, 0, "final", 0},
		"platform", platform,
		"cwd", folder,
		"pid", os.Getpid(),
		"worker_version", version.Module(),
	))
}

// serveEngine says what runs Python source in this worker: a dict, where a Python sends None.
func (n *Natives) serveEngine(ctx context.Context, ch *gatewaybase.Channel, _ gatewaybase.Program) error {
	engine, why := n.Engine()
	return ch.Send(ctx, serializer.NewDict("worker", programPath(), "worker_version", version.Module(), "engine", engine, "why", why))
}

// programPath is the file of this program.
func programPath() string {
	program, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return program
}
