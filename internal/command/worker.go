package command

import (
	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/worker"
)

// newWorker makes the command "worker", mostly for its help: with the arguments that drivers use,
// worker.ServeIfWorker in main has served already.
func newWorker() *cobra.Command {
	var settings worker.Config
	var connect bool
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Be the worker of a driver, in Go instead of Python",
		Long: `Worker is started by a driver, which speaks to it over stdin and stdout:

  execnet.makegateway("popen//python=execnet worker")         in Python
  execnet.MakeGateway(ctx, "popen//python=execnet worker")    in Go

With --connect it connects to the driver instead, as the variable EXECNET_LAUNCH
says. So the workers of launch=COMMAND//self do, and those that a script starts
for a launch=.

Source is run by gpython, a Python in Go that needs nothing on the host, if that
does all of it exactly as CPython, and else by a CPython that the worker starts
beside itself, if there is one; docs/workers.md tells more. --engine and
EXECNET_ENGINE choose one of them for all source.

A Go program of yours becomes such a worker, with functions of its own for that
source to import, by a few lines: see the package documentation of worker.`,
		Example: `  execnet exec --tx 'popen//python=execnet worker --engine gpython' -c 'channel.send(1 + 1)'`,
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return endWith(settings.Main()) },
	}
	addEngine(cmd, &settings)
	cmd.Flags().BoolVar(&connect, "connect", false, "connect to the driver that a launch= belongs to")
	return cmd
}

// addEngine adds the options of worker.Config.
func addEngine(cmd *cobra.Command, settings *worker.Config) {
	cmd.Flags().StringVar(&settings.Engine, "engine", "", "what runs Python source in a worker: auto, gpython or `cpython` (default: what EXECNET_ENGINE says, else auto)")
	cmd.Flags().StringVar(&settings.Site, "site", "", "a `FOLDER` of packages for that CPython, or several as in PATH (default: what EXECNET_SITE says)")
	cmd.Flags().StringVar(&settings.Python, "python", "", "the `COMMAND` of the CPython that a worker starts (default: what EXECNET_PYTHON says, else python3 or python, else the one inside execnet-full, which is called embedded)")
}

// endWith returns an error that ends the program with a status and prints nothing.
func endWith(status int) error {
	if status == 0 {
		return nil
	}
	return &exit{code: status}
}
