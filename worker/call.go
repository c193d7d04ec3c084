package worker

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// call runs a registered function for Gateway.RemoteCall and sends its result. The function's
// context also ends when the caller closes the channel.
func (w *worker) call(ctx context.Context, ch *gatewaybase.Channel, name string, args []any, kwargs *serializer.Dict) error {
	f, err := w.functions.find(name)
	if err != nil {
		return tracebackOf(name, err)
	}
	calling, cancel := context.WithCancel(ctx)
	defer cancel()
	defer ch.AfterClose(cancel)()
	result, err := f.Call(calling, ch, args, kwargs)
	if err == nil {
		err = ch.Send(ctx, result)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF): // of the function's own channel
		return io.EOF
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return engine.ErrInterrupted
	}
	return tracebackOf(name, err)
}

// calling is the executor of a worker that also serves calls on channels for calls.
type calling struct {
	*pool
	worker *worker
}

// CallModules implements gatewaybase.CallServer.
func (s *calling) CallModules() []string { return slices.Sorted(maps.Keys(s.worker.functions.engine)) }

// Call implements gatewaybase.CallServer. What the driver's functions take as the channel of their
// execution is not there, so those that need it are not called here.
func (s *calling) Call(ctx context.Context, name string, args []any, kwargs *serializer.Dict, answer func(any, error) error) {
	f, err := s.worker.functions.find(name)
	_, ours := s.worker.functions.engine[moduleOf(name)]
	if !ours || err == nil && f.TakesChannel() {
		_ = answer(nil, gatewaybase.ErrNotHere)
		return
	}
	var failed error = errGoexit
	defer func() {
		if reason := recover(); reason != nil { // a method of the result, which serializes it
			failed = engine.NewPanic(name, reason)
		}
		if failed != nil {
			_ = answer(nil, s.Failure(ctx, name, failed)) // an error can be sent
		}
	}()
	if err != nil {
		failed = err
		return
	}
	result, err := f.Call(ctx, nil, args, kwargs)
	if err == nil {
		err = answer(result, nil)
	}
	failed = err
}

// Iterate implements gatewaybase.CallServer.
func (s *calling) Iterate(ctx context.Context, name string, args []any, kwargs *serializer.Dict, anyResult bool) (iter.Seq2[any, error], error) {
	f, err := s.worker.functions.find(name)
	if _, ours := s.worker.functions.engine[moduleOf(name)]; !ours {
		return nil, gatewaybase.ErrNotHere
	}
	if err == nil && f.TakesChannel() {
		if anyResult {
			return nil, gatewaybase.ErrNotHere // the driver calls it by an execution
		}
		err = &engine.Raised{Class: "TypeError", Message: name + "() takes the channel of an execution, which an iteration does not have"}
	}
	if err != nil {
		return nil, err
	}
	return f.Iterate(ctx, args, kwargs, anyResult), nil
}

// Failure implements gatewaybase.CallServer.
func (s *calling) Failure(ctx context.Context, name string, err error) error {
	switch {
	case err == error(errGoexit):
		return err
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return engine.ErrInterrupted
	}
	return tracebackOf(name, err)
}

// Recover implements gatewaybase.CallServer.
func (s *calling) Recover(name string, err *error) {
	if reason := recover(); reason != nil {
		*err = engine.NewPanic(name, reason)
	}
}

// tracebackOf gives the error of a Go function the shape of a Python traceback, so that drivers
// find an exception in it.
func tracebackOf(function string, err error) error {
	class, frames := "RuntimeError", "  Go function "+function+"\n"
	raised := engine.RaisedIn(err)
	var panicked *engine.Panic
	var dump *serializer.DumpError
	switch {
	case raised != nil:
		class = raised.Class
		err = errors.New(raised.Message)
	case errors.As(err, &panicked):
		frames += panicked.Frames + "\n"
	case errors.As(err, &dump):
		class = "execnet.gateway_base.DumpError"
	case errors.Is(err, gatewaybase.ErrTimeout):
		class = "execnet.gateway_base.TimeoutError"
	}
	return gofunc.Traceback(frames, class, err.Error())
}
