package gpython

import (
	"os"

	"github.com/go-python/gpython/py"
)

// shellCommand is how Windows runs a command that is one text.
func shellCommand(command string) []string {
	shell := os.Getenv("COMSPEC")
	if shell == "" {
		shell = `C:\Windows\System32\cmd.exe`
	}
	return []string{shell, "/c", command}
}

// waitStatus is what os.system returns: the exit status.
func waitStatus(state *os.ProcessState) int { return state.ExitCode() }

// addUnixFunctions adds nothing.
func (in *interp) addUnixFunctions(py.StringDict) {}

func rename(from, to string) error { return os.Rename(from, to) }
