package gpy

import (
	"math/big"
	"unsafe"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	// Changes the jump table as well, and must have done so before.
	_ "github.com/go-execnet/execnet/worker/internal/gpy/pyvalue"
)

// jumpTable is what gpython's interpreter looks opcodes up in; see package pyvalue.
//
//go:linkname jumpTable github.com/go-python/gpython/vm.jumpTable
var jumpTable [256]func(*vm.Vm, int32) error

// machine is vm.Vm as gpython 0.2.0 declares it, whose fields are not exported. A test compares the two.
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
	guardSizes()
	namespacesOfExec()
	guardTypes()
	readAttrs()
	dottedDecorators()
	keepTracebacks()
	jumpTable[vm.RAISE_VARARGS] = raiseVarargs
	for op := range jumpTable {
		if plain[vm.OpCode(op)] || vm.OpCode(op) == vm.RAISE_VARARGS {
			continue
		}
		run := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, arg int32) error {
			if err := run(v, arg); err != nil {
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

// keepTracebacks lets an exception that a handler looks at know its traceback, as __traceback__ in Python.
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

// The largest results of one operation: a sequence's bytes, and an int's bits. What is larger is a MemoryError before
// Go's allocator, which ends the process, hears of it.
const (
	mostBytes = 1 << 31
	mostBits  = 1 << 27
)

func guardSizes() {
	guard := func(tooLarge func(a, b py.Object) bool, ops ...vm.OpCode) {
		for _, op := range ops {
			run := jumpTable[op]
			jumpTable[op] = func(v *vm.Vm, arg int32) error {
				if tooLarge(v.SECOND(), v.TOP()) {
					v.DROP()
					return newException(py.MemoryError)
				}
				return run(v, arg)
			}
		}
	}
	guard(productTooLarge, vm.BINARY_MULTIPLY, vm.INPLACE_MULTIPLY)
	guard(powerTooLarge, vm.BINARY_POWER, vm.INPLACE_POWER)
	guard(shiftTooLarge, vm.BINARY_LSHIFT, vm.INPLACE_LSHIFT)
}

// bits is how long an int is, and false for anything else.
func bits(o py.Object) (int, bool) {
	switch x := o.(type) {
	case py.Bool:
		return 1, true
	case py.Int:
		return big.NewInt(int64(x)).BitLen(), true
	case *py.BigInt:
		return (*big.Int)(x).BitLen(), true
	}
	return 0, false
}

// asFloat is the size of an int, roughly.
func asFloat(o py.Object) float64 {
	switch x := o.(type) {
	case py.Int:
		return float64(x)
	case *py.BigInt:
		f, _ := new(big.Float).SetInt((*big.Int)(x)).Float64()
		return f
	}
	return 1
}

func productTooLarge(a, b py.Object) bool {
	if x, ok := a.(py.Int); ok {
		if _, ok := b.(py.Int); ok {
			return false
		}
		if _, ok := b.(py.Float); ok {
			return false
		}
		a, b = b, x
	}
	if n, ok := bits(a); ok {
		m, _ := bits(b)
		return n+m > mostBits
	}
	size := 0
	switch x := a.(type) {
	case py.String:
		size = len(x)
	case py.Bytes:
		size = len(x)
	case *py.List:
		size = 16 * len(x.Items)
	case py.Tuple:
		size = 16 * len(x)
	default:
		return false
	}
	return float64(size)*asFloat(b) > mostBytes
}

func powerTooLarge(a, b py.Object) bool {
	n, ok := bits(a)
	if _, isInt := bits(b); !ok || !isInt || n <= 1 {
		return false
	}
	return float64(n-1)*asFloat(b) > mostBits
}

func shiftTooLarge(a, b py.Object) bool {
	n, ok := bits(a)
	if _, isInt := bits(b); !ok || !isInt || n == 0 {
		return false
	}
	return float64(n)+asFloat(b) > mostBits
}
