package engine

import (
	"os"
	"sync/atomic"
)

var stdout atomic.Pointer[os.File]

// SetStdout sets what Stdout returns. The worker does that if its driver wants to see what is
// printed.
func SetStdout(f *os.File) { stdout.Store(f) }

// Stdout is where programs print to. It is nil if that is the null device.
func Stdout() *os.File { return stdout.Load() }
