package farend

import (
	"fmt"
	"os"
	"syscall"
)

// Exit is how the far end of a pipe ended.
type Exit struct {
	// Known is false while the far end lives, and for good where nobody can tell (a socket).
	Known bool
	// Code is the process's exit status, -1 when a signal ended it.
	Code int
	// Signal is the signal that ended the process, nil if none did.
	Signal os.Signal
	// Stderr is what the far end wrote to its stderr. If that is long, it is the last 8 KiB, and
	// before them 1 KiB from the beginning of the last crash report, or else of all.
	Stderr string
}

// ExitOf returns how a process ended that os/exec has waited for. Its Stderr is empty.
func ExitOf(state *os.ProcessState) Exit {
	if status, ok := state.Sys().(syscall.WaitStatus); ok {
		return ExitOfStatus(status)
	}
	return Exit{Known: true, Code: state.ExitCode()}
}

// ExitOfStatus is ExitOf for the status that a wait of the system has returned.
func ExitOfStatus(status syscall.WaitStatus) Exit {
	exit := Exit{Known: true, Code: status.ExitStatus()}
	if status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// String is how a far end ended as errors show it: " (signal: killed)", " (exit status 1)", or
// nothing where that is not known.
func (e Exit) String() string {
	switch {
	case e.Signal != nil:
		return fmt.Sprintf(" (signal: %v)", e.Signal)
	case e.Known:
		return fmt.Sprintf(" (exit status %d)", e.Code)
	}
	return ""
}
