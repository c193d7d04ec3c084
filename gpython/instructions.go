package gpython

// The instructions of patch.go's table that are about values, names and loops: they move objects
// between the stack and package pyvalue, which knows what Python does with them.

import (
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// buildMap is the beginning of {k: v}.
func buildMap(v *vm.Vm, _ int32) error {
	v.PUSH(pyvalue.NewDict())
	return nil
}

// storeMap adds an entry to a display.
func storeMap(v *vm.Vm, _ int32) error {
	value, key := v.TOP(), v.SECOND()
	v.DROPN(2)
	return v.TOP().(*pyvalue.Dict).Set(key, value)
}

// mapAdd adds an entry in a dict comprehension, whose dict is i deep in the stack.
func mapAdd(v *vm.Vm, i int32) error {
	value, key := v.TOP(), v.SECOND()
	v.DROPN(2)
	return v.PEEK(int(i)).(*pyvalue.Dict).Set(key, value)
}

// buildSet is {a, b}, of n items on the stack.
func buildSet(v *vm.Vm, n int32) error {
	s := new(pyvalue.Set)
	for i := int(n); i > 0; i-- {
		if err := s.Add(v.PEEK(i)); err != nil {
			return err
		}
	}
	v.DROPN(int(n))
	v.PUSH(s)
	return nil
}

// setAdd adds an item in a set comprehension, whose set is i deep in the stack.
func setAdd(v *vm.Vm, i int32) error {
	item := v.POP()
	return v.PEEK(int(i)).(*pyvalue.Set).Add(item)
}

// operator is an instruction that puts f(a, b) in the place of a and b.
func operator(f func(a, b py.Object) (py.Object, error)) instruction {
	return func(v *vm.Vm, _ int32) error {
		res, err := f(v.SECOND(), v.TOP())
		if err != nil {
			return err
		}
		v.DROP()
		v.SET_TOP(res)
		return nil
	}
}

// binary is a op b.
func binary(op pyvalue.Operator) instruction {
	return operator(func(a, b py.Object) (py.Object, error) { return pyvalue.Binary(op, a, b) })
}

// inPlace is a op= b.
func inPlace(op pyvalue.Operator) instruction {
	return operator(func(a, b py.Object) (py.Object, error) { return pyvalue.InPlace(op, a, b) })
}

// unary is -a, +a or ~a: name is "neg" for __neg__.
func unary(name, symbol string) instruction {
	return func(v *vm.Vm, _ int32) error {
		res, err := pyvalue.Unary(name, symbol, v.TOP())
		if err == nil {
			v.SET_TOP(res)
		}
		return err
	}
}

// unaryNot is not a.
func unaryNot(v *vm.Vm, _ int32) error {
	yes, err := pyvalue.Truth(v.TOP())
	if err == nil {
		v.SET_TOP(py.NewBool(!yes))
	}
	return err
}

// storeSubscript is o[key] = value.
func storeSubscript(v *vm.Vm, _ int32) error {
	key, o, value := v.TOP(), v.SECOND(), v.THIRD()
	v.DROPN(3)
	return pyvalue.SetItem(o, key, value)
}

// deleteSubscript is del o[key].
func deleteSubscript(v *vm.Vm, _ int32) error {
	key, o := v.TOP(), v.SECOND()
	v.DROPN(2)
	return pyvalue.DelItem(o, key)
}

// compareOp is a comparison, "in", "is", or the test of an except clause.
func compareOp(v *vm.Vm, op int32) error {
	b, a := v.TOP(), v.SECOND()
	var res py.Object
	switch op {
	case vm.PyCmp_LT, vm.PyCmp_LE, vm.PyCmp_EQ, vm.PyCmp_NE, vm.PyCmp_GT, vm.PyCmp_GE:
		var err error
		if res, err = pyvalue.Compare(pyvalue.Comparison(op-vm.PyCmp_LT), a, b); err != nil {
			return err
		}
	case vm.PyCmp_IN, vm.PyCmp_NOT_IN:
		found, err := pyvalue.Contains(b, a)
		if err != nil {
			return err
		}
		res = py.NewBool(found == (op == vm.PyCmp_IN))
	case vm.PyCmp_IS, vm.PyCmp_IS_NOT:
		res = py.NewBool(pyvalue.Identical(a, b) == (op == vm.PyCmp_IS))
	default: // vm.PyCmp_EXC_MATCH
		machineOf(v).keepTraceback()
		err := original[vm.COMPARE_OP](v, op)
		if py.IsException(py.TypeError, err) {
			err = py.ExceptionNewf(py.TypeError, "catching classes that do not inherit from BaseException is not allowed")
		}
		return err
	}
	v.DROP()
	v.SET_TOP(res)
	return nil
}

// popJumpIf jumps if the condition on the stack is as wanted, and drops it.
func popJumpIf(wanted bool) instruction {
	return func(v *vm.Vm, target int32) error {
		yes, err := pyvalue.Truth(v.POP())
		if err == nil && yes == wanted {
			machineOf(v).frame.Lasti = target
		}
		return err
	}
}

// jumpIfOrPop is "and" or "or": it jumps and keeps the value if that decides, or drops it.
func jumpIfOrPop(wanted bool) instruction {
	return func(v *vm.Vm, target int32) error {
		yes, err := pyvalue.Truth(v.TOP())
		switch {
		case err != nil:
			return err
		case yes == wanted:
			machineOf(v).frame.Lasti = target
		default:
			v.DROP()
		}
		return nil
	}
}

// getIter puts an iterator in the place of the object that a loop goes over.
func getIter(v *vm.Vm, _ int32) error {
	it, err := pyvalue.Iter(v.TOP())
	if err == nil {
		v.SET_TOP(it)
	}
	return err
}

// unpackSequence is a, b = x, for any x that can be iterated over.
func unpackSequence(v *vm.Vm, count int32) error {
	all, err := pyvalue.Unpack(v.TOP(), int(count))
	if err != nil {
		return err
	}
	if len(all) < int(count) {
		return py.ExceptionNewf(py.ValueError, "not enough values to unpack (expected %d, got %d)", count, len(all))
	}
	v.DROP()
	v.EXTEND_REVERSED(all)
	return nil
}

// unpackEx is a, *b, c = x. counts has how many names stand before and behind the star.
func unpackEx(v *vm.Vm, counts int32) error {
	before, after := int(counts&0xff), int(counts>>8)
	all, err := pyvalue.Unpack(v.TOP(), -1)
	if err != nil {
		return err
	}
	if len(all) < before+after {
		return py.ExceptionNewf(py.ValueError, "not enough values to unpack (expected at least %d, got %d)", before+after, len(all))
	}
	middle := &py.List{Items: slices.Clone(all[before : len(all)-after])}
	v.DROP()
	v.EXTEND_REVERSED(all[len(all)-after:])
	v.PUSH(middle)
	v.EXTEND_REVERSED(all[:before])
	return nil
}

// checkLoop raises KeyboardInterrupt if the program is to be interrupted, and hands over the
// interpreter's lock if somebody waits for it.
func (m *machine) checkLoop() error {
	if in, ok := m.context.(*interp); ok {
		return in.check()
	}
	return nil
}

// forIter pushes the next item, or drops the iterator and jumps behind the loop.
func forIter(v *vm.Vm, delta int32) error {
	m := machineOf(v)
	if err := m.checkLoop(); err != nil {
		return err
	}
	item, err := py.Next(v.TOP())
	switch {
	case err == nil:
		v.PUSH(item)
	case py.IsException(py.StopIteration, err):
		v.DROP()
		m.frame.Lasti += delta
	default:
		return err
	}
	return nil
}

// jumpAbsolute jumps back to the beginning of a loop, among others.
func jumpAbsolute(v *vm.Vm, target int32) error {
	m := machineOf(v)
	if err := m.checkLoop(); err != nil {
		return err
	}
	m.frame.Lasti = target
	return nil
}

// continueLoop is "continue" within a try statement.
func continueLoop(v *vm.Vm, target int32) error {
	m := machineOf(v)
	if err := m.checkLoop(); err != nil {
		return err
	}
	m.retval, m.why = py.Int(target), whyContinue
	return nil
}

// loadName loads a variable of a module or a class.
func loadName(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	if value, ok := frame.Lookup(frame.Code.Names[index]); ok {
		v.PUSH(value)
		return nil
	}
	return undefined(frame.Code.Names[index])
}

// loadGlobal loads a global variable from within a function.
func loadGlobal(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	if value, ok := frame.LookupGlobal(frame.Code.Names[index]); ok {
		v.PUSH(value)
		return nil
	}
	return undefined(frame.Code.Names[index])
}

// undefined is the error about a name that has no value. It says so if CPython would have one.
func undefined(name string) error {
	note := ""
	if otherBuiltins[name] {
		note = "\nThis Go worker's Python has no " + name
	}
	return py.ExceptionNewf(py.NameError, "name '%s' is not defined%s", name, note)
}

// loadFast loads a function's local variable.
func loadFast(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	value := frame.LocalVars[index]
	if value == nil {
		return unboundLocal(frame, index)
	}
	v.PUSH(value)
	return nil
}

// deleteFast is del of a function's local variable.
func deleteFast(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	if frame.LocalVars[index] == nil {
		return unboundLocal(frame, index)
	}
	frame.LocalVars[index] = nil
	return nil
}

func unboundLocal(frame *py.Frame, index int32) error {
	return py.ExceptionNewf(py.UnboundLocalError, "cannot access local variable '%s' where it is not associated with a value",
		frame.Code.Varnames[index])
}

// storeName assigns to a variable of a module or a class.
func storeName(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	pyvalue.SetName(frame.Locals, frame.Code.Names[index], v.POP())
	return nil
}

// storeGlobal assigns to a global variable.
func storeGlobal(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	pyvalue.SetName(frame.Globals, frame.Code.Names[index], v.POP())
	return nil
}

// deleteName is del of a variable of a module or a class.
func deleteName(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	return deleteFrom(frame.Locals, frame.Code.Names[index])
}

// deleteGlobal is del of a global variable.
func deleteGlobal(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	return deleteFrom(frame.Globals, frame.Code.Names[index])
}

func deleteFrom(names py.StringDict, name string) error {
	if !pyvalue.DeleteName(names, name) {
		return py.ExceptionNewf(py.NameError, "name '%s' is not defined", name)
	}
	return nil
}

// loadDeref loads a variable that functions share.
func loadDeref(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	value := frame.CellAndFreeVars[index].(*py.Cell).Get()
	if value == nil {
		return unboundCell(frame, index)
	}
	v.PUSH(value)
	return nil
}

// loadClassDeref loads a variable of a function in the body of a class, which may have one of that
// name itself.
func loadClassDeref(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	if value, ok := frame.Locals[cellName(frame.Code, index)]; ok {
		v.PUSH(value)
		return nil
	}
	return loadDeref(v, index)
}

// deleteDeref is del of a variable that functions share.
func deleteDeref(v *vm.Vm, index int32) error {
	frame := machineOf(v).frame
	cell := frame.CellAndFreeVars[index].(*py.Cell)
	if cell.Get() == nil {
		return unboundCell(frame, index)
	}
	cell.Delete()
	return nil
}

func cellName(code *py.Code, index int32) string {
	if own := len(code.Cellvars); int(index) >= own {
		return code.Freevars[int(index)-own]
	}
	return code.Cellvars[index]
}

func unboundCell(frame *py.Frame, index int32) error {
	name := cellName(frame.Code, index)
	if int(index) < len(frame.Code.Cellvars) {
		return py.ExceptionNewf(py.UnboundLocalError, "cannot access local variable '%s' where it is not associated with a value", name)
	}
	return py.ExceptionNewf(py.NameError, "cannot access free variable '%s' where it is not associated with a value in enclosing scope", name)
}

// loadAttr is o.name.
func loadAttr(v *vm.Vm, index int32) error {
	value, err := pyvalue.GetAttr(v.TOP(), machineOf(v).frame.Code.Names[index])
	if err == nil {
		v.SET_TOP(value)
	}
	return err
}

// storeAttr is o.name = value.
func storeAttr(v *vm.Vm, index int32) error {
	o, value := v.TOP(), v.SECOND()
	v.DROPN(2)
	return pyvalue.SetAttr(o, machineOf(v).frame.Code.Names[index], value)
}

// deleteAttr is del o.name.
func deleteAttr(v *vm.Vm, index int32) error {
	return pyvalue.SetAttr(v.POP(), machineOf(v).frame.Code.Names[index], nil)
}

// setupWith begins a with statement: what has no __enter__ and __exit__ is a TypeError.
func setupWith(v *vm.Vm, delta int32) error {
	manager := v.TOP()
	frame := machineOf(v).frame
	if h, ok := manager.(*held); ok {
		h.handled, _ = machineOf(v).exc.Value.(*py.Exception)
		v.SET_TOP(exitMethod{h})
		frame.PushBlock(py.TryBlockSetupFinally, frame.Lasti+delta, v.STACK_LEVEL())
		v.PUSH(py.None)
		return nil
	}
	var methods [2]py.Object
	for i, name := range []string{"__enter__", "__exit__"} {
		method, err := pyvalue.Special(manager, name)
		if err != nil {
			return err
		}
		if method == nil {
			return py.ExceptionNewf(py.TypeError, "'%s' object does not support the context manager protocol%s",
				pyvalue.TypeName(manager), []string{"", " (missed __exit__ method)"}[i])
		}
		methods[i] = method
	}
	v.SET_TOP(exitMethod{methods[1]})
	entered, err := py.Call(methods[0], nil, nil)
	if err != nil {
		return err
	}
	frame.PushBlock(py.TryBlockSetupFinally, frame.Lasti+delta, v.STACK_LEVEL())
	v.PUSH(entered)
	return nil
}

// exitMethod is the __exit__ of a with statement. gpython takes only True for true.
type exitMethod struct{ method py.Object }

var exitType = newType(py.ObjectType, "exit", "")

func (e exitMethod) Type() *py.Type { return exitType }

func (e exitMethod) M__call__(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	res, err := py.Call(e.method, args, kwargs)
	if err != nil || args[0] == py.None {
		return res, err
	}
	silences, err := pyvalue.Truth(res)
	return py.NewBool(silences), err
}

// importFrom is one name of "from m import a, b". An ImportError names the module too.
func importFrom(v *vm.Vm, index int32) error {
	module, ok := v.TOP().(*py.Module)
	err := original[vm.IMPORT_FROM](v, index)
	if !ok || !py.IsException(py.ImportError, err) {
		return err
	}
	return py.ExceptionNewf(py.ImportError, "cannot import name '%s' from '%s' (unknown location)%s",
		machineOf(v).frame.Code.Names[index], module.ModuleImpl.Info.Name, pyvalue.MissingNote(module, machineOf(v).frame.Code.Names[index]))
}
