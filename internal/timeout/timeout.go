// Package timeout turns the end of a context into the error that this module's calls report.
package timeout

import (
	"context"
	"errors"

	"github.com/go-execnet/execnet/internal/errtext"
)

// Err is what a call reports when its time is over. It is also context.DeadlineExceeded, and a
// net.Error by its methods. The public name is gatewaybase.ErrTimeout.
var Err error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string        { return "execnet: timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Cause is why ctx ended: Err if its deadline passed, otherwise context.Cause.
func Cause(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return Err
	}
	return cause
}

// During is Cause with what the caller was doing in front: "execnet: receiving: timeout".
func During(ctx context.Context, doing string) error { return errtext.Wrap(doing, Cause(ctx)) }
