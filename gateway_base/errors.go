package gatewaybase

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
)

// ErrTimeout is what a call reports when its time ran out before anything came; errors.Is finds
// context.DeadlineExceeded in it as well. It is execnet's TimeoutError.
var ErrTimeout = timeout.Err

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
	b.WriteString(e.Exit.String())
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		fmt.Fprintf(&b, ": %s", strings.TrimPrefix(e.Err.Error(), "execnet: "))
	}
	b.WriteString(farend.StderrText(e.Exit.Stderr))
	return b.String()
}

// Unwrap returns Err.
func (e *GatewayDiedError) Unwrap() error { return e.Err }
