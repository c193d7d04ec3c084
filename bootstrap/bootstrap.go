// Package bootstrap turns a fresh interpreter into a worker: it sends one line of Python, which
// starts the worker, and waits for the answer "1" ([protocol.md section 7]). [Start] and
// [StartLazily] are the driver's half, [Accept] is the half of a Go worker.
//
// The worker is worker.py, which belongs to this module, unless the spec says bootstrap=import.
// Then it is that of the execnet package that is installed for the interpreter. The package
// corresponds to execnet's gateway_bootstrap.py.
//
// [protocol.md section 7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#7-bootstrap
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// Error is the error of a far end that did not become a worker: there is no Python, it does not
// start, it prints something else first, or the spec's chdir, nice or env cannot be applied. Use
// errors.As with a *Error.
type Error struct {
	Spec *xspec.Spec
	// Got is what came instead of the answer "1", at most 1 KiB of it. It is empty if nothing came.
	Got []byte
	// Exit is how the far end's process ended, and the end of its stderr.
	Exit gatewaybase.Exit
	// Err is the error of writing or reading, nil if only Got is wrong.
	Err error
}

// Error says what came instead of a worker's answer, how the process ended, and the last lines of
// its stderr.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: gateway %s (%s) did not start: ", e.Spec.ID, e.Spec)
	switch {
	case len(e.Got) > 0:
		fmt.Fprintf(&b, "expected a Python worker's answer, got %s", quote(e.Got))
	case errors.Is(e.Err, io.EOF) && e.Spec.Self && e.Spec.Via != "":
		// To a Python the call of a Go program's first line is an unknown name.
		fmt.Fprintf(&b, `"self" starts the program of gateway %s again, which must be a Go worker, and it ended without an answer`, e.Spec.Via)
	case errors.Is(e.Err, io.EOF):
		b.WriteString("the interpreter ended without an answer")
	default:
		b.WriteString(errtext.Of(e.Err))
	}
	b.WriteString(e.Exit.String())
	b.WriteString(farend.StderrText(e.Exit.Stderr))
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func quote(got []byte) string {
	const enough = 200
	if len(got) > enough {
		got = got[:enough]
		for len(got) > 0 && !utf8.RuneStart(got[len(got)-1]) {
			got = got[:len(got)-1]
		}
		return fmt.Sprintf("%q...", got)
	}
	return fmt.Sprintf("%q", got)
}

const (
	wrongAnswerWait  = 100 * time.Millisecond // how long Start waits for the rest of a wrong answer
	wrongAnswerBytes = 1 << 10                // how much of it Start reads
	reapWait         = 2 * time.Second        // how long a killed far end may take to be gone
)

// Start turns the interpreter behind pipe into a worker, as config.Spec says, and returns the
// gateway to it. It owns pipe: on an error, or when ctx ends first, it kills the far end and waits
// for it. It returns an [Error], or a [gatewayio.HostNotFoundError] if the ssh command says that it
// did not reach the host.
func Start(ctx context.Context, pipe gatewaybase.IO, config gatewaybase.Config) (*gatewaybase.Gateway, error) {
	if err := greet(ctx, pipe, config.Spec, nil); err != nil {
		return nil, err
	}
	return gatewaybase.New(pipe, config), nil
}

// greet makes a worker of the far end. ahead holds messages that the worker takes as the first
// ones. On an error greet ends the far end.
func greet(ctx context.Context, pipe gatewaybase.IO, spec *xspec.Spec, ahead []byte) error {
	failed := handshake(ctx, pipe, spec, ahead)
	if failed == nil {
		return nil
	}
	discard(pipe)
	failed.Exit = pipe.Exit()
	if len(failed.Got) == 0 && (spec.Kind() == xspec.KindSSH || spec.Kind() == xspec.KindVagrantSSH) {
		if err := hostNotFound(failed.Exit, pipe.RemoteAddress()); err != nil {
			return err
		}
	}
	return failed
}

// sshExitUnreachable is the status with which the ssh command reports a failure of its own.
const sshExitUnreachable = 255

// hostNotFound turns the end of an ssh command that has printed nothing into the error that execnet
// raises: a *gatewayio.HostNotFoundError if it exited with status 255, else nil. The ssh command
// uses 255 for every failure of its own, so the error carries what it wrote to stderr.
func hostNotFound(exit gatewaybase.Exit, host string) error {
	if !exit.Known || exit.Code != sshExitUnreachable || host == "" {
		return nil
	}
	reason := strings.TrimSpace(exit.Stderr)
	if reason == "" {
		reason = "the ssh command failed" + exit.String()
	}
	return &gatewayio.HostNotFoundError{Host: host, Err: errors.New(reason)}
}

// handshake writes the first line and reads the answer.
func handshake(ctx context.Context, pipe gatewaybase.IO, spec *xspec.Spec, ahead []byte) *Error {
	stop := context.AfterFunc(ctx, func() {
		pipe.CloseRead()
		pipe.CloseWrite()
	})
	defer stop()
	fail := func(got []byte, err error) *Error {
		if ctx.Err() != nil {
			err = timeout.During(ctx, "no answer from the interpreter")
		}
		return &Error{Spec: spec, Got: got, Err: err}
	}
	// If the far end ends while it is written to, reading says why.
	var writeErr error
	for _, line := range firstLines(spec, ahead) {
		if _, writeErr = pipe.Write(line); writeErr != nil {
			break
		}
	}
	answer := make([]byte, 1, wrongAnswerBytes)
	if _, err := io.ReadFull(pipe, answer); err != nil {
		return fail(nil, err)
	}
	if answer[0] == '1' {
		if writeErr != nil { // it answered without having read the first line
			return fail(nil, fmt.Errorf("it answered without reading: %w", writeErr))
		}
		return nil
	}
	timer := time.AfterFunc(wrongAnswerWait, func() { pipe.CloseRead() })
	defer timer.Stop()
	// Whatever ends the read, the bytes that were read are the answer.
	n, _ := io.ReadFull(pipe, answer[1:cap(answer)])
	return fail(answer[:1+n], nil)
}

// discard ends a far end that is not used.
func discard(pipe gatewaybase.IO) {
	// A process that ends by itself has an exit status. It reads its stdin to the end, if at all.
	pipe.CloseWrite()
	ctx, cancel := context.WithTimeout(context.Background(), wrongAnswerWait)
	defer cancel()
	if pipe.Wait(ctx) == nil {
		return
	}
	// There is nothing else to do if the far end cannot be killed.
	_ = pipe.Kill()
	pipe.CloseRead()
	ctx, cancel = context.WithTimeout(context.Background(), reapWait)
	defer cancel()
	_ = pipe.Wait(ctx)
}
