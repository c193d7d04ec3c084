//go:build unix

package multi_test

import "syscall"

const (
	killSignal = syscall.SIGKILL
	stopSignal = syscall.SIGSTOP
)

func signal(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }
