package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/command/internal/prompt"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// errTimeLimit is the cause of a context's end when the time of --timeout has passed.
var errTimeLimit = errors.New("the time is over")

// gatewayOptions say how withGateways starts gateways.
type gatewayOptions struct {
	limit time.Duration // for everything; 0 means none
	// together says that nothing is done unless all gateways have started. Otherwise those that
	// failed are among the members.
	together bool
	imports  []fs.FS // whose modules all of them can import
	// prepare, unless it is nil, gets the group before it has gateways.
	prepare func(*multi.Group)
	// asksLater says that hosts may ask for passwords after the starts, too.
	asksLater bool
}

// withGateways starts gateways, calls use, ends the gateways, and returns an error with the exit
// code if anything failed. use returns the exit code for what it has done; cancel ends it early.
//
// When the user interrupts, or the time is over, use may be left behind while it still waits for
// somebody to read what it prints.
func withGateways(cmd *cobra.Command, specs []*xspec.Spec, options gatewayOptions,
	use func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) (code int)) error {
	ctx, second, stop := fleet.WatchSignals(cmd.Context())
	defer stop()
	if options.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, options.limit, errTimeLimit)
		defer cancel()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	// As a rule there is nothing to ask after the starts.
	asking, stopAsking := context.WithCancel(ctx)
	ssh, settle := prompt.SSH(asking)
	defer func() { stopAsking(); settle() }()
	group := &multi.Group{Stderr: cmd.ErrOrStderr(), SSH: ssh, Output: showOutput(cmd)}
	if options.prepare != nil {
		options.prepare(group)
	}
	for _, fsys := range options.imports {
		if err := group.ImportFS(ctx, fsys); err != nil {
			return failure(err)
		}
	}
	unanswered := unanswered{specs: slices.Clone(specs)}
	used := make(chan int, 1)
	go func() {
		members := fleet.Start(ctx, unanswered.making(group.MakeGatewaySpec), specs, options.together)
		if !options.asksLater {
			stopAsking()
		}
		code := 0
		if !reportStarts(ctx, cmd, members) {
			code = exitFailure
		}
		if ctx.Err() == nil && (code == 0 || !options.together) {
			code = max(code, use(ctx, cancel, members))
		}
		used <- code
	}()
	code, _ := fleet.Await(ctx, second, used)
	cause := context.Cause(ctx) // of what happens from here on, nothing changes the exit code
	if err := fleet.End(ctx, second, group); err != nil {
		return failure(err)
	}

	var interrupted *fleet.Interrupted
	switch {
	case errors.As(cause, &interrupted):
		return &exit{code: 128 + int(interrupted.Signal)}
	case errors.Is(cause, errTimeLimit):
		return &exit{code: exitTimeout, err: fmt.Errorf("not done after %v (--timeout)%s", options.limit, unanswered.text())}
	case isBrokenPipe(cause):
		return &exit{code: exitPipe}
	case cause != nil:
		return failure(cause)
	case code != 0:
		return &exit{code: code}
	}
	return nil
}

// reportStarts prints which gateways did not start, and reports whether all have.
func reportStarts(ctx context.Context, cmd *cobra.Command, members []fleet.Member) bool {
	ok := true
	for _, m := range members {
		if m.Err != nil {
			ok = false
			if !errors.Is(m.Err, fleet.ErrOtherFailed) && !fleet.Settled(ctx, m.Err) {
				cmd.ErrOrStderr().Write(prefixed(m.Spec.ID, startError(m)))
			}
		}
	}
	return ok
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
	var noPython *gatewayio.PythonNotFoundError
	var noContainer *gatewayio.ContainerError
	var notLaunched *gatewayio.LaunchError
	switch {
	case errors.As(err, &notLaunched):
		bare := *notLaunched
		bare.Exit.Stderr = ""
		err = &bare
	case errors.As(err, &noContainer):
		err = noContainer // its cause is a *bootstrap.Error
	case errors.As(err, &noPython):
		err = noPython // its cause is a *bootstrap.Error
	case errors.As(err, &died):
		bare := *died
		bare.Exit.Stderr = ""
		return strings.Replace(errtext.Of(err), errtext.Of(died), errtext.Of(&bare), 1)
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

// addEnv adds the option --env, whose values txspec.SetEnv takes.
func addEnv(cmd *cobra.Command, variables *[]string) {
	cmd.Flags().StringArrayVar(variables, "env", nil, "set an environment variable, as `NAME=VALUE`, for each interpreter whose "+
		"SPEC does not set it itself; may be repeated")
}

// readAll reads stdin.
func readAll(cmd *cobra.Command) ([]byte, error) {
	data, err := io.ReadAll(cmd.InOrStdin())
	if err != nil {
		return nil, failure(fmt.Errorf("cannot read stdin: %w", err))
	}
	return data, nil
}
