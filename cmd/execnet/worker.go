package main

import (
	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/worker"
)

// newWorker makes the command "worker", mostly for its help: with the arguments that drivers use,
// worker.ServeIfWorker in main has served already.
func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: "Be the worker of a driver, in Go instead of Python",
		Long: `Worker is started by a driver, which speaks to it over stdin and stdout:

  execnet.makegateway("popen//python=execnet worker")         in Python
  execnet.MakeGateway(ctx, "popen//python=execnet worker")    in Go

Source is run by gpython, a Python in Go; nothing else is needed on the host. It
knows less than CPython: see docs/gpython.md. A Go program of yours becomes such
a worker, with functions of its own for that source to import, by a few lines:
see the package documentation of worker.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return endWith(worker.Main()) },
	}
}

// endWith returns an error that ends the program with a status and prints nothing.
func endWith(status int) error {
	if status == 0 {
		return nil
	}
	return &exit{code: status}
}
