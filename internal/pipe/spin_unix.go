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
	s.file, s.try = file, s.attempt
	if conn, err := file.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			if flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0); err == nil && flags&unix.O_NONBLOCK != 0 {
				s.conn = conn
			}
		})
	}
}

func (s *spinner) possible() bool { return s.conn != nil }

// read reads once, without sleeping until a time. The caller holds trying.
func (s *spinner) read(p []byte, until time.Time) (int, error) {
	s.into, s.until, s.n, s.err = p, until, 0, nil
	err := s.conn.Read(s.try)
	s.into = nil
	s.letGo()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, err
	case err != nil:
		return s.file.Read(p) // which words it as files do
	case s.err != nil:
		return 0, &os.PathError{Op: "read", Path: s.file.Name(), Err: s.err}
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
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
				s.letGo()
				return false
			}
		default:
			s.err = err
			return true
		}
	}
}

// letGo lets others try.
func (s *spinner) letGo() {
	if !s.until.IsZero() {
		s.until = time.Time{}
		trying.Store(false)
	}
}
