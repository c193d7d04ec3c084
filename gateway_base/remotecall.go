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

// remoteCallSource calls a function and sends its result, at a far end that serves no calls on a
// channel of its own. A Go worker recognises it and needs no interpreter for it; any other worker
// executes it.
const (
	remoteCallSource = findFunctionSource + `
def remote_call(channel, function, args, kwargs):
    channel.send(find_function(function)(*args, **kwargs))
`
	remoteCallFile = "execnet/remotecall.py"
	remoteCallName = "remote_call"
)

// findFunctionSource finds what a dotted path names: attributes of the module with the longest name
// that can be imported, or of builtins.
const findFunctionSource = `
def find_function(path):
    import sys
    parts = path.split(".")
    if len(parts) == 1:
        builtins = __import__("builtins" if sys.version_info[0] > 2 else "__builtin__")
        if not hasattr(builtins, path):
            raise AttributeError("no builtin is named '%s'; of a module, name what to call: '%s.NAME'" % (path, path))
        parts.insert(0, builtins.__name__)
    name = parts.pop(0)
    __import__(name)
    found = module = sys.modules[name]
    while len(parts) > 1:
        name += "." + parts[0]
        if name not in sys.modules and not hasattr(module, "__path__"):
            break
        try:
            __import__(name)
        except ImportError:
            error, tb = sys.exc_info()[1:]
            if getattr(error, "name", name) != name or not hasattr(error, "name") and tb.tb_next:
                raise
            break
        found = module = sys.modules[name]
        del parts[0]
    for part in parts:
        found = getattr(found, part)
    if isinstance(found, type(sys)):
        raise TypeError("%s is a module; name what to call in it: '%s.NAME'" % (path, path))
    if not callable(found):
        raise TypeError("%s is no function: '%s' object is not callable" % (path, type(found).__name__))
    return found
`

// RemoteCall calls a function of the far end by its name and returns its result. In a Python worker
// the name is any path of attributes that begins with a module: "os.path.join", "sorted",
// "datetime.datetime.now"; the module is the longest beginning that can be imported, and builtins
// if there is no dot. In a Go worker it names a function that worker.Register has registered, or
// one of the Python that belongs to the worker. The arguments are sent as by Channel.Send; the last
// one may be [Kwargs].
//
// The calls of a gateway share a channel ([protocol.md section 6.8]), so that a call costs not much
// more than an item and its answer. Any number of calls may be under way; in a worker each of them
// runs where an execution would: in the main thread if that is idle, else in another one, and under
// main_thread_only in the main thread, one after another, however long that takes. At the end of a
// worker they are ended as executions are. To pip's execnet each call is an execution of its own.
//
// An exception, or the error of a Go function, is a [RemoteError]. A name that cannot be a
// function's is a [SourceError]. When ctx ends, RemoteCall returns its error, and the far end is
// told. The context of a Go function ends then. A Python function gets a KeyboardInterrupt, also if
// it runs in another thread than the main thread. That cannot stop what does not return to Python:
// C code that computes, and, in other threads than the main thread, whatever waits: for a lock, in
// time.sleep, for a socket; and in Python 2 these threads are not interrupted at all. Then the call
// goes on, and what it returns is dropped. The worker stays usable in any case. With pip's execnet
// at the far end a Python function is not interrupted.
//
// [protocol.md section 6.8]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#68-calls
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
	args, kwargs := splitKwargs(args)
	_, _, err := g.calls.call(ctx, &callRequest{function: function, args: args, kwargs: kwargs}, &result)
	if err == errNotServed {
		err = g.callByExecution(ctx, function, args, kwargs, &result)
	}
	return result, err
}

// splitKwargs takes the keyword arguments, if there are any, from the end of args.
func splitKwargs(args []any) ([]any, Kwargs) {
	if n := len(args); n > 0 {
		if kwargs, ok := args[n-1].(Kwargs); ok {
			return args[:n-1], kwargs
		}
	}
	return args, nil
}

// amongArguments is the error of a request in which the arguments stand at two paths. A DumpError
// then leads to the argument that cannot be sent: args[1], kwargs["size"].
func amongArguments(err error, args, kwargs string) error {
	var dump *serializer.DumpError
	if !errors.As(err, &dump) {
		return err
	}
	for at, name := range map[string]string{args: "args", kwargs: "kwargs"} {
		if rest, found := strings.CutPrefix(dump.Path, at); found {
			return &serializer.DumpError{Path: name + rest, Problem: dump.Problem, Err: dump.Err}
		}
	}
	return err
}

// callByExecution makes a call at a far end that does not serve it on a channel for calls.
func (g *Gateway) callByExecution(ctx context.Context, function string, args []any, kwargs Kwargs, result any) error {
	ch, err := g.startByExecution(ctx, &task{source: remoteCallSource, file: remoteCallFile, call: remoteCallName,
		kwargs: map[string]any{}}, function, args, kwargs)
	if err != nil {
		return err
	}
	err = ch.ReceiveInto(ctx, result)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("execnet: %s of gateway %s ended without a result: %w", function, g.id, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return errors.Join(err, ch.Close())
	}
	return ch.WaitClose(ctx)
}

// startByExecution starts a program that calls a function, with the function and its arguments as
// keyword arguments besides those that t has.
func (g *Gateway) startByExecution(ctx context.Context, t *task, function string, args []any, kwargs Kwargs) (*Channel, error) {
	if kwargs == nil {
		kwargs = Kwargs{}
	}
	t.noArrays = true
	t.kwargs["function"], t.kwargs["args"], t.kwargs["kwargs"] = function, serializer.Tuple(args), kwargs
	ch, err := g.start(ctx, t)
	return ch, amongArguments(err, `[3]["args"]`, `[3]["kwargs"]`)
}

// moduleOf returns the module of a function's dotted name, "" if there is none.
func moduleOf(function string) string { return function[:max(strings.LastIndexByte(function, '.'), 0)] }

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
