package gpython

import (
	"unsafe"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	// Changes the jump table as well, and must have done so before.
	_ "github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// jumpTable is what gpython's interpreter looks opcodes up in; see package pyvalue.
//
//go:linkname jumpTable github.com/go-python/gpython/vm.jumpTable
var jumpTable [256]func(*vm.Vm, int32) error

// machine is vm.Vm as gpython 0.2.0 declares it, whose fields are not exported. A test compares the
// two.
type machine struct {
	frame    *py.Frame
	extended bool
	ext      int32
	retval   py.Object
	why      byte
	curexc   py.ExceptionInfo // what is being raised
	exc      py.ExceptionInfo // what is being handled
	context  py.Context
}

func machineOf(v *vm.Vm) *machine { return (*machine)(unsafe.Pointer(v)) }

// handled is the exception that the frame is handling, or nil.
func (m *machine) handled() *py.Exception {
	if m.exc.Type == nil {
		return nil
	}
	e, _ := m.exc.Value.(*py.Exception)
	return e
}

// plain are the opcodes that cannot raise anything.
var plain = map[vm.OpCode]bool{
	vm.POP_TOP: true, vm.ROT_TWO: true, vm.ROT_THREE: true, vm.DUP_TOP: true, vm.DUP_TOP_TWO: true, vm.NOP: true,
	vm.BREAK_LOOP: true, vm.CONTINUE_LOOP: true, vm.RETURN_VALUE: true, vm.YIELD_VALUE: true, vm.POP_BLOCK: true,
	vm.STORE_NAME: true, vm.STORE_GLOBAL: true, vm.STORE_FAST: true, vm.LOAD_CONST: true, vm.BUILD_TUPLE: true,
	vm.BUILD_LIST: true, vm.BUILD_SLICE: true, vm.JUMP_FORWARD: true, vm.JUMP_ABSOLUTE: true, vm.SETUP_LOOP: true,
	vm.SETUP_EXCEPT: true, vm.SETUP_FINALLY: true, vm.LOAD_CLOSURE: true, vm.STORE_DEREF: true, vm.MAKE_FUNCTION: true,
	vm.MAKE_CLOSURE: true, vm.EXTENDED_ARG: true, vm.LOAD_BUILD_CLASS: true, vm.END_FINALLY: true, vm.POP_EXCEPT: true,
}

func init() {
	namespacesOfExec()
	exceptionOfFrame()
	decorateWithDefaults()
	typeFunction()
	guardTypes()
	readAttrs()
	dottedDecorators()
	betterMessages()
	keepTracebacks()
	yieldFrom()
	throwing()
	superOfFrame()
	jumpTable[vm.RAISE_VARARGS] = raiseVarargs
	for op := range jumpTable {
		if plain[vm.OpCode(op)] || vm.OpCode(op) == vm.RAISE_VARARGS || op == throwHere {
			continue
		}
		run := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, arg int32) error {
			if err := run(v, arg); err != nil {
				if vm.OpCode(op) == vm.LOAD_FAST || vm.OpCode(op) == vm.DELETE_FAST {
					err = py.ExceptionNewf(py.UnboundLocalError, "cannot access local variable '%s' where it is not associated with a value",
						machineOf(v).frame.Code.Varnames[arg])
				}
				return machineOf(v).raised(err)
			}
			return nil
		}
	}
	// The ways to the next round of a loop.
	for _, op := range []vm.OpCode{vm.JUMP_ABSOLUTE, vm.CONTINUE_LOOP, vm.FOR_ITER} {
		jump := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, target int32) error {
			if in, ok := machineOf(v).context.(*interp); ok {
				if err := in.check(); err != nil {
					return err
				}
			}
			return jump(v, target)
		}
	}
}

// keepTracebacks lets an exception that a handler looks at know its traceback, as __traceback__ in
// Python.
func keepTracebacks() {
	compare := jumpTable[vm.COMPARE_OP]
	jumpTable[vm.COMPARE_OP] = func(v *vm.Vm, op int32) error {
		if op == vm.PyCmp_EXC_MATCH {
			m := machineOf(v)
			if e := m.handled(); e != nil {
				e.Traceback = m.exc.Traceback
			}
		}
		return compare(v, op)
	}
}
