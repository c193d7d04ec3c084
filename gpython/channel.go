package gpython

// channel, the object by which a program speaks with its driver: execnet's Channel
// (gateway_base.py) with the same methods, the same errors and the same texts of errors, around a
// gatewaybase.Channel. Whatever waits does so without the interpreter's lock.

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/worker/engine"
)

// channel is what a program knows as channel: execnet's Channel, with the same methods and the same
// errors.
type channel struct {
	in         *interp
	ch         *gatewaybase.Channel
	attributes py.StringDict // that the program has set
}

var channelType = execnetType(py.ObjectType, "Channel", "Communication channel between two interpreters.")

func (c *channel) Type() *py.Type { return channelType }

func (c *channel) M__repr__() (py.Object, error) { return py.String(c.ch.String()), nil }

func (c *channel) M__str__() (py.Object, error) { return c.M__repr__() }

func (c *channel) M__eq__(other py.Object) (py.Object, error) {
	return py.NewBool(py.Object(c) == other), nil
}

func (c *channel) M__ne__(other py.Object) (py.Object, error) {
	return py.NewBool(py.Object(c) != other), nil
}

func (c *channel) M__iter__() (py.Object, error) { return c, nil }

// M__next__ is receive, for which the end of the items is no error.
func (c *channel) M__next__() (py.Object, error) {
	item, err := c.receive(nil)
	if err != nil && py.IsException(py.EOFError, err) {
		return nil, py.StopIteration
	}
	return item, err
}

// channelMethods are the methods by their names.
var channelMethods map[string]func(c *channel, args py.Tuple, kwargs py.StringDict) (py.Object, error)

func init() {
	channelMethods = map[string]func(c *channel, args py.Tuple, kwargs py.StringDict) (py.Object, error){
		"send": (*channel).sendMethod, "receive": (*channel).receiveMethod, "setcallback": (*channel).setCallback,
		"makefile": (*channel).makeFile, "close": (*channel).close, "isclosed": (*channel).isClosed,
		"waitclose": (*channel).waitClose, "reconfigure": (*channel).reconfigure,
		"next": (*channel).nextMethod, "__next__": (*channel).nextMethod, "__iter__": (*channel).iterMethod,
	}
}

func (c *channel) M__getattribute__(name string) (py.Object, error) {
	if value, ok := c.attributes[name]; ok {
		return value, nil
	}
	if method, ok := channelMethods[name]; ok {
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			return method(c, args, kwargs)
		}}, nil
	}
	switch name {
	case "gateway":
		return c.in.gateway(c.ch), nil
	case "id":
		return py.Int(c.ch.ID()), nil
	case "RemoteError":
		return remoteError, nil
	case "TimeoutError":
		return timeoutError, nil
	case "__class__":
		return channelType, nil
	case "__dict__":
		return c.GetDict(), nil
	}
	return nil, noAttribute(c, name)
}

// GetDict is what a program has set.
func (c *channel) GetDict() py.StringDict {
	if c.attributes == nil {
		c.attributes = make(py.StringDict)
	}
	return c.attributes
}

// AttributeNames is for dir.
func (c *channel) AttributeNames() []string {
	return append(slices.Collect(maps.Keys(channelMethods)), "gateway", "id", "RemoteError", "TimeoutError")
}

func (c *channel) nextMethod(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("next", args, kwargs, 0); err != nil {
		return nil, err
	}
	return c.M__next__()
}

func (c *channel) iterMethod(args py.Tuple, kwargs py.StringDict) (py.Object, error) { return c, nil }

// sendMethod is channel.send(item).
func (c *channel) sendMethod(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("send", args, kwargs, 1, "item")
	if err != nil {
		return nil, err
	}
	return py.None, c.send(a[0])
}

// send sends an object. CPython checks first whether the channel is closed, and so does this.
func (c *channel) send(item py.Object) error {
	if c.ch.IsClosed() {
		return c.osError("cannot send to %v", c.ch)
	}
	v, err := c.in.toGo(item)
	if err != nil {
		return err
	}
	ctx, cancel := c.in.sendContext()
	defer cancel()
	c.in.blocking(func() { err = c.ch.Send(ctx, v) })
	return c.failure(err)
}

func (c *channel) osError(format string, args ...any) error {
	return py.ExceptionNewf(py.OSError, format, args...)
}

// failure is the exception for an error of the channel.
func (c *channel) failure(err error) error {
	var died *gatewaybase.GatewayDiedError
	switch {
	case err == nil:
		return nil
	case c.in.ctx.Err() != nil && (errors.Is(err, c.in.ctx.Err()) || errors.Is(err, gatewaybase.ErrTimeout)):
		return c.in.interruption()
	case errors.Is(err, gatewaybase.ErrExecuting):
		return c.osError("cannot explicitly close channel within remote_exec")
	case errors.Is(err, gatewaybase.ErrHasCallback):
		return c.osError("cannot receive(), channel has receiver callback")
	case errors.As(err, &died):
		return newException(py.EOFError, py.String(died.Error()))
	case errors.Is(err, gatewaybase.ErrClosed):
		return c.osError("cannot send to %v", c.ch)
	}
	return c.in.pythonError(err)
}

// withTimeout is the execution's context with the time limit that a program gave: nil, None or a
// number of seconds.
func (in *interp) withTimeout(timeout py.Object) (context.Context, context.CancelFunc, error) {
	if timeout == nil || timeout == py.None {
		return in.ctx, func() {}, nil
	}
	seconds, err := py.FloatAsFloat64(timeout)
	if err != nil {
		return nil, nil, err
	}
	if seconds < 0 || math.IsNaN(seconds) {
		return nil, nil, py.ExceptionNewf(py.ValueError, "'timeout' must be a non-negative number")
	}
	ctx, cancel := context.WithTimeout(in.ctx, duration(seconds))
	return ctx, cancel, nil
}

// duration is a number of seconds as a Duration, or the largest Duration if that is too short.
func duration(seconds float64) time.Duration {
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

// timedOut is execnet's TimeoutError if err says that the program's own time limit is over.
func (c *channel) timedOut(err error, format string, timeout py.Object) error {
	if !errors.Is(err, gatewaybase.ErrTimeout) || c.in.ctx.Err() != nil {
		return c.failure(err)
	}
	shown, reprErr := pyvalue.Repr(timeout)
	if reprErr != nil {
		return reprErr
	}
	return py.ExceptionNewf(timeoutError, format, shown)
}

// receiveMethod is channel.receive(timeout).
func (c *channel) receiveMethod(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("receive", args, kwargs, 0, "timeout")
	if err != nil {
		return nil, err
	}
	return c.receive(a[0])
}

// receive waits for the next item, without the interpreter's lock.
func (c *channel) receive(timeout py.Object) (py.Object, error) {
	ctx, cancel, err := c.in.withTimeout(timeout)
	if err != nil {
		return nil, err
	}
	defer cancel()
	var v any
	c.in.blocking(func() { v, err = c.ch.Receive(ctx) })
	if errors.Is(err, io.EOF) {
		return nil, endOf(c.ch)
	}
	if err != nil {
		return nil, c.timedOut(err, "no item after %s seconds", timeout)
	}
	return c.in.fromGo(v)
}

// noMore is the endmarker that the gateway gets; the callback replaces it by the program's own.
type noMore struct{}

// setCallback is channel.setcallback(callback, endmarker).
func (c *channel) setCallback(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("setcallback", args, kwargs, 1, "callback", "endmarker")
	if err != nil {
		return nil, err
	}
	callback, endmarker := a[0], a[1]
	f := func(v any) error {
		if _, ok := v.(noMore); ok {
			return c.in.callback(callback, func() (py.Object, error) { return endmarker, nil })
		}
		return c.in.callback(callback, func() (py.Object, error) { return c.in.fromGo(v) })
	}
	c.in.shared = true
	c.in.blocking(func() { // it may call f at once
		if endmarker == nil {
			err = c.ch.SetCallback(f, gatewaybase.NoEndmarker)
		} else {
			err = c.ch.SetCallback(f, noMore{})
		}
	})
	if errors.Is(err, gatewaybase.ErrHasCallback) {
		return nil, c.osError("%v has callback already registered", c.ch)
	}
	return py.None, c.failure(err)
}

// callback calls a program's function from a goroutine of the gateway. The error's text is the
// traceback that the other end gets.
func (in *interp) callback(f py.Object, item func() (py.Object, error)) (err error) {
	in.lock()
	defer in.unlock()
	in.depth, in.thread = 0, callbackThread
	if in.calling > 0 { // the callback of another channel has begun, and waits now
		in.threads++
		in.thread = in.threads
	}
	in.calling++
	defer func() { in.calling-- }()
	err = func() (err error) {
		defer recoverPanic(&err)
		o, err := item()
		if err == nil {
			_, err = py.Call(f, py.Tuple{o}, nil)
		}
		return err
	}()
	switch {
	case err == nil:
		return nil
	case py.IsException(py.KeyboardInterrupt, err):
		return engine.ErrInterrupted
	}
	return in.remoteError(exceptionInfo(err))
}

// close is channel.close(error): the text of the error is what the other end gets.
func (c *channel) close(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("close", args, kwargs, 0, "error")
	if err != nil {
		return nil, err
	}
	var reason error
	if a[0] != nil && a[0] != py.None {
		text, err := pyvalue.Str(a[0])
		if err != nil {
			return nil, err
		}
		reason = errors.New(text)
		if e, ok := a[0].(*py.Exception); ok && e.Base.IsSubtype(remoteError) {
			reason = &gatewaybase.RemoteError{Formatted: text}
		}
	}
	return py.None, c.failure(c.ch.CloseWithError(reason))
}

func (c *channel) isClosed(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	_, err := arguments("isclosed", args, kwargs, 0)
	return py.NewBool(c.ch.IsClosed()), err
}

// waitClose is channel.waitclose(timeout).
func (c *channel) waitClose(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("waitclose", args, kwargs, 0, "timeout")
	if err != nil {
		return nil, err
	}
	ctx, cancel, err := c.in.withTimeout(a[0])
	if err != nil {
		return nil, err
	}
	defer cancel()
	c.in.blocking(func() { err = c.ch.WaitClose(ctx) })
	return py.None, c.timedOut(err, "Timeout after %s seconds", a[0])
}

// reconfigure is channel.reconfigure(py2str_as_py3str, py3str_as_py2str).
func (c *channel) reconfigure(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("reconfigure", args, kwargs, 0, "py2str_as_py3str", "py3str_as_py2str")
	if err != nil {
		return nil, err
	}
	var s gatewaybase.StrConfig
	if s.Py2StrAsPy3Str, err = truth(a[0], true); err != nil {
		return nil, err
	}
	if s.Py3StrAsPy2Str, err = truth(a[1], false); err != nil {
		return nil, err
	}
	c.in.blocking(func() { err = c.ch.Reconfigure(c.in.ctx, s) })
	return py.None, c.failure(err)
}
