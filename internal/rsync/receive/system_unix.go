//go:build unix

package receive

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openToRead opens a file that was a regular one: it follows no link, and does not wait, if a link
// or a FIFO has replaced it.
const openToRead = syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// openToCreate creates a file to be written. O_NONBLOCK means nothing for a regular file, but with
// it os.OpenFile saves the system call that tries whether the file can be polled.
const openToCreate = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NONBLOCK

// errnoName is the POSIX name of an error.
func errnoName(e syscall.Errno) string { return unix.ErrnoName(e) }

// isFull reports whether an error is one of a whole file system or account, not of one file.
func isFull(e syscall.Errno) bool { return e == syscall.ENOSPC || e == syscall.EDQUOT }

// Kinds of locks.
const (
	shared    = unix.LOCK_SH
	exclusive = unix.LOCK_EX
)

// errLocked is what lock returns for a file that another process, or another descriptor of this
// one, has locked.
var errLocked = errors.New("the file is locked")

// lock locks an open file without waiting. Other errors than errLocked mean that files cannot be
// locked here.
func lock(f *os.File, kind int) error {
	return withDescriptor(f, func(fd int) error {
		err := unix.Flock(fd, kind|unix.LOCK_NB)
		if err == unix.EWOULDBLOCK {
			return errLocked
		}
		return err
	})
}

// isUnlinked reports whether an open file has lost its name.
func isUnlinked(f *os.File) bool {
	var st unix.Stat_t
	err := withDescriptor(f, func(fd int) error { return unix.Fstat(fd, &st) })
	return err == nil && st.Nlink == 0
}

// flush reports what closing a file would: some file systems report a full disk only then. The file
// stays open, and locked.
func flush(f *os.File) error {
	return withDescriptor(f, func(fd int) error {
		syscall.ForkLock.RLock()
		again, err := unix.Dup(fd)
		if err == nil {
			unix.CloseOnExec(again)
		}
		syscall.ForkLock.RUnlock()
		if err != nil {
			return nil // closing the file will tell
		}
		return unix.Close(again)
	})
}

func withDescriptor(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if controlErr := conn.Control(func(fd uintptr) { err = do(int(fd)) }); controlErr != nil {
		return controlErr
	}
	return err
}
