package gatewayio

import (
	"fmt"
	"runtime"

	"github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// OpenSSHArgs returns the command line for sshclient=openssh. It is execnet's: "ssh -C [-F
// ssh_config] ARGUMENTS COMMAND", and for vagrant_ssh "vagrant ssh NAME -- -C [-F ssh_config]
// COMMAND"; ARGUMENTS is the value of ssh= split as a shell would, where execnet splits at blanks
// only.
func OpenSSHArgs(spec *xspec.Spec) ([]string, error) {
	argv := []string{"ssh", "-C"}
	if spec.VagrantSSH != "" {
		argv = []string{"vagrant", "ssh", spec.VagrantSSH, "--", "-C"}
	}
	if spec.SSHConfig != "" {
		argv = append(argv, "-F", spec.SSHConfig)
	}
	if spec.VagrantSSH == "" {
		words, err := splitCommand(spec.SSH, runtime.GOOS == "windows")
		if err != nil {
			return nil, fmt.Errorf("ssh=%s: %w", spec.SSH, err)
		}
		argv = append(argv, words...)
	}
	return append(argv, remoteCommand(nil, spec)), nil
}

// openSSHPipe is the process of an ssh command.
type openSSHPipe struct {
	*Process
	address string
}

// RemoteAddress implements gatewaybase.IO.
func (p *openSSHPipe) RemoteAddress() string { return p.address }

func (p *SSHPool) startOpenSSH(spec *xspec.Spec) (gatewaybase.IO, error) {
	argv, err := OpenSSHArgs(spec)
	if err != nil {
		return nil, err
	}
	process, err := Start(argv, nil, p.options.Stderr)
	if err != nil {
		return nil, err
	}
	return &openSSHPipe{process, remoteAddress(spec)}, nil
}
