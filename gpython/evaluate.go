package gpython

// eval, exec and locals. gpython v0.2.0 takes only its own kind of dict for namespaces, and its
// locals have no order. Here the program's dict becomes the namespace itself, so that functions
// which the source defines see what is changed in it later, and the other way round.

import (
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// evaluate is eval or exec, called in the frame.
func (m *machine) evaluate(f *py.Method, args py.Tuple, named py.StringDict) (py.Object, error) {
	if len(named) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", f.Name)
	}
	a, err := arguments(f.Name, args, nil, 1, "source", "globals", "locals")
	if err != nil {
		return nil, err
	}
	given := func(o py.Object) bool { return o != nil && o != py.None }
	globals, locals := m.frame.Globals, py.StringDict(nil)
	if given(a[1]) {
		if globals = namesOf(a[1]); globals == nil {
			if f.Name == "exec" {
				return nil, py.ExceptionNewf(py.TypeError, "exec() globals must be a dict, not %s", pyvalue.TypeName(a[1]))
			}
			return nil, py.ExceptionNewf(py.TypeError, "globals must be a dict")
		}
		locals = globals
	}
	if given(a[2]) {
		if locals = namesOf(a[2]); locals == nil {
			if f.Name == "exec" {
				return nil, py.ExceptionNewf(py.TypeError, "locals must be a mapping or None, not %s", pyvalue.TypeName(a[2]))
			}
			return nil, py.ExceptionNewf(py.TypeError, "locals must be a mapping")
		}
	}
	if locals == nil {
		locals = localsOf(m.frame).Names()
	}
	if _, ok := globals["__builtins__"]; !ok {
		pyvalue.SetName(globals, "__builtins__", m.frame.Builtins)
	}
	mode := py.ExecMode
	if f.Name == "eval" {
		mode = py.EvalMode
	}
	code, ok := a[0].(*py.Code)
	if !ok {
		var source string
		switch x := pyvalue.Plain(a[0]).(type) {
		case py.String:
			source = string(x)
		case py.Bytes:
			source = string(x)
		default:
			return nil, py.ExceptionNewf(py.TypeError, "%s() arg 1 must be a string, bytes or code object", f.Name)
		}
		if mode == py.EvalMode {
			source = strings.TrimLeft(source, " \t")
		}
		if code, err = py.Compile(source, "<string>", mode, 0, true); err != nil {
			return nil, err
		}
	}
	if len(code.Freevars) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "code object passed to %s() may not contain free variables", f.Name)
	}
	res, err := m.context.RunCode(code, globals, locals, nil)
	if err == nil && mode == py.ExecMode {
		res = py.None
	}
	return res, err
}

// namesOf is the namespace that a dict is, or nil for anything else.
func namesOf(o py.Object) py.StringDict {
	switch x := o.(type) {
	case *pyvalue.Dict:
		return x.Names()
	case py.StringDict:
		return x
	}
	return nil
}

// localsOf is locals() in the frame: of a function a copy of its variables.
func localsOf(f *py.Frame) *pyvalue.Dict {
	co := f.Code
	if co.Flags&py.CO_OPTIMIZED == 0 {
		return pyvalue.View(f.Locals)
	}
	d := pyvalue.NewDict()
	set := func(name string, value py.Object) {
		if cell, ok := value.(*py.Cell); ok {
			value = cell.Get()
		}
		if value != nil && name[0] != addedName {
			_ = d.Set(py.String(name), value) // a str is hashable
		}
	}
	for i := range int(co.Nlocals) {
		value := f.LocalVars[i]
		for c, param := range co.Cell2arg {
			if param != py.CO_CELL_NOT_AN_ARG && int(param) == i {
				value = f.CellAndFreeVars[c]
			}
		}
		set(co.Varnames[i], value)
	}
	for i, name := range co.Cellvars {
		set(name, f.CellAndFreeVars[i])
	}
	for i, name := range co.Freevars {
		set(name, f.CellAndFreeVars[len(co.Cellvars)+i])
	}
	return d
}
