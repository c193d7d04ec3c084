package engine

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// Raised is an error of a Func that stands for a Python exception of a certain class. Other errors
// become RuntimeError; io.EOF becomes EOFError (that of the execution's own channel, left
// unhandled, ends the execution in order), context.Canceled KeyboardInterrupt, and what errors.Is
// calls ErrTimeout the channel's TimeoutError.
//
// It may be wrapped: use errors.As with a *Raised to find one, or [RaisedIn].
type Raised struct {
	Class   string // a built-in exception: "TypeError", "ValueError", "KeyError" ...
	Message string
}

// Error is the exception as the last line of a traceback shows it. It is Python's text and so has
// no "execnet: " in front.
func (e *Raised) Error() string {
	if e.Message == "" {
		return e.Class
	}
	return e.Class + ": " + e.Message
}

// RaisedIn returns the exception that err, or an error that err wraps, stands for; nil if there is
// none. What err says around the exception becomes part of its message.
func RaisedIn(err error) *Raised {
	var raised *Raised
	if !errors.As(err, &raised) || err == error(raised) {
		return raised
	}
	text := strings.Replace(err.Error(), raised.Error(), raised.Message, 1)
	return &Raised{Class: raised.Class, Message: strings.TrimSuffix(text, ": ")}
}

// Exit is the error of a program that has ended in order by SystemExit: without a code, or with
// None or 0. errors.Is says that it is io.EOF, as other orderly ends are. To a driver of Python's
// execnet it is an error ([protocol.md section 6.6]), so it has one. To find an Exit, use errors.As
// with an *Exit.
//
// [protocol.md section 6.6]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#66-how-an-execution-ends
type Exit struct {
	Err *gatewaybase.RemoteError // as it is when the code is another one
}

// Error returns the text of Err.
func (e *Exit) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Exit) Unwrap() error { return e.Err }

// Is says that e is io.EOF.
func (e *Exit) Is(target error) bool { return target == io.EOF }

// Panic is the error of a Go function that panicked. To find one, use errors.As with a *Panic.
type Panic struct {
	Function string // the function's name: "module.function"
	Reason   any    // the value that it panicked with
	Frames   string // two lines for each of the innermost Go frames: the function, and file:line
}

// mostFrames is how many frames a Panic shows.
const mostFrames = 8

// NewPanic makes the error. Only a deferred function that has just recovered the reason may call
// it: it looks up the frames of the panic on the stack.
func NewPanic(function string, reason any) *Panic {
	pc := make([]uintptr, 32)
	// Callers, this function and the deferred one are left out.
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	var lines []string
	for len(lines) < mostFrames {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "reflect.") {
			break // the call of the function
		}
		if !strings.HasPrefix(frame.Function, "runtime.") && frame.Function != "" {
			lines = append(lines, fmt.Sprintf("  %s\n    %s:%d", frame.Function, frame.File, frame.Line))
		}
		if !more {
			break
		}
	}
	return &Panic{function, reason, strings.Join(lines, "\n")}
}

// Error tells the reason; Frames tell the place.
func (p *Panic) Error() string { return fmt.Sprintf("panic in %s: %v", p.Function, p.Reason) }
