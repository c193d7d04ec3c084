package execnet

import (
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// The types that a program uses are defined in the packages that implement them. Their comments
// here list the methods, because "go doc" shows none for an alias; docs/architecture.md says why
// they are aliases. A test compares the lists with the methods.

// Gateway is a connection to another interpreter, or to a Go worker: [MakeGateway] or a [Group]
// makes one. [gatewaybase.Gateway] describes each method. It is execnet's Gateway.
//
// Running code there:
//
//	RemoteExec(ctx, source, options...) (*Channel, error)
//	RemoteExecFile(ctx, name, options...) (*Channel, error)
//	RemoteExecFS(ctx, fsys, name, options...) (*Channel, error)
//	RemoteCall(ctx, "module.function", args...) (any, error)   see also the function RemoteCall
//
// Channels and strings:
//
//	NewChannel() (*Channel, error)
//	Reconfigure(ctx, StrConfig) error
//
// What is known of it:
//
//	ID() string
//	Spec() *XSpec
//	RemoteAddress() string
//	RInfo(ctx) (RInfo, error)
//	RemoteStatus(ctx) (RemoteStatus, error)
//	RemoteMemory(ctx) (int64, error)
//	ExecModel() string
//	Stats() Stats
//	String() string
//
// Its end:
//
//	Exit()                     asks the far end to end
//	Kill() error               ends it by force
//	Join(ctx) error            waits until nothing is left of it
//	JoinFarEnd(ctx) error      the same, but for callbacks
//	Done() <-chan struct{}     is closed when nothing more will be received
//	Err() error                how it ended
//	ExitStatus() Exit          how its process ended
//	HasReceiver() bool
//	Exiting() bool
//	Go(func())                 a goroutine that Join waits for
type Gateway = gatewaybase.Gateway

// Channel carries values both ways between this program and code at the other end of a gateway.
// [gatewaybase.Channel] describes each method. It is execnet's Channel.
//
//	Send(ctx, value) error
//	Receive(ctx) (any, error)            see also the function Receive
//	ReceiveInto(ctx, &value) error
//	Items(ctx) iter.Seq2[any, error]     see also the function Items
//	SetCallback(f, endmarker) error
//	Reconfigure(ctx, StrConfig) error
//
//	CloseSend() error                    no more items from this end
//	Close() error                        closes both directions
//	CloseWithError(err) error            the other end raises err
//	WaitClose(ctx) error                 waits until the other end sends no more
//	AfterClose(f) (stop func() bool)     calls f then
//	Interrupt(ctx) error                 interrupts the execution
//	IsClosed() bool
//	Len() int                            items that wait to be received
//	SetWindow(bytes) error               how much may wait there
//
//	MakeFileReader(ctx, options...) *FileReader
//	MakeFileWriter(ctx, options...) *FileWriter
//
//	ID() int
//	Gateway() *Gateway
//	String() string
//	ExecnetChannelID() int32             lets a channel be sent over another one
type Channel = gatewaybase.Channel

// Handle refers to an object in the far end: [New] makes one. [gatewaybase.Handle] describes each
// method. execnet has nothing like it.
//
//	Call(ctx, "method", args...) (any, error)    see also the function CallMethod
//	Close() error                                drops the object
//	Gateway() *Gateway
//	String() string
//	ExecnetChannelID() int32                     lets a handle be sent
type Handle = gatewaybase.Handle

// ExecOption says more about a source that is given to RemoteExec: [Call] or [File].
type ExecOption = gatewaybase.ExecOption

// Kwargs are the keyword arguments of a [RemoteCall], and of [RemoteIter], [New], [CallMethod] and
// [IterMethod], given as the last argument.
type Kwargs = gatewaybase.Kwargs

// FileReader reads a channel's items as an io.ReadCloser. It is execnet's ChannelFileRead.
//
//	Read(p []byte) (int, error)
//	ReadLine() (string, error)
//	Close() error
type FileReader = gatewaybase.FileReader

// FileWriter sends what is written to it over a channel, as an io.WriteCloser. It is execnet's
// ChannelFileWrite.
//
//	Write(p []byte) (int, error)
//	WriteString(s string) (int, error)
//	Close() error
type FileWriter = gatewaybase.FileWriter

// FileOption says more about a channel's file: [ProxyClose] or [Text].
type FileOption = gatewaybase.FileOption

// StrConfig says what the strings of Python 2 and 3 become at the receiving end.
//
//	Py2StrAsPy3Str bool
//	Py3StrAsPy2Str bool
type StrConfig = gatewaybase.StrConfig

// RInfo describes the interpreter at the far end. It is execnet's RInfo.
//
//	Executable    string
//	VersionInfo   VersionInfo
//	Platform      string
//	CWD           string
//	PID           int
//	WorkerVersion string
type RInfo = gatewaybase.RInfo

// VersionInfo is Python's sys.version_info.
//
//	Major, Minor, Micro int
//	ReleaseLevel        string
//	Serial              int
//
//	Compare(other VersionInfo) int
//	String() string
//	UnmarshalExecnet(value any) error
type VersionInfo = gatewaybase.VersionInfo

// RemoteStatus describes what the far end is doing. It is execnet's RemoteStatus.
//
//	NumChannels  int
//	NumExecuting int
//	ExecModel    string
type RemoteStatus = gatewaybase.RemoteStatus

// Exit is how a far end's process ended.
//
//	Known  bool
//	Code   int
//	Signal os.Signal
//	Stderr string      the last 8 KiB, and the beginning
//	String() string
type Exit = gatewaybase.Exit

// Group makes gateways from specs, finds them by id, and ends them together. [multi.Group]
// describes each field and method. It is execnet's Group.
//
// Making gateways:
//
//	MakeGateway(ctx, spec) (*Gateway, error)
//	MakeGateways(ctx, specs...) ([]*Gateway, error)    side by side
//	MakeGatewaysPartial(ctx, specs...) ([]*Gateway, error)    also if some fail
//	StartGateway(ctx, spec) (*Gateway, error)          without waiting for the far end
//	MakeGatewaySpec(ctx, *XSpec) (*Gateway, error)
//	SetExecModel(model) error
//	ForgetPreloaded()                                  preload= imports anew
//	ImportFS(ctx, fsys) error                          modules that all of them can import
//	Deploy(ctx, spec, path) (string, error)            a program to where a worker would run
//
// Using all of them:
//
//	RemoteExec(ctx, source, options...) (*MultiChannel, error)
//	RemoteExecFile(ctx, name, options...) (*MultiChannel, error)
//	RemoteExecFS(ctx, fsys, name, options...) (*MultiChannel, error)
//	All() iter.Seq[*Gateway]
//	Get(id) *Gateway
//	At(i) *Gateway
//	Contains(*Gateway) bool
//	Len() int
//	String() string
//	RInfo(ctx) []Answer[RInfo]                   of all of them, side by side
//	RemoteStatus(ctx) []Answer[RemoteStatus]
//	RemoteMemory(ctx) []Answer[int64]
//
// Ending them:
//
//	Terminate(ctx) error
//	NotifyContext(parent) (ctx, stop func() error)     ends them at Ctrl-C
//
// Its fields: DefaultSpec, ExecModel, AllowUnknownKeys, MaxStarting, Grace, MaxCost, Stderr,
// Output, SlogHandler, SSH, Uploading.
type Group = multi.Group

// Upload is how far the upload of a program to a host has come, for Group.Uploading.
//
//	Spec        *XSpec
//	Sent, Total int64
type Upload = multi.Upload

// Answer is what one gateway of a group has answered to Group.RInfo, Group.RemoteStatus or
// Group.RemoteMemory.
//
//	Gateway *Gateway
//	Value   T
//	Err     error
type Answer[T any] = multi.Answer[T]

// Line is a line that a worker or one of its children has printed. Group.Output gets them.
//
//	Gateway string
//	Stream  Stream
//	Text    string
type Line = multi.Line

// Stream is one of the two streams on which a worker prints: [Stdout] or [Stderr].
//
//	String() string
type Stream = multi.Stream

// The streams of a Line.
const (
	Stdout = multi.Stdout
	Stderr = multi.Stderr
)

// MultiChannel uses several channels together, mostly one to each gateway of a group.
// [multi.MultiChannel] describes each method. It is execnet's MultiChannel.
//
//	SendEach(ctx, item) error
//	ReceiveEach(ctx) ([]any, error)
//	ReceiveEachWithChannel(ctx) ([]Received, error)
//	Items(ctx) iter.Seq2[Received, error]
//	MakeReceiveQueue(endmarker) (*ReceiveQueue, error)
//	WaitClose(ctx) error
//	All() iter.Seq[*Channel]
//	At(i) *Channel
//	Contains(*Channel) bool
//	Len() int
type MultiChannel = multi.MultiChannel

// ReceiveQueue gathers the items of several channels in the order in which they come.
//
//	Receive(ctx) (Received, error)
//	Items(ctx) iter.Seq2[Received, error]
//	Len() int
type ReceiveQueue = multi.ReceiveQueue

// Received is an item and the channel that it came from: the fields Channel and Item.
type Received = multi.Received

// SSHOptions are what a Group's ssh connections may be given besides the ssh configuration files.
// [gatewayio.SSHOptions] describes each field.
//
//	Passphrase, Password, KeyboardInteractive     functions that answer the host's questions
//	UnknownHost                                   a function that says whether to trust a new host
//	Stderr                                        io.Writer
//	ConnectTimeout, AliveInterval, AliveCountMax
//	SessionsPerConnection                         int
type SSHOptions = gatewayio.SSHOptions

// XSpec is a parsed spec. Package xspec describes its fields and methods, and the grammar.
type XSpec = xspec.Spec

// Tuple is a Python tuple: a slice of its items. String shows it as Python's repr does.
type Tuple = serializer.Tuple

// Dict is a Python dict, in insertion order and with any hashable key. [NewDict] makes one.
//
//	Get(key) (any, bool)
//	Set(key, value) error
//	Delete(key) bool
//	All() iter.Seq2[any, any]
//	Keys() iter.Seq[any]
//	Len() int
//	String() string
type Dict = serializer.Dict

// Set is a Python set. [NewSet] makes one.
//
//	Add(item) error
//	Delete(item) bool
//	Contains(item) bool
//	All() iter.Seq[any]
//	Len() int
//	String() string
type Set = serializer.Set

// FrozenSet is a Python frozenset. [NewFrozenSet] makes one.
//
//	Contains(item) bool
//	Equal(FrozenSet) bool
//	All() iter.Seq[any]
//	Len() int
//	String() string
type FrozenSet = serializer.FrozenSet

// Stats tell what a gateway has transported and what waits, at this end.
//
//	MessagesSent, BytesSent         int64
//	MessagesReceived, BytesReceived int64
//	Unsent, UnsentBytes             int   the far end does not read as fast
//	Unread, UnreadBytes             int   items that wait to be received
//	UnreadFor                       time.Duration
type Stats = gatewaybase.Stats

// NDArray is an array of numbers with any number of dimensions, as numpy has it. As an argument of
// a [RemoteCall] it is a numpy array at the far end. A numpy array in a result fits an NDArray, and
// also slices of as many dimensions, such as [][]float64; this end needs no numpy. Over a channel
// it is the dict {"dtype": str, "shape": list, "data": bytes}.
//
//	DType string             numpy's dtype.str, such as "<f8"
//	Shape []int
//	Data  []byte             the items, the last index changing fastest
//
//	Into(target any) error   copies the items into slices; see also ArrayOf and ArrayView
type NDArray = serializer.NDArray
