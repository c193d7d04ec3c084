package gatewayio

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-execnet/execnet/gateway_base"
)

// HostNotFoundError says that a gateway's host could not be reached at all: its name is unknown, it
// refuses the connection, no route leads to it, or it did not answer in time. It is what execnet
// raises as HostNotFound; a host that answers but turns the user away is a *HostKeyError or an
// *SSHAuthError instead.
type HostNotFoundError struct {
	// Host is the host as the spec names it.
	Host string
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *HostNotFoundError) Error() string {
	return fmt.Sprintf("host not found: %s: %v", e.Host, e.Err)
}

// Unwrap returns the cause.
func (e *HostNotFoundError) Unwrap() error { return e.Err }

// sshExitUnreachable is the status with which the ssh command reports a failure of its own.
const sshExitUnreachable = 255

// HostNotFoundFromExit turns the end of an ssh command before it answered the bootstrap into the
// error execnet raises: a *HostNotFoundError when pipe has a remote address and its process exited
// with status 255, else nil. The ssh command uses 255 for every failure of its own, so the error
// carries what it wrote to stderr.
func HostNotFoundFromExit(pipe gatewaybase.IO) error {
	exit := pipe.Exit()
	if !exit.Known || exit.Code != sshExitUnreachable || pipe.RemoteAddress() == "" {
		return nil
	}
	reason := strings.TrimSpace(exit.Stderr)
	if reason == "" {
		reason = "the ssh command exited with status 255"
	}
	return &HostNotFoundError{Host: pipe.RemoteAddress(), Err: errors.New(reason)}
}
