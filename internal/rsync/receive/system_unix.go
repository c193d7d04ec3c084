//go:build unix

package receive

import (
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
