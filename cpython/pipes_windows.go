package cpython

import (
	"fmt"
	"os"

	"github.com/go-execnet/execnet/internal/pipe"
)

// toRead makes the pipe over which calls come. Its Close ends a Read.
func toRead() (ours, theirs *os.File, wake func(), err error) {
	ours, theirs, err = pipe.New(false)
	return ours, theirs, nil, err
}

// arguments are the handles, which have the same values in every process that inherits them.
func (p pipes) arguments() string { return fmt.Sprintf("%d, %d", p.read.Fd(), p.write.Fd()) }

// takeDescriptor is Python source that makes an inherited file the descriptor to.
func takeDescriptor(_ int, f *os.File, to int) string {
	return fmt.Sprintf("\nos.dup2(__import__('msvcrt').open_osfhandle(%d, 0), %d)\n", f.Fd(), to)
}
