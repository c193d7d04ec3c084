package command

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/version"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), programVersion())
			return nil
		},
	}
}

// programVersion is the program's version, and what it was built with and for.
func programVersion() string {
	return fmt.Sprintf("execnet %s %s %s/%s", version.Program(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
