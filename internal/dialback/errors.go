package dialback

import (
	"fmt"
	"strings"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
)

// Error says why a worker of a launch has not come. The public name is gatewayio.LaunchError.
type Error struct {
	// Launcher is the command of launch=, or the srun of slurm=.
	Launcher string
	// N is how many workers the launch has, and Missing are the ranks of those that had not
	// connected.
	N       int
	Missing []int
	// Address is where workers find this process.
	Address string
	// Refused says how many other connections were refused, and why the last one; it is "" if there
	// were none.
	Refused string
	// Exit is how the launcher has ended, if it has, and the end of what it and the workers have
	// printed.
	Exit farend.Exit
	// Err is why no worker is waited for any more: timeout.Err, another reason why a context has
	// ended, or [ErrEnded].
	Err error
}

// Error says how many workers there were, which are missing, and what may be wrong.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("execnet: ")
	if e.N == 1 {
		fmt.Fprintf(&b, "the worker that %q should start has not connected", e.Launcher)
	} else {
		fmt.Fprintf(&b, "%d of %d workers that %q should start have connected (missing: rank %s)",
			e.N-len(e.Missing), e.N, e.Launcher, ranks(e.Missing))
	}
	b.WriteString(": " + errtext.Of(e.Err) + e.Exit.String())
	if isLoopback(e.Address) {
		fmt.Fprintf(&b, "; this process listens at %s, which only this machine reaches: for workers elsewhere write listen=ADDRESS in the spec", e.Address)
	}
	if e.Refused != "" {
		b.WriteString("; " + e.Refused)
	}
	b.WriteString(farend.StderrText(e.Exit.Stderr))
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// shownRanks is how many ranks a text names.
const shownRanks = 10

// ranks lists ranks for people.
func ranks(all []int) string {
	var words []string
	for i, rank := range all {
		if i == shownRanks {
			words = append(words, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		words = append(words, fmt.Sprint(rank))
	}
	return strings.Join(words, ", ")
}
