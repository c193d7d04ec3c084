package receive

import (
	"errors"
	"io/fs"
	"os"
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

// Kinds of locks.
const (
	shared = iota
	exclusive
)

// errLocked is what lock returns for a locked file on other systems.
var errLocked = errors.New("the file is locked")

// lock fails: a locked file could not be read, or removed, by others.
func lock(*os.File, int) error { return errors.ErrUnsupported }

// isUnlinked reports false: an open file keeps its name.
func isUnlinked(*os.File) bool { return false }

// flush does nothing: a full disk is reported when a file is written.
func flush(*os.File) error { return nil }
