// Package bootstrap turns a fresh interpreter into a worker: it sends one line of Python, which
// starts the worker, and waits for the answer: "1" and a token that the line contains
// ([protocol.md section 7]). [Start] and [StartLazily] are the driver's half, [Accept] is the half
// of a Go worker.
//
// The worker is the one in worker/, which belongs to this module, unless the spec says
// bootstrap=import. Then it is that of the execnet package that is installed for the interpreter.
// The package corresponds to execnet's gateway_bootstrap.py.
//
// [protocol.md section 7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#7-bootstrap
package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/xspec"
)

// Error is the error of a far end that did not become a worker: there is no Python, it does not
// start, it prints something else first, or the spec's chdir, nice or env cannot be applied. Use
// errors.As with a *Error.
type Error struct {
	Spec *xspec.Spec
	// Got is what came instead of the answer, at most the first 1 KiB of it. It is empty if nothing
	// came.
	Got []byte
	// Exit is how the far end's process ended, and the end of its stderr.
	Exit gatewaybase.Exit
	// called is what the text calls a worker behind a Go worker.
	called string
	// Err is why no answer can come any more: the error of reading (io.EOF if the far end has ended
	// its output), gatewaybase.ErrTimeout or another reason why ctx ended. It is nil if Got alone
	// tells that.
	Err error
}

// Error says what came instead of a worker's answer, how the process ended, and the last lines of
// its stderr.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: %s did not start: ", cmp.Or(e.called, fmt.Sprintf("gateway %s (%s)", e.Spec.ID, e.Spec)))
	switch {
	case len(e.Got) > 0:
		fmt.Fprintf(&b, "expected a Python worker's answer, got %s", quote(e.Got))
		switch {
		case errors.Is(e.Err, io.EOF):
			b.WriteString(", then the end of its output")
		case e.Err != nil:
			b.WriteString("; " + errtext.Of(e.Err))
		}
	case errors.Is(e.Err, io.EOF) && e.Spec.Self:
		b.WriteString("the program ended without an answer")
	case errors.Is(e.Err, io.EOF):
		b.WriteString("the interpreter ended without an answer")
	default:
		b.WriteString(errtext.Of(e.Err))
	}
	b.WriteString(e.Exit.String())
	ended := errors.Is(e.Err, io.EOF)
	if hint := cmdline.Hint(e.Spec, ended); hint != "" && e.Err != nil {
		b.WriteString("; " + hint)
	} else if strings.Contains(e.Exit.Stderr, noEnv) {
		b.WriteString("; env: with TZ, LANG, PYTHON... and others that count when a program starts needs the program env in the pod")
	} else if len(e.Got) == 0 && ended && e.Exit.Known && e.Exit.Signal == nil && !e.Spec.Self {
		b.WriteString("; it has to be Python 2.7, or 3.6 or newer")
	}
	if e.Spec.Self {
		b.WriteString(whyNoWorker(e.Exit))
	}
	b.WriteString(farend.StderrText(e.Exit.Stderr))
	return b.String()
}

// noEnv is how the runtimes of containers say that there is no env(1), which is in front of the
// interpreter of a kubectl= spec with such variables.
const noEnv = `exec: "env": executable file not found`

// needsLibraries is how the linkers of Linux, macOS and the BSDs say that they do not find a
// library, or not in the version that a program was linked against.
var needsLibraries = regexp.MustCompile(`error while loading shared libraries|GLIBC_\d|Library not loaded|Shared object .* not found|symbol not found|required file not found`)

// whyNoWorker guesses from its end why a program that was started by self has not become a worker.
func whyNoWorker(exit gatewaybase.Exit) string {
	switch {
	case exit.Known && exit.Code == exitNotFound || needsLibraries.MatchString(exit.Stderr):
		return "; it is linked against libraries that are not there: build it with CGO_ENABLED=0"
	case exit.Known && exit.Code == exitNoProgram:
		return "; the system there does not run it"
	case strings.Contains(exit.Stderr, "execnet: ") || strings.Contains(exit.Stderr, "panic: "):
		return "" // it says why
	}
	return "; it has to call worker.ServeIfWorker() at the top of main"
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func quote(got []byte) string {
	const enough = 600
	if len(got) > enough {
		got = got[:enough]
		for len(got) > 0 && !utf8.RuneStart(got[len(got)-1]) {
			got = got[:len(got)-1]
		}
		return fmt.Sprintf("%q...", got)
	}
	return fmt.Sprintf("%q", got)
}

// Start turns the interpreter behind pipe into a worker, as config.Spec says, and returns the
// gateway to it. It owns pipe: on an error, or when ctx ends first, it kills the far end and waits
// for it. It returns an [Error], a [gatewayio.HostNotFoundError] if the ssh command says that it
// did not reach the host, a [gatewayio.ContainerError] if docker, podman or kubectl says that
// nothing can be run in the container, or a [gatewayio.PythonNotFoundError] if an ssh host or a
// container has no such interpreter.
func Start(ctx context.Context, pipe gatewaybase.IO, config gatewaybase.Config) (*gatewaybase.Gateway, error) {
	if err := greet(ctx, pipe, config, more{output: config.Output}); err != nil {
		return nil, err
	}
	config.Windows = config.Spec.Bootstrap != "import"
	return gatewaybase.New(pipe, config), nil
}
