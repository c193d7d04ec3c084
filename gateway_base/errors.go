package gatewaybase

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
)

// ErrTimeout is the error of a call whose context's deadline has passed. errors.Is also finds
// context.DeadlineExceeded in it. It is execnet's TimeoutError.
var ErrTimeout = timeout.Err

var (
	// ErrClosed is the error of sending on a closed channel, and of using a gateway that has ended.
	ErrClosed = errors.New("execnet: already closed")
	// ErrTerminated is the error of a channel that was open when its gateway was ended by Exit,
	// Kill or the group's Terminate: what the remote code has not sent by then is lost.
	ErrTerminated = errors.New("execnet: the gateway was terminated")
	// ErrHasCallback is the error of receiving from a channel that has a callback, and of setting a
	// second one.
	ErrHasCallback = errors.New("execnet: the channel has a receiver callback")
	// ErrExecuting is the error of closing the channel of an execution while that runs, at the
	// worker.
	ErrExecuting = errors.New("execnet: the channel of a running execution cannot be closed")
)

// RemoteError is an exception that the code at the other end has raised. It is execnet's
// RemoteError. Use errors.As with a *RemoteError.
type RemoteError struct {
	// Formatted is the text that came: the remote traceback, or the text that the other end closed
	// the channel with.
	Formatted string
}

// Error returns the remote text.
func (e *RemoteError) Error() string { return strings.TrimRight(e.Formatted, "\n") }

// exceptionLine matches the line of a traceback that names the exception: it is not indented, and
// stands after the frames.
var exceptionLine = regexp.MustCompile(`(?m)^([A-Za-z_][\w.]*)(?:: (.*))?$`)

// Exception is the name of the remote exception's class, as the traceback has it
// ("ZeroDivisionError", "package.module.Error"). It is empty if the text is not a traceback.
func (e *RemoteError) Exception() string { return e.parse()[1] }

// Message is the first line of the remote exception's message, or the whole text if that is not a
// traceback.
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

// unhandled is the line that execnet prints for a remote error that nobody receives.
func (e *RemoteError) unhandled(gateway string) string {
	return fmt.Sprintf("[%s] Warning: unhandled remote error: %s\n", gateway, e.Error())
}

// interruptText is the text with which a worker closes a channel when the user has interrupted it.
// Nobody is warned of that.
const interruptText = "keyboard-interrupted"

// GatewayDiedError is the error of every waiting and later call on a gateway whose far end ended
// without having been asked to. Use errors.As with a *GatewayDiedError. It unwraps to the error of
// reading the pipe, which is io.ErrUnexpectedEOF for a plain end and never io.EOF.
type GatewayDiedError struct {
	ID   string // the gateway's id
	Exit Exit   // how the process ended, and the end of its stderr
	Err  error  // the error of reading the pipe
}

// Error names the gateway, how its process ended, and the last lines of its stderr.
func (e *GatewayDiedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: gateway %s died", e.ID)
	b.WriteString(e.Exit.String())
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		fmt.Fprintf(&b, ": %s", errtext.Of(e.Err))
	}
	b.WriteString(farend.StderrText(e.Exit.Stderr))
	return b.String()
}

// Unwrap returns Err.
func (e *GatewayDiedError) Unwrap() error { return e.Err }
