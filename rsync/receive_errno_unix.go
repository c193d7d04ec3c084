//go:build unix

package rsync

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// readOnly opens a file that was a regular one: not a link since, and not waiting if it is a FIFO
// since.
const readOnly = syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// createNew makes a file to be written. That it does not wait makes no difference but that
// os.OpenFile, told so, does not try whether it can.
const createNew = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NONBLOCK

func errnoName(e syscall.Errno) string { return unix.ErrnoName(e) }

// isFull tells whether an error is one of a whole file system or account, not of one file.
func isFull(e syscall.Errno) bool { return e == syscall.ENOSPC || e == syscall.EDQUOT }
