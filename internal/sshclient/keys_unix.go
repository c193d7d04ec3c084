//go:build unix

package sshclient

import (
	"fmt"
	"os"
	"syscall"
)

// checkPrivate returns an error if others than its owner can use a private key file. As with
// OpenSSH, the file of another owner is not this user's to protect.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode := info.Mode().Perm()
	if owner, ok := info.Sys().(*syscall.Stat_t); mode&0o077 == 0 || ok && int(owner.Uid) != os.Getuid() {
		return nil
	}
	return fmt.Errorf("UNPROTECTED PRIVATE KEY FILE: its permissions %#o are too open, and ssh does not use such a key; correct it with `chmod 600 %s`", mode, path)
}
