package command

import (
	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/multi"
)

const noOutput = "no-output"

// addNoOutput adds the option --no-output. withGateways shows what the gateways of a command print
// if the command has it, and it is not given.
func addNoOutput(cmd *cobra.Command) {
	cmd.Flags().Bool(noOutput, false, "show nothing of what is printed to stdout there, and what is written to stderr without the gateways' ids")
}

// showOutput returns what writes the lines that a command's gateways print to stderr, as they come,
// with the gateway's id before each. It is nil if they are not to be shown.
func showOutput(cmd *cobra.Command) func(multi.Line) {
	if hidden, err := cmd.Flags().GetBool(noOutput); err != nil || hidden {
		return nil
	}
	return func(line multi.Line) {
		// An error of writing to stderr cannot be shown anywhere.
		_, _ = cmd.ErrOrStderr().Write(prefixed(line.Gateway, line.Text))
	}
}
