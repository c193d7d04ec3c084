//go:build unix && !linux

package pipe

import "os"

// fionread is _IOR('f', 127, int), which x/sys does not list for these systems.
const fionread = 0x4004667f

// grow does nothing: these systems size their pipes themselves.
func grow(*os.File) {}
