//go:build unix && !(darwin || dragonfly || freebsd || netbsd || openbsd)

package prompt

import "golang.org/x/sys/unix"

// The requests for a terminal's settings. Setting them with a flush drops what was typed before.
const (
	getTermios      = unix.TCGETS
	setTermios      = unix.TCSETS
	setTermiosFlush = unix.TCSETSF
)
