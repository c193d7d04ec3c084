package receive

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/windows"
)

const (
	openToRead   = syscall.O_RDONLY
	openToCreate = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL
)

// errnoName is the POSIX name of the errors that have one.
func errnoName(e syscall.Errno) string {
	switch {
	case isFull(e):
		return "ENOSPC"
	case e.Is(fs.ErrNotExist):
		return "ENOENT"
	case e.Is(fs.ErrPermission):
		return "EACCES"
	case e.Is(fs.ErrExist):
		return "EEXIST"
	}
	return ""
}

// isFull reports whether an error is one of a whole file system or account, not of one file.
func isFull(e syscall.Errno) bool {
	return e == windows.ERROR_DISK_FULL || e == windows.ERROR_HANDLE_DISK_FULL || e == windows.ERROR_DISK_QUOTA_EXCEEDED
}
