package bootstrap

import (
	"embed"
	"io/fs"
	"strings"
	"sync"

	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/xspec"
)

// The Python worker travels as one source. Its parts stand in files, each for one job; the numbers
// in their names say the order.
//
//go:embed worker/*.py
var workerParts embed.FS

var workerSource = oneSource(workerParts)

// oneSource is the source that the parts make together.
func oneSource(parts embed.FS) string {
	names, err := fs.Glob(parts, "worker/*.py") // in the order of the names
	if err != nil {
		panic("a pattern that cannot be read: " + err.Error())
	}
	var source strings.Builder
	for i, name := range names {
		text, err := parts.ReadFile(name)
		if err != nil {
			panic("what the program has in it cannot be read: " + err.Error())
		}
		if i > 0 {
			source.WriteString("\n\n")
		}
		source.Write(text)
	}
	return source.String()
}

// workerModule is the worker's name as a Python module, and workerFolder the folder to import it
// from.
const workerModule = "execnet_go_worker"

var workerFolder = sync.OnceValues(func() (string, error) { return pycache.Put("worker", workerModule, workerSource) })

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
