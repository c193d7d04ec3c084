// Package gatewayio opens the byte pipes that gateways run on, each for one way of reaching a
// Python interpreter. An [Opener] opens the pipe that a spec asks for:
//
//   - popen: a process on this machine.
//   - ssh=, vagrant_ssh=: an interpreter on another host, reached by a built-in ssh client, which
//     uses one connection for all gateways of a host; with sshclient=openssh, the ssh command.
//   - docker=, podman=, kubectl=: an interpreter in a container or pod, started by the command of
//     that name.
//   - launch=, slurm=: an interpreter that a command such as mpirun, or Slurm, has started
//     somewhere, and which connects to this process.
//   - socket=: a connection to a socket server, over TLS if the spec says so, or to one that
//     installvia= starts through another gateway.
//   - via=: an interpreter that another gateway's worker starts or connects to.
//   - ssh=, via= or a container with self: this program, which is put there if it is not there.
//
// A program uses the Opener inside its group, and from this package only [SSHOptions] and the types
// of errors. The package corresponds to execnet's gateway_io.py and gateway_socket.py.
package gatewayio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/sshclient"
	"github.com/go-execnet/execnet/xspec"
)

// Opener opens the pipes of a group's gateways. Its zero value is ready to use; its fields are to
// be set before the first Open. It is safe for concurrent use. It corresponds to execnet's
// gateway_io.create_io.
type Opener struct {
	// Stderr receives what processes and the ssh client write to stderr; nil means os.Stderr. Its
	// last 8 KiB are also kept for the pipe's Exit. When its Write fails, the rest is only kept. A
	// Write that blocks holds up a process of this machine; of one behind ssh what does not fit
	// into 1 MiB is left out, and a line says so. Neither holds up the end by more than half a
	// second.
	Stderr io.Writer
	// SSH has the options of the built-in ssh client. Its Stderr is the Opener's if it is nil.
	SSH SSHOptions
	// WorkerModule tells the folder and the name of the module that an interpreter of a spec will
	// import to become a worker, or two empty strings. Nil means that nothing is known of it.
	WorkerModule func(spec *xspec.Spec) (folder, module string)
	// Meanwhile, if it is not nil, is called when a process has been started that imports preload,
	// and with it a module that WorkerModule names.
	Meanwhile func()
	// Uploading, if it is not nil, is told how far uploads of programs have come, by several
	// goroutines at the same time.
	Uploading func(Upload)
	// Gateway returns the gateway whose id is named by via= or installvia=, or nil.
	Gateway func(id string) *gatewaybase.Gateway

	mu  sync.Mutex      // guards ssh
	ssh *sshclient.Pool // made when the first spec needs it

	forks    forkServers
	launches launches
}

// Open is OpenTo without a writer.
func (o *Opener) Open(ctx context.Context, spec *xspec.Spec) (gatewaybase.IO, error) {
	return o.OpenTo(ctx, spec, nil)
}

// OpenTo opens the pipe that spec, which is valid, asks for. What the far end writes to its stderr
// goes to stderr instead of o.Stderr if that is not nil; the ssh client's own warnings do not.
// Nothing is sent yet: the far end is reached, and waits for the first line of a worker; ctx bounds
// that. Only a pipe by via= without self is returned before its far end is reached, so that the
// first bytes travel with the request; it is Read that reports a *ViaError then.
//
// The errors are an *xspec.Error for a gateway that there is not, and else those of the ways to the
// far end: a *PythonNotFoundError or *StartError for a process here, a *HostNotFoundError for a
// host that cannot be reached, a *HostKeyError, *SSHAuthError or *UnsupportedSSHError for ssh, a
// *TLSError for a socket server, a *DeployError for a program that cannot be put there, a
// *LaunchError or ErrLaunchedTogether for a worker that a launcher should start, the cause of ctx's
// end (gatewaybase.ErrTimeout for its deadline), or an error that says what is wrong with spec or
// with a file that it names.
func (o *Opener) OpenTo(ctx context.Context, spec *xspec.Spec, stderr io.Writer) (gatewaybase.IO, error) {
	if spec.Launches() {
		return o.openLaunch(ctx, spec, stderr)
	}
	if spec.Self && !spec.Local() {
		return o.openSelf(ctx, spec, stderr)
	}
	if spec.Via != "" {
		via, err := o.gateway(spec, "via", spec.Via)
		if err != nil {
			return nil, err
		}
		return openProxy(ctx, via, spec, nil, stderr)
	}
	switch spec.Kind() {
	case xspec.KindSSH, xspec.KindVagrantSSH:
		return o.openSSH(ctx, spec, stderr)
	case xspec.KindDocker, xspec.KindPodman, xspec.KindKubectl:
		return o.openContainer(spec, nil, stderr)
	case xspec.KindSocket:
		if spec.InstallVia == "" {
			return openSocket(ctx, spec)
		}
		host, err := o.gateway(spec, "installvia", spec.InstallVia)
		if err != nil {
			return nil, err
		}
		return installSocket(ctx, host)
	default:
		return o.popen(ctx, spec, cmp.Or(stderr, o.stderr()))
	}
}

// ForgetPreloaded lets no more interpreters be forked from those that hold imported modules, so
// that the next ones whose spec has preload import anew.
func (o *Opener) ForgetPreloaded() { o.forks.retire() }

// Close ends the ssh sessions and connections that are still open, and what holds preloaded
// modules, and launchers, and waits until nothing of them is left. The Opener can be used again
// then.
func (o *Opener) Close() {
	o.mu.Lock()
	pool := o.ssh
	o.ssh = nil
	o.mu.Unlock()
	if pool != nil {
		pool.Close()
	}
	o.forks.close()
	o.launches.close()
}

// gateway is the gateway that a key of spec names.
func (o *Opener) gateway(spec *xspec.Spec, key, id string) (*gatewaybase.Gateway, error) {
	if o.Gateway != nil {
		if gw := o.Gateway(id); gw != nil {
			return gw, nil
		}
	}
	return nil, &xspec.Error{Spec: spec.String(), Key: key, Problem: fmt.Sprintf("the group has no gateway with the id %q; make that one first", id)}
}

// popen starts an interpreter on this machine, with the spec's env. The keys chdir and nice are not
// for this process: a worker applies them to itself, and env as well, which a wrapper in python=
// may not have passed on.
func (o *Opener) popen(ctx context.Context, spec *xspec.Spec, stderr io.Writer) (gatewaybase.IO, error) {
	argv, source, err := cmdline.Python(spec)
	if err != nil {
		return nil, err
	}
	env := cmdline.Environ(nil, spec.Env)
	var failed *StartError
	if spec.Preload != "" && !spec.Self {
		forked, err := o.fork(ctx, spec, argv, env, stderr)
		if errors.As(err, &failed) {
			failed.Source = source
		}
		if forked != nil || err != nil {
			return pipe(forked, err)
		}
	}
	p, err := process.Start(argv, env, stderr)
	if errors.As(err, &failed) {
		failed.Source = source
	}
	return pipe(p, err)
}

// Preloaded is the pipe to an interpreter that has imported its spec's preload already, except for
// what it has not found.
type Preloaded struct {
	*process.Process
	Missing []string
}

func (o *Opener) stderr() io.Writer { return cmp.Or[io.Writer](o.Stderr, os.Stderr) }

// pipe makes the result of Open of a constructor's: a nil pointer must not become a pipe.
func pipe[P gatewaybase.IO](p P, err error) (gatewaybase.IO, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}
