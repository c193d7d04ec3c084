package cmdline

import (
	"errors"
	"sync"
)

// Embedded is what stands in python= or EXECNET_PYTHON for the interpreter inside this program.
const Embedded = "embedded"

// errNoneInside is the cause of a StartError for Embedded in a program without an interpreter.
var errNoneInside = errors.New("there is no Python inside this program; " +
	"import _ \"github.com/go-execnet/execnet/embedded\" in its source, or use execnet-full")

// inside is the interpreter inside this program.
type inside struct {
	mu   sync.Mutex // guards path
	path func() (string, error)
}

var embedded inside

// RegisterEmbedded says that there is an interpreter inside this program. path returns where it is,
// and unpacks it if that has not happened. It is called for each start, by any goroutine.
func RegisterEmbedded(path func() (string, error)) {
	embedded.mu.Lock()
	defer embedded.mu.Unlock()
	embedded.path = path
}

// check returns errNoneInside if there is none.
func (i *inside) check() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.path == nil {
		return errNoneInside
	}
	return nil
}

// unpack returns the interpreter's path.
func (i *inside) unpack() (string, error) {
	i.mu.Lock()
	path := i.path
	i.mu.Unlock()
	return path()
}
