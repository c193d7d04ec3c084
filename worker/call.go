package worker

import (
	"context"
	"errors"
	"fmt"
	"io"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
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
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return engine.ErrInterrupted
	}
	return tracebackOf(name, err)
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
		class = "DumpError"
	case errors.Is(err, io.EOF):
		class = "EOFError"
	case errors.Is(err, gatewaybase.ErrTimeout):
		class = "TimeoutError"
	}
	//lint:ignore ST1005 the text is a Python traceback
	return fmt.Errorf("Traceback (most recent call last):\n%s%s: %v\n", frames, class, err)
}
