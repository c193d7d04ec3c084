package command

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// addImport adds the option --import, whose values openFolders takes.
func addImport(cmd *cobra.Command, folders *[]string) {
	cmd.Flags().StringArrayVar(folders, "import", nil, "let the interpreters import the Python modules and packages in the folder `DIR` of this machine, "+
		"and read the other files in it; nothing is installed there; may be repeated, and the first comes first")
	_ = cmd.MarkFlagDirname("import") // it fails only if there is no such option
}

// openFolders returns folders as file systems.
func openFolders(names []string) (all []fs.FS, err error) {
	for _, name := range names {
		info, err := os.Stat(name)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", name)
		}
		if err != nil {
			return nil, failure(fmt.Errorf("--import: %w", err))
		}
		all = append(all, os.DirFS(name))
	}
	return all, nil
}
