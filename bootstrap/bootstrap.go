// Package bootstrap speaks the first words on a fresh pipe to an interpreter: one line of Python
// that starts a worker there, answered by the byte "1" (protocol.md section 7). Then it makes the
// gateway.
//
// The worker is worker.py, this module's own, unless the spec says bootstrap=import, which uses the
// execnet package installed for that interpreter. The package corresponds to execnet's
// gateway_bootstrap.py.
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
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// Error is what Start reports when the far end did not become a worker: there is no Python there,
// it does not start, it says something else first, or the spec's chdir, nice or env cannot be had.
type Error struct {
	Spec *xspec.Spec
	// Got is what came instead of the answer "1"; empty if nothing came. At most 1 KiB of it is
	// kept.
	Got []byte
	// Exit is how the far end's process ended, and the last it said on stderr.
	Exit gatewaybase.Exit
	// Err is what writing or reading reported, nil if only Got is wrong.
	Err error
}

// Error tells what came instead of a worker's answer, how the process ended, and the last lines of
// its stderr.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execnet: gateway %s (%s) did not start: ", e.Spec.ID, e.Spec)
	switch {
	case len(e.Got) > 0:
		fmt.Fprintf(&b, "expected a Python worker's answer, got %s", quote(e.Got))
	case errors.Is(e.Err, io.EOF) && e.Spec.Self && e.Spec.Via != "":
		// A Python takes the call of firstWords for a name that it does not know.
		fmt.Fprintf(&b, `"self" starts the program of gateway %s again, which must be a Go worker, and it ended without an answer`, e.Spec.Via)
	case errors.Is(e.Err, io.EOF):
		b.WriteString("the interpreter ended without an answer")
	default:
		b.WriteString(strings.TrimPrefix(e.Err.Error(), "execnet: "))
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
	garbageWait  = 100 * time.Millisecond // how long the rest of a wrong answer is waited for
	garbageBytes = 1 << 10
	reapWait     = 2 * time.Second // how long a far end that failed may take to go after it was killed
)

// Start turns the interpreter behind pipe into a worker as spec says and returns the gateway to it,
// whose ID is spec.ID. It owns pipe: on an error, or when ctx ends first, the far end is killed and
// waited for. It reports an Error, or a gatewayio.HostNotFoundError where the ssh command says that
// it did not get to the host.
func Start(ctx context.Context, pipe gatewaybase.IO, config gatewaybase.Config) (*gatewaybase.Gateway, error) {
	if err := greet(ctx, pipe, config.Spec, nil); err != nil {
		return nil, err
	}
	return gatewaybase.New(pipe, config), nil
}

// greet makes a worker of the far end, which takes the messages of ahead as the first it gets, or
// discards the far end and tells why.
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
// raises: a *gatewayio.HostNotFoundError if it exited with status 255, else nil. The ssh command uses
// 255 for every failure of its own, so the error carries what it wrote to stderr.
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
	// A pipe that breaks while being written to belongs to a far end that is gone; why comes from
	// reading.
	var writeErr error
	for _, words := range firstWords(spec, ahead) {
		if _, writeErr = pipe.Write(words); writeErr != nil {
			break
		}
	}
	answer := make([]byte, 1, garbageBytes)
	if _, err := io.ReadFull(pipe, answer); err != nil {
		return fail(nil, err)
	}
	if answer[0] == '1' {
		if writeErr != nil { // it has not even read what to do
			return fail(nil, fmt.Errorf("it answered without reading: %w", writeErr))
		}
		return nil
	}
	timer := time.AfterFunc(garbageWait, func() { pipe.CloseRead() })
	defer timer.Stop()
	// However it ends, what was read is what the far end said.
	n, _ := io.ReadFull(pipe, answer[1:cap(answer)])
	return fail(answer[:1+n], nil)
}

// discard ends a far end that is of no use.
func discard(pipe gatewaybase.IO) {
	// Let a process that is ending by itself say how; one that is not does not read its stdin to
	// the end either.
	pipe.CloseWrite()
	ctx, cancel := context.WithTimeout(context.Background(), garbageWait)
	defer cancel()
	if pipe.Wait(ctx) == nil {
		return
	}
	// Nothing more can be done about a far end that resists.
	_ = pipe.Kill()
	pipe.CloseRead()
	ctx, cancel = context.WithTimeout(context.Background(), reapWait)
	defer cancel()
	_ = pipe.Wait(ctx)
}
