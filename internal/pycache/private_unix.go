//go:build unix

package pycache

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// private returns an error unless dir belongs to this user and nobody else can write to it, because
// the files in it are executed.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("execnet: the cache folder %s is not this user's alone", dir)
	}
	return nil
}

// ownPlace returns an error unless dir, or the first folder above it that exists, belongs to this
// user.
func ownPlace(dir string) error {
	for {
		info, err := os.Stat(dir)
		if err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
				return fmt.Errorf("execnet: %s belongs to another user, so no cache folder is made in it", dir)
			}
			return nil
		}
		above := filepath.Dir(dir)
		if !os.IsNotExist(err) || above == dir {
			return err
		}
		dir = above
	}
}
