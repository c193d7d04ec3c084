package worker

import (
	"os"
	"runtime/debug"

	"golang.org/x/sys/windows"
)

// redirect makes stdout (1) or stderr (2) a pipe, whose writing end it owns. What the runtime
// writes when the program crashes still goes to where stderr was.
func redirect(fd int, to *os.File) (restore func(), err error) {
	file, handle := &os.Stdout, uint32(windows.STD_OUTPUT_HANDLE)
	before := os.Stderr
	if fd == 2 {
		file, handle = &os.Stderr, windows.STD_ERROR_HANDLE
		if err := debug.SetCrashOutput(os.Stderr, debug.CrashOptions{}); err != nil {
			return nil, err
		}
	}
	*file = to
	if err := windows.SetStdHandle(handle, windows.Handle(to.Fd())); err != nil {
		return nil, os.NewSyscallError("SetStdHandle", err)
	}
	return func() {
		*file = before
		_ = windows.SetStdHandle(handle, windows.Handle(before.Fd()))
		to.Close()
	}, nil
}
