//go:build unix

package pipe

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Writer writes to a file without waiting. Its writes must not run side by side.
type Writer struct {
	conn syscall.RawConn // nil if there is none, or the file blocks

	// Of the write under way:
	try func(fd uintptr)
	b   []byte
	n   int
}

// NewWriter returns a writer to a file, which remains the caller's to close.
func NewWriter(file *os.File) *Writer {
	w := &Writer{conn: nonBlocking(file)}
	w.try = w.attempt
	return w
}

// WriteNow writes what a pipe takes at once: perhaps nothing. It does not tell errors, which the
// next Write of the file finds too.
func (w *Writer) WriteNow(b []byte) int {
	if w.conn == nil {
		return 0
	}
	w.b, w.n = b, 0
	_ = w.conn.Control(w.try)
	w.b = nil
	return w.n
}

func (w *Writer) attempt(fd uintptr) {
	for {
		n, err := unix.Write(int(fd), w.b)
		if err != unix.EINTR {
			w.n = max(n, 0)
			return
		}
	}
}

// nonBlocking is for system calls on a file that never waits for it. It is nil for other files.
func nonBlocking(file *os.File) syscall.RawConn {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil
	}
	var found syscall.RawConn
	_ = conn.Control(func(fd uintptr) {
		if flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0); err == nil && flags&unix.O_NONBLOCK != 0 {
			found = conn
		}
	})
	return found
}
