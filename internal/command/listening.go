package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker"
	"github.com/go-execnet/execnet/xspec"
)

// loopback is the address on which servers listen by default.
const loopback = "127.0.0.1"

// listenAddress reads the argument of a server: HOST:PORT, or PORT or :PORT for the loopback
// address.
func listenAddress(args []string, defaultPort string) (string, error) {
	if len(args) == 0 {
		return net.JoinHostPort(loopback, defaultPort), nil
	}
	host, port, err := net.SplitHostPort(args[0])
	if _, notNumber := strconv.ParseUint(args[0], 10, 16); notNumber == nil {
		host, port, err = "", args[0], nil
	}
	if _, notNumber := strconv.ParseUint(port, 10, 16); err != nil || notNumber != nil {
		return "", fmt.Errorf("%q is no address; write HOST:PORT, [ADDRESS]:PORT for IPv6, or PORT", args[0])
	}
	if host == "" {
		host = loopback
	}
	return net.JoinHostPort(host, port), nil
}

// addWorker adds the options of a server's workers, whose values workers takes.
func addWorker(cmd *cobra.Command, program *string, settings *worker.Config) {
	addEngine(cmd, settings)
	cmd.Flags().StringVar(program, "worker", "", "start `PROGRAM`, with arguments, for each driver: one that serves as a worker when "+
		"it is called with \"worker\" behind these (default: execnet)")
}

// workers returns the command of a server's workers: another program, or this program again.
func workers(cmd *cobra.Command, other string, settings worker.Config) (server.Command, error) {
	if settings.Engine != "" && !slices.Contains(xspec.Engines(), settings.Engine) {
		return server.Command{}, fmt.Errorf("--engine %q: there is no such engine; it is one of %s", settings.Engine, strings.Join(xspec.Engines(), ", "))
	}
	args, err := shellquote.Split(other)
	if err != nil || other != "" && len(args) == 0 {
		return server.Command{}, fmt.Errorf("--worker %q is no command", other)
	}
	if len(args) > 0 {
		if args[0], err = exec.LookPath(args[0]); err != nil {
			return server.Command{}, failure(err)
		}
	}
	command := settings.Command(args...)
	command.Stderr = cmd.ErrOrStderr()
	return command, nil
}

// listenAndServe listens, prints the address, and serves until it is interrupted. It prints
// warning, unless that is empty, if users of other machines can connect.
func listenAndServe(cmd *cobra.Command, address, warning string, serve func(context.Context, net.Listener) error) error {
	ctx, _, stop := fleet.WatchSignals(cmd.Context())
	defer stop()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return failure(err)
	}
	if bound, ok := listener.Addr().(*net.TCPAddr); ok && !bound.IP.IsLoopback() && warning != "" {
		_ = printUntil(ctx, cmd.ErrOrStderr(), fmt.Sprintf("%s: warning: %s\n", cmd.CommandPath(), warning))
	}
	if err := printUntil(ctx, cmd.OutOrStdout(), fmt.Sprintf("listening on %v\n", listener.Addr())); err != nil {
		listener.Close()
		return failure(err)
	}
	err = serve(ctx, listener)
	var interrupted *fleet.Interrupted
	switch {
	case errors.As(err, &interrupted):
		return &exit{code: 128 + int(interrupted.Signal)}
	case err != nil:
		return failure(err)
	}
	return nil
}

// printUntil prints text. When ctx ends it waits no longer for somebody to read it.
func printUntil(ctx context.Context, w io.Writer, text string) error {
	outlet := farend.NewOutlet(w)
	defer context.AfterFunc(ctx, outlet.Hurry)()
	outlet.Offer([]byte(text))
	return outlet.Flush()
}
