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

// Kwargs are the keyword arguments of a RemoteCall, given as its last argument.
type Kwargs map[string]any

// remoteCallSource calls a function of a module and sends its result. A Go worker recognises it and
// needs no interpreter for it; any other worker executes it.
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

// RemoteCall calls a function of the far end by its module's name and its own, "os.path.join" or
// "textstats.count", and returns its result. In a Python worker that is a function of any module
// that can be imported there, in a Go worker one that worker.Register has registered. The arguments
// are sent as by Channel.Send; the last one may be [Kwargs].
//
// An exception, or the error of a Go function, is a [RemoteError]. A name that cannot be a
// function's is a [SourceError]. When ctx ends, RemoteCall returns: the context of a Go function
// ends then, too, while a Python function goes on.
func (g *Gateway) RemoteCall(ctx context.Context, function string, args ...any) (any, error) {
	return RemoteCall[any](ctx, g, function, args...)
}

// RemoteCall is Gateway.RemoteCall with a result of type T, which is filled as by
// Channel.ReceiveInto.
func RemoteCall[T any](ctx context.Context, g *Gateway, function string, args ...any) (T, error) {
	var result T
	if !isDottedName(function) {
		return result, badSource("%q is not the name of a function in a module", function)
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

// RemoteCall reports whether p is the source that RemoteCall sends, and which function it calls.
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
