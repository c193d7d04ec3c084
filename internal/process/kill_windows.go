package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// Kill ends a process by force. A process that has ended is no error.
func Kill(p *os.Process) error {
	err := p.Kill()
	switch {
	case err == nil, errors.Is(err, os.ErrProcessDone):
		return nil
	case errors.Is(err, syscall.EINVAL): // so says package os once it has been waited for
		return nil
	}
	// Windows says that access is denied when a process has ended and was not waited for yet.
	ended := false
	failed := p.WithHandle(func(h uintptr) {
		event, waitErr := windows.WaitForSingleObject(windows.Handle(h), 0)
		ended = waitErr == nil && event == windows.WAIT_OBJECT_0
	})
	if ended || failed != nil { // without a handle it has been waited for meanwhile
		return nil
	}
	return err
}
