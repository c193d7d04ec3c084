//go:build unix

package worker

import (
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// redirect makes a descriptor, 1 or 2, another name of a pipe's writing end, which it closes. What
// the runtime writes when the program crashes still goes to where stderr was.
func redirect(fd int, to *os.File) (restore func(), err error) {
	defer to.Close()
	before := unix.Stderr
	if fd == unix.Stderr {
		if before, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			return nil, os.NewSyscallError("dup", err)
		}
		if err := debug.SetCrashOutput(os.Stderr, debug.CrashOptions{}); err != nil {
			return nil, err
		}
	}
	end := int(to.Fd())
	// Children that inherit it expect a descriptor that blocks.
	if err := unix.SetNonblock(end, false); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := unix.Dup2(end, fd); err != nil {
		return nil, os.NewSyscallError("dup2", err)
	}
	return func() {
		_ = unix.Dup2(before, fd)
		if before != unix.Stderr {
			_ = unix.Close(before)
		}
	}, nil
}
