//go:build unix && !linux

package pipe

import "os"

// fionread is _IOR('f', 127, int), which x/sys does not list for these systems.
const fionread = 0x4004667f

// readHangUp is nothing: these systems report POLLHUP where Linux has an event of its own.
const readHangUp = 0

// Grow does nothing: these systems size their pipes themselves.
func Grow(*os.File) {}
