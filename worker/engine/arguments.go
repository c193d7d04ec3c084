package engine

import "sync/atomic"

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
