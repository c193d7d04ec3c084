// Package engine is the interface between a Go worker and whatever runs Python source in it.
//
// Engines register themselves, as drivers do with database/sql: the package of an engine calls
// [Register] in an init function, a program adds the engine by importing that package, and the
// worker uses what is registered. A program that imports no engine links no interpreter; its worker
// still serves Go functions, and answers Python source with an error that names the import.
//
//	import _ "github.com/go-execnet/execnet/gpython" // Python 3.4, written in Go
package engine

import (
	"context"
	"errors"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

// Engine executes Python source. Executions share nothing, and any number of them run at a time.
type Engine interface {
	// Execute runs the program to its end, with ch as its global name channel and "__channelexec__"
	// as __name__ ([protocol.md section 6]). The program can import modules. When ctx ends, the
	// program is interrupted, as far as that is possible.
	//
	// It returns nil when the program has run, io.EOF when an EOFError ended it, ErrInterrupted
	// when an interruption did, and otherwise an error whose text the driver gets as the text of
	// its RemoteError: a Python traceback.
	//
	// [protocol.md section 6]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#6-remote-execution
	Execute(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program, modules Modules) error
}

// ErrInterrupted says that the end of ctx ended a program: Python's KeyboardInterrupt. Its text is
// what execnet's worker sends to the driver in this case.
var ErrInterrupted = errors.New("keyboard-interrupted")

// Func is a Go function that programs can call. Arguments and the result are values as the
// serializer loads them (serializer.Dict and so on, *gatewaybase.Channel for channels); ch is the
// channel of the execution that calls. Its error is a Python exception to the caller; see [Raised].
type Func func(ctx context.Context, ch *gatewaybase.Channel, args []any, kwargs *serializer.Dict) (any, error)

// Modules are the Go functions by the names of the modules that programs import to call them. A
// name may be dotted.
type Modules map[string]map[string]Func
