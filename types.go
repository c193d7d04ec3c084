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
//	ExecModel() string
//	BytesSent() int64
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
//	IsClosed() bool
//
//	MakeFileReader(ctx, options...) *FileReader
//	MakeFileWriter(ctx, options...) *FileWriter
//
//	ID() int
//	Gateway() *Gateway
//	String() string
//	ExecnetChannelID() int32             lets a channel be sent over another one
type Channel = gatewaybase.Channel

// ExecOption says more about a source that is given to RemoteExec: [Call] or [File].
type ExecOption = gatewaybase.ExecOption

// Kwargs are the keyword arguments of a [RemoteCall], given as its last argument.
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
//	Executable  string
//	VersionInfo VersionInfo
//	Platform    string
//	CWD         string
//	PID         int
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
//	Stderr string      the last 8 KiB
//	String() string
type Exit = gatewaybase.Exit

// Group makes gateways from specs, finds them by id, and ends them together. [multi.Group]
// describes each field and method. It is execnet's Group.
//
// Making gateways:
//
//	MakeGateway(ctx, spec) (*Gateway, error)
//	MakeGateways(ctx, specs...) ([]*Gateway, error)    side by side
//	StartGateway(ctx, spec) (*Gateway, error)          without waiting for the far end
//	MakeGatewaySpec(ctx, *XSpec) (*Gateway, error)
//	SetExecModel(model) error
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
//
// Ending them:
//
//	Terminate(ctx) error
//	NotifyContext(parent) (ctx, stop func() error)     ends them at Ctrl-C
//
// Its fields: DefaultSpec, ExecModel, MaxStarting, Grace, Stderr, SSH.
type Group = multi.Group

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
