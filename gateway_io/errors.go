package gatewayio

import (
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/sshclient"
	"github.com/go-execnet/execnet/internal/sshconfig"
)

// PythonNotFoundError says that a popen spec has no python=, the environment variable
// EXECNET_PYTHON is not set, and PATH has no interpreter, or that the interpreter is not found on
// an ssh host or in a container. Use errors.As with a *PythonNotFoundError. Its fields:
//
//	Tried []string // the names that were looked for on PATH, or the value of python=
//	Host  string   // the ssh host, "container NAME" or "pod NAME", "" for this machine
//	Says  string   // what the shell there says, or the container's runtime; may be ""
//	Err   error    // for an ssh host or a container a *bootstrap.Error
type PythonNotFoundError = cmdline.PythonNotFoundError

// StartError says that a command cannot be run on this machine: the interpreter of python=, ssh,
// vagrant, or the command of a container. Use errors.As with a *StartError. Its fields:
//
//	Args   []string // the command line
//	Source string   // where it comes from, as "python= in the spec"; "" if the caller knows
//	Err    error    // the cause; errors.Is finds exec.ErrNotFound and package fs's errors
type StartError = cmdline.StartError

// HostNotFoundError says that a gateway's host could not be reached: its name is unknown, it
// refuses the connection, no route leads to it, or it did not answer in time; its text says which
// of them. A host that answers but refuses is a *HostKeyError, an *SSHAuthError or a *TLSError
// instead. Use errors.As with a *HostNotFoundError. It is what execnet raises as HostNotFound. Its
// fields:
//
//	Host string // the host as the spec names it, or with its port
//	Err  error  // the cause; for a host that did not answer in time, gatewaybase.ErrTimeout
type HostNotFoundError = farend.HostNotFoundError

// HostKeyError says that the key with which an ssh host identified itself is not accepted. Its text
// says what to do. Use errors.As with a *HostKeyError. Its fields:
//
//	Host        string         // the host as known_hosts files name it: "host" or "[host]:port"
//	Problem     HostKeyProblem // what is wrong
//	KeyType     string         // of the key that the host showed; "" for HostKeyFile
//	Fingerprint string         // of that key: "SHA256:..."; "" for HostKeyFile
//	Files       []string       // the known_hosts files that were read, the user's first
//	Known       []string       // where the keys stand that contradict this one, as "file:line"
//	Err         error          // the cause
type HostKeyError = sshclient.HostKeyError

// HostKeyProblem is what is wrong with a host's key. It is a string.
type HostKeyProblem = sshclient.HostKeyProblem

// The problems that a HostKeyError can name.
const (
	// HostKeyUnknown: no known_hosts file has the host.
	HostKeyUnknown = sshclient.HostKeyUnknown
	// HostKeyChanged: a known_hosts file has another key of the host.
	HostKeyChanged = sshclient.HostKeyChanged
	// HostKeyRevoked: a file marks the key, or the authority that signed it, as revoked.
	HostKeyRevoked = sshclient.HostKeyRevoked
	// HostKeyInvalid: the host's certificate is expired, made for another host, or not signed by a
	// known authority, or the host's RSA key is shorter than RequiredRSASize.
	HostKeyInvalid = sshclient.HostKeyInvalid
	// HostKeyFile: a file of RevokedHostKeys cannot be read, so that the key cannot be checked.
	HostKeyFile = sshclient.HostKeyFile
)

// SSHAuthError says that an ssh host was reached and its key accepted, but that it did not accept
// the user by any of the methods that were tried. Use errors.As with an *SSHAuthError. Its fields:
//
//	Host    string   // the host that refused, with its port unless that is 22
//	User    string   // the user's name on it
//	Tried   []string // what was offered, in order, as "publickey /home/me/.ssh/id (SHA256:...)"
//	Skipped []string // what was there but could not be offered, with the reason
//	Accepts []string // the methods that the host still named in its last answer
//	Err     error    // the last error on the way, nil if the host only refused
type SSHAuthError = sshclient.AuthError

// UnsupportedSSHError says that the built-in ssh client cannot do what an option or the
// configuration asks for. It is refused rather than ignored; the spec key sshclient=openssh runs
// the ssh command, which can do it. Use errors.As with an *UnsupportedSSHError. Its fields:
//
//	What  string // the option or keyword, with its value
//	Where string // where it comes from: "ssh=", or a file and line; may be ""
type UnsupportedSSHError = sshconfig.UnsupportedError
