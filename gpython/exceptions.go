package gpython

// From Go errors to Python exceptions: errors of gpython, of the system, of channels and of
// registered Go functions. gpython v0.2.0 lacks ModuleNotFoundError and, of course, execnet's
// RemoteError, TimeoutError, DumpError and LoadError. A panic inside gpython becomes a SystemError
// of the program instead of the end of the worker.

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"

	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// The classes that gpython lacks. Those of execnet are attributes of channels, as RemoteError and
// TimeoutError are there.
var (
	moduleNotFoundError = newType(py.ImportError, "ModuleNotFoundError", "Module not found.")

	remoteError     = execnetType(py.ExceptionType, "RemoteError", "execnet's RemoteError.")
	timeoutError    = execnetType(py.OSError, "TimeoutError", "execnet's TimeoutError.")
	dataFormatError = execnetType(py.ExceptionType, "DataFormatError", "execnet's DataFormatError.")
	dumpError       = execnetType(dataFormatError, "DumpError", "execnet's DumpError.")
	loadError       = execnetType(dataFormatError, "LoadError", "execnet's LoadError.")
)

// goFrames is the attribute in which the exception for a panic keeps the frames of Go, which are
// for tracebacks only.
const goFrames = "__go_frames__"

// newException makes an exception of a class, with its args.
func newException(class *py.Type, args ...py.Object) *py.Exception {
	return &py.Exception{Base: class, Args: py.Tuple(args), Dict: py.NewStringDict()}
}

// endedChannel is the attribute in which the EOFError of receive keeps the id of its channel.
const endedChannel = "__ended_channel__"

// endOf is the EOFError for the end of a channel. Left unhandled, it ends the channel's own
// execution in order (protocol.md section 6.6).
func endOf(ch *gatewaybase.Channel) error {
	e := newException(py.EOFError)
	e.Dict[endedChannel] = py.Int(ch.ID())
	return e
}

// asException is the Python exception for an error that gpython or our functions returned.
func asException(err error) *py.Exception {
	switch e := err.(type) {
	case *py.Exception:
		return e
	case py.ExceptionInfo:
		if x, ok := e.Value.(*py.Exception); ok {
			return x
		}
	case *py.Type:
		return py.MakeException(e)
	}
	if e := systemError(err); e != nil {
		return e
	}
	return py.ExceptionNewf(py.SystemError, "%v", err)
}

// exceptionInfo is the error with its traceback, if it has one.
func exceptionInfo(err error) py.ExceptionInfo {
	e := asException(err)
	out := py.ExceptionInfo{Type: e.Base, Value: e}
	if info, ok := err.(py.ExceptionInfo); ok {
		out.Traceback = info.Traceback
	}
	return out
}

// recoverPanic makes a panic the error of the function that defers it.
func recoverPanic(err *error) {
	if p := recover(); p != nil {
		*err = panicError(p)
	}
}

// panicError is a panic inside gpython, or an exception that was thrown as one.
func panicError(p any) error {
	switch p := p.(type) {
	case *py.Exception:
		return p
	case py.ExceptionInfo:
		return p
	case runtime.Error:
		if strings.Contains(p.Error(), "makeslice") || strings.Contains(p.Error(), "growslice") {
			return newException(py.MemoryError)
		}
	}
	return py.ExceptionNewf(py.SystemError, "%v", p)
}

// pythonError is the exception that stands for an error of this module or of a registered function.
func (in *interp) pythonError(err error) error {
	raised := engine.RaisedIn(err)
	var remote *gatewaybase.RemoteError
	var dump *serializer.DumpError
	var load *serializer.LoadError
	var pyError *py.Exception
	var panicked *engine.Panic
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pyError):
		return err
	case raised != nil:
		class, ok := in.store.Builtins.Globals[raised.Class].(*py.Type)
		if !ok || !py.ExceptionClassCheck(class) {
			return py.ExceptionNewf(py.RuntimeError, "%s", raised.Error())
		}
		if raised.Message == "" {
			return newException(class)
		}
		return newException(class, py.String(raised.Message))
	case errors.As(err, &panicked):
		e := newException(py.RuntimeError, py.String(panicked.Error()))
		e.Dict[goFrames] = py.String(panicked.Frames + "\n")
		return e
	case errors.As(err, &remote):
		return newException(remoteError, py.String(remote.Formatted))
	case errors.As(err, &dump):
		return newException(dumpError, py.String(dumpText(dump)))
	case errors.As(err, &load):
		return newException(loadError, py.String(load.Error()))
	case errors.Is(err, io.EOF): // a function has met the end of the execution's channel
		return endOf(in.channel)
	case errors.Is(err, gatewaybase.ErrTimeout):
		return newException(timeoutError, py.String(err.Error()))
	case errors.Is(err, context.Canceled) && in.ctx.Err() != nil:
		return in.interruption()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && in.ctx.Err() != nil:
		return newException(py.KeyboardInterrupt)
	}
	return newException(py.RuntimeError, py.String(err.Error()))
}

// dumpText is what execnet says of a value that it cannot serialize, and where in the value that
// is.
func dumpText(e *serializer.DumpError) string {
	text := e.Problem
	switch {
	case e.Err != nil && text == "":
		text = e.Err.Error()
	case e.Err != nil:
		text += ": " + e.Err.Error()
	}
	if e.Path != "" {
		text += " (at " + e.Path + ")"
	}
	return text
}
