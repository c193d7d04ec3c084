package bootstrap

import (
	"embed"
	"sync"

	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/internal/pyparts"
	"github.com/go-execnet/execnet/xspec"
)

// The Python worker travels as one source. Its parts stand in files, each for one job; the numbers
// in their names say the order.
//
//go:embed worker/*.py
var workerParts embed.FS

// workerSource is the source that the parts make together. A program that only serves as a worker
// never needs it, so it is not made when the program starts.
var workerSource = sync.OnceValue(func() string { return pyparts.Join(workerParts, "worker") })

// workerModule is the worker's name as a Python module, and workerFolder the folder to import it
// from.
const workerModule = "execnet_go_worker"

var workerFolder = sync.OnceValues(func() (string, error) { return pycache.Put("worker", workerModule, workerSource()) })

// WorkerModule returns the folder and the name by which an interpreter that spec starts imports the
// worker, or two empty strings if it gets its source in another way.
func WorkerModule(spec *xspec.Spec) (folder, module string) {
	if spec.Bootstrap == "import" || !pycache.Shared(spec) {
		return "", ""
	}
	folder, err := workerFolder()
	if err != nil {
		return "", ""
	}
	return folder, workerModule
}
