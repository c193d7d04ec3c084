package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

// NewRoot makes the command execnet with all that stands below it.
func NewRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "execnet",
		Short: "Run Python source in other interpreters",
		Long: `Execnet starts Python interpreters, runs source in them and prints what they
send back. The interpreters need nothing installed: Python 2.7 or 3.6 and later
is enough.

The source finds a variable named channel: channel.send(value) hands a value
out, channel.receive() waits for the next one that comes in.

Exit codes: 0 all went well; 1 the remote code or an interpreter failed; 2 the
command line was wrong; 124 --timeout was over; 130 and 143 it was interrupted
(Ctrl-C, SIGTERM); 141 nobody read its output any more. Source that exec runs,
and functions that call calls, can choose another by sys.exit.`,
		Example: `  execnet exec -c 'channel.send(1 + 1)'
  execnet exec --tx popen//python=python3.8 --tx popen//python=python3.13 -c 'import sys; channel.send(sys.version)'
  execnet call math.gcd 42 30
  execnet info 'popen//python=python2.7'`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.Version = programVersion()
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().Bool("version", false, "print the version of this program")
	root.AddCommand(newExec(), newCall(), newInfo(), newRsync(), newDeploy(), newPytest(), newDumps(), newLoads())
	root.AddCommand(newWorker(), newSocketServer(), newSSHServer())
	root.AddCommand(newVersion(), helpJSON(), helpSpecs())
	return root
}

// noArguments is cobra.NoArgs with a message that fits, for commands that take only options.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, and %q is one", cmd.CommandPath(), args[0])
	}
	return nil
}
