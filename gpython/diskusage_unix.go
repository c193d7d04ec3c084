//go:build linux || darwin

package gpython

import "golang.org/x/sys/unix"

// diskUsage is the size in bytes of the file system of a path, and how much is used and free.
func diskUsage(path string) (total, used, free uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0, 0, err
	}
	block := uint64(s.Bsize)
	return s.Blocks * block, (s.Blocks - s.Bfree) * block, s.Bavail * block, nil
}
