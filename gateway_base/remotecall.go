package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

// Kwargs are the keyword arguments of a RemoteCall: its last argument, if that is of this type.
type Kwargs map[string]any

// remoteCallSource calls a function of a module and sends what it returns. A Go worker knows it and
// takes no interpreter for it; any other worker executes it.
const (
	remoteCallSource = `
def remote_call(channel, function, args, kwargs):
    import importlib, sys
    module, _, name = function.rpartition(".")
    if not module:
        module = "builtins" if sys.version_info[0] > 2 else "__builtin__"
    channel.send(getattr(importlib.import_module(module), name)(*args, **kwargs))
`
	remoteCallFile = "execnet/remotecall.py"
	remoteCallName = "remote_call"
)

// RemoteCall calls a function at the far end by the name of its module and its own,
// "textstats.count" or "os.path.join", and returns what it returns. In a Go worker that is a
// function registered with worker.Register; in a Python worker, one of a module that can be
// imported there. Arguments are sent as Channel.Send would send them; the last one may be Kwargs.
// An exception, or a Go function's error, is a RemoteError. When ctx ends the call is abandoned: a
// Go function's own context ends then, a Python function runs on.
func (g *Gateway) RemoteCall(ctx context.Context, function string, args ...any) (any, error) {
	return RemoteCall[any](ctx, g, function, args...)
}

// RemoteCall is Gateway.RemoteCall for a function whose result is to be a T, filled as
// Channel.ReceiveInto does.
func RemoteCall[T any](ctx context.Context, g *Gateway, function string, args ...any) (T, error) {
	var result T
	if !isDottedName(function) {
		return result, badSource("%q is no name of a function in a module", function)
	}
	kwargs := Kwargs{}
	if n := len(args); n > 0 {
		if given, ok := args[n-1].(Kwargs); ok {
			kwargs, args = given, args[:n-1]
		}
	}
	ch, err := g.start(ctx, &task{source: remoteCallSource, file: remoteCallFile, call: remoteCallName,
		kwargs: map[string]any{"function": function, "args": serializer.Tuple(args), "kwargs": kwargs}})
	if err != nil {
		return result, err
	}
	err = ch.ReceiveInto(ctx, &result)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("execnet: %s of gateway %s ended without a result: %w", function, g.id, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return result, errors.Join(err, ch.Close())
	}
	return result, ch.WaitClose(ctx)
}

func isDottedName(s string) bool {
	for name := range strings.SplitSeq(s, ".") {
		if !pyliteral.IsIdentifier(name) {
			return false
		}
	}
	return true
}

// RemoteCall tells whether p is what RemoteCall sends, and then which function it is to call.
func (p *Program) RemoteCall() (function string, args []any, kwargs *serializer.Dict, ok bool) {
	if p.Call != remoteCallName || p.File != remoteCallFile || p.Source != remoteCallSource {
		return "", nil, nil, false
	}
	name, _ := p.Kwargs.Get("function")
	list, _ := p.Kwargs.Get("args")
	named, _ := p.Kwargs.Get("kwargs")
	function, ok1 := name.(string)
	tuple, ok2 := list.(serializer.Tuple)
	kwargs, ok3 := named.(*serializer.Dict)
	return function, tuple, kwargs, ok1 && ok2 && ok3
}
