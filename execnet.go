// Package execnet drives Python interpreters from Go: it starts them, runs source in them and
// exchanges Python values with them over channels. It speaks the protocol of Python's execnet on
// the wire, so either side can also be the original.
//
// # A gateway, a channel
//
// A gateway is a connection to an interpreter; a spec says which one and how to reach it.
// RemoteExec runs source there and returns a channel, whose other end the source finds as the
// global name channel:
//
//	gw, err := execnet.MakeGateway(ctx, "popen//python=python3.12")
//	...
//	defer execnet.Terminate(ctx)
//	ch, err := gw.RemoteExec(ctx, `
//		for text in channel:
//			channel.send((text, len(text)))
//	`)
//	...
//	err = ch.Send(ctx, "hello")
//	item, err := ch.Receive(ctx) // serializer.Tuple{"hello", int64(5)}
//
// The channel closes when the source has run. After the last item Receive reports io.EOF, or, once,
// a *RemoteError with the Python traceback if the source raised an exception. A ctx that runs out
// gives ErrTimeout; an interpreter that dies gives every call that waits for it a
// *GatewayDiedError, with its exit status and the last it wrote to stderr.
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
// Receive and Items of this package, and Channel.ReceiveInto, fill Go types directly, as
// encoding/json does:
//
//	words, err := execnet.Receive[map[string]int](ctx, ch)
//
// # Groups
//
// Gateways belong to a Group, which finds them by id and ends them together: Terminate asks all
// workers to end, waits, and kills what is left. MakeGateway and Terminate of this package use
// DefaultGroup. A worker whose driver is gone ends by itself. Group.MakeGateways starts many side
// by side; Group.RemoteExec runs a source in all of them and returns a MultiChannel;
// Group.NotifyContext ends them on Ctrl-C.
//
// # Other hosts
//
// A spec can lead further than this machine: "ssh=user@host" with a built-in client that reads the
// same configuration as the ssh command, "socket=host:port" to a socket server, and "popen//via=ID"
// through another gateway. Package xspec has all the keys.
//
// # Workers in Go
//
// A driver in Python or Go can also drive a Go program: one that registers functions and calls
// ServeIfWorker at the top of main. "popen//self" starts the program itself once more,
// "popen//python=PROGRAM" another one, and RemoteCall calls a function there:
//
//	worker.Register("textstats", worker.Funcs{"count": Count})
//	execnet.ServeIfWorker()
//	...
//	n, err := execnet.RemoteCall[int](ctx, gw, "textstats.count", text)
//
// # Python names
//
// Python execnet's makegateway, remote_exec, waitclose, setcallback and so on are MakeGateway,
// RemoteExec, WaitClose, SetCallback here. A timeout is a context; iteration is Items.
package execnet

import (
	"context"
	"iter"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker"
	"github.com/go-execnet/execnet/xspec"
)

// NoEndmarker is the endmarker of a callback or a queue that needs none.
const NoEndmarker = gatewaybase.NoEndmarker

// DefaultGroup is the group that MakeGateway and Terminate use.
var DefaultGroup = multi.DefaultGroup

// NewGroup returns an empty group.
func NewGroup() *Group { return multi.NewGroup() }

// NewMultiChannel puts channels together, to send to all of them and to receive what comes from
// any.
func NewMultiChannel(channels ...*Channel) *MultiChannel { return multi.NewMultiChannel(channels...) }

// MakeGateway starts an interpreter as spec says, in DefaultGroup. See Group.MakeGateway.
func MakeGateway(ctx context.Context, spec string) (*Gateway, error) {
	return DefaultGroup.MakeGateway(ctx, spec)
}

// Terminate ends all gateways of DefaultGroup. See Group.Terminate.
func Terminate(ctx context.Context) error { return DefaultGroup.Terminate(ctx) }

// ParseXSpec reads a spec. See package xspec for the grammar and the keys.
func ParseXSpec(spec string) (*XSpec, error) { return xspec.Parse(spec) }

// Call has RemoteExec call a function that the source defines, with the channel as its first
// argument and kwargs after it.
func Call(function string, kwargs map[string]any) ExecOption {
	return gatewaybase.Call(function, kwargs)
}

// File names the file and line that a source given to RemoteExec was taken from, for tracebacks.
func File(name string, line int) ExecOption { return gatewaybase.File(name, line) }

// ProxyClose makes closing a channel's file close the channel.
func ProxyClose() FileOption { return gatewaybase.ProxyClose() }

// Text makes a channel's file send str instead of bytes.
func Text() FileOption { return gatewaybase.Text() }

// Receive receives the channel's next item as a T, as Channel.ReceiveInto does, and reports what
// that reports.
func Receive[T any](ctx context.Context, ch *Channel) (T, error) {
	return gatewaybase.Receive[T](ctx, ch)
}

// Items iterates over the channel's items as values of type T until the channel ends. Any error but
// io.EOF is handed out last; an ended ctx stops it even if more items wait.
func Items[T any](ctx context.Context, ch *Channel) iter.Seq2[T, error] {
	return gatewaybase.Items[T](ctx, ch)
}

// RemoteCall calls a function of the far end by name, "module.function", and returns its result as
// a T. See Gateway.RemoteCall.
func RemoteCall[T any](ctx context.Context, gw *Gateway, function string, args ...any) (T, error) {
	return gatewaybase.RemoteCall[T](ctx, gw, function, args...)
}

// ServeIfWorker makes the program a worker, whose functions drivers in Go and Python call, if a
// driver has started it. It belongs at the top of main, behind the calls of worker.Register. See
// package worker.
func ServeIfWorker() { worker.ServeIfWorker() }

// Dumps serializes a value as execnet.dumps does.
func Dumps(v any) ([]byte, error) { return serializer.Dumps(v) }

// Loads is execnet.loads: it reads what Dumps, in either language, has written.
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
