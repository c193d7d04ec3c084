package farend

import (
	"fmt"
	"strings"

	"github.com/go-execnet/execnet/internal/errtext"
)

// HostNotFoundError says that a gateway's host could not be reached: its name is unknown, it
// refuses the connection, no route leads to it, or it did not answer in time. The public name is
// gatewayio.HostNotFoundError.
type HostNotFoundError struct {
	// Host is the host: as the spec names it, or with its port.
	Host string
	// Err is the cause. For a host that did not answer in time it is gatewaybase.ErrTimeout.
	Err error
}

// Error names the host and the cause.
func (e *HostNotFoundError) Error() string {
	return fmt.Sprintf("execnet: host not found: %s: %s", e.Host, errtext.Of(e.Err))
}

// Unwrap returns the cause.
func (e *HostNotFoundError) Unwrap() error { return e.Err }

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
