package gatewayio

import (
	"cmp"
	"errors"
	"io"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/deploy"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/xspec"
)

// ContainerError says that docker, podman or kubectl could run nothing in a container or pod: there
// is none of that name, it does not run, the user may not use it, or the command does not get that
// far. A container without a Python is a *PythonNotFoundError instead, a machine without the
// command a *StartError. Use errors.As with a *ContainerError. Its fields:
//
//	Command string           // docker, podman or kubectl
//	Name    string           // the container or pod, as the spec names it
//	Problem ContainerProblem // what is wrong
//	Says    string           // the line in which the command says so
//	Err     error            // a *bootstrap.Error with all that was printed, or nil
type ContainerError = farend.ContainerError

// ContainerProblem is why nothing can be run in a container. It is a string.
type ContainerProblem = farend.ContainerProblem

// The problems that a ContainerError can name.
const (
	// ContainerMissing: there is no container or pod of this name, or no such container in the pod.
	ContainerMissing = farend.ContainerMissing
	// ContainerStopped: it does not run, or is paused.
	ContainerStopped = farend.ContainerStopped
	// ContainerForbidden: docker's daemon or the cluster does not let this user do that.
	ContainerForbidden = farend.ContainerForbidden
	// ContainerUnreachable: docker's daemon or the cluster cannot be reached, or cannot do that.
	ContainerUnreachable = farend.ContainerUnreachable
)

// openContainer runs the interpreter of a docker=, podman= or kubectl= spec, or script if that is
// not nil, in its container, by the command of that name. Killing that command ends the
// interpreter's stdin and nothing else, so a worker has to end by itself then, as ours do.
func (o *Opener) openContainer(spec *xspec.Spec, script *deploy.Script, stderr io.Writer) (gatewaybase.IO, error) {
	argv, err := containerArgs(spec, script)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(argv, nil, cmp.Or(stderr, o.stderr()))
	if err != nil {
		var failed *StartError
		if errors.As(err, &failed) {
			failed.Source = "for " + argv[0] + "="
		}
		return nil, err
	}
	return &commandPipe{p, address(spec)}, nil
}

// containerArgs is the command line of openContainer.
func containerArgs(spec *xspec.Spec, script *deploy.Script) ([]string, error) {
	if script != nil {
		return cmdline.ContainerCommand(spec, deploy.Args(script.Text)), nil
	}
	argv, err := cmdline.ContainerPython(spec)
	if err != nil {
		return nil, err
	}
	return cmdline.ContainerCommand(spec, argv), nil
}

// commandPipe is the process of a command that leads to another machine or container.
type commandPipe struct {
	*process.Process
	address string
}

// RemoteAddress implements gatewaybase.IO.
func (p *commandPipe) RemoteAddress() string { return p.address }

// address is the gateway's remoteaddress: where execnet has one, what execnet gives, and the name
// of a container.
func address(spec *xspec.Spec) string {
	_, container := cmdline.ContainerOf(spec)
	return cmp.Or(spec.VagrantSSH, spec.SSH, container)
}
