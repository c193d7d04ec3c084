package gpython

import (
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// decorateWithDefaults lets decorated functions have defaults and annotations: gpython's compiler
// puts the decorators on the stack above them, where the decorators would be taken for them.
func decorateWithDefaults() {
	for op, fixed := range map[vm.OpCode]int{vm.MAKE_FUNCTION: 2, vm.MAKE_CLOSURE: 3} {
		run := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, arg int32) error {
			// Names in brackets are those of lambdas and the like, which have no decorators.
			if code, ok := v.SECOND().(*py.Code); ok && arg != 0 && code.Name[0] != '<' {
				if n := decorators(machineOf(v).frame); n > 0 {
					sink(v, fixed, n, int(arg&0xff+2*(arg>>8&0xff)+arg>>16&0x7fff))
				}
			}
			return run(v, arg)
		}
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

// sink moves n objects, which are below the fixed ones on top of the stack, below the values that
// are under them.
func sink(v *vm.Vm, fixed, n, values int) {
	var all []py.Object // from the top
	for i := range n + values {
		all = append(all, v.PEEK(fixed+1+i))
	}
	for i, o := range slices.Concat(all[n:], all[:n]) {
		v.SET_VALUE(fixed+1+i, o)
	}
}
