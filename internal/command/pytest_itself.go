package command

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/xspec"
)

// quotedCommand is a path as a value of python=.
func quotedCommand(path string) string { return shellquote.Join(path) }

// runPytestItself runs pytest in the interpreter of a spec, as a user would, with this process's
// stdin, stdout and stderr.
func runPytestItself(cmd *cobra.Command, spec *xspec.Spec, args []string) error {
	if !spec.Local() || spec.Self {
		return pytestUsage(fmt.Errorf("options such as %s are left to a pytest on this host, and --tx names another one", args[0]))
	}
	command := spec.Python
	if command == "" {
		command = os.Getenv("EXECNET_PYTHON")
	}
	words, err := shellquote.Split(command)
	if err != nil {
		return pytestUsage(fmt.Errorf("python=%s: %w", command, err))
	}
	if len(words) == 0 {
		for _, name := range []string{"python3", "python"} {
			if path, err := exec.LookPath(name); err == nil {
				words = []string{path}
				break
			}
		}
	}
	if len(words) == 0 {
		return &exit{code: int(testrun.Internal), err: errors.New("there is no python3 or python in PATH: name one, as in --tx popen//python=/usr/bin/python3")}
	}
	// Ctrl-C at a terminal reaches pytest by itself.
	_, second, stop := fleet.WatchSignals(cmd.Context())
	defer stop()
	p := exec.Command(words[0], append(append(words[1:len(words):len(words)], "-m", "pytest"), args...)...)
	p.Dir = spec.ChDir
	p.Stdin, p.Stdout, p.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	p.Env = os.Environ()
	for name, value := range spec.Env {
		p.Env = append(p.Env, name+"="+value)
	}
	if err := p.Start(); err != nil {
		return &exit{code: int(testrun.Internal), err: err}
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-second:
			_ = p.Process.Kill()
		case <-ended:
		}
	}()
	err = p.Wait()
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		if err != nil {
			return &exit{code: int(testrun.Internal), err: err}
		}
		return nil
	}
	if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &exit{code: 128 + int(status.Signal()), err: fmt.Errorf("pytest: %s", strings.TrimPrefix(exited.Error(), "signal: "))}
	}
	return &exit{code: exited.ExitCode()}
}
