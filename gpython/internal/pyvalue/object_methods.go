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
		if baseOf(class) != nil {
			safe := class
			for !isBuiltin(safe) && safe.Dict["__new__"] != nil {
				safe = safe.Base
			}
			return nil, py.ExceptionNewf(py.TypeError, "object.__new__(%s) is not safe, use %s.__new__()", class.Name, safe.Name)
		}
		return allocate(class)
	})
	add("__getattribute__(name, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		name, err := attributeName(a[0])
		if err != nil {
			return nil, err
		}
		if o, ok := self.(*py.Type); ok && !isClass(o) {
			return ownAttr(o, name)
		}
		return GetAttr(self, name)
	})
	objectMethods["__init_subclass__"] = newFunction("object", "__init_subclass__()", func([]py.Object) (py.Object, error) {
		return py.None, nil
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
	return setInstanceOwn(t, name, value)
}

// newInstance makes an instance of a class of the program, by its __new__ and its __init__ if it
// has them.
func newInstance(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	init := class.Lookup("__init__")
	var o py.Object
	var err error
	if method, ok := class.Lookup("__new__").(py.I__get__); ok {
		var function py.Object
		if function, err = method.M__get__(py.None, class); err != nil {
			return nil, err
		}
		o, err = py.Call(function, append(py.Tuple{class}, args...), kwargs)
		if err != nil || !o.Type().IsSubtype(class) || o == py.Object(class) {
			return o, err
		}
		init = o.Type().Lookup("__init__")
	} else {
		if len(args)+len(kwargs) > 0 && init == nil {
			return nil, py.ExceptionNewf(py.TypeError, "%s() takes no arguments", class.Name)
		}
		if o, err = allocate(class); err != nil {
			return nil, err
		}
	}
	if init == nil {
		return o, nil
	}
	instance, ok := o.(*py.Type)
	if !ok {
		return o, nil
	}
	var res py.Object
	if f, ok := init.(*py.Function); ok {
		res, err = py.Call(f, append(py.Tuple{o}, args...), kwargs)
	} else {
		var method py.Object
		if method, err = describe(init, instance, instance.Type()); err == nil {
			res, err = py.Call(method, args, kwargs)
		}
	}
	if err == nil && res != py.Object(py.None) {
		err = InitReturned(res)
	}
	return o, err
}

// InitReturned is the error for an __init__ that returned something else than None.
func InitReturned(o py.Object) error {
	return py.ExceptionNewf(py.TypeError, "__init__() should return None, not '%s'", typeName(o))
}

// allocate makes an instance. gpython makes it a py.Type, and to call it calls that type's New:
// which is how instances that have __call__ are called. By its Mro gpython finds methods such as
// __getattr__ and __next__ that the class has inherited; the class itself, which is first, and
// object, which has none, would only take time at each attribute.
func allocate(class *py.Type) (py.Object, error) {
	o, err := py.ObjectNew(class, nil, nil)
	if instance, ok := o.(*py.Type); ok {
		KeepOrder(instance.Dict)
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
