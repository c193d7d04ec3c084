package gatewayio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-execnet/execnet/xspec"
)

// vagrantPatience is how long what a cancelled vagrant has started may hold its output open.
const vagrantPatience = time.Second

// vagrantDestination asks vagrant how to reach a machine. What it prints is an ssh configuration; a
// file given with ssh_config= is read behind it, so that vagrant's settings count first.
func (p *SSHPool) vagrantDestination(ctx context.Context, spec *xspec.Spec) (*sshArgs, []sshConfigFile, error) {
	name := spec.VagrantSSH
	if strings.HasPrefix(name, "-") || name == "" {
		return nil, nil, fmt.Errorf("vagrant_ssh=%s: that is not the name of a machine", name)
	}
	argv := []string{"vagrant", "ssh-config", name}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = vagrantPatience
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, nil, context.Cause(ctx)
	case errors.As(err, &status):
		reason := strings.TrimSpace(complaint.String())
		return nil, nil, &HostNotFoundError{Host: name, Err: fmt.Errorf("vagrant ssh-config %s: %w: %s; is the machine up?", name, err, reason)}
	case err != nil:
		return nil, nil, &StartError{Args: argv, Source: "for vagrant_ssh=", Err: err}
	}
	alias := firstSSHHost(string(text))
	if alias == "" {
		return nil, nil, &HostNotFoundError{Host: name, Err: fmt.Errorf("vagrant ssh-config %s names no host", name)}
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	files := []sshConfigFile{{path: "vagrant ssh-config " + name, text: string(text), folder: filepath.Clean(folder)}}
	if spec.SSHConfig != "" {
		files = append(files, p.options.sshConfigFiles(spec.SSHConfig)...)
	}
	return &sshArgs{host: alias}, files, nil
}

// firstSSHHost returns the name behind the first Host of a configuration. It is the machine's name,
// or "default".
func firstSSHHost(text string) string {
	for _, line := range strings.Split(text, "\n") {
		s, blank, err := parseSSHLine(line, "")
		if err == nil && !blank && strings.EqualFold(s.keyword, "host") {
			if words, err := splitSSHWords(s.value); err == nil && len(words) > 0 {
				return words[0]
			}
		}
	}
	return ""
}
