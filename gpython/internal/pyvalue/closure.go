package pyvalue

import (
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// replaceFunctions makes parameters that inner functions use reach them: gpython's compiler does
// not say in a code object which of its cells are parameters, so that the cells stay empty.
func replaceFunctions() {
	for _, op := range []vm.OpCode{vm.MAKE_FUNCTION, vm.MAKE_CLOSURE} {
		run := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, arg int32) error {
			if code, ok := v.SECOND().(*py.Code); ok && len(code.Cellvars) > 0 && code.Cell2arg == nil {
				linkCells(code)
			}
			return run(v, arg)
		}
	}
}

// linkCells sets for each cell which parameter it begins with.
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
