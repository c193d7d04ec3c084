//go:build unix

package pipe

import (
	"os"

	"golang.org/x/sys/unix"
)

// HungUp reports whether nothing more is written to the other end of a pipe or socket, so that what
// is still to be read is what the system holds for it. It is true for a closed file, too.
func HungUp(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return true
	}
	var ended bool
	err = conn.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: readHangUp}}
		n, err := unix.Poll(poll, 0)
		ended = err == nil && n > 0 && poll[0].Revents&(unix.POLLHUP|unix.POLLERR|readHangUp) != 0
	})
	return ended || err != nil
}
