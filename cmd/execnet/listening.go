package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/cmd/execnet/internal/fleet"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/worker"
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

// addWorker adds the option --worker, whose value workers takes.
func addWorker(cmd *cobra.Command, program *string) {
	cmd.Flags().StringVar(program, "worker", "", "start `PROGRAM`, with arguments, for each driver: one that serves as a worker when "+
		"it is called with \"worker\" behind these (default: execnet)")
}

// workers returns the command of a server's workers: another program, or this program again.
func workers(cmd *cobra.Command, other string) (server.Command, error) {
	args, err := shellquote.Split(other)
	if err != nil || other != "" && len(args) == 0 {
		return server.Command{}, fmt.Errorf("--worker %q is no command", other)
	}
	if len(args) > 0 {
		if args[0], err = exec.LookPath(args[0]); err != nil {
			return server.Command{}, failure(err)
		}
	}
	command := worker.Command(args...)
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
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s\n", cmd.CommandPath(), warning)
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "listening on %v\n", listener.Addr()); err != nil {
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
