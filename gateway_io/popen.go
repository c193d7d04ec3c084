package gatewayio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	shellquote "github.com/kballard/go-shellquote"

	"github.com/go-execnet/execnet/xspec"
)

// BootstrapLine is the program that a fresh interpreter is started with, as python -c takes it: it
// reads one line from stdin, which must be a Python string literal, and executes what the string
// says.
const BootstrapLine = "import sys;exec(eval(sys.stdin.readline()))"

// PythonNotFoundError says that a specification names no interpreter and none is to be found here.
type PythonNotFoundError struct {
	// Tried lists the names looked for on PATH.
	Tried []string
}

func (e *PythonNotFoundError) Error() string {
	return fmt.Sprintf("no Python found: EXECNET_PYTHON is not set, and there is no %s on PATH; "+
		"install Python, set EXECNET_PYTHON to an interpreter, or name one with python= in the spec", strings.Join(e.Tried, " or "))
}

// Popen starts the interpreter that a popen specification asks for, with the bootstrap line that
// waits for a worker's source. See PopenArgs for what is run and Start for stderr. The keys chdir,
// nice and env: are for whoever sends the worker: they are applied inside it. The error is a
// *StartError or *PythonNotFoundError, or says that no pipe could be made.
func Popen(spec *xspec.Spec, stderr io.Writer) (*Process, error) {
	argv, source, err := popenArgs(spec)
	if err != nil {
		return nil, err
	}
	p, err := Start(argv, nil, stderr)
	var failed *StartError
	if errors.As(err, &failed) {
		failed.Source = source
	}
	return p, err
}

// PopenArgs returns the command line for a popen specification: the interpreter, -u, -B for
// dont_write_bytecode, and -c with BootstrapLine. The interpreter is this program itself for self,
// otherwise the value of python=, else of the environment variable EXECNET_PYTHON, both split as a
// shell would, else python3 or python from PATH. On Windows a backslash in the value is a path's,
// not a quote. (Python's execnet takes its own interpreter when there is no python=.)
func PopenArgs(spec *xspec.Spec) ([]string, error) {
	argv, _, err := popenArgs(spec)
	return argv, err
}

func popenArgs(spec *xspec.Spec) (argv []string, source string, err error) {
	if spec.Self {
		program, err := os.Executable()
		if err != nil {
			return nil, "", &StartError{Args: os.Args[:1], Source: "self in the spec", Err: err}
		}
		return append([]string{program}, interpreterArgs(spec)...), "self in the spec", nil
	}
	argv, source, err = interpreter(spec.Python)
	if err != nil {
		return nil, "", err
	}
	return append(argv, interpreterArgs(spec)...), source, nil
}

// interpreterArgs is what stands behind the interpreter.
func interpreterArgs(spec *xspec.Spec) []string {
	if spec.DontWriteBytecode {
		return []string{"-u", "-B", "-c", BootstrapLine}
	}
	return []string{"-u", "-c", BootstrapLine}
}

func interpreter(command string) (argv []string, source string, err error) {
	source = "python= in the spec"
	if command == "" {
		command, source = os.Getenv("EXECNET_PYTHON"), "from EXECNET_PYTHON"
	}
	if command == "" {
		names := []string{"python3", "python"}
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return []string{path}, "from PATH", nil
			}
		}
		return nil, "", &PythonNotFoundError{Tried: names}
	}
	argv, err = splitCommand(command, runtime.GOOS == "windows")
	if err != nil {
		return nil, "", &StartError{Args: []string{command}, Source: source, Err: err}
	}
	if len(argv) == 0 {
		return nil, "", &StartError{Source: source, Err: exec.ErrNotFound}
	}
	return argv, source, nil
}

// splitCommand splits as a shell does. For Windows it turns backslashes into slashes first, as
// execnet does, so that they survive; Windows takes either in a path.
func splitCommand(command string, windows bool) ([]string, error) {
	if windows {
		command = strings.ReplaceAll(command, `\`, "/")
	}
	return shellquote.Split(command)
}
