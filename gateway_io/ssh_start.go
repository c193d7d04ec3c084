package gatewayio

import (
	"context"

	"github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// Start runs the interpreter of an ssh= or vagrant_ssh= specification on its host and returns the
// pipe to it, with nothing sent yet. It returns once the host has opened the session; the
// interpreter itself may still be starting, and what is written meanwhile follows the command in
// the same round trip.
//
// Where the specification says sshclient=openssh the ssh command is run, as execnet does; ctx does
// not end it then.
//
// Its errors are *HostNotFoundError, *HostKeyError, *SSHAuthError, *UnsupportedSSHError,
// *StartError for a command that cannot be run here (ssh, vagrant), ErrSSHPoolClosed, ctx's, or say
// what is wrong in the specification or the configuration.
func (p *SSHPool) Start(ctx context.Context, spec *xspec.Spec) (gatewaybase.IO, error) {
	if spec.SSHClient == "openssh" {
		return p.startOpenSSH(spec)
	}
	args, files, err := p.destination(ctx, spec)
	if err != nil {
		return nil, err
	}
	target, err := p.options.resolveSSH(args, files)
	if err != nil {
		return nil, err
	}
	session, err := p.startSession(ctx, target, remoteCommand(args.prefix, spec), remoteAddress(spec))
	if err != nil {
		return nil, err
	}
	return session, nil
}

// destination reads a specification's host and says which configuration files apply.
func (p *SSHPool) destination(ctx context.Context, spec *xspec.Spec) (*sshArgs, []sshConfigFile, error) {
	if spec.VagrantSSH != "" {
		return p.vagrantDestination(ctx, spec)
	}
	args, err := parseSSHArgs(spec.SSH)
	if err != nil {
		return nil, nil, err
	}
	named := spec.SSHConfig
	if args.configFile != "" {
		named = args.configFile
	}
	return args, p.options.sshConfigFiles(named), nil
}

// remoteAddress is what execnet gives as the gateway's remoteaddress.
func remoteAddress(spec *xspec.Spec) string {
	if spec.VagrantSSH != "" {
		return spec.VagrantSSH
	}
	return spec.SSH
}
