package gatewayio

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/deploy"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/sshclient"
	"github.com/go-execnet/execnet/xspec"
)

// DeployError says why a program cannot be put on a host: no folder there takes it, there is no
// build for the host's system and processor, or the host has no POSIX shell. Use errors.As with a
// *DeployError. Its fields:
//
//	Host    string // the host as the spec names it, or "gateway ID" for where a gateway runs
//	Problem string // what is wrong, for each folder that was tried, and what to do
//	Err     error  // the cause, or nil
type DeployError = deploy.Error

// Upload is how far the upload of a program to a host has come.
type Upload struct {
	// Spec is that of the gateway.
	Spec *xspec.Spec
	// Sent is how many bytes of the program have been sent, of Total. Where it travels compressed
	// they count as what they become there. If a folder of the host does not take it, Sent begins
	// anew.
	Sent, Total int64
}

// Deploy puts the program in the file path where spec's worker would run, unless it is there
// already, and returns its path there.
func (o *Opener) Deploy(ctx context.Context, spec *xspec.Spec, path string) (string, error) {
	set, err := deploy.File(path)
	if err != nil {
		return "", err
	}
	host, err := o.host(spec, nil)
	if err != nil {
		return "", err
	}
	return host.Put(ctx, set)
}

// openSelf starts this program where spec says, and puts it there first if it is not there.
func (o *Opener) openSelf(ctx context.Context, spec *xspec.Spec, stderr io.Writer) (gatewaybase.IO, error) {
	set, err := deploy.Self()
	if err != nil {
		return nil, err
	}
	host, err := o.host(spec, stderr)
	if err != nil {
		return nil, err
	}
	return host.Start(ctx, set, cmdline.PythonArgs(spec))
}

// noShell reports whether an error says that the forwarder behind another gateway has found no sh,
// as Python's subprocess does (in Python 2 on Windows with a class of its own), or as Go does.
func noShell(err error) bool {
	failed := new(ViaError)
	if !errors.As(err, &failed) {
		return false
	}
	e := failed.Err
	return e.IsInstance("FileNotFoundError") || e.IsInstance("EnvironmentError") && strings.HasPrefix(e.Message(), "[Errno 2]") ||
		strings.HasPrefix(e.Message(), "[Error 2]") || strings.Contains(e.Formatted, exec.ErrNotFound.Error())
}

// host returns how to put programs where spec's worker would run.
func (o *Opener) host(spec *xspec.Spec, stderr io.Writer) (*deploy.Host, error) {
	host := &deploy.Host{Name: address(spec)}
	command, container := cmdline.ContainerOf(spec)
	if command != "" {
		host.Name = farend.ContainerThing(command, container)
		host.Failed = func(exit gatewaybase.Exit) error { return farend.ContainerFailed(exit, command, container, nil) }
	}
	host.Printed = func(noise []byte) { _, _ = io.WriteString(o.stderr(), deploy.Warning(spec.ID, noise)) }
	if o.Uploading != nil {
		host.Progress = func(sent, total int64) { o.Uploading(Upload{spec, sent, total}) }
	}
	switch {
	case spec.Kind() == xspec.KindSocket:
		return nil, &DeployError{Host: spec.Socket, Problem: "a socket server runs no shell"}
	case spec.Launches():
		return nil, &DeployError{Host: cmp.Or(spec.Launch, "Slurm"), Problem: "nobody knows where a launcher will start its workers"}
	case spec.Via != "":
		via, err := o.gateway(spec, "via", spec.Via)
		if err != nil {
			return nil, err
		}
		if host.Name == "" {
			host.Name, host.NoShell = "the machine of gateway "+spec.Via, noShell
		}
		host.Run = func(ctx context.Context, script deploy.Script) (gatewaybase.IO, error) {
			return openProxy(ctx, via, spec, &script, stderr)
		}
	case command != "":
		host.Run = func(_ context.Context, script deploy.Script) (gatewaybase.IO, error) {
			return o.openContainer(spec, &script, stderr)
		}
	case host.Name != "":
		hold := new(sshclient.Hold)
		host.Done = hold.Release
		host.Run = func(ctx context.Context, script deploy.Script) (gatewaybase.IO, error) {
			return o.runSSH(ctx, spec, &script, stderr, hold)
		}
	default:
		host.Name = "this machine"
		host.Run = func(_ context.Context, script deploy.Script) (gatewaybase.IO, error) {
			return pipe(process.Start(deploy.Args(script.Text), cmdline.Environ(nil, spec.Env), cmp.Or(stderr, o.stderr())))
		}
	}
	return host, nil
}
