package engine

// What the worker tells its engines of every program: sys.argv, and where it prints to.

import (
	"os"
	"sync/atomic"
)

var arguments atomic.Pointer[[]string]

// SetArguments sets what Arguments returns. A driver asks for it: the command "execnet exec", whose
// arguments behind -- are for the program.
func SetArguments(argv []string) { arguments.Store(&argv) }

// Arguments is what programs are to find in sys.argv: the name of the program and its arguments. It
// is one empty text unless SetArguments was called.
func Arguments() []string {
	if argv := arguments.Load(); argv != nil {
		return *argv
	}
	return []string{""}
}

var stdout atomic.Pointer[os.File]

// SetStdout sets what Stdout returns. The worker does that if its driver wants to see what is
// printed.
func SetStdout(f *os.File) { stdout.Store(f) }

// Stdout is where programs print to. It is nil if that is the null device.
func Stdout() *os.File { return stdout.Load() }
