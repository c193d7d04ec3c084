package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

var (
	registeredMu sync.Mutex // guards registered
	registered   = map[string]Engine{}
)

// Register makes an engine available to the workers of this program. The package of an engine calls
// it in an init function. It panics if e is nil or the name is taken.
//
// The name also is the engine's priority: workers use the one whose name comes first in the
// alphabet, so that the order in which a program imports its engines changes nothing.
func Register(name string, e Engine) {
	registeredMu.Lock()
	defer registeredMu.Unlock()
	if e == nil {
		panic("execnet: engine.Register: " + name + " is nil")
	}
	if registered[name] != nil {
		panic("execnet: engine.Register: " + name + " is registered already")
	}
	registered[name] = e
}

// Default returns the engine that workers use. If none is registered it returns one that executes
// nothing: its error tells the driver which import adds an engine to the worker.
func Default() Engine {
	registeredMu.Lock()
	defer registeredMu.Unlock()
	names := slices.Sorted(maps.Keys(registered))
	if len(names) == 0 {
		return None{}
	}
	return registered[names[0]]
}

// process is what RegisterProcess was given; registeredMu guards it.
var process Process

// RegisterProcess makes an engine of another process available, as Register does. There is one.
func RegisterProcess(p Process) {
	registeredMu.Lock()
	defer registeredMu.Unlock()
	if process != nil {
		panic("execnet: engine.RegisterProcess: there is one already")
	}
	process = p
}

// Beside returns the registered Process, or nil.
func Beside() Process {
	registeredMu.Lock()
	defer registeredMu.Unlock()
	return process
}

// None is the engine of a program that has imported none.
type None struct{}

// Execute returns an error that says what is missing, in the shape of a Python traceback.
func (None) Execute(context.Context, *gatewaybase.Channel, gatewaybase.Program, Modules) error {
	//lint:ignore ST1005 the text is a Python traceback
	return errors.New("Traceback (most recent call last):\n" +
		"RuntimeError: this Go worker has no engine that runs Python source; " +
		"import _ \"github.com/go-execnet/execnet/gpython\" in its program adds one, " +
		"import _ \"github.com/go-execnet/execnet/cpython\" one that starts the CPython of its machine, " +
		"and RemoteCall calls its Go functions without one\n")
}
