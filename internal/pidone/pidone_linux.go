// Package pidone is process 1 of a container for a program that is started as that.
package pidone

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Main does nothing unless this is process 1. Then it starts the program once more, as its child,
// passes signals on to that, reaps it and every orphan that the kernel gives to process 1, and ends
// with the child's exit status. It does not return.
//
// The program itself cannot reap orphans: whoever waits for any child takes the exit status of
// those that other parts of the program wait for.
func Main() {
	if os.Getpid() != 1 {
		return
	}
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0] // /proc is not mounted
	}
	code, err := run(program, os.Args, true)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// run starts a program, and returns its exit code when it has ended: 128 and the number of the
// signal that ended it, or 127 and an error if it cannot be started. Every child of this process is
// reaped meanwhile.
func run(program string, args []string, foreground bool) (int, error) {
	// Before the child is there: a signal that nobody has asked for does nothing to process 1.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	defer signal.Stop(signals)
	attributes := &syscall.SysProcAttr{}
	if foreground && hasTerminal() {
		// Ctrl-C then reaches the child alone, and not twice.
		attributes = &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: 0}
	}
	child, err := syscall.ForkExec(program, args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: attributes})
	if err != nil {
		return 127, fmt.Errorf("execnet: starting %s as the child of process 1: %w", program, err)
	}
	for {
		// SIGCHLD comes after each end, though once for several ends, and a first one may have come
		// before this looks.
		if status, ended, err := reap(child); err != nil {
			return 127, fmt.Errorf("execnet: process 1: waiting for children: %w", err)
		} else if ended {
			return exitCode(status), nil
		}
		switch s := (<-signals).(syscall.Signal); s {
		case syscall.SIGCHLD, syscall.SIGURG: // Go's scheduler uses SIGURG
		case syscall.SIGTTIN, syscall.SIGTTOU: // they are about this process and the terminal
		default:
			_ = syscall.Kill(child, s) // it may just have ended
		}
	}
}

// hasTerminal tells whether stdin is the terminal whose signals this process gets.
func hasTerminal() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// reap reaps all children that have ended; ended tells whether child is among them.
func reap(child int) (status unix.WaitStatus, ended bool, err error) {
	for {
		var s unix.WaitStatus
		pid, err := unix.Wait4(-1, &s, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil && !(ended && errors.Is(err, unix.ECHILD)):
			return status, false, err
		case err != nil || pid == 0:
			return status, ended, nil
		case pid == child:
			status, ended = s, true
		}
	}
}

func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
