package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// ErrTimeout is what a call reports when its time ran out before anything came; errors.Is finds
// context.DeadlineExceeded in it as well. It is execnet's TimeoutError.
var ErrTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string        { return "execnet: timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// contextError is ctx's error in the package's own words.
func contextError(ctx context.Context, doing string) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = ErrTimeout
	}
	return fmt.Errorf("%s: %w", doing, err)
}

var (
	// ErrClosed is what sending on a closed channel, or using a gateway that has ended, reports.
	ErrClosed = errors.New("execnet: already closed")
	// ErrHasCallback is what receiving from a channel with a callback reports, and setting a second
	// callback.
	ErrHasCallback = errors.New("execnet: the channel has a receiver callback")
	// ErrExecuting is what closing the channel of an execution reports while that runs, at the
	// worker.
	ErrExecuting = errors.New("cannot explicitly close channel within remote_exec")
)

// RemoteError is an exception raised by the code at the other end. It is execnet's RemoteError.
type RemoteError struct {
	// Formatted is the text that came: the remote traceback, or whatever the other end closed the
	// channel with.
	Formatted string
}

// Error returns the remote text.
func (e *RemoteError) Error() string { return strings.TrimRight(e.Formatted, "\n") }

// exceptionLine is the line of a traceback that names the exception: it starts at the margin, after
// the frames.
var exceptionLine = regexp.MustCompile(`(?m)^([A-Za-z_][\w.]*)(?:: (.*))?$`)

// Exception is the name of the remote exception's class as the traceback gives it
// ("ZeroDivisionError", "package.module.Error"), or empty if the text is no traceback.
func (e *RemoteError) Exception() string { return e.parse()[1] }

// Message is the first line of what the remote exception says of itself, or the whole text if it is
// no traceback.
func (e *RemoteError) Message() string { return e.parse()[2] }

func (e *RemoteError) parse() [3]string {
	// What a SyntaxError or a chained exception adds stands before the last block's exception line,
	// what a message of several lines adds stands after it: the line wanted is the first at the
	// margin after the last traceback head.
	const head = "Traceback (most recent call last):\n"
	if i := strings.LastIndex(e.Formatted, head); i >= 0 {
		if m := exceptionLine.FindStringSubmatch(e.Formatted[i+len(head):]); m != nil {
			return [3]string(m)
		}
	}
	return [3]string{"", "", e.Error()}
}

// unhandled is the line that execnet prints for a remote error nobody asked for.
func (e *RemoteError) unhandled(gateway string) string {
	return fmt.Sprintf("[%s] Warning: unhandled remote error: %s\n", gateway, e.Error())
}

// interruptText is what a worker closes a channel with when the user interrupted it; nobody is
// warned of that.
const interruptText = "keyboard-interrupted"

// GatewayDiedError is what every waiting and later call reports when a gateway's far end ended
// without having been asked to. It unwraps to what reading the pipe reported, io.ErrUnexpectedEOF
// for a plain end, never to io.EOF.
type GatewayDiedError struct {
	ID   string // the gateway
	Exit Exit   // how the process ended, and the last it said on stderr
	Err  error  // what reading reported
}

// Error tells the gateway, how its process ended, and the last lines of its stderr.
func (e *GatewayDiedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: gateway %s died", e.ID)
	switch {
	case e.Exit.Signal != nil:
		fmt.Fprintf(&b, " (signal: %v)", e.Exit.Signal)
	case e.Exit.Known:
		fmt.Fprintf(&b, " (exit status %d)", e.Exit.Code)
	}
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		fmt.Fprintf(&b, ": %s", strings.TrimPrefix(e.Err.Error(), "execnet: "))
	}
	b.WriteString(StderrText(e.Exit.Stderr))
	return b.String()
}

// Unwrap returns Err.
func (e *GatewayDiedError) Unwrap() error { return e.Err }

// NotStartedError is how an IO whose far end is reached while it is in use reports that there will
// be none. The gateway's calls report Err itself.
type NotStartedError struct{ Err error }

// Error is the error of Err.
func (e *NotStartedError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *NotStartedError) Unwrap() error { return e.Err }

// StderrText is the tail of a far end's stderr as error messages show it: the last twenty lines, or
// nothing.
func StderrText(stderr string) string {
	stderr = strings.TrimSpace(stderr)
	if stderr == "" {
		return ""
	}
	lines := strings.Split(stderr, "\n")
	if len(lines) > 20 {
		lines = append([]string{"..."}, lines[len(lines)-20:]...)
	}
	return "; its stderr ended:\n  " + strings.Join(lines, "\n  ")
}
