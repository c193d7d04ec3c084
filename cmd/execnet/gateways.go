package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/bootstrap"
	"github.com/go-execnet/execnet/cmd/execnet/internal/fleet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// errTimeLimit is the cause of a context's end when the time of --timeout has passed.
var errTimeLimit = errors.New("the time is over")

// withGateways starts gateways, calls use, ends the gateways, and returns an error with the exit
// code if anything failed. use reports whether all succeeded; cancel ends it early. With together,
// use is not called unless all gateways have started.
func withGateways(cmd *cobra.Command, specs []*xspec.Spec, limit time.Duration, together bool,
	use func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) bool) error {
	ctx, second, stop := fleet.WatchSignals(cmd.Context())
	defer stop()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errTimeLimit)
		defer cancel()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	group := &multi.Group{Stderr: cmd.ErrOrStderr()}
	members := fleet.Start(ctx, group.MakeGatewaySpec, specs, together)
	ok := true
	for _, m := range members {
		if m.Err != nil {
			ok = false
			if !errors.Is(m.Err, fleet.ErrOtherFailed) && !fleet.Settled(ctx, m.Err) {
				cmd.ErrOrStderr().Write(prefixed(m.Spec.ID, startError(m)))
			}
		}
	}
	if ctx.Err() == nil && (ok || !together) {
		ok = use(ctx, cancel, members) && ok
	}
	cause := context.Cause(ctx) // of what happens from here on, nothing changes the exit code
	if err := fleet.End(ctx, second, group); err != nil {
		return failure(err)
	}

	var interrupted *fleet.Interrupted
	switch {
	case errors.As(cause, &interrupted):
		return &exit{code: 128 + int(interrupted.Signal)}
	case errors.Is(cause, errTimeLimit):
		return &exit{code: exitTimeout, err: fmt.Errorf("not done after %v (--timeout)", limit)}
	case isBrokenPipe(cause):
		return &exit{code: exitPipe}
	case cause != nil:
		return failure(cause)
	case !ok:
		return &exit{code: exitFailure}
	}
	return nil
}

// startError returns the text of why a gateway did not start, which always contains its spec.
func startError(m fleet.Member) string {
	text := plainError(m.Err)
	if !strings.Contains(text, m.Spec.String()) {
		text = fmt.Sprintf("cannot start %s: %s", m.Spec, text)
	}
	return text
}

// plainError returns an error's text without "execnet: " and without what workers have written to
// stderr, since that is on stderr already.
func plainError(err error) string {
	var died *gatewaybase.GatewayDiedError
	var wrong *bootstrap.Error
	switch {
	case errors.As(err, &died):
		bare := *died
		bare.Exit.Stderr = ""
		err = &bare
	case errors.As(err, &wrong):
		bare := *wrong
		bare.Exit.Stderr = ""
		err = &bare
	}
	return errtext.Of(err)
}

// prefixed puts a gateway's id before each line.
func prefixed(id, text string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprintf(&b, "[%s] %s", id, line)
	}
	return b.Bytes()
}

// addTimeout adds the option --timeout, whose value withGateways takes as its limit.
func addTimeout(cmd *cobra.Command, limit *time.Duration) {
	cmd.Flags().DurationVar(limit, "timeout", 0, "give up after this `time`, such as 30s or 5m, and exit with 124 (default: never)")
}

func checkTimeout(limit time.Duration) error {
	if limit < 0 {
		return fmt.Errorf("--timeout %v: it cannot be negative", limit)
	}
	return nil
}

// readAll reads stdin.
func readAll(cmd *cobra.Command) ([]byte, error) {
	data, err := io.ReadAll(cmd.InOrStdin())
	if err != nil {
		return nil, failure(fmt.Errorf("cannot read stdin: %w", err))
	}
	return data, nil
}
