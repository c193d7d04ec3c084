// Package execnet drives Python interpreters from Go: it starts them, calls Python functions, runs
// source, and exchanges Python values with it over channels. It speaks the protocol of Python's
// execnet, so the other end can also be the original.
//
// # Calling Python
//
// A gateway is a connection to an interpreter. A spec says which one, and how to reach it: "popen"
// is python3 of this machine. [RemoteCall] calls a function of any module that can be imported
// there:
//
//	gw, err := execnet.MakeGateway(ctx, "popen//python=python3.12")
//	...
//	defer execnet.Terminate(ctx)
//	n, err := execnet.RemoteCall[int](ctx, gw, "math.gcd", 42, 30)
//
// # Running source
//
// RemoteExec runs source. It returns a channel, whose other end the source has in the variable
// channel:
//
//	ch, err := gw.RemoteExec(ctx, `
//		for text in channel:
//			channel.send((text, len(text)))
//	`)
//	...
//	err = ch.Send(ctx, "hello")
//	item, err := ch.Receive(ctx) // serializer.Tuple{"hello", int64(5)}
//
// The channel closes when the source has run. After the last item Receive returns io.EOF, or, once,
// a [*RemoteError] with the Python traceback if the source raised an exception.
//
// # Values
//
// Values travel by value, in the types that Python's execnet supports:
//
//	Python               received in Go as                 sent from Go also as
//	None, bool           nil, bool
//	int                  int64, *big.Int beyond            every integer kind
//	float, complex       float64, complex128               float32, complex64
//	str, bytes           string, []byte                    named string and byte slice types
//	list, tuple          []any, Tuple                      any slice or array (as a list)
//	dict                 *Dict, in insertion order         maps, structs with `execnet:"name"` tags
//	set, frozenset       *Set, FrozenSet                   map[T]struct{}
//	execnet.Channel      *Channel
//
// [Receive], [Items], [RemoteCall] and Channel.ReceiveInto fill Go types directly, as encoding/json
// does:
//
//	words, err := execnet.Receive[map[string]int](ctx, ch)
//
// # Contexts and errors
//
// Every call that can wait takes a context, which is the one way to bound it. A deadline that
// passes is [ErrTimeout]. An interpreter that dies gives every call that waits for it a
// [*GatewayDiedError], with its exit status and the end of its stderr. errors.go lists all errors.
//
// # Groups
//
// Gateways belong to a [Group], which finds them by id and ends them together: Terminate asks all
// workers to end, waits, and kills what is left. MakeGateway and Terminate of this package use
// [DefaultGroup]. A worker whose driver is gone ends by itself. Group.MakeGateways starts many side
// by side; Group.RemoteExec runs a source in all of them and returns a [MultiChannel];
// Group.NotifyContext ends them at Ctrl-C.
//
// # Other hosts
//
// A spec can lead to another machine: "ssh=user@host" with a built-in client that reads the same
// configuration as the ssh command, "socket=host:port" to a socket server, and "popen//via=ID"
// through another gateway. Package xspec describes all keys.
//
// # Workers in Go
//
// A driver in Python or Go can also drive a Go program: one that registers functions with package
// worker and calls worker.ServeIfWorker at the top of main. "popen//self" starts the driving
// program itself once more, "popen//python=PROGRAM" another one, and RemoteCall calls a function
// there.
//
// This package links no interpreter and no worker. A worker that is to run Python source too
// imports package gpython.
//
// # Python names
//
// Python execnet's makegateway, remote_exec, waitclose, setcallback and so on are MakeGateway,
// RemoteExec, WaitClose, SetCallback here. A timeout is a context; iteration over a channel is
// Items.
package execnet

import (
	"context"
	"iter"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// NoEndmarker is the endmarker of a callback or a queue that needs none.
const NoEndmarker = gatewaybase.NoEndmarker

// DefaultGroup is the group that MakeGateway and Terminate use.
var DefaultGroup = multi.DefaultGroup

// NewGroup returns an empty group.
func NewGroup() *Group { return multi.NewGroup() }

// NewMultiChannel makes a MultiChannel of channels, which may belong to any gateways.
func NewMultiChannel(channels ...*Channel) *MultiChannel { return multi.NewMultiChannel(channels...) }

// MakeGateway starts an interpreter as spec says, in DefaultGroup. See [multi.Group.MakeGateway].
func MakeGateway(ctx context.Context, spec string) (*Gateway, error) {
	return DefaultGroup.MakeGateway(ctx, spec)
}

// Terminate ends all gateways of DefaultGroup: it waits until ctx ends, or for five seconds if ctx
// has no deadline, and kills what is left then. See [multi.Group.Terminate].
func Terminate(ctx context.Context) error { return DefaultGroup.Terminate(ctx) }

// ParseXSpec reads a spec. See package xspec for the grammar and the keys.
func ParseXSpec(spec string) (*XSpec, error) { return xspec.Parse(spec) }

// Call makes RemoteExec call a function that the source defines, with the channel as its first
// argument and kwargs after it.
func Call(function string, kwargs map[string]any) ExecOption {
	return gatewaybase.Call(function, kwargs)
}

// File names the file and the line that a source given to RemoteExec comes from, for tracebacks.
func File(name string, line int) ExecOption { return gatewaybase.File(name, line) }

// ProxyClose makes closing a channel's file close the channel.
func ProxyClose() FileOption { return gatewaybase.ProxyClose() }

// Text makes a channel's file send str instead of bytes.
func Text() FileOption { return gatewaybase.Text() }

// Receive receives the next item of the channel as a T, as Channel.ReceiveInto does, with the same
// errors.
func Receive[T any](ctx context.Context, ch *Channel) (T, error) {
	return gatewaybase.Receive[T](ctx, ch)
}

// Items iterates over the items of the channel as values of type T, until the channel ends. An
// error other than io.EOF comes last. If ctx ends, so does the iteration, even if more items have
// come.
func Items[T any](ctx context.Context, ch *Channel) iter.Seq2[T, error] {
	return gatewaybase.Items[T](ctx, ch)
}

// RemoteCall calls a function of the far end by its name, "module.function", and returns its result
// as a T. In a Python worker that is a function of any module that can be imported there, in a Go
// worker one that is registered. See [gatewaybase.Gateway.RemoteCall].
func RemoteCall[T any](ctx context.Context, gw *Gateway, function string, args ...any) (T, error) {
	return gatewaybase.RemoteCall[T](ctx, gw, function, args...)
}

// Dumps serializes a value as execnet.dumps does. Its error is a [*DumpError].
func Dumps(v any) ([]byte, error) { return serializer.Dumps(v) }

// Loads returns the value that Dumps, or execnet.dumps in Python, has serialized. Its error is a
// [*LoadError]. It is execnet.loads.
func Loads(data []byte, options ...serializer.Option) (any, error) {
	return serializer.Loads(data, options...)
}

// NewDict makes a Python dict of alternating keys and values. It panics on a key that Python could
// not hash.
func NewDict(pairs ...any) *Dict { return serializer.NewDict(pairs...) }

// NewSet makes a Python set. It panics on an item that Python could not hash.
func NewSet(items ...any) *Set { return serializer.NewSet(items...) }

// NewFrozenSet makes a Python frozenset. It panics on an item that Python could not hash.
func NewFrozenSet(items ...any) FrozenSet { return serializer.NewFrozenSet(items...) }
