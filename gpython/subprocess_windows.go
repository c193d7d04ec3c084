package gpython

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/internal/process"
)

// keepDescriptors has nothing to do: handles are inherited only where that is asked for.
func keepDescriptors() {}

// childAttributes refuses what Windows has not.
func childAttributes(session bool, group int) (*syscall.SysProcAttr, error) {
	if session || group >= 0 {
		return nil, py.ExceptionNewf(py.ValueError, "sessions and process groups are not supported on Windows platforms")
	}
	return nil, nil
}

// signalProcess ends the process: Windows has no other signal.
func signalProcess(p *os.Process, _ int) error { return process.Kill(p) }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

// lookUp finds a program in the folders of PATH.
func lookUp(name string, _ []string) (string, error) {
	found, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		err = syscall.ERROR_FILE_NOT_FOUND
	}
	return found, err
}
