package gatewayio

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
)

// StartError is what Start and Popen return for a command that cannot be run.
type StartError struct {
	// Args is the command line.
	Args []string
	// Source says where the command comes from, as "python= in the spec"; it is empty when only the
	// caller knows.
	Source string
	// Err is the reason; errors.Is finds exec.ErrNotFound and the errors of package fs through it.
	Err error
}

func (e *StartError) Error() string {
	if len(e.Args) == 0 {
		return "cannot start an empty command line" + e.from()
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
	message := fmt.Sprintf("cannot start %q%s: %v", e.Args[0], e.from(), reason)
	switch {
	case errors.Is(reason, fs.ErrPermission):
		return message + "; check that it is a program and may be executed"
	case errors.Is(reason, exec.ErrNotFound) || errors.Is(reason, fs.ErrNotExist):
		return message + "; check the spelling, or give the program's full path"
	}
	return message
}

func (e *StartError) from() string {
	if e.Source == "" {
		return ""
	}
	return " (" + e.Source + ")"
}

func (e *StartError) Unwrap() error { return e.Err }
