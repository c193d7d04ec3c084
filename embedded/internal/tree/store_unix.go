//go:build unix

package tree

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// store has the system write what it holds of a file. It is fsync(2) on darwin, too, where
// os.File.Sync also waits for the disk's own memory: for hundreds of files that takes many seconds.
func store(f *os.File) error {
	for {
		switch err := unix.Fsync(int(f.Fd())); err {
		case nil:
			return nil
		case unix.EINTR:
		default:
			return &fs.PathError{Op: "fsync", Path: f.Name(), Err: err}
		}
	}
}
