package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// Handle refers to an object in the far end, which [NewHandle] has made there and which is kept
// there until the handle is closed or nothing refers to it any more. It may be used from any number
// of goroutines.
//
// As an argument of a call, or inside of one, a handle is the object itself there; so it is in what
// is sent over channels. Only its own gateway takes it.
type Handle struct {
	channel *Channel // whose object it is: protocol.md section 6.8
	what    string   // what has made it, for String
	behind  bool     // it is in the Python behind a Go worker
}

// NewHandle calls a function or a class of the far end by its name, as RemoteCall does, with the
// same errors, and returns a handle of the result instead of the result:
//
//	model, err := execnet.New(ctx, gw, "analysis.Model", "weights.bin")
//	...
//	defer model.Close()
//	y, err := execnet.CallMethod[float64](ctx, model, "predict", x)
//
// It returns an error in which errors.Is finds errors.ErrUnsupported if the far end keeps no
// objects: pip's execnet. The functions of a Go worker return values and no objects; there it is a
// [RemoteError]. It is a part of [protocol.md section 6.8].
//
// [protocol.md section 6.8]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#68-calls
func NewHandle(ctx context.Context, g *Gateway, function string, args ...any) (*Handle, error) {
	if !isDottedName(function) {
		return nil, badSource("%q is not the name of a class or a function in a module", function)
	}
	args, kwargs := splitKwargs(args)
	var none any
	ch, line, err := g.calls.call(ctx, &callRequest{function: function, args: args, kwargs: kwargs, more: []any{}}, &none)
	if err == errNotServed {
		return nil, fmt.Errorf("execnet: the worker of gateway %s keeps no objects: %w", g.id, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	return &Handle{channel: ch, what: function, behind: line.behind}, nil
}

// CallMethod calls a method of a handle's object, and returns its result as a T. method may be any
// path of attributes: "predict", "model.predict". Everything else is as for RemoteCall. After Close
// it returns [ErrClosed].
func CallMethod[T any](ctx context.Context, h *Handle, method string, args ...any) (T, error) {
	var result T
	r, err := h.request(method, args)
	if err == nil {
		_, _, err = h.channel.core.gateway.calls.call(ctx, r, &result)
	}
	return result, h.explain(err)
}

// Call is [CallMethod] with a result of any type.
func (h *Handle) Call(ctx context.Context, method string, args ...any) (any, error) {
	return CallMethod[any](ctx, h, method, args...)
}

// request is a call of a method.
func (h *Handle) request(method string, args []any) (*callRequest, error) {
	if !isDottedName(method) {
		return nil, badSource("%q is not the name of a method", method)
	}
	if h.channel.IsClosed() {
		return nil, h.closedError()
	}
	args, kwargs := splitKwargs(args)
	return &callRequest{object: h, function: method, args: args, kwargs: kwargs}, nil
}

func (h *Handle) closedError() error {
	return h.Gateway().diedOr(fmt.Errorf("execnet: the handle of %s is closed: %w", h.what, ErrClosed))
}

// explain is the error of a call of a method.
func (h *Handle) explain(err error) error {
	if err == errNotServed { // a Python behind a Go worker has been replaced by another one
		return h.closedError()
	}
	return err
}

// Close lets the far end drop the object, when the calls that have been made have ended. It does
// not wait, and closing a closed handle does nothing. A handle that nothing refers to any more
// closes itself.
func (h *Handle) Close() error { return h.channel.Close() }

// Gateway is the gateway that the handle belongs to.
func (h *Handle) Gateway() *Gateway { return h.channel.core.gateway }

// String names what has made the object, and the gateway.
func (h *Handle) String() string {
	defer runtime.KeepAlive(h)
	return fmt.Sprintf("<Handle of %s in gateway %s>", h.what, h.Gateway().id)
}

// ExecnetChannelID makes a handle a value that can be sent.
func (h *Handle) ExecnetChannelID() int32 { return h.channel.core.id }
