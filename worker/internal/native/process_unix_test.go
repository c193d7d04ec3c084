//go:build unix

package native

import "syscall"

const hasSignals = true

func isRunning(pid int) bool { return syscall.Kill(pid, 0) == nil }
