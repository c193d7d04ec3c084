package pyvalue

// What every object has from object, and how instances are made. gpython v0.2.0 has no methods of
// object, does not call the __new__ of a program's class, and lets no instance be called, whatever
// its __call__.

import (
	"github.com/go-python/gpython/py"
)

// objectMethods are the methods that every object has from object. They are not in its Dict,
// because gpython and this package would find them there wherever they ask whether a class has
// defined such a method.
var objectMethods = py.StringDict{}

// objectAttr is for an attribute of o that was not found, as err says: it returns a method that
// every object has, or err.
func objectAttr(o py.Object, name string, err error) (py.Object, error) {
	if method := objectMethods[name]; method != nil && isInstanceOfProgram(o) && py.IsException(py.AttributeError, err) {
		return py.NewBoundMethod(o, method), nil
	}
	return nil, err
}

// hiddenMethod returns a method of an instance of a class of the program that gpython hides behind
// one of its own, or nil: instances are a py.Type, which has Go methods of these names.
func hiddenMethod(o *py.Type, name string) py.Object {
	switch name {
	case "__eq__", "__ne__", "__repr__", "__str__":
	default:
		return nil
	}
	if isClass(o) {
		return nil
	}
	return py.NewBoundMethod(o, optional(instanceMethod(o, name), objectMethods[name]))
}

func init() {
	add := func(text string, f boundFunc) {
		s := parseSignature("object", text)
		objectMethods[s.name] = newMethod(py.ObjectType, s.name, s.method(f))
	}
	objectMethods["__init__"] = newMethod(py.ObjectType, "__init__", func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args)+len(kwargs) > 0 {
			owner := "object"
			if instanceMethod(self, "__init__") == nil {
				owner = typeName(self)
			}
			return nil, py.ExceptionNewf(py.TypeError, "%s.__init__() takes exactly one argument (the instance to initialize)", owner)
		}
		return py.None, nil
	})
	objectMethods["__new__"] = newFunction("object", "__new__(cls, /)", func(a []py.Object) (py.Object, error) {
		class, ok := a[0].(*py.Type)
		if !ok || !isClass(class) {
			return nil, py.ExceptionNewf(py.TypeError, "object.__new__(X): X is not a type object (%s)", typeName(a[0]))
		}
		return allocate(class)
	})
	add("__setattr__(name, value, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		return py.None, setOwnAttr(self, a[0], a[1])
	})
	add("__delattr__(name, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		return py.None, setOwnAttr(self, a[0], nil)
	})
	add("__str__()", func(self py.Object, _ []py.Object) (py.Object, error) {
		if e, ok := self.(*py.Exception); ok {
			s, err := exceptionText(e)
			return py.String(s), err
		}
		return reprObject(self)
	})
	add("__repr__()", func(self py.Object, _ []py.Object) (py.Object, error) {
		var p printer
		err := p.plain(self)
		return py.String(p.String()), err
	})
	add("__format__(spec, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		if a[0] != py.Object(py.String("")) {
			return nil, py.ExceptionNewf(py.TypeError, "unsupported format string passed to %s.__format__", typeName(self))
		}
		s, err := Str(self)
		return py.String(s), err
	})
	add("__hash__()", func(self py.Object, _ []py.Object) (py.Object, error) { return py.Int(hashIdentity(self)), nil })
	add("__eq__(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		if Identical(self, a[0]) {
			return py.True, nil
		}
		return py.NotImplemented, nil
	})
	add("__ne__(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		same, err := Compare(equal, self, a[0])
		if err != nil {
			return nil, err
		}
		yes, err := Truth(same)
		return py.NewBool(!yes), err
	})
}

// setOwnAttr sets an attribute without asking the class's own __setattr__, or deletes it if value
// is nil.
func setOwnAttr(o, key, value py.Object) error {
	name, err := attributeName(key)
	if err != nil {
		return err
	}
	if e, ok := o.(*py.Exception); ok {
		return setExceptionAttr(e, name, value)
	}
	t, ok := o.(*py.Type)
	if !ok || isClass(t) {
		return py.ExceptionNewf(py.TypeError, "can't apply this __setattr__ to %s object", typeName(o))
	}
	return setIn(t.Dict, t.Type().Lookup(name), t, name, value)
}

// newInstance makes an instance of a class of the program, by its __new__ if it has one.
func newInstance(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if method, ok := class.Lookup("__new__").(py.I__get__); ok {
		function, err := method.M__get__(py.None, class)
		if err != nil {
			return nil, err
		}
		return py.Call(function, append(py.Tuple{class}, args...), kwargs)
	}
	if len(args)+len(kwargs) > 0 && class.Lookup("__init__") == nil {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes no arguments", class.Name)
	}
	return allocate(class)
}

// allocate makes an instance. gpython makes it a py.Type, and to call it calls that type's New:
// which is how instances that have __call__ are called. By its Mro gpython finds methods such as
// __getattr__ and __next__ that the class has inherited; the class itself, which is first, and
// object, which has none, would only take time at each attribute.
func allocate(class *py.Type) (py.Object, error) {
	o, err := py.ObjectNew(class, nil, nil)
	if instance, ok := o.(*py.Type); ok {
		instance.New, instance.Mro = callInstance, class.Mro[1:max(1, len(class.Mro)-1)]
	}
	return o, err
}

func callInstance(instance *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	method := instance.Type().Lookup("__call__")
	if method == nil {
		return nil, py.ExceptionNewf(py.TypeError, "'%s' object is not callable", typeName(instance))
	}
	return py.Call(method, append(py.Tuple{instance}, args...), kwargs)
}
