// Package gatewayio opens the byte pipes that gateways run on, each for one way of reaching a
// Python interpreter. An [Opener] opens the pipe that a spec asks for:
//
//   - popen: a process on this machine.
//   - ssh=, vagrant_ssh=: an interpreter on another host, reached by a built-in ssh client, which
//     uses one connection for all gateways of a host; with sshclient=openssh, the ssh command.
//   - socket=: a connection to a socket server, over TLS if the spec says so, or to one that
//     installvia= starts through another gateway.
//   - via=: an interpreter that another gateway's worker starts or connects to.
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
	// last 8 KiB are also kept for the pipe's Exit. When its Write fails, the rest is only kept; a
	// Write that blocks holds up the process.
	Stderr io.Writer
	// SSH has the options of the built-in ssh client. Its Stderr is the Opener's if it is nil.
	SSH SSHOptions
	// Gateway returns the gateway whose id is named by via= or installvia=, or nil.
	Gateway func(id string) *gatewaybase.Gateway

	mu  sync.Mutex      // guards ssh
	ssh *sshclient.Pool // made when the first spec needs it
}

// Open opens the pipe that spec, which is valid, asks for. Nothing is sent yet: the far end is
// reached, and waits for the first line of a worker; ctx bounds that. Only a pipe by via= is
// returned before its far end is reached, so that the first bytes travel with the request; it is
// Read that reports a *ViaError then.
//
// The errors are an *xspec.Error for a gateway that there is not, and else those of the ways to the
// far end: a *PythonNotFoundError or *StartError for a process here, a *HostNotFoundError for a
// host that cannot be reached, a *HostKeyError, *SSHAuthError or *UnsupportedSSHError for ssh, a
// *TLSError for a socket server, the cause of ctx's end (gatewaybase.ErrTimeout for its deadline),
// or an error that says what is wrong with spec or with a file that it names.
func (o *Opener) Open(ctx context.Context, spec *xspec.Spec) (gatewaybase.IO, error) {
	if spec.Via != "" {
		via, err := o.gateway(spec, "via", spec.Via)
		if err != nil {
			return nil, err
		}
		return openProxy(ctx, via, spec)
	}
	switch spec.Kind() {
	case xspec.KindSSH, xspec.KindVagrantSSH:
		return o.openSSH(ctx, spec)
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
		return o.popen(spec)
	}
}

// Close ends the ssh sessions and connections that are still open, and waits until nothing of them
// is left. The Opener can be used again then.
func (o *Opener) Close() {
	o.mu.Lock()
	pool := o.ssh
	o.ssh = nil
	o.mu.Unlock()
	if pool != nil {
		pool.Close()
	}
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

// popen starts an interpreter on this machine. The keys chdir, nice and env: are not for this
// process: a worker applies them to itself.
func (o *Opener) popen(spec *xspec.Spec) (gatewaybase.IO, error) {
	argv, source, err := cmdline.Python(spec)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(argv, nil, o.stderr())
	var failed *StartError
	if errors.As(err, &failed) {
		failed.Source = source
	}
	return pipe(p, err)
}

func (o *Opener) stderr() io.Writer { return cmp.Or[io.Writer](o.Stderr, os.Stderr) }

// pipe makes the result of Open of a constructor's: a nil pointer must not become a pipe.
func pipe[P gatewaybase.IO](p P, err error) (gatewaybase.IO, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}
