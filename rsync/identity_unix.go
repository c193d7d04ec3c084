//go:build unix

package rsync

import (
	"os"

	"golang.org/x/sys/unix"
)

// welcomeFlags are what this receiver can do.
const welcomeFlags = welcomeHere

// identify looks at an open file.
func identify(f *os.File) (id identity, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return id, err
	}
	var st unix.Stat_t
	if controlErr := conn.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) }); controlErr != nil {
		return id, controlErr
	}
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	// The types of these fields differ between systems.
	return identity{uint64(st.Dev), uint64(st.Ino), int64(st.Size), st.Mtim.Nano(), st.Ctim.Nano()}, err
}
