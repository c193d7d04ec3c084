//go:build unix

package process

import (
	"errors"
	"os"
)

// Kill ends a process by force. A process that has ended is no error.
func Kill(p *os.Process) error {
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
