package gatewayio

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/deploy"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/sshclient"
	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// SSHOptions is what a program can tell the built-in ssh client beyond specs and configuration
// files. The zero value works with agents and unencrypted keys and asks nobody anything. Its
// fields:
//
//	Passphrase func(file string) ([]byte, error)
//		returns the passphrase of an encrypted key file. It is called only once the host has
//		accepted the key, and again, up to NumberOfPasswordPrompts times, when the passphrase was
//		wrong. The decrypted key is kept for later connections.
//	UnknownHost func(host, keyType, fingerprint string) (bool, error)
//		says whether to trust the key of a host that no known_hosts file knows. It is called where
//		StrictHostKeyChecking is ask, as it is by default; without it such a host is refused. host
//		is the host as known_hosts files name it, fingerprint is "SHA256:...". A key that is
//		trusted is kept in the user's first known_hosts file.
//	Password func(user, host string) (string, error)
//		returns the password of user on host, for each connection.
//	KeyboardInteractive func(user, host, instruction string,
//			questions []string, echos []bool) ([]string, error)
//		answers the questions of the method of this name; echos tells for each whether what is
//		typed may be shown.
//	Stderr io.Writer
//		receives what remote workers and proxy commands write to their stderr, and the client's
//		own warnings; nil means the group's. A write must not block for long: it holds up the
//		worker.
//	ConnectTimeout time.Duration
//		is how long a host may take for each step of a connection, where the configuration has no
//		ConnectTimeout; 0 means 30 seconds, a negative value no limit.
//	AliveInterval time.Duration
//	AliveCountMax int
//		are used where the configuration has no ServerAliveInterval and ServerAliveCountMax; 0
//		means 15 seconds and 3, a negative AliveInterval no keepalives. (OpenSSH sends none by
//		default; a gateway would then hang until the kernel gives a silent connection up.)
//	SessionsPerConnection int
//		is how many gateways share one connection before the next is opened; 0 means 10, sshd's
//		default for MaxSessions. A host that allows fewer is noticed and obeyed.
//
// The callbacks are called one at a time within a group, and none of them where BatchMode is yes.
// When the attempt to connect is given up, nothing waits for a callback that has not returned; no
// other one is called before it does.
type SSHOptions = sshclient.Options

// openSSH runs the interpreter of an ssh= or vagrant_ssh= spec on its host. It returns once the
// host has opened the session; the interpreter itself may still be starting.
//
// Where the spec says sshclient=openssh the ssh command is run, as execnet does; ctx does not end
// it then.
func (o *Opener) openSSH(ctx context.Context, spec *xspec.Spec, stderr io.Writer) (gatewaybase.IO, error) {
	return o.runSSH(ctx, spec, nil, stderr, nil)
}

// runSSH is openSSH that runs a script instead of the interpreter, unless script is nil. Several
// scripts of one host have a hold, so that they need one login; the ssh command has no such thing.
func (o *Opener) runSSH(ctx context.Context, spec *xspec.Spec, script *deploy.Script, stderr io.Writer, hold *sshclient.Hold) (gatewaybase.IO, error) {
	if spec.SSHClient == "openssh" {
		return o.openOpenSSH(spec, script, cmp.Or(stderr, o.SSH.Stderr, o.stderr()))
	}
	pool := o.sshPool()
	args, files, err := sshDestination(ctx, pool, spec)
	if err != nil {
		return nil, err
	}
	return pipe(pool.Start(ctx, args, files, remoteCommand(args.Prefix, spec, script), address(spec), stderr, hold))
}

// remoteCommand is what an ssh host's shell gets behind prefix: the interpreter, or script if that
// is not nil.
func remoteCommand(prefix []string, spec *xspec.Spec, script *deploy.Script) string {
	if script == nil {
		return cmdline.Remote(prefix, spec)
	}
	return cmdline.RemoteCommand(prefix, spec, deploy.Command(script.Text))
}

// openSSHArgs is the command line for sshclient=openssh.
func openSSHArgs(spec *xspec.Spec, script *deploy.Script) ([]string, error) {
	return cmdline.OpenSSHCommand(spec, remoteCommand(nil, spec, script))
}

// sshPool holds the ssh connections.
func (o *Opener) sshPool() *sshclient.Pool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ssh == nil {
		options := o.SSH
		options.Stderr = cmp.Or(options.Stderr, o.stderr())
		o.ssh = sshclient.NewPool(options)
	}
	return o.ssh
}

// sshDestination reads a spec's host and says which configuration files apply.
func sshDestination(ctx context.Context, pool *sshclient.Pool, spec *xspec.Spec) (*sshconfig.Args, []sshconfig.File, error) {
	if spec.VagrantSSH != "" {
		return vagrantDestination(ctx, pool, spec)
	}
	args, err := sshconfig.ParseArgs(spec.SSH)
	if err != nil {
		return nil, nil, err
	}
	return args, pool.ConfigFiles(cmp.Or(args.ConfigFile, spec.SSHConfig)), nil
}

// vagrantWait is how long a process that a cancelled vagrant has started may hold its output open.
const vagrantWait = time.Second

// vagrantDestination asks vagrant how to reach a machine. What it prints is an ssh configuration; a
// file given with ssh_config= is read behind it, so that vagrant's settings count first.
func vagrantDestination(ctx context.Context, pool *sshclient.Pool, spec *xspec.Spec) (*sshconfig.Args, []sshconfig.File, error) {
	name := spec.VagrantSSH
	if strings.HasPrefix(name, "-") || name == "" {
		return nil, nil, fmt.Errorf("execnet: vagrant_ssh=%s: that is not the name of a machine", name)
	}
	argv := []string{"vagrant", "ssh-config", name}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = vagrantWait
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, nil, timeout.During(ctx, strings.Join(argv, " "))
	case errors.As(err, &status):
		reason := strings.TrimSpace(stderr.String())
		return nil, nil, &HostNotFoundError{Host: name, Err: fmt.Errorf("vagrant ssh-config %s: %w: %s; is the machine up?", name, err, reason)}
	case err != nil:
		return nil, nil, &StartError{Args: argv, Source: "for vagrant_ssh=", Err: err}
	}
	alias := sshconfig.FirstHost(string(text))
	if alias == "" {
		return nil, nil, &HostNotFoundError{Host: name, Err: fmt.Errorf("vagrant ssh-config %s names no host", name)}
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	files := []sshconfig.File{{Path: "vagrant ssh-config " + name, Text: string(text), Folder: filepath.Clean(folder)}}
	if spec.SSHConfig != "" {
		files = append(files, pool.ConfigFiles(spec.SSHConfig)...)
	}
	return &sshconfig.Args{Host: alias}, files, nil
}

func (o *Opener) openOpenSSH(spec *xspec.Spec, script *deploy.Script, stderr io.Writer) (gatewaybase.IO, error) {
	argv, err := openSSHArgs(spec, script)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(argv, nil, stderr)
	if err != nil {
		return nil, err
	}
	return &commandPipe{p, address(spec)}, nil
}
