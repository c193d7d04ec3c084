//go:build unix

package sshconfig

import (
	"os/exec"
	"syscall"
)

// inOwnGroup makes the end of a command's context kill all the processes it has started.
func inOwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
