//go:build unix

package pipes

import (
	"os"

	"github.com/go-execnet/execnet/internal/pipe"
)

func newPipe() (r, w *os.File, err error) { return os.Pipe() }

// InterruptWrite implements farend.WriteInterrupter.
func (e *Interruptible) InterruptWrite() { pipe.InterruptWrite(e.w) }
