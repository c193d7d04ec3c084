package pipe

import (
	"errors"
	"os"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// Write writes b to a file whose Write may be interrupted by InterruptWrite.
func Write(f *os.File, b []byte) (int, error) {
	n, err := f.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// If it fails, so does the next Write.
		_ = f.SetWriteDeadline(time.Time{})
		return n, farend.ErrWriteInterrupted
	}
	return n, err
}
