package gpython

import (
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// buildClass is __build_class__, what a class statement calls. gpython cannot derive classes from
// exceptions: those are made here, the others there.
func buildClass(otherwise py.Object) py.Object {
	return &function{"__build_class__", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		args = append(py.Tuple(nil), args...)
		base := exceptionAmong(args[min(2, len(args)):])
		body, ok := args[0].(*py.Function)
		if base == nil || !ok {
			return py.Call(otherwise, args, kwargs)
		}
		namespace := py.NewStringDict()
		cell, err := body.Context.RunCode(body.Code, body.Globals, namespace, body.Closure)
		if err != nil {
			return nil, err
		}
		class, err := exceptionClass(string(args[1].(py.String)), base, args[2:], namespace)
		if err != nil {
			return nil, err
		}
		if c, ok := cell.(*py.Cell); ok {
			c.Set(class)
		}
		return class, nil
	}}
}

// exceptionAmong is the first of some bases that is an exception, or nil.
func exceptionAmong(bases py.Tuple) *py.Type {
	for _, o := range bases {
		if t, ok := o.(*py.Type); ok && py.ExceptionClassCheck(t) {
			return t
		}
	}
	return nil
}

func exceptionClass(name string, base *py.Type, bases py.Tuple, namespace py.StringDict) (*py.Type, error) {
	class := &py.Type{
		ObjectType: py.TypeType,
		Name:       name,
		Base:       base,
		Bases:      bases,
		Dict:       namespace,
		New:        newProgramsException,
		Flags:      (base.Flags | py.TPFLAGS_HEAPTYPE | py.TPFLAGS_BASETYPE) &^ py.TPFLAGS_READY,
	}
	return class, class.Ready()
}

// typeFunction is type(name, bases, dict), which makes classes as a class statement does.
func typeFunction() {
	make := py.TypeType.New
	py.TypeType.New = func(meta *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) != 3 || len(kwargs) > 0 {
			return make(meta, args, kwargs)
		}
		namespace, ok := args[2].(*pyvalue.Dict)
		if !ok {
			return make(meta, args, kwargs)
		}
		names, err := namespace.StringDict()
		if err != nil {
			return nil, err
		}
		if names["__module__"] == nil {
			names["__module__"] = py.String(moduleName)
		}
		name, isName := args[0].(py.String)
		bases, _ := args[1].(py.Tuple)
		if base := exceptionAmong(bases); base != nil && isName {
			return exceptionClass(string(name), base, bases, names)
		}
		return make(meta, py.Tuple{args[0], args[1], names}, kwargs)
	}
}

// newProgramsException makes an instance of an exception class of the program, with its __init__ if
// it has one.
func newProgramsException(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	e := newException(class, append(py.Tuple(nil), args...)...)
	init, ok := class.Lookup("__init__").(*py.Function)
	if !ok {
		if len(kwargs) > 0 {
			return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", class.Name)
		}
		return e, nil
	}
	_, err := py.Call(init, append(py.Tuple{e}, args...), kwargs)
	return e, err
}

func init() {
	py.BaseException.Dict["__init__"] = py.MustNewMethod("__init__", func(self py.Object, args py.Tuple) (py.Object, error) {
		// Called by way of the class, self is the first argument.
		if e, ok := self.(*py.Exception); ok {
			e.Args = append(py.Tuple{}, args...)
			return py.None, nil
		}
		if len(args) > 0 {
			if e, ok := args[0].(*py.Exception); ok {
				e.Args = append(py.Tuple{}, args[1:]...)
				return py.None, nil
			}
		}
		return nil, py.ExceptionNewf(py.TypeError, "descriptor '__init__' of 'BaseException' object needs an argument")
	}, 0, "")
}

// guardTypes keeps programs from changing the built-in types, which all executions share, and lets
// them set attributes of exceptions.
func guardTypes() {
	for op, drop := range map[vm.OpCode]int{vm.STORE_ATTR: 2, vm.DELETE_ATTR: 1} {
		change := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, name int32) error {
			switch o := v.TOP().(type) {
			case *py.Exception:
				var value py.Object
				if op == vm.STORE_ATTR {
					value = v.SECOND()
				}
				v.DROPN(drop)
				return pyvalue.SetExceptionAttr(o, machineOf(v).frame.Code.Names[name], value)
			case *py.Type:
				if isBuiltin(o) {
					return immutableType(o)
				}
			}
			return change(v, name)
		}
	}
}

// readAttrs lets programs read attributes of exceptions, for which gpython gives the args whatever
// the name, and those that a class has from its bases, which gpython finds for instances only.
func readAttrs() {
	load := jumpTable[vm.LOAD_ATTR]
	jumpTable[vm.LOAD_ATTR] = func(v *vm.Vm, nameIndex int32) error {
		name := machineOf(v).frame.Code.Names[nameIndex]
		var value py.Object
		var err error
		switch o := v.TOP().(type) {
		case *py.Exception:
			value, err = py.Call(commonBuiltins()["getattr"], py.Tuple{o, py.String(name)}, nil)
		case *py.Type:
			if value = pyvalue.HiddenMethod(o, name); value == nil {
				value, err = classAttr(o, name)
			}
		}
		if value == nil && err == nil {
			if err = load(v, nameIndex); err == nil {
				return nil
			}
			value, err = pyvalue.ObjectAttr(v.TOP(), name, err)
		}
		if err == nil {
			v.SET_TOP(value)
		}
		return err
	}
}

// classAttr finds what a class of the program or of exceptions, or object, has itself or from one
// that it is derived from; nil if there is no such thing.
func classAttr(class *py.Type, name string) (py.Object, error) {
	if class.Name == "" || isBuiltin(class) && class != py.ObjectType && !py.ExceptionClassCheck(class) {
		return nil, nil
	}
	switch value := inherited(class.Mro, name).(type) {
	case nil:
		return nil, nil
	case *py.StaticMethod:
		return value.M__get__(py.None, class)
	case *py.ClassMethod:
		return value.M__get__(py.None, class)
	default:
		return value, nil
	}
}

// inherited finds what the first of some classes that has something of this name has, or nil. Of
// built-in ones only methods count: their properties are about the class itself.
func inherited(mro py.Tuple, name string) py.Object {
	for _, base := range mro {
		class, ok := base.(*py.Type)
		if !ok {
			continue
		}
		value := class.Dict[name]
		if _, isMethod := value.(*py.Method); value != nil && (isMethod || !isBuiltin(class)) {
			return value
		}
	}
	return pyvalue.ObjectMethod(name)
}

// dottedDecorators lets "@a.b" be what it is: gpython's parser makes one name of it.
func dottedDecorators() {
	for _, op := range []vm.OpCode{vm.LOAD_NAME, vm.LOAD_GLOBAL} {
		load := jumpTable[op]
		jumpTable[op] = func(v *vm.Vm, nameIndex int32) error {
			err := load(v, nameIndex)
			if err == nil {
				return nil
			}
			frame := machineOf(v).frame
			first, rest, dotted := strings.Cut(frame.Code.Names[nameIndex], ".")
			if !dotted {
				return err
			}
			value, ok := frame.Lookup(first)
			if i := slices.Index(frame.Code.Varnames, first); i >= 0 && i < len(frame.LocalVars) && frame.LocalVars[i] != nil {
				value, ok = frame.LocalVars[i], true
			}
			if !ok {
				return py.ExceptionNewf(py.NameError, "name '%s' is not defined", first)
			}
			for name := range strings.SplitSeq(rest, ".") {
				if value, err = py.GetAttrString(value, name); err != nil {
					return err
				}
			}
			v.PUSH(value)
			return nil
		}
	}
}

// inheritedAttr is getattr or hasattr with what classAttr finds.
func inheritedAttr(name string, f py.Object) py.Object {
	return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) >= 2 {
			class, isType := args[0].(*py.Type)
			attribute, isName := args[1].(py.String)
			if isType && isName {
				value, err := classAttr(class, string(attribute))
				switch {
				case err != nil:
					return nil, err
				case value != nil && name == "hasattr":
					return py.True, nil
				case value != nil:
					return value, nil
				}
			}
		}
		return py.Call(f, args, kwargs)
	}}
}

// newProperty is property(): gpython has the type for itself only.
func newProperty(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("property", args, kwargs, 1, "fget", "fset")
	if err != nil {
		return nil, err
	}
	p := &py.Property{Fget: func(self py.Object) (py.Object, error) { return py.Call(a[0], py.Tuple{self}, nil) }}
	if a[1] != nil && a[1] != py.None {
		p.Fset = func(self, value py.Object) error {
			_, err := py.Call(a[1], py.Tuple{self, value}, nil)
			return err
		}
	}
	return p, nil
}

func init() {
	py.PropertyType.Dict["setter"] = py.MustNewMethod("setter", func(self, fset py.Object) (py.Object, error) {
		p := *self.(*py.Property)
		p.Fset = func(self, value py.Object) error {
			_, err := py.Call(fset, py.Tuple{self, value}, nil)
			return err
		}
		return &p, nil
	}, 0, "")
}

// isBuiltin tells a type that no program has made from classes of programs and their instances.
func isBuiltin(t *py.Type) bool {
	return t.Name != "" && t.Flags&py.TPFLAGS_HEAPTYPE == 0
}

func immutableType(t *py.Type) error {
	return py.ExceptionNewf(py.TypeError, "can't set attributes of built-in/extension type '%s'", t.Name)
}

// guardedAttr is setattr or delattr for what guardTypes is about.
func guardedAttr(name string, f py.Object) py.Object {
	return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) >= 2 {
			attribute, isName := args[1].(py.String)
			switch o := args[0].(type) {
			case *py.Exception:
				if isName {
					return py.None, pyvalue.SetExceptionAttr(o, string(attribute), append(args[:len(args):len(args)], nil)[2])
				}
			case *py.Type:
				if isBuiltin(o) {
					return nil, immutableType(o)
				}
			}
		}
		return py.Call(f, args, kwargs)
	}}
}
