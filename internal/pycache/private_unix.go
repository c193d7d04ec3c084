//go:build unix

package pycache

import (
	"fmt"
	"os"
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
	if !ok || !info.IsDir() || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("execnet: the cache folder %s is not this user's alone", dir)
	}
	return nil
}
