//go:build !windows

package command

import (
	"errors"
	"syscall"
)

// isBrokenPipe reports whether writing failed because the reader has closed the pipe.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
