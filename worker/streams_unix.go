//go:build unix

package worker

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/go-execnet/execnet/internal/pipe"
)

// takeStreams moves stdin and stdout to descriptors of their own, which no child inherits, and
// makes descriptors 0 and 1 the null device: what a function prints must not get between the
// messages (protocol.md section 6.4).
//
// stdin gets the higher number: Linux closes the last descriptor first when a process is killed,
// and a driver that has seen the end of stdout shall not be able to write any more.
func takeStreams() (*streams, error) {
	var own [2]*os.File
	flags := []int{os.O_RDONLY, os.O_WRONLY}
	for _, fd := range []int{1, 0} {
		moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, os.NewSyscallError("dup", err)
		}
		null, err := unix.Open(os.DevNull, flags[fd], 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		}
		if err := unix.Dup2(null, fd); err != nil {
			return nil, os.NewSyscallError("dup2", err)
		}
		unix.Close(null)
		// With non-blocking descriptors Go's poller switches between reading and writing goroutines
		// on one thread. A read that blocks in the kernel needs another thread for the answer.
		if err := unix.SetNonblock(moved, true); err != nil {
			return nil, os.NewSyscallError("fcntl", err)
		}
		own[fd] = os.NewFile(uintptr(moved), []string{"stdin", "stdout"}[fd])
		pipe.Grow(own[fd]) // drivers leave it as it is
	}
	return newStreams(own[0], own[1]), nil
}

// InterruptWrite implements farend.WriteInterrupter.
func (s *streams) InterruptWrite() { pipe.InterruptWrite(s.out) }

// shutdownWrite ends a socket's writing direction. For anything else it fails without effect.
func shutdownWrite(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
}
