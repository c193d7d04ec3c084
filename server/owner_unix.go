//go:build unix

package server

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// checkOwner refuses a file that others than this user and root can change, and one whose folder
// they can.
func checkOwner(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", file.Name())
	}
	real, err := filepath.EvalSymlinks(file.Name())
	if err != nil {
		return err
	}
	folder, err := os.Stat(filepath.Dir(real))
	if err != nil {
		return err
	}
	for _, info := range []os.FileInfo{info, folder} {
		owner := info.Sys().(*syscall.Stat_t).Uid
		if owner != 0 && int(owner) != os.Geteuid() {
			return fmt.Errorf("%s is not trusted: it or its folder belongs to another user", file.Name())
		}
		if info.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%s is not trusted: others can write to it or its folder; run chmod go-w on both", file.Name())
		}
	}
	return nil
}

// checkSecret refuses a file that others can read.
func checkSecret(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not trusted: others can read it; run chmod 600 on it, or remove it for a new one", file.Name())
	}
	return nil
}
