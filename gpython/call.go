package gpython

// Calls that CPython treats like any other, and gpython v0.2.0 cannot: super() and eval() are about
// the frame that calls them, and keywords have an order. Only the instruction that calls knows
// these things.

import (
	"reflect"
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

// callFunction calls what is on the stack below its arguments: argc has the number of positional
// ones in its low byte, and in the next one that of the keywords, each with its value behind it.
func callFunction(v *vm.Vm, argc int32) error { return machineOf(v).call(v, argc, nil, nil) }

// callVar is f(..., *args).
func callVar(v *vm.Vm, argc int32) error { return machineOf(v).call(v, argc, v.POP(), nil) }

// callKw is f(..., **kwargs).
func callKw(v *vm.Vm, argc int32) error { return machineOf(v).call(v, argc, nil, v.POP()) }

// callVarKw is f(..., *args, **kwargs).
func callVarKw(v *vm.Vm, argc int32) error {
	named := v.POP()
	return machineOf(v).call(v, argc, v.POP(), named)
}

func (m *machine) call(v *vm.Vm, argc int32, star, named py.Object) error {
	count, pairs := int(argc&0xff), int(argc>>8&0xff)
	stack := m.frame.Stack
	at := len(stack) - count - 2*pairs - 1
	f, args := stack[at], py.Tuple(stack[at+1:at+1+count])
	op, isOperation := f.(syntax.Operation)
	holds := isOperation && op == syntax.HoldCall
	switch {
	case holds:
		f, args = args[0], args[1:]
	case isOperation:
		m.frame.Stack = stack[:at]
		return callOperation(v, op, args)
	}
	if f == py.Object(superType) && argc == 0 && star == nil && named == nil {
		return callSuper(v)
	}
	kw, err := keywordsOf(f, stack[at+1+count:], named)
	if err != nil {
		return err
	}
	if star != nil {
		if !pyvalue.Iterable(star) {
			return py.ExceptionNewf(py.TypeError, "%s argument after * must be an iterable, not %s", functionText(f), pyvalue.TypeName(star))
		}
		more, err := pyvalue.Items(star)
		if err != nil {
			return err
		}
		args = slices.Concat(args, more)
	}
	m.frame.Stack = stack[:at]
	res, err := m.dispatch(f, args, kw)
	if err != nil {
		return err
	}
	if holds {
		res = hold(f, res)
	}
	v.PUSH(res)
	return nil
}

// dispatch calls f, with what is to be known about the caller.
func (m *machine) dispatch(f py.Object, args py.Tuple, kw keywords) (py.Object, error) {
	in, _ := m.context.(*interp)
	if len(kw.order) > 1 && fillsDict(f) {
		pyvalue.Order(kw.named, kw.order)
	}
	switch f := f.(type) {
	case *py.Method:
		switch f.Internal() {
		case py.InternalMethodGlobals:
			return pyvalue.View(m.frame.Globals), nil
		case py.InternalMethodLocals:
			return localsOf(m.frame), nil
		case py.InternalMethodEval, py.InternalMethodExec:
			return m.evaluate(f, args, kw.named)
		}
	case frameFunction:
		if in != nil {
			in.caller = caller{m.frame, m.handled(), m.exc.Traceback}
		}
	}
	if len(kw.order) > 1 && in != nil {
		before := in.keywords
		in.keywords = kw
		defer func() { in.keywords = before }()
	}
	return py.Call(f, args, kw.named)
}

// keywordsOf are the keywords of a call: names and values in turns, and those of a mapping, which
// may be nil.
func keywordsOf(f py.Object, pairs []py.Object, mapping py.Object) (kw keywords, err error) {
	if len(pairs) == 0 && mapping == nil {
		return kw, nil
	}
	kw = keywords{make(py.StringDict, len(pairs)/2), make([]string, 0, len(pairs)/2)}
	add := func(key, value py.Object) error {
		name, ok := key.(py.String)
		if !ok {
			return py.ExceptionNewf(py.TypeError, "keywords must be strings")
		}
		if _, ok := kw.named[string(name)]; ok {
			return py.ExceptionNewf(py.TypeError, "%s got multiple values for keyword argument '%s'", functionText(f), name)
		}
		kw.named[string(name)] = value
		kw.order = append(kw.order, string(name))
		return nil
	}
	for i := 0; i < len(pairs); i += 2 {
		if err := add(pairs[i], pairs[i+1]); err != nil {
			return kw, err
		}
	}
	if mapping == nil {
		return kw, nil
	}
	d, ok := mapping.(*pyvalue.Dict)
	if !ok {
		if _, err := pyvalue.GetAttr(mapping, "keys"); err != nil {
			return kw, py.ExceptionNewf(py.TypeError, "%s argument after ** must be a mapping, not %s", functionText(f), pyvalue.TypeName(mapping))
		}
		d = pyvalue.NewDict()
		if err := d.Update(mapping); err != nil {
			return kw, err
		}
	}
	return kw, d.Each(add)
}

// functionText names a function in errors about its arguments: with its module, unless that is
// builtins.
func functionText(f py.Object) string {
	attribute := func(name string) string {
		value, err := pyvalue.GetAttr(f, name)
		text, ok := value.(py.String)
		if err != nil || !ok {
			return ""
		}
		return string(text)
	}
	name := attribute("__qualname__")
	if name == "" {
		name = attribute("__name__")
	}
	if name == "" {
		text, err := pyvalue.Str(f)
		if err != nil {
			return "function"
		}
		return text
	}
	if module := attribute("__module__"); module != "" && module != "builtins" {
		return module + "." + name + "()"
	}
	return name + "()"
}

// fillsDict reports whether a function of Go code, which gets keywords in a map, puts them into a
// dict, where their order shows.
func fillsDict(f py.Object) bool {
	dict := py.StringDictType
	switch f := f.(type) {
	case *py.Type:
		return f.Name != "" && f.IsSubtype(dict)
	case *py.BoundMethod:
		method, ok := f.Method.(*py.Method)
		if _, isDict := pyvalue.Plain(f.Self).(*pyvalue.Dict); !ok || !isDict {
			return false
		}
		return method.Name == "__init__" || method.Name == "update" || method.Name == "subtract"
	case *py.Method:
		return py.Object(f) == dict.Dict["update"] || py.Object(f) == dict.Dict["__init__"]
	}
	return false
}

// sameMap reports whether two maps are one.
func sameMap(a, b py.StringDict) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// caller is a frame that calls, and the exception that it handles, which is nil if there is none.
type caller struct {
	frame     *py.Frame
	exception *py.Exception
	traceback *py.Traceback
}

// frameFunction is a function about its caller, such as sys.exc_info: it finds it by takeCaller.
type frameFunction struct{ *function }

// takeCaller returns the caller of a frameFunction, once: a call that does not tell, as f(*args),
// must not find what an earlier one has left.
func (in *interp) takeCaller() caller {
	c := in.caller
	in.caller = caller{}
	return c
}
