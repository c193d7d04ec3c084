//go:build unix

package pipe

import (
	"os"

	"golang.org/x/sys/unix"
)

// New makes a pipe between this process and a child. ours is the end to write to if weWrite, else
// the one to read from; it has deadlines, and no other child inherits it.
func New(weWrite bool) (ours, theirs *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	Grow(r)
	if weWrite {
		return w, r, nil
	}
	return r, w, nil
}

// Buffered is the number of bytes that can be read from a pipe without waiting.
func Buffered(f *os.File) int {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	err = conn.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), fionread) })
	if err != nil {
		return 0
	}
	return n
}
