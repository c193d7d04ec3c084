package gpython

// This file is the one place where gpython v0.2.0 itself is changed. It is used as it comes, from
// its release; what it does wrong or lacks is put right from outside, in three ways:
//
//   - its interpreter looks up what to do for each instruction in a table: the one below replaces
//     entries of it;
//   - it calls functions, compiles and continues generators through variables, which install sets;
//   - its types are variables that take methods (their Dict) and constructors (their New). That
//     needs no trick, and is done beside the code it is about: in package pyvalue for values, here
//     in classes.go, generators.go, exceptions.go and oserror.go.
//
// The table, the two functions of the compiler and the layout of a virtual machine are private to
// gpython, and reached by go:linkname and unsafe. That holds for this one release, which go.mod
// names; release.go refuses another one, and patch_test.go fails with it.

import (
	"unsafe"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/symtable"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// instruction carries out one instruction of a compiled program. An error is an exception of the
// program.
type instruction = func(v *vm.Vm, arg int32) error

// jumpTable is gpython's table of instructions, by opcode.
//
//go:linkname jumpTable github.com/go-python/gpython/vm.jumpTable
var jumpTable [256]instruction

// original is that table before it is changed.
var original = jumpTable

// replacement has what takes the place of gpython's own instructions. An opcode stands here once:
// the compiler refuses a second entry. What a function does not do itself it leaves to original.
var replacement = [256]instruction{
	// Displays and comprehensions make pyvalue's dicts and sets, which keep their order and take
	// any key that can be hashed. gpython's dicts have str keys and no order.
	vm.BUILD_MAP: buildMap,
	vm.STORE_MAP: storeMap,
	vm.MAP_ADD:   mapAdd,
	vm.BUILD_SET: buildSet,
	vm.SET_ADD:   setAdd,

	// Operators are pyvalue's: gpython lacks many, does not ask the methods of a program's classes,
	// and its types are written in Go, so that they cannot be given operators from outside.
	vm.BINARY_ADD:          binary(pyvalue.OpAdd),
	vm.BINARY_SUBTRACT:     binary(pyvalue.OpSub),
	vm.BINARY_MULTIPLY:     binary(pyvalue.OpMul),
	vm.BINARY_TRUE_DIVIDE:  binary(pyvalue.OpTrueDiv),
	vm.BINARY_FLOOR_DIVIDE: binary(pyvalue.OpFloorDiv),
	vm.BINARY_MODULO:       binary(pyvalue.OpMod),
	vm.BINARY_POWER:        binary(pyvalue.OpPow),
	vm.BINARY_LSHIFT:       binary(pyvalue.OpLshift),
	vm.BINARY_RSHIFT:       binary(pyvalue.OpRshift),
	vm.BINARY_AND:          binary(pyvalue.OpAnd),
	vm.BINARY_XOR:          binary(pyvalue.OpXor),
	vm.BINARY_OR:           binary(pyvalue.OpOr),

	vm.INPLACE_ADD:          inPlace(pyvalue.OpAdd),
	vm.INPLACE_SUBTRACT:     inPlace(pyvalue.OpSub),
	vm.INPLACE_MULTIPLY:     inPlace(pyvalue.OpMul),
	vm.INPLACE_TRUE_DIVIDE:  inPlace(pyvalue.OpTrueDiv),
	vm.INPLACE_FLOOR_DIVIDE: inPlace(pyvalue.OpFloorDiv),
	vm.INPLACE_MODULO:       inPlace(pyvalue.OpMod),
	vm.INPLACE_POWER:        inPlace(pyvalue.OpPow),
	vm.INPLACE_LSHIFT:       inPlace(pyvalue.OpLshift),
	vm.INPLACE_RSHIFT:       inPlace(pyvalue.OpRshift),
	vm.INPLACE_AND:          inPlace(pyvalue.OpAnd),
	vm.INPLACE_XOR:          inPlace(pyvalue.OpXor),
	vm.INPLACE_OR:           inPlace(pyvalue.OpOr),

	vm.UNARY_NEGATIVE: unary("neg", "-"),
	vm.UNARY_POSITIVE: unary("pos", "+"),
	vm.UNARY_INVERT:   unary("invert", "~"),
	vm.UNARY_NOT:      unaryNot,

	vm.BINARY_SUBSCR: operator(pyvalue.GetItem),
	vm.STORE_SUBSCR:  storeSubscript,
	vm.DELETE_SUBSCR: deleteSubscript,

	// Comparisons, "in" and "is" are pyvalue's for the same reasons; "except X" also has the
	// exception know its traceback.
	vm.COMPARE_OP: compareOp,

	// Conditions ask pyvalue what is true: gpython does not ask the __len__ of a program's classes.
	vm.POP_JUMP_IF_FALSE:    popJumpIf(false),
	vm.POP_JUMP_IF_TRUE:     popJumpIf(true),
	vm.JUMP_IF_FALSE_OR_POP: jumpIfOrPop(false),
	vm.JUMP_IF_TRUE_OR_POP:  jumpIfOrPop(true),

	// Iteration is pyvalue's, for all its types; unpacking has CPython's errors.
	vm.GET_ITER:        getIter,
	vm.UNPACK_SEQUENCE: unpackSequence,
	vm.UNPACK_EX:       unpackEx,

	// The ways to the next round of a loop. A program is interrupted there. gpython takes any
	// exception of an iterator for its end.
	vm.FOR_ITER:      forIter,
	vm.JUMP_ABSOLUTE: jumpAbsolute,
	vm.CONTINUE_LOOP: continueLoop,

	// Names: errors say what CPython would have, and an unset local variable is a NameError.
	vm.LOAD_NAME:   loadName,
	vm.LOAD_GLOBAL: loadGlobal,
	vm.LOAD_FAST:   loadFast,
	vm.DELETE_FAST: deleteFast,

	// Names of modules and classes have an order; variables of functions around a class and its
	// functions have CPython's errors. gpython leaves two values for one on the stack in a class.
	vm.STORE_NAME:      storeName,
	vm.STORE_GLOBAL:    storeGlobal,
	vm.DELETE_NAME:     deleteName,
	vm.DELETE_GLOBAL:   deleteGlobal,
	vm.LOAD_DEREF:      loadDeref,
	vm.LOAD_CLASSDEREF: loadClassDeref,
	vm.DELETE_DEREF:    deleteDeref,

	// Attributes: gpython gives the args of an exception whatever the name, finds what a class
	// inherits for its instances only, and lets programs change the built-in types, which all
	// executions share.
	vm.LOAD_ATTR:   loadAttr,
	vm.STORE_ATTR:  storeAttr,
	vm.DELETE_ATTR: deleteAttr,

	// Functions: gpython loses parameters that inner functions use, and takes decorators for
	// defaults.
	vm.MAKE_FUNCTION: makeFunction(vm.MAKE_FUNCTION, 2),
	vm.MAKE_CLOSURE:  makeFunction(vm.MAKE_CLOSURE, 3),

	// Calls that need to know who calls, or the order of the keywords; f(**d) takes pyvalue's
	// dicts.
	vm.CALL_FUNCTION:        callFunction,
	vm.CALL_FUNCTION_VAR:    callVar,
	vm.CALL_FUNCTION_KW:     callKw,
	vm.CALL_FUNCTION_VAR_KW: callVarKw,

	// Statements: exceptions get their cause and context, and errors CPython's class and words.
	vm.RAISE_VARARGS: raiseVarargs,
	vm.SETUP_WITH:    setupWith,
	vm.WITH_CLEANUP:  withCleanup,
	vm.IMPORT_FROM:   importFrom,

	// Generators: "yield from" has the value that its iterator ends with, throw and close work, and
	// a generator may wait in handlers and finally clauses.
	vm.YIELD_FROM:  yieldFrom,
	vm.YIELD_VALUE: yieldValue,
	vm.END_FINALLY: endFinally,
	throwHere:      throwInGenerator,
}

// throwHere is an opcode that gpython does not use: a generator that goes on begins with it if it
// is to raise an exception where it waits, or handles one there.
const throwHere = 85

// raisesNothing are the instructions whose errors are left as they are: most cannot fail, loops
// fail with a new KeyboardInterrupt, and raise completes its exceptions itself.
var raisesNothing = [256]bool{
	vm.POP_TOP: true, vm.ROT_TWO: true, vm.ROT_THREE: true, vm.DUP_TOP: true, vm.DUP_TOP_TWO: true, vm.NOP: true,
	vm.BREAK_LOOP: true, vm.CONTINUE_LOOP: true, vm.RETURN_VALUE: true, vm.YIELD_VALUE: true, vm.POP_BLOCK: true,
	vm.STORE_NAME: true, vm.STORE_GLOBAL: true, vm.STORE_FAST: true, vm.LOAD_CONST: true, vm.BUILD_TUPLE: true,
	vm.BUILD_LIST: true, vm.BUILD_SLICE: true, vm.JUMP_FORWARD: true, vm.JUMP_ABSOLUTE: true, vm.SETUP_LOOP: true,
	vm.SETUP_EXCEPT: true, vm.SETUP_FINALLY: true, vm.LOAD_CLOSURE: true, vm.STORE_DEREF: true, vm.MAKE_FUNCTION: true,
	vm.MAKE_CLOSURE: true, vm.EXTENDED_ARG: true, vm.LOAD_BUILD_CLASS: true, vm.END_FINALLY: true, vm.POP_EXCEPT: true,
	vm.RAISE_VARARGS: true, vm.WITH_CLEANUP: true, throwHere: true,
}

// init installs all of it, before any program runs. Contexts that are not an interp, which only
// tests have, run with the table too.
func init() {
	if err := checkRelease(); err != nil {
		panic(err.Error())
	}
	for op, run := range replacement {
		if run == nil {
			run = original[op]
		}
		if !raisesNothing[op] {
			run = completing(run)
		}
		jumpTable[op] = run
	}
	py.Compile = compileSource
	py.VmEvalCode = evalCode
	py.VmRunFrame = runFrame
}

// completing makes an instruction's error the exception that CPython would raise: one of its own,
// with its traceback and context (raise.go).
func completing(run instruction) instruction {
	return func(v *vm.Vm, arg int32) error {
		m := machineOf(v)
		if m.exc.Type != nil {
			return m.raisedWithin(run, v, arg)
		}
		if err := run(v, arg); err != nil {
			return m.raised(err)
		}
		return nil
	}
}

// machine is vm.Vm as gpython declares it, with its private fields: the state of one frame's run.
type machine struct {
	frame    *py.Frame
	extended bool
	ext      int32
	retval   py.Object
	why      byte             // why the frame stops, or is being left: one of the following
	curexc   py.ExceptionInfo // what is being raised
	exc      py.ExceptionInfo // what is being handled
	context  py.Context
}

// Values of machine.why, which is a vm.vmStatus.
const (
	whyException = 1
	whyReturn    = 2
	whyContinue  = 4
	whyYield     = 5
)

func machineOf(v *vm.Vm) *machine { return (*machine)(unsafe.Pointer(v)) }

// compiler is gpython's compiler of one scope. Only the first fields are declared: gpython makes
// these objects.
type compiler struct {
	Code     *py.Code
	Filename string
}

//go:linkname newCompiler github.com/go-python/gpython/compile.newCompiler
func newCompiler(parent unsafe.Pointer, scope uint8) *compiler

//go:linkname compileAst github.com/go-python/gpython/compile.(*compiler).compileAst
func compileAst(c *compiler, tree ast.Ast, file string, flags int, dontInherit bool, names *symtable.SymTable) error
