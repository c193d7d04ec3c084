package gpython

// Class statements, exception classes and property(). In gpython v0.2.0 a class that is derived
// from an exception cannot be called, type(name, bases, dict) takes only gpython's own kind of
// dict, and there is no property(). CPython has all of these, and programs define exceptions of
// their own.

import (
	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// buildClass is __build_class__, which a class statement calls. It makes classes of exceptions; the
// others are left to otherwise, which is gpython's.
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

// exceptionClass makes a class that is derived from an exception.
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

// init lets type(name, bases, dict) make classes as a class statement does: gpython takes only its
// own kind of dict, and no exceptions as bases.
func init() {
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
