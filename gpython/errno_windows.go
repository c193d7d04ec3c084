package gpython

import "syscall"

// errorNumbers are those of the errors of this package, which are the same everywhere.
func errorNumbers() []namedNumber {
	return []namedNumber{{"EPERM", 1}, {"ENOENT", eNoEntry}, {"ESRCH", 3}, {"EINTR", 4}, {"EBADF", eBadFile}, {"ECHILD", 10},
		{"EACCES", eAccess}, {"EEXIST", eExists}, {"ENOTDIR", eNotFolder}, {"EISDIR", eIsFolder}, {"EINVAL", 22}, {"EPIPE", 32},
		{"ECONNREFUSED", int(syscall.Errno(10061))}}
}
