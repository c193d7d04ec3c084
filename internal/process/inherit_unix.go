//go:build unix

package process

import (
	"os"
	"os/exec"
)

// inherit has a command inherit files, as its descriptors 3, 4 and so on.
func inherit(cmd *exec.Cmd, files []*os.File) error {
	cmd.ExtraFiles = files
	return nil
}
