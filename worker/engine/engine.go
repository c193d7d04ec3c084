// Package engine is what stands between a Go worker and whatever runs Python source in it.
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
	// as __name__ (protocol.md section 6). modules can be imported by it. When ctx ends the program
	// is interrupted, as far as that is possible.
	//
	// It returns nil when the program has run, io.EOF when an EOFError ended it, ErrInterrupted
	// when an interruption did, and otherwise an error whose text is what the driver is to see as
	// remote error: a Python traceback.
	Execute(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program, modules Modules) error
}

// ErrInterrupted says that ctx ended a program: Python's KeyboardInterrupt.
var ErrInterrupted = errors.New("keyboard-interrupted")

// Func is a Go function that programs can call. Arguments and the result are values as the
// serializer loads them (serializer.Dict and so on, *gatewaybase.Channel for channels); ch is the
// channel of the execution that calls.
type Func func(ctx context.Context, ch *gatewaybase.Channel, args []any, kwargs *serializer.Dict) (any, error)

// Modules are the Go functions by the names of the modules that programs import to call them. A
// name may be dotted.
type Modules map[string]map[string]Func

// Raised is an error of a Func that stands for a Python exception of a certain class. Other errors
// become RuntimeError; io.EOF becomes EOFError, context.Canceled KeyboardInterrupt, and what
// errors.Is calls ErrTimeout the channel's TimeoutError.
type Raised struct {
	Class   string // a built-in exception: "TypeError", "ValueError", "KeyError" ...
	Message string
}

// Error is the exception as the last line of a traceback shows it.
func (e *Raised) Error() string {
	if e.Message == "" {
		return e.Class
	}
	return e.Class + ": " + e.Message
}
