package farend

import (
	"fmt"
	"strings"
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
	return fmt.Sprintf("execnet: host not found: %s: %s", e.Host, Text(e.Err))
}

// Unwrap returns the cause.
func (e *HostNotFoundError) Unwrap() error { return e.Err }

// Text is the text of an error for a longer text that names this module already: it leaves out each
// "execnet: ssh: " and "execnet: ".
func Text(err error) string {
	return prefixes.Replace(err.Error())
}

var prefixes = strings.NewReplacer("execnet: ssh: ", "", "execnet: ", "")

// SSHError puts "execnet: ssh: " in front of an error's text, unless that names this module already.
func SSHError(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "execnet: ") {
		return err
	}
	return Wrap("execnet: ssh", err)
}

// Wrap returns an error whose text is doing, a colon and Text(err), and whose cause is err.
func Wrap(doing string, err error) error { return &wrapped{doing + ": " + Text(err), err} }

type wrapped struct {
	text string
	err  error
}

func (e *wrapped) Error() string { return e.text }
func (e *wrapped) Unwrap() error { return e.err }
