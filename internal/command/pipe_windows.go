package command

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isBrokenPipe reports whether writing failed because the reader has closed the pipe.
func isBrokenPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}
