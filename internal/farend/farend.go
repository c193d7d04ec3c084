// Package farend holds what the byte pipes of gateways have in common beside the interface
// gatewaybase.IO: waiting, interrupting a Read, TCP keepalives, a host that cannot be reached, and
// how errors show what the far end printed.
package farend

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// KeepAlive makes the system find out within a minute that the host at the other end of a TCP
// connection is gone.
var KeepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 4}

// ReadInterrupter is implemented by a pipe whose Read can be interrupted and taken up again.
type ReadInterrupter interface {
	// InterruptRead makes the Read under way, or the next one, return ErrReadInterrupted without
	// having read anything.
	InterruptRead()
}

// ErrReadInterrupted is what Read returns after InterruptRead.
var ErrReadInterrupted = errors.New("execnet: reading was interrupted")

// WriteInterrupter is implemented by a pipe whose Write can be interrupted and taken up again.
type WriteInterrupter interface {
	// InterruptWrite makes the Write under way, or the next one, return the number of bytes that
	// were written and ErrWriteInterrupted.
	InterruptWrite()
}

// ImmediateWriter is implemented by a pipe to which can be written without waiting.
type ImmediateWriter interface {
	// WriteNow writes what the pipe takes at once, and returns how many bytes that were: perhaps
	// none. It tells no error: the next Write does.
	WriteNow(b []byte) int
}

// ErrWriteInterrupted is what Write returns after InterruptWrite.
var ErrWriteInterrupted = errors.New("execnet: writing was interrupted")

// FileReader is implemented by a pipe from which something else than Read may take bytes, too.
type FileReader interface {
	// ReadFile is the file that the next Read reads, or nil if that has bytes from elsewhere.
	ReadFile() *os.File
}

// FileWriter is implemented by a pipe to which something else than Write may give bytes, too.
type FileWriter interface {
	// WriteFile is the file that the next Write writes to, or nil if there is none yet or any more.
	WriteFile() *os.File
}

// HangUpTeller is implemented by a pipe that can tell its far end's end before all is read.
type HangUpTeller interface {
	// HungUp reports whether the far end writes nothing more, so that what is still to be read is
	// no more than what the system holds for the pipe.
	HungUp() bool
}

// EndTeller is implemented by a pipe whose end no exit status of a process of its own explains.
type EndTeller interface {
	// TellEnd says in words how the far end has ended, when Read has returned io.EOF. It may wait
	// until ctx ends for what can still become known.
	TellEnd(ctx context.Context) string
}

// NotStartedError is what the Read and Write of a pipe return when the far end, which is reached
// while the pipe is in use already, could not be reached. A gateway's calls report Err itself.
type NotStartedError struct{ Err error }

// Error is the text of Err.
func (e *NotStartedError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *NotStartedError) Unwrap() error { return e.Err }

// Await blocks until done is closed or ctx ends, and returns ctx's error in the second case. If
// done is closed already, it returns nil whatever ctx says.
func Await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shownLines is how many of the last lines of the far end's stderr an error shows, and shownCrash
// how many of the first lines of the report of a crash that began before them.
const (
	shownLines = 20
	shownCrash = 5
)

// StderrText is the end of a far end's stderr as error texts show it: the last lines behind a
// heading, or nothing if stderr is empty.
func StderrText(stderr string) string {
	stderr = strings.TrimSpace(stderr)
	if stderr == "" {
		return ""
	}
	lines := strings.Split(stderr, "\n")
	if len(lines) > shownLines {
		before := lines[:len(lines)-shownLines]
		lines = append([]string{"..."}, lines[len(lines)-shownLines:]...)
		if at := lastCrash([]byte(stderr)); at >= 0 {
			before = before[min(len(before), strings.Count(stderr[:at], "\n")):]
			lines = append(slices.Clone(before[:min(len(before), shownCrash)]), lines...)
		}
	}
	return "; its stderr ended:\n  " + strings.Join(lines, "\n  ")
}
