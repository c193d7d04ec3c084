package gpython

// Generators that are dropped before their end. CPython counts references: it closes such a
// generator at once, so that its finally clauses, its with statements and its handlers of
// GeneratorExit run. gpython v0.2.0 does not know when an object is dropped. So a program would
// leave out what it says. Two things prevent that:
//
//   - A for statement that calls a generator function closes the generator when the loop is left,
//     for nobody else can have it. Package syntax puts such a loop into a with statement.
//   - Other generators are noted while they wait. If one still does at the end of its program, and
//     closing it would run something, the program ends with an error that says so.

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/worker/engine"
)

// cleansUp is a flag of the code of a generator that contains try or with.
const cleansUp = 1 << 30

// mostWaiting is how many generators with try or with are noted. Each is kept until it has ended,
// and half as many may wait where closing them would run something.
const mostWaiting = 100_000

// markGenerators gives code its flag, and the code in it.
func markGenerators(code *py.Code) {
	for _, o := range code.Consts {
		if inner, ok := o.(*py.Code); ok {
			markGenerators(inner)
		}
	}
	if code.Flags&py.CO_GENERATOR == 0 {
		return
	}
	for at := 0; at < len(code.Code); at++ {
		op := vm.OpCode(code.Code[at])
		if op == vm.SETUP_FINALLY || op == vm.SETUP_EXCEPT || op == vm.SETUP_WITH {
			code.Flags |= cleansUp
			return
		}
		if op.HAS_ARG() {
			at += 2
		}
	}
}

// held is what a for statement iterates over.
type held struct {
	object py.Object
	owns   bool // it is a generator that nobody else has
	// handled is what the frame handles around the loop, or nil.
	handled *py.Exception
}

var heldType = newType(py.ObjectType, "held", "")

func (h *held) Type() *py.Type { return heldType }

// hold holds what a call of f has returned.
func hold(f, res py.Object) *held {
	if method, ok := f.(*py.BoundMethod); ok {
		f = method.Method
	}
	function, ok := f.(*py.Function)
	if !ok || function.Code.Flags&py.CO_GENERATOR == 0 {
		return &held{object: res}
	}
	_, owns := res.(*py.Generator)
	return &held{object: res, owns: owns}
}

// cleanUp is the end of a with statement, as gpython has it.
var cleanUp = completing(original[vm.WITH_CLEANUP])

// withCleanup is the end of a with statement. That around a loop is no handler of the exception by
// which the loop is left: what the generator raises meanwhile does not have it as its context.
func withCleanup(v *vm.Vm, arg int32) error {
	at := 2 // below what says how the block is left
	switch why := v.TOP().(type) {
	case py.NoneType:
	case py.Int:
		if why == whyReturn || why == whyContinue {
			at = 3
		}
	default:
		at = 7
	}
	exit, _ := v.PEEK(at).(exitMethod)
	h, ok := exit.method.(*held)
	m := machineOf(v)
	in, known := m.context.(*interp)
	if !ok || !known {
		return cleanUp(v, arg)
	}
	if h.handled != nil {
		before := in.outer
		in.outer = h.handled
		defer func() { in.outer = before }()
	}
	if err := original[vm.WITH_CLEANUP](v, arg); err != nil {
		return m.raised(err)
	}
	return nil
}

// M__call__ is called as the __exit__ of the with statement around the loop. CPython writes what
// the generator raises then, and goes on.
func (h *held) M__call__(py.Tuple, py.StringDict) (py.Object, error) {
	if !h.owns {
		return py.None, nil
	}
	g := h.object.(*py.Generator)
	if !g.Frame.Yielded {
		return py.None, nil // it has ended, or not begun
	}
	err := closeGenerator(g)
	if err == nil || py.IsException(py.KeyboardInterrupt, err) {
		return py.None, err
	}
	if in, ok := g.Frame.Context.(*interp); ok {
		name, reprErr := pyvalue.Repr(g)
		if reprErr != nil {
			name = "a generator"
		}
		in.complain("Exception ignored in: " + name + "\n" + in.traceback(exceptionInfo(err)))
	}
	return py.None, nil
}

// heldBy is what the innermost with statement of a frame holds.
func heldBy(f *py.Frame) *held {
	for _, block := range slices.Backward(f.Blockstack) {
		if h := heldIn(f, block); h != nil {
			return h
		}
	}
	panic("a loop is in no with statement")
}

// heldIn is what the with statement of a block holds; nil if the block is none of a loop.
func heldIn(f *py.Frame, block py.TryBlock) *held {
	if block.Type != py.TryBlockSetupFinally || block.Level == 0 {
		return nil
	}
	exit, ok := f.Stack[block.Level-1].(exitMethod)
	if !ok {
		return nil
	}
	h, _ := exit.method.(*held)
	return h
}

// noteWaiting notes a generator that waits, and forgets one that has ended.
func (in *interp) noteWaiting(f *py.Frame) error {
	if f.Code.Flags&cleansUp == 0 {
		return nil
	}
	if !f.Yielded {
		delete(in.waiting, f)
		return nil
	}
	if len(in.waiting) >= mostWaiting {
		maps.DeleteFunc(in.waiting, func(f *py.Frame, _ struct{}) bool { return !closingRuns(f) })
		if len(in.waiting) >= mostWaiting/2 {
			return py.ExceptionNewf(py.NotImplementedError, "%d generators wait in try or with: this Go worker's Python cannot tell which have been dropped",
				len(in.waiting))
		}
	}
	if in.waiting == nil {
		in.waiting = make(map[*py.Frame]struct{})
	}
	in.waiting[f] = struct{}{}
	return nil
}

// unclosed says which generators CPython would have closed by now, and thereby run some code of
// them. It is "" if there are none.
func (in *interp) unclosed() string {
	var all []string
	for f := range in.waiting {
		if f.Yielded && closingRuns(f) {
			all = append(all, fmt.Sprintf("%s (line %d)", f.Code.Name, f.Code.Addr2Line(f.Lasti-1)))
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	all = slices.Compact(all)
	const most = 5
	more := ""
	if len(all) > most {
		all, more = all[:most], " and others"
	}
	return "this Go worker's Python does not close generators that are dropped before their end: the finally, with or except of " +
		strings.Join(all, ", ") + more + " has not run"
}

// closingRuns tells whether closing a generator that waits would run code of it.
func closingRuns(f *py.Frame) bool {
	for _, block := range f.Blockstack {
		switch block.Type {
		case py.TryBlockSetupFinally:
			// What a loop holds is noted itself.
			if heldIn(f, block) == nil {
				return true
			}
		case py.TryBlockSetupExcept:
			if catchesExit(f, block.Handler) {
				return true
			}
		}
	}
	return false
}

// catchesExit tells whether one of the except clauses from an instruction on catches GeneratorExit,
// or may do so.
func catchesExit(f *py.Frame, at int32) bool {
	code := f.Code.Code
	// Each clause is DUP_TOP, the classes, COMPARE_OP, POP_JUMP_IF_FALSE to the next one. Behind
	// the last one is END_FINALLY. One without a class begins with POP_TOP.
	for vm.OpCode(code[at]) == vm.DUP_TOP {
		at++
		for ; vm.OpCode(code[at]) != vm.COMPARE_OP; at += 3 {
			arg := int(code[at+1]) | int(code[at+2])<<8
			switch vm.OpCode(code[at]) {
			case vm.LOAD_GLOBAL, vm.LOAD_NAME:
				class, ok := f.Lookup(f.Code.Names[arg])
				if t, isType := class.(*py.Type); ok && isType && py.GeneratorExit.IsSubtype(t) {
					return true
				}
			case vm.LOAD_ATTR:
				if name := f.Code.Names[arg]; name == "GeneratorExit" || name == "BaseException" {
					return true
				}
			case vm.BUILD_TUPLE:
			default:
				return true
			}
		}
		if vm.OpCode(code[at+3]) != vm.POP_JUMP_IF_FALSE {
			return true
		}
		at = int32(code[at+4]) | int32(code[at+5])<<8
	}
	return vm.OpCode(code[at]) != vm.END_FINALLY
}

// withUnclosed is the outcome of a program that has ended with err, if it has left generators that
// are not closed.
func withUnclosed(err error, unclosed string) error {
	raised, ok := err.(*gatewaybase.RemoteError)
	switch {
	case unclosed == "" || errors.Is(err, engine.ErrInterrupted):
		return err
	case ok:
		more := *raised
		more.Formatted += "Beside that, " + unclosed + ".\n"
		return &more
	}
	return gofunc.Traceback("", "NotImplementedError", unclosed)
}
