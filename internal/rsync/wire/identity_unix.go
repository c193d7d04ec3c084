//go:build unix

package wire

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// CanIdentify is whether Identify works on this system.
const CanIdentify = true

// Identify returns the identity of an open file.
func Identify(f *os.File) (id Identity, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return id, err
	}
	var st unix.Stat_t
	if controlErr := conn.Control(func(fd uintptr) { err = unix.Fstat(int(fd), &st) }); controlErr != nil {
		return id, controlErr
	}
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errors.New("it is not a regular file")
	}
	// The types of these fields differ between systems.
	return Identity{uint64(st.Dev), uint64(st.Ino), int64(st.Size), st.Mtim.Nano(), st.Ctim.Nano()}, err
}
