package farend

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-execnet/execnet/internal/errtext"
)

// HostNotFoundError says that a gateway's host could not be reached: its name is unknown, it
// refuses the connection, no route leads to it, or it did not answer in time; its text says which
// of them. The public name is gatewayio.HostNotFoundError.
type HostNotFoundError struct {
	// Host is the host: as the spec names it, or with its port.
	Host string
	// Err is the cause. For a host that did not answer in time it is gatewaybase.ErrTimeout.
	Err error
}

// Error names the host and the cause.
func (e *HostNotFoundError) Error() string {
	var unknown *net.DNSError
	switch {
	case errors.As(e.Err, &unknown):
		return fmt.Sprintf("execnet: host not found: %s: %s", e.Host, unknown.Err)
	case errors.Is(e.Err, syscall.ECONNREFUSED), errors.Is(e.Err, connectionRefused):
		return "execnet: connection refused by " + e.hostAndPort()
	}
	return fmt.Sprintf("execnet: cannot connect to %s: %s", e.Host, errtext.Of(e.Err))
}

// connectionRefused is how Windows says that a connection is refused (WSAECONNREFUSED).
const connectionRefused = syscall.Errno(10061)

// hostAndPort is the host with the port that was tried, also where people leave it out.
func (e *HostNotFoundError) hostAndPort() string {
	var op *net.OpError
	if _, _, err := net.SplitHostPort(e.Host); err == nil || !errors.As(e.Err, &op) {
		return e.Host
	}
	address, ok := op.Addr.(*net.TCPAddr)
	if !ok {
		return e.Host
	}
	return net.JoinHostPort(strings.Trim(e.Host, "[]"), strconv.Itoa(address.Port))
}

// Unwrap returns the cause.
func (e *HostNotFoundError) Unwrap() error { return e.Err }

// exitUnreachable is the status with which the ssh command reports a failure of its own.
const exitUnreachable = 255

// HostNotFound turns the end of an ssh command that has printed nothing into the error that execnet
// raises: a *HostNotFoundError if it exited with status 255, else nil. The ssh command uses 255 for
// every failure of its own, so the error carries what it wrote to stderr.
func HostNotFound(exit Exit, host string) error {
	if !exit.Known || exit.Code != exitUnreachable || host == "" {
		return nil
	}
	reason := strings.TrimSpace(exit.Stderr)
	if reason == "" {
		reason = "the ssh command failed" + exit.String()
	}
	return &HostNotFoundError{Host: host, Err: errors.New(reason)}
}

// SSHError returns an error with the text "execnet: ssh: DOING: TEXT OF ERR", that unwraps to err.
// If doing is empty, an error that names this module already stays as it is.
func SSHError(doing string, err error) error {
	text := err.Error()
	if doing != "" {
		text = doing + ": " + strings.TrimPrefix(errtext.Of(err), "ssh: ")
	} else if strings.HasPrefix(text, "execnet: ") {
		return err
	}
	return &sshError{text, err}
}

type sshError struct {
	text string
	err  error
}

func (e *sshError) Error() string { return "execnet: ssh: " + e.text }
func (e *sshError) Unwrap() error { return e.err }
