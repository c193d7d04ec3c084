package gpython

// How functions are made. gpython's compiler leaves out which parameters inner functions use, so
// that those find them unset, and puts decorators on the stack above the defaults and annotations,
// where they would be taken for them. Both are put right when the function is made.

import (
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// makeFunction is the instruction op, which makes a function: of the objects on top of the stack,
// the code and what goes with it, which are fixed in number, and below them defaults and
// annotations, whose numbers are in arg.
func makeFunction(op vm.OpCode, fixed int) instruction {
	return func(v *vm.Vm, arg int32) error {
		if code, ok := v.SECOND().(*py.Code); ok {
			v.SET_TOP(py.String(qualname(code)))
			// Names in brackets are those of lambdas and the like, which have no decorators.
			if arg != 0 && code.Name[0] != '<' {
				if n := decorators(machineOf(v).frame); n > 0 {
					sinkDecorators(v, fixed, n, int(arg&0xff+2*(arg>>8&0xff)+arg>>16&0x7fff))
				}
			}
			if len(code.Cellvars) > 0 && code.Cell2arg == nil {
				linkCells(code)
			}
		}
		return original[op](v, arg)
	}
}

// decorators counts the calls that follow a function's making: of one argument each, up to where
// the function is stored.
func decorators(frame *py.Frame) int {
	n := 0
	for rest := frame.Code.Code[frame.Lasti:]; len(rest) > 2 && rest[:3] == string([]byte{byte(vm.CALL_FUNCTION), 1, 0}); rest = rest[3:] {
		n++
	}
	return n
}

// sinkDecorators moves n decorators, which are below the fixed objects on top of the stack, below
// the values that are under them.
func sinkDecorators(v *vm.Vm, fixed, n, values int) {
	var all []py.Object // from the top
	for i := range n + values {
		all = append(all, v.PEEK(fixed+1+i))
	}
	for i, o := range slices.Concat(all[n:], all[:n]) {
		v.SET_VALUE(fixed+1+i, o)
	}
}

// linkCells sets for each cell, a variable that inner functions use, which parameter it begins
// with.
func linkCells(code *py.Code) {
	params := int(code.Argcount + code.Kwonlyargcount)
	if code.Flags&py.CO_VARARGS != 0 {
		params++
	}
	if code.Flags&py.CO_VARKEYWORDS != 0 {
		params++
	}
	cells := make([]byte, len(code.Cellvars))
	for i, name := range code.Cellvars {
		cells[i] = py.CO_CELL_NOT_AN_ARG
		if at := slices.Index(code.Varnames[:params], name); at >= 0 && at < py.CO_CELL_NOT_AN_ARG {
			cells[i] = byte(at)
		}
	}
	code.Cell2arg = cells
}
