//go:build unix

package gpython

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// errorNumbers are the errors that this system knows and CPython names. Of several names of a
// number the last is the one that errno.errorcode has.
func errorNumbers() (all []namedNumber) {
	for number := 1; number < 256; number++ {
		name := unix.ErrnoName(unix.Errno(number))
		names, several := errorNames[name]
		if runtime.GOOS != "linux" && name != "EAGAIN" && name != "EWOULDBLOCK" {
			several = false // there the other names have numbers of their own, or are not known
		}
		if !several {
			names = []string{name}
		}
		for _, name := range names {
			if name != "" && !unnamedByCPython[name] {
				all = append(all, namedNumber{name, number})
			}
		}
	}
	return all
}

// errorNames has all names of the errors that have several, or another one in CPython, by the name
// that package unix gives.
var errorNames = map[string][]string{
	"EAGAIN": {"EWOULDBLOCK", "EAGAIN"}, "EWOULDBLOCK": {"EWOULDBLOCK", "EAGAIN"}, "EDEADLK": {"EDEADLK", "EDEADLOCK"},
	"EOPNOTSUPP": {"EOPNOTSUPP", "ENOTSUP"}, "ENOTSUP": {"EOPNOTSUPP", "ENOTSUP"}, "EFSCORRUPTED": {"EUCLEAN"},
}

// unnamedByCPython are names that package unix has beyond CPython 3.11's.
var unnamedByCPython = map[string]bool{"EFTYPE": runtime.GOOS == "linux", "EHWPOISON": true}
