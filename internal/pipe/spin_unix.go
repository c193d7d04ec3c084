//go:build unix

package pipe

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// spinner reads a file that does not block.
type spinner struct {
	file *os.File
	conn syscall.RawConn // nil if there is none, or the file blocks

	// Of the Read under way:
	try   func(fd uintptr) bool
	into  []byte
	until time.Time
	n     int
	err   error
}

func (s *spinner) init(file *os.File) {
	s.file, s.try, s.conn = file, s.attempt, nonBlocking(file)
}

func (s *spinner) possible() bool { return s.conn != nil }

// read reads once, without sleeping before until. inTime tells whether something came before that.
// The caller holds spinning, which read releases.
func (s *spinner) read(p []byte, until time.Time) (n int, inTime bool, err error) {
	s.into, s.until, s.n, s.err = p, until, 0, nil
	err = s.conn.Read(s.try)
	s.into = nil
	inTime = s.release()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
	case err != nil:
		n, err = s.file.Read(p) // for the error of a file
	case s.err != nil:
		err = &os.PathError{Op: "read", Path: s.file.Name(), Err: s.err}
	case s.n == 0:
		err = io.EOF
	}
	return max(n, s.n), inTime, err
}

// attempt reports whether there is a result; if not, it is called again when something can be read.
func (s *spinner) attempt(fd uintptr) bool {
	for {
		n, err := unix.Read(int(fd), s.into)
		switch err {
		case nil:
			s.n = n
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			if s.until.IsZero() || time.Now().After(s.until) {
				_ = s.release()
				return false
			}
		default:
			s.err = err
			return true
		}
	}
}

// release lets others spin. It reports whether this one still did.
func (s *spinner) release() (held bool) {
	if s.until.IsZero() {
		return false
	}
	s.until = time.Time{}
	spinning.Store(false)
	return true
}
