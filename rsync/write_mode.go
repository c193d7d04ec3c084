package rsync

import (
	"io/fs"
	"runtime"
)

// The bits of st_mode that permissions are made of; the numbers are those of every Unix.
const (
	modePermissions = 0o777
	modeSetuid      = 0o4000
	modeSetgid      = 0o2000
	modeSticky      = 0o1000
	modeOwner       = 0o700
)

// goMode is the permissions of a Unix st_mode, without its file type.
func goMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & modePermissions)
	if mode&modeSetuid != 0 {
		m |= fs.ModeSetuid
	}
	if mode&modeSetgid != 0 {
		m |= fs.ModeSetgid
	}
	if mode&modeSticky != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// samePermissions reports whether an entry has a mode already, as far as this system keeps it.
func samePermissions(is fs.FileMode, want fs.FileMode) bool {
	if runtime.GOOS == "windows" {
		return is&0o200 == want&0o200 // nothing but read-only is kept
	}
	const kept = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return is&kept == want&kept
}
