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
// [RemoteIter] iterates over what a generator yields. [New] makes an object there, whose methods
// [CallMethod] calls.
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
// A Python worker of this module also sends bytearray, memoryview, array.array and numpy arrays, as
// bytes. In a RemoteCall numpy arrays keep their type and shape: see [NDArray] and [ArrayOf].
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
	"io/fs"
	"iter"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/importfs"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// NoEndmarker is the endmarker of a callback or a queue that needs none.
const NoEndmarker = gatewaybase.NoEndmarker

// DefaultWindow is how many bytes of unread items a channel has room for until SetWindow says
// another number: 16 MiB.
const DefaultWindow = gatewaybase.DefaultWindow

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

// GiveBack says that the program no longer needs bytes that it has received, so that what comes
// next can be read into their memory. That makes a program several times as fast that receives many
// items of 64 KiB and more:
//
//	for item, err := range execnet.Items[[]byte](ctx, ch) {
//		...
//		use(item)
//		execnet.GiveBack(item)
//	}
//
// Nothing may use the memory afterwards. See [gatewaybase.GiveBack].
func GiveBack(item []byte) { gatewaybase.GiveBack(item) }

// RemoteCall calls a function of the far end by its name, "module.function", and returns its result
// as a T. In a Python worker that is a function of any module that can be imported there, in a Go
// worker one that is registered. The last argument may be [Kwargs].
//
// An exception is a [*RemoteError]. An argument that cannot be sent is a [*DumpError], whose Path
// begins with args or kwargs. A result that is no T is a [*LoadError]. When ctx ends, RemoteCall
// returns its error and interrupts the call. See [gatewaybase.Gateway.RemoteCall].
func RemoteCall[T any](ctx context.Context, gw *Gateway, function string, args ...any) (T, error) {
	return gatewaybase.RemoteCall[T](ctx, gw, function, args...)
}

// ArrayOf returns the array of what v holds: slices and arrays of numbers, of any number of
// dimensions, such as [][]float64, or one number. It copies them. The error is a [*DumpError]: v
// holds something else, or slices of different lengths at one level.
//
//	a, err := execnet.ArrayOf([][]float64{{1, 2}, {3, 4}})
//	...
//	inverse, err := execnet.RemoteCall[[][]float64](ctx, gw, "numpy.linalg.inv", a)
func ArrayOf(v any) (NDArray, error) { return serializer.ArrayOf(v) }

// ArrayView returns the items of a, in their order in memory, without copying them: what is written
// to the slice is written to a.Data. T must be what the dtype says, in this machine's byte order;
// otherwise the error is a [*LoadError], and NDArray.Into may help. On processors other than amd64
// and arm64 it may have to copy them.
func ArrayView[T Number](a NDArray) ([]T, error) { return serializer.ArrayView[T](a) }

// Number is what an item of an [NDArray] can be in Go.
type Number = serializer.Number

// RemoteIter calls a function of the far end by its name and iterates over what it returns, such as
// the items that a Python generator yields:
//
//	for row, err := range execnet.RemoteIter[Row](ctx, gw, "analysis.rows", "2024.csv") {
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// The generator is ahead of the loop by at most 1,024 items, and at most 4 MiB and one item.
// Breaking out of the loop closes it. An error ends the loop; its kinds are those of [RemoteCall].
// See [gatewaybase.RemoteIter].
func RemoteIter[T any](ctx context.Context, gw *Gateway, function string, args ...any) iter.Seq2[T, error] {
	return gatewaybase.RemoteIter[T](ctx, gw, function, args...)
}

// New calls a class or a function of the far end by its name, "module.Class", and keeps its result
// there: an object that cannot be sent. The handle's methods are called by [CallMethod] and
// [IterMethod], and the handle is the object when it is an argument of a call of the same gateway:
//
//	model, err := execnet.New(ctx, gw, "analysis.Model", "weights.bin")
//	...
//	defer model.Close()
//	y, err := execnet.CallMethod[float64](ctx, model, "predict", x)
//
// The far end drops the object when the handle is closed, or when nothing refers to it any more.
// The errors are those of [RemoteCall]; errors.Is finds errors.ErrUnsupported where no objects are
// kept: in pip's execnet. See [gatewaybase.NewHandle].
func New(ctx context.Context, gw *Gateway, function string, args ...any) (*Handle, error) {
	return gatewaybase.NewHandle(ctx, gw, function, args...)
}

// CallMethod calls a method of a handle's object by its name, or by a path of attributes such as
// "encoder.fit", and returns its result as a T. The errors are those of [RemoteCall]; after the
// handle's Close it is [ErrClosed]. See [gatewaybase.CallMethod].
func CallMethod[T any](ctx context.Context, h *Handle, method string, args ...any) (T, error) {
	return gatewaybase.CallMethod[T](ctx, h, method, args...)
}

// IterMethod is [RemoteIter] over what a method of a handle's object returns. See
// [gatewaybase.IterMethod].
func IterMethod[T any](ctx context.Context, h *Handle, method string, args ...any) iter.Seq2[T, error] {
	return gatewaybase.IterMethod[T](ctx, h, method, args...)
}

// ImportFS lets the far end import the Python modules of fsys, such as an embed.FS or os.DirFS:
// nothing is installed and nothing is written there. The modules and packages at the root of fsys
// can be imported by their names, as if it were a folder in front of sys.path:
//
//	//go:embed all:analysis
//	var python embed.FS
//	...
//	err := execnet.ImportFS(ctx, gw, python)
//	...
//	result, err := execnet.RemoteCall[float64](ctx, gw, "analysis.model.fit", data)
//
// Packages may have subpackages, relative imports, parts without __init__.py (namespace packages)
// and data files, which importlib.resources (files() from Python 3.9 on) and pkgutil.get_data read.
// Tracebacks and inspect.getsource show the real lines, and name files as
// "<driver>/analysis/model.py". importlib.reload takes what has changed in fsys meanwhile; what was
// added to a folder is found after importlib.invalidate_caches. Extension modules cannot be
// imported, and __main__.py at the root is not the module __main__.
//
// A name that both have is fsys's, but never one of the far end's standard library, which would
// itself get the wrong module; nor what has been imported there before. What fsys does not have is
// the far end's own. Of several ImportFS the first comes first.
//
// A module is sent when it is first imported, together with what it imports. When the driver is
// gone, importing what has not been sent is an ImportError that says so, as it is in a process that
// the far end has forked. Processes that it starts otherwise do not find the modules.
//
// The far end can read every file of fsys, so give it no more than it may know. os.DirFS follows
// links to what lies outside of it; the FS of an os.Root does not.
//
// It works with every worker that has a CPython: Python 2.7 and 3.6 or newer, also that of Python's
// execnet. (In its callbacks nothing of fsys can be imported for the first time.) In a Go worker it
// needs the engine cpython. A worker with main_thread_only must have nothing running meanwhile.
//
// ctx bounds the call, which returns when modules can be imported; from then on the gateway answers
// the far end. It returns fsys's error if its root cannot be read, and the errors of RemoteExec.
// Group.ImportFS does it for all gateways of a group.
func ImportFS(ctx context.Context, gw *Gateway, fsys fs.FS) error {
	return importfs.Install(ctx, gw, fsys)
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
