package execnet

import (
	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// The errors that errors.Is finds.
var (
	// ErrTimeout says that a context's deadline has passed. It is also context.DeadlineExceeded.
	ErrTimeout = gatewaybase.ErrTimeout
	// ErrClosed says that the channel or the gateway is closed.
	ErrClosed = gatewaybase.ErrClosed
	// ErrHasCallback says that the channel's items go to a callback.
	ErrHasCallback = gatewaybase.ErrHasCallback
	// ErrExecuting says, in a worker, that the channel closes when the execution ends, not before.
	ErrExecuting = gatewaybase.ErrExecuting
	// ErrDuplicateID says that the group has a gateway of this id.
	ErrDuplicateID = multi.ErrDuplicateID
	// ErrHasGateways says that the group has gateways, so that its execution model is fixed.
	ErrHasGateways = multi.ErrHasGateways
	// ErrLauncherEnded says that the launcher of a launch= spec has ended before its workers came.
	ErrLauncherEnded = gatewayio.ErrLauncherEnded
	// ErrLaunchedTogether says that one worker of a launch= spec cannot be started anew while
	// others of the launch live.
	ErrLaunchedTogether = gatewayio.ErrLaunchedTogether
	// ErrTerminated says that the gateway was terminated, by Exit, Kill or the group's Terminate,
	// while the channel was open or the gateway was being made.
	ErrTerminated = multi.ErrTerminated
)

// RemoteError is an exception that the remote code has raised. Use errors.As with a *RemoteError,
// or errors.Is(err, execnet.Exception("ValueError")). It is execnet's RemoteError.
//
//	Formatted string         the traceback
//	Text string              str() of the exception, if more than the traceback came
//	MRO []string             its class and all base classes, if more than the traceback came
//	Exception() string       the name of its class, such as "ValueError"
//	Message() string         the first line of its message
//	Summary() string         both in one line
//	IsInstance(class)        whether it is of that class or of one derived from it
//	Is(target)               the same, for errors.Is
//	Cause() *RemoteError     the exception that led to it
//	Exceptions()             those of an ExceptionGroup
//	PythonDied() bool        whether the CPython behind a Go worker has died
type RemoteError = gatewaybase.RemoteError

// Exception is a target for errors.Is, which finds a [RemoteError] of that class or of one derived
// from it. The class may be named with its module or without, as in "subprocess.TimeoutExpired".
func Exception(class string) error { return gatewaybase.Exception(class) }

// GatewayDiedError says that the far end has ended without having been asked to. Use errors.As with
// a *GatewayDiedError.
//
//	ID   string              the gateway's
//	Exit Exit                exit status or signal, and the end of stderr
//	Err  error
type GatewayDiedError = gatewaybase.GatewayDiedError

// SourceError says that RemoteExec or RemoteCall was given a source or a name that could only fail
// at the far end. Use errors.As with a *SourceError.
//
//	Problem string
type SourceError = gatewaybase.SourceError

// BootstrapError says that the interpreter did not become a worker. Use errors.As with a
// *BootstrapError.
//
//	Spec *XSpec
//	Got  []byte              what came instead of a worker's answer
//	Exit Exit
//	Err  error
type BootstrapError = bootstrap.Error

// MakeGatewaysError says which gateways of a Group.MakeGateways or MakeGatewaysPartial failed, and
// why. Use errors.As with a *MakeGatewaysError; errors.Is and errors.As also find the single
// reasons.
//
//	Failed []FailedGateway   ID, Spec and Err of each
//	Total  int
type MakeGatewaysError = multi.MakeGatewaysError

// InterruptedError is the cause of the end of a context of Group.NotifyContext that a signal has
// ended. Use errors.As with a *InterruptedError.
//
//	Signal os.Signal
type InterruptedError = multi.InterruptedError

// XSpecError says why a spec cannot be used. Use errors.As with a *XSpecError.
//
//	Spec, Key, Problem string
type XSpecError = xspec.Error

// DumpError says why a Go value cannot be sent to Python. Use errors.As with a *DumpError. It is
// execnet's DumpError.
//
//	Path    string           the part at fault, as in `["rows"][1]`
//	Problem string
//	Err     error
type DumpError = serializer.DumpError

// LoadError says why bytes are not a serialized value, or why a value does not fit into a Go
// variable. Use errors.As with a *LoadError. It is execnet's LoadError.
//
//	Offset  int64            of the byte at fault
//	Path    string           the part at fault
//	Problem string
//	Err     error
type LoadError = serializer.LoadError

// PythonNotFoundError says that a spec names no interpreter and there is none on PATH, or that an
// ssh host or a container has no such interpreter. Use errors.As with a *PythonNotFoundError.
//
//	Tried []string           the names that were looked for
//	Host  string             the ssh host, as "container box" a container, "" for this machine
//	Says  string             what the host's shell says
//	Err   error
type PythonNotFoundError = gatewayio.PythonNotFoundError

// ContainerError says that docker, podman or kubectl could run nothing in a container or pod: there
// is none of that name, it does not run, the user may not use it, or the command does not get that
// far. Use errors.As with a *ContainerError.
//
//	Command string           docker, podman or kubectl
//	Name    string           the container or pod
//	Problem string           a gatewayio.ContainerProblem: missing, stopped, forbidden, unreachable
//	Says    string           what the command says
//	Err     error
type ContainerError = gatewayio.ContainerError

// LaunchError says that a worker of a launch= spec has not connected: its launcher has ended, or
// the time is over. Use errors.As with a *LaunchError.
//
//	Launcher string          the command of launch=, or the srun of slurm=
//	N        int             how many workers the launch has
//	Missing  []int           the ranks of those that had not connected
//	Address  string          where workers find this process
//	Refused  string          how many connections were refused, and why the last one
//	Exit     Exit            how the launcher has ended, if it has
//	Err      error           ErrLauncherEnded, or why the context has ended
type LaunchError = gatewayio.LaunchError

// StartError says that a command cannot be run on this machine: the interpreter, ssh, vagrant, or
// the command of a container. Use errors.As with a *StartError.
//
//	Args   []string
//	Source string            where the command comes from
//	Err    error
type StartError = gatewayio.StartError

// HostNotFoundError says that a host is unknown or cannot be reached. Use errors.As with a
// *HostNotFoundError. It is execnet's HostNotFound.
//
//	Host string
//	Err  error
type HostNotFoundError = gatewayio.HostNotFoundError

// DeployError says why a program cannot be put on a host: for self in a spec, and for Group.Deploy.
// Use errors.As with a *DeployError.
//
//	Host    string
//	Problem string           for each folder that was tried, and what to do
//	Err     error
type DeployError = gatewayio.DeployError

// HostKeyError says that the key of an ssh host is not accepted. Use errors.As with a
// *HostKeyError. [gatewayio.HostKeyError] describes its fields.
//
//	Host, Problem, KeyType, Fingerprint, Files, Known, Err
type HostKeyError = gatewayio.HostKeyError

// SSHAuthError says that an ssh host accepted none of the user's keys and passwords. Use errors.As
// with a *SSHAuthError. [gatewayio.SSHAuthError] describes its fields.
//
//	Host, User, Tried, Skipped, Accepts, Err
type SSHAuthError = gatewayio.SSHAuthError

// UnsupportedSSHError names something that only the ssh command can do. Use errors.As with a
// *UnsupportedSSHError.
//
//	What  string             the option or keyword
//	Where string             where it stands
type UnsupportedSSHError = gatewayio.UnsupportedSSHError

// TLSError says that a socket server was reached, but not over TLS as the spec asks. Use errors.As
// with a *TLSError.
//
//	Address, Problem string
//	Err              error
type TLSError = gatewayio.TLSError

// ViaError says that the gateway in a spec's via= could not start or reach the interpreter. Use
// errors.As with a *ViaError.
//
//	Via string               the id of that gateway
//	Err *RemoteError         what its forwarder raised
type ViaError = gatewayio.ViaError
