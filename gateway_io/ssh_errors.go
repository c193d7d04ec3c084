package gatewayio

import (
	"fmt"
	"strings"
)

// UnsupportedSSHError says that the native ssh client cannot do what an option or the configuration
// asks for. It is refused rather than left out; the spec key sshclient=openssh runs the ssh
// command, which can.
type UnsupportedSSHError struct {
	// What names the option or keyword and its value.
	What string
	// Where is the place it comes from: "ssh=", or a file and line. It may be empty.
	Where string
}

// Error implements error.
func (e *UnsupportedSSHError) Error() string {
	where := ""
	if e.Where != "" {
		where = " (" + e.Where + ")"
	}
	return fmt.Sprintf("the native ssh client does not support %s%s: remove it, or add sshclient=openssh to the spec to run the ssh command instead", e.What, where)
}

// SSHAuthError says that the host was reached and its key accepted, but that it let the user in by
// none of the ways there were.
type SSHAuthError struct {
	// Host and User are who was asked for whom.
	Host, User string
	// Tried lists what was offered, in order, as "publickey /home/me/.ssh/id_ed25519 (SHA256:...)".
	Tried []string
	// Skipped lists what was there but could not be offered, with the reason.
	Skipped []string
	// Accepts lists the methods the host still named in its last answer.
	Accepts []string
	// Err is the last error met on the way, nil if the host just said no.
	Err error
}

// Error implements error.
func (e *SSHAuthError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ssh: %s does not let %s in", e.Host, e.User)
	if len(e.Tried) == 0 {
		b.WriteString("; nothing could be tried")
	} else {
		b.WriteString("; tried " + strings.Join(e.Tried, ", "))
	}
	if len(e.Skipped) > 0 {
		b.WriteString("; not tried: " + strings.Join(e.Skipped, ", "))
	}
	if len(e.Accepts) > 0 {
		b.WriteString("; the host accepts " + strings.Join(e.Accepts, ", "))
		for _, method := range e.Accepts {
			if method == "gssapi-with-mic" || method == "hostbased" {
				b.WriteString(" (for " + method + " add sshclient=openssh to the spec)")
			}
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the last error met on the way.
func (e *SSHAuthError) Unwrap() error { return e.Err }
