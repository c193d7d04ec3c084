package gatewaybase

import (
	"errors"
	"fmt"
	"io"
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

// Error names the gateway, how its process ended or what else is known of the end, and the last
// lines of its stderr.
func (e *GatewayDiedError) Error() string { return e.told("gateway " + e.ID) }

// told is the error's text about who.
func (e *GatewayDiedError) told(who string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: %s died", who)
	b.WriteString(e.Exit.String())
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		fmt.Fprintf(&b, ": %s", errtext.Of(e.Err))
	}
	b.WriteString(farend.StderrText(e.Exit.Stderr))
	return b.String()
}

// Unwrap returns Err.
func (e *GatewayDiedError) Unwrap() error { return e.Err }

// streamEndError is the end of a stream that no exit status explains.
type streamEndError struct{ problem string }

func (e *streamEndError) Error() string { return "execnet: " + e.problem }
func (e *streamEndError) Unwrap() error { return io.ErrUnexpectedEOF }
