//go:build unix

package gpython

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepDescriptors sees to it that no child inherits a descriptor that this process has inherited
// without a mark that says so: CPython closes those in its children. What Go opens has the mark.
var keepDescriptors = sync.OnceFunc(func() {
	for fd := 3; fd < 1024; fd++ {
		unix.CloseOnExec(fd)
	}
})

// childAttributes puts a child into a session or a process group of its own.
func childAttributes(session bool, group int) (*syscall.SysProcAttr, error) {
	return &syscall.SysProcAttr{Setsid: session, Setpgid: group >= 0, Pgid: max(group, 0)}, nil
}

func signalProcess(p *os.Process, number int) error {
	if number == 0 {
		return p.Signal(syscall.Signal(0))
	}
	if number < 0 || number > 64 {
		return syscall.EINVAL
	}
	return p.Signal(syscall.Signal(number))
}

// exitCode is what Python calls the returncode: the exit status, or a signal's number, negative.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -int(status.Signal())
	}
	return state.ExitCode()
}

// lookUp finds a program in the folders of PATH.
func lookUp(name string, env []string) (string, error) {
	path := "/bin:/usr/bin"
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, "PATH="); ok {
			path = value
		}
	}
	var last error = syscall.ENOENT
	for _, dir := range strings.Split(path, ":") {
		candidate := joined(dir, name)
		info, err := os.Stat(candidate)
		if err == nil && info.IsDir() {
			err = syscall.EACCES
		}
		if err == nil {
			err = unix.Access(candidate, unix.X_OK)
		}
		if err == nil {
			return candidate, nil
		}
		if !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENOTDIR) {
			last = err
		}
	}
	return "", last
}
