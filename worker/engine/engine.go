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
	// It returns nil when the program has run, io.EOF or an *Exit when it has ended in order by an
	// exception ([protocol.md section 6.6]), ErrInterrupted when an interruption ended it, and
	// otherwise an error whose text the driver gets as the text of its RemoteError: a Python
	// traceback.
	//
	// [protocol.md section 6]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#6-remote-execution
	// [protocol.md section 6.6]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#66-how-an-execution-ends
	Execute(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program, modules Modules) error
}

// Judge is an Engine that can tell in advance what it would do otherwise than CPython. Workers ask
// it which programs they can leave to it.
type Judge interface {
	// Differs reads a program, without running anything, and returns the first thing in it that the
	// engine may do otherwise than CPython, in words, or "" if there is nothing. The answer depends
	// on nothing else. It takes less than a millisecond for a program of 500 lines.
	Differs(p gatewaybase.Program, modules Modules) string
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

// Function is a Go function as programs in another process see it.
type Function struct {
	// Call calls it. Unlike a Func's, its result has any form that Channel.Send takes.
	Call Func
	// Signature has Python's parameters and the result: "(arg1: str, /) -> int".
	Signature string
	// Doc is its documentation.
	Doc string
	// Channel says that it uses the channel of the execution that calls, or the one it is given,
	// and Context that it uses its context.
	Channel, Context bool
}

// Functions are Go functions by module and name, as Modules has them.
type Functions map[string]map[string]Function

// Process is an engine that runs programs in a process beside the worker, all of a gateway's in one
// interpreter.
type Process interface {
	// Available returns nil if there is an interpreter to start, else an error that says what is
	// missing. python is as in Setup.
	Available(python string) error
	// Start starts the interpreter and returns at once, before it has answered. If it does not
	// start, what is sent to it ends with the reason.
	Start(g *gatewaybase.Gateway, s Setup) (*gatewaybase.Relay, error)
}

// Setup is what the worker of a Process serves.
type Setup struct {
	ID        string // the worker's id
	ExecModel string // its execution model
	Python    string // the interpreter's command line; empty for EXECNET_PYTHON or PATH
	// Functions are what its programs can import besides Python's own modules.
	Functions Functions
	// Site are folders with packages, see worker.Config.
	Site []string
	// DescribeErrors says that the driver takes errors with their class.
	DescribeErrors bool
	// Output is what the worker is asked to send of its output, as gatewaybase.Config has it.
	Output int
}
