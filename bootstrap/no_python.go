package bootstrap

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/xspec"
)

// The statuses with which the shells of Unix end a command that they do not find, or whose loader
// they do not find, and one that the system does not run.
const (
	exitNotFound  = 127
	exitNoProgram = 126
)

// notFoundText is how csh, fish, sudo and the shells of Windows say that they do not find a
// command, and the runtimes of containers. The status is 1 or something else then.
var notFoundText = regexp.MustCompile(`(?i)command not found|unknown command|is not recognized|was not found|executable file not found|stat \S+: no such file`)

// pythonNotFound turns the end of a command on an ssh host that has printed nothing into a
// *gatewayio.PythonNotFoundError if the host's shell has not found the interpreter, else nil.
func pythonNotFound(failed *Error, host string) error {
	if len(failed.Got) > 0 || !errors.Is(failed.Err, io.EOF) || !failed.Exit.Known || failed.Exit.Code == 0 {
		return nil
	}
	if strings.Contains(failed.Exit.Stderr, "execnet sshserver: ") {
		return nil // it answers with a shell's status, and says why
	}
	says := ""
	for line := range strings.Lines(failed.Exit.Stderr) {
		if notFoundText.MatchString(line) && namesInterpreter(line, failed.Spec) {
			says = strings.TrimSpace(line)
			break
		}
	}
	if failed.Exit.Code != exitNotFound && says == "" {
		return nil
	}
	if says == "" {
		says, _, _ = strings.Cut(strings.TrimSpace(failed.Exit.Stderr), "\n")
	}
	tried := []string{"python3", "python"}
	if failed.Spec.Python != "" {
		tried = []string{failed.Spec.Python}
	}
	return &cmdline.PythonNotFoundError{Tried: tried, Host: host, Says: strings.TrimSpace(says), Err: failed}
}

// containerFailed turns the end of a docker, podman or kubectl command into what it means: a
// *gatewayio.ContainerError, or a *gatewayio.PythonNotFoundError, else nil. docker prints to stdout
// what it says of a program that there is not.
func containerFailed(failed *Error) error {
	command, name := cmdline.ContainerOf(failed.Spec)
	if command == "" || !errors.Is(failed.Err, io.EOF) {
		return nil
	}
	all := *failed
	all.Exit.Stderr = strings.TrimLeft(string(failed.Got)+"\n"+failed.Exit.Stderr, "\n")
	all.Got = nil
	if err := farend.ContainerFailed(all.Exit, command, name, failed); err != nil {
		return err
	}
	if failed.Spec.Self {
		return nil
	}
	return pythonNotFound(&all, farend.ContainerThing(command, name))
}

// namesInterpreter reports whether a line of a shell speaks of a command that was to be run: one of
// the words of python=, or without that sh and the names that its script looks for.
func namesInterpreter(line string, spec *xspec.Spec) bool {
	words := strings.Fields(spec.Python)
	if len(words) == 0 {
		words = []string{"python", "sh"}
	}
	for _, word := range words {
		if strings.Contains(strings.ToLower(line), strings.ToLower(strings.Trim(word, `"'`))) {
			return true
		}
	}
	return false
}
