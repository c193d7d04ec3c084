//go:build unix

package pipe

import (
	"os"
	"time"
)

// InterruptWrite makes the Write under way, or the next one, return farend.ErrWriteInterrupted.
// There is no such function for Windows, where a write that is cancelled does not say how much it
// has written.
func InterruptWrite(f *os.File) {
	// A file without deadlines is one that a Write never waits for.
	_ = f.SetWriteDeadline(time.Unix(1, 0))
}
