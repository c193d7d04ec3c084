package cmdline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/go-execnet/execnet/internal/errtext"
)

// PythonNotFoundError says that a spec names no interpreter and none is found on this machine, or
// that an ssh host or a container has none of the name. The public name is
// gatewayio.PythonNotFoundError.
type PythonNotFoundError struct {
	// Tried lists the names that were looked for on PATH, or the command of python=.
	Tried []string
	// Host is the ssh host as the spec names it, "container NAME" or "pod NAME", "" for this
	// machine.
	Host string
	// Says is what the shell there says, or the container's runtime; it may be "".
	Says string
	// Err is what made it known, nil for this machine.
	Err error
}

// Unwrap returns what made it known.
func (e *PythonNotFoundError) Unwrap() error { return e.Err }

// Error says where an interpreter was looked for and how to name one.
func (e *PythonNotFoundError) Error() string {
	if e.Host != "" {
		says := ""
		if e.Says != "" {
			who := "shell"
			if strings.Contains(e.Says, "exec failed: ") { // so says that of a container
				who = "runtime"
			}
			says = " (its " + who + " says: " + e.Says + ")"
		}
		return fmt.Sprintf("execnet: no Python found on %s: there is no %s%s; install Python there, or name an interpreter with python= in the spec",
			e.Host, strings.Join(e.Tried, " or "), says)
	}
	return fmt.Sprintf("execnet: no Python found: EXECNET_PYTHON is not set, and there is no %s on PATH; "+
		"install Python, set EXECNET_PYTHON to an interpreter, or name one with python= in the spec", strings.Join(e.Tried, " or "))
}

// StartError says that a command cannot be run. The public name is gatewayio.StartError.
type StartError struct {
	// Args is the command line.
	Args []string
	// Source says where the command comes from, as "python= in the spec"; it is empty when only the
	// caller knows.
	Source string
	// Err is the cause; errors.Is finds exec.ErrNotFound and the errors of package fs through it.
	Err error
}

// Error names the program, the cause and what to check.
func (e *StartError) Error() string {
	source := ""
	if e.Source != "" {
		source = " (" + e.Source + ")"
	}
	if len(e.Args) == 0 {
		return "execnet: cannot start an empty command line" + source
	}
	// The operating system's own errors repeat the path; exec.Error adds a prefix for programmers.
	reason := e.Err
	var notFound *exec.Error
	var path *fs.PathError
	if errors.As(reason, &notFound) {
		reason = notFound.Err
	} else if errors.As(reason, &path) {
		reason = path.Err
	}
	if reason == errNoWorker {
		return reason.Error()
	}
	message := fmt.Sprintf("execnet: cannot start %q%s: %s", e.Args[0], source, errtext.Of(reason))
	switch info, err := os.Stat(e.Args[0]); {
	case errors.Is(reason, errNoneInside):
		return message
	case err == nil && info.IsDir():
		return message + "; it is a folder"
	case errors.Is(reason, syscall.ENOEXEC):
		return message + "; it is a program for another kind of processor, or a script without a first line such as #!/bin/sh"
	case errors.Is(reason, fs.ErrPermission):
		return message + "; check that it is a program and may be executed"
	case errors.Is(reason, exec.ErrNotFound) || errors.Is(reason, fs.ErrNotExist):
		return message + "; check the spelling, or give the program's full path" + e.quoted()
	}
	return message
}

// quoted tells how a path with blanks is written, if the command line may have begun with one.
func (e *StartError) quoted() string {
	words := e.Args
	if end := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "-") }); end >= 0 {
		words = words[:end]
	}
	if len(words) < 2 || !strings.ContainsAny(words[0], `/\`) {
		return ""
	}
	return "; a path with blanks needs quotes: \"" + strings.Join(words, " ") + "\""
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }
