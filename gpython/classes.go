package gpython

// Class statements, exception classes and property(). In gpython v0.2.0 a class that is derived
// from an exception cannot be called, type(name, bases, dict) takes only gpython's own kind of
// dict, and there is no property(). CPython has all of these, and programs define exceptions of
// their own.

import (
	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// buildClass is __build_class__, which a class statement calls.
func buildClass(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	body, ok := args[0].(*py.Function)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "__build_class__: func must be a function")
	}
	name, bases := body.Code.Name, append(py.Tuple(nil), args[2:]...)
	namespace := py.NewStringDict()
	pyvalue.KeepOrder(namespace)
	cell, err := body.Context.RunCode(body.Code, body.Globals, namespace, body.Closure)
	if err != nil {
		return nil, err
	}
	pyvalue.SetName(namespace, "__qualname__", py.String(qualname(body.Code)))
	class, err := makeClass(name, bases, namespace, kwargs)
	if err != nil {
		return nil, err
	}
	if c, ok := cell.(*py.Cell); ok {
		c.Set(class)
	}
	return class, nil
}

// makeClass makes a class of its namespace, and tells its attributes and the class that it is
// derived from.
func makeClass(name string, bases py.Tuple, namespace, kwargs py.StringDict) (py.Object, error) {
	named := kwargs.Copy()
	if meta, ok := named["metaclass"]; ok {
		delete(named, "metaclass")
		if meta != py.Object(py.TypeType) {
			return py.Call(meta, py.Tuple{py.String(name), bases, pyvalue.View(namespace)}, named)
		}
	}
	if f, ok := namespace["__init_subclass__"].(*py.Function); ok {
		namespace["__init_subclass__"] = &py.ClassMethod{Callable: f, Dict: py.NewStringDict()}
	}
	var class *py.Type
	if base := exceptionAmong(bases); base != nil {
		var err error
		if class, err = exceptionClass(name, base, bases, namespace); err != nil {
			return nil, err
		}
	} else {
		made, err := py.TypeType.New(py.TypeType, py.Tuple{py.String(name), bases, pyvalue.View(namespace)}, nil)
		if err != nil {
			return nil, err
		}
		class = made.(*py.Type)
	}
	return class, pyvalue.Announce(class, named)
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
	qualname, _ := namespace["__qualname__"].(py.String)
	pyvalue.DeleteName(namespace, "__qualname__")
	class := &py.Type{
		Qualname:   string(qualname),
		ObjectType: py.TypeType,
		Name:       name,
		Base:       base,
		Bases:      bases,
		Dict:       namespace,
		New:        newProgramsException,
		Flags:      (base.Flags | py.TPFLAGS_HEAPTYPE | py.TPFLAGS_BASETYPE) &^ py.TPFLAGS_READY,
	}
	pyvalue.NoHash(class)
	if err := class.Ready(); err != nil {
		return nil, err
	}
	for _, name := range notOfExceptions {
		switch class.Lookup(name).(type) {
		case nil, *py.Method:
		default:
			return nil, pyvalue.Refused("exception classes", name)
		}
	}
	return class, nil
}

// notOfExceptions is what a class of exceptions cannot have, since nothing would ask for it.
var notOfExceptions = []string{"__new__", "__call__", "__del__", "__getattribute__", "__setattr__", "__delattr__", "__slots__"}

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
		names, err := namespace.CopyNames()
		if err != nil {
			return nil, err
		}
		if names["__module__"] == nil {
			pyvalue.SetName(names, "__module__", py.String(moduleName))
		}
		name, isName := args[0].(py.String)
		bases, _ := args[1].(py.Tuple)
		if base := exceptionAmong(bases); base != nil && isName {
			return exceptionClass(string(name), base, bases, names)
		}
		return make(meta, py.Tuple{args[0], args[1], pyvalue.View(names)}, kwargs)
	}
}

// newProgramsException makes an instance of an exception class of the program, with its __init__ if
// it has one.
func newProgramsException(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	e := newException(class, append(py.Tuple(nil), args...)...)
	init, ok := class.Lookup("__init__").(*py.Function)
	if !ok {
		if class.IsSubtype(py.OSError) {
			takeFiles(e)
		}
		if len(kwargs) > 0 {
			return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", class.Name)
		}
		return e, nil
	}
	res, err := py.Call(init, append(py.Tuple{e}, args...), kwargs)
	if err == nil && res != py.None {
		err = pyvalue.InitReturned(res)
	}
	return e, err
}

func init() {
	py.BaseException.Dict["__init__"] = py.MustNewMethod("__init__", func(self py.Object, args py.Tuple) (py.Object, error) {
		// Called by way of the class, self is the first argument.
		e, ok := self.(*py.Exception)
		if !ok && len(args) > 0 {
			e, ok = args[0].(*py.Exception)
			args = args[1:]
		}
		if ok {
			e.Args = append(py.Tuple{}, args...)
			if e.Base.IsSubtype(py.OSError) {
				takeFiles(e)
			}
			return py.None, nil
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
