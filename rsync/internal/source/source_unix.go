//go:build unix

package source

import (
	"io/fs"
	"syscall"
)

const openWithoutWaiting = syscall.O_NONBLOCK

// unixMode is an entry's st_mode.
func unixMode(info fs.FileInfo) uint32 {
	return uint32(info.Sys().(*syscall.Stat_t).Mode)
}
