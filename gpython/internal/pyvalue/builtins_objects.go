package pyvalue

// The builtins about objects and their types: isinstance, type, id, len, repr, format and those of
// attributes. gpython v0.2.0 has no format, says that True is no int, and does not know this
// package's types.

import (
	"math/big"

	"github.com/go-python/gpython/py"
)

func init() {
	for _, t := range []*py.Type{
		py.BoolType, py.BytesType, py.EnumerateType, py.FilterType, py.FloatType, py.FrozenSetType, py.IntType,
		py.ListType, py.ObjectType, py.SetType, py.TupleType, py.TypeType, py.ZipType, py.RangeType, py.SliceType,
	} {
		builtins[t.Name] = t
	}
	builtins["dict"], builtins["str"], builtins["map"] = py.StringDictType, py.StringType, py.MapType
	builtins["complex"] = py.ComplexType
	py.ComplexType.Name, py.BigIntType.Name, py.MapType.Name = "complex", "int", "map"
	py.MethodType.Name, py.BoundMethodType.Name = "builtin_function_or_method", "method"

	newType := py.TypeType.New
	py.TypeType.New = func(meta *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if meta == py.TypeType && len(args) == 1 && len(kwargs) == 0 {
			return classOf(args[0]), nil
		}
		if len(args) != 3 || len(kwargs) != 0 {
			return newType(meta, args, kwargs)
		}
		args, err := typeArguments(args)
		if err != nil {
			return nil, err
		}
		return newClass(meta, args, newType)
	}
	textFunction("repr(obj, /)", func(a []py.Object) (string, error) { return Repr(a[0]) })
	textFunction("ascii(obj, /)", func(a []py.Object) (string, error) { return ascii(a[0]) })
	textFunction("format(value, spec=, /)", func(a []py.Object) (string, error) {
		spec, ok := plain(optional(a[1], py.String(""))).(py.String)
		if !ok {
			return "", py.ExceptionNewf(py.TypeError, "format() argument 2 must be str, not %s", typeName(a[1]))
		}
		return Format(a[0], string(spec))
	})
	addFunction("hash(obj, /)", func(a []py.Object) (py.Object, error) {
		h, err := hash(a[0])
		return py.Int(h), err
	})
	addFunction("id(obj, /)", func(a []py.Object) (py.Object, error) { return py.Int(identity(a[0])), nil })
	addFunction("len(obj, /)", func(a []py.Object) (py.Object, error) { return length(a[0]) })
	addFunction("callable(obj, /)", func(a []py.Object) (py.Object, error) {
		if t, ok := a[0].(*py.Type); ok && !isClass(t) {
			return py.NewBool(instanceMethod(t, "__call__") != nil), nil
		}
		_, ok := a[0].(py.I__call__)
		return py.Bool(ok), nil
	})
	addFunction("isinstance(obj, class_or_tuple, /)", func(a []py.Object) (py.Object, error) {
		return anyClass("isinstance", a[1], func(t *py.Type) bool { return isInstance(a[0], t) })
	})
	addFunction("issubclass(cls, class_or_tuple, /)", func(a []py.Object) (py.Object, error) {
		class, ok := a[0].(*py.Type)
		if !ok || !isClass(class) {
			return nil, py.ExceptionNewf(py.TypeError, "issubclass() arg 1 must be a class")
		}
		return anyClass("issubclass", a[1], func(t *py.Type) bool {
			return class.IsSubtype(t) || class == py.BoolType && t == py.IntType
		})
	})
	addAttributeFunctions()
}

// typeArguments checks the arguments of type(name, bases, dict), and makes the dict gpython's.
func typeArguments(args py.Tuple) (py.Tuple, error) {
	name, isName := args[0].(py.String)
	bases, isTuple := args[1].(py.Tuple)
	d, isDict := asDict(args[2])
	for i, ok := range []bool{isName, isTuple, isDict} {
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "type.__new__() argument %d must be %s, not %s", i+1,
				[]string{"str", "tuple", "dict"}[i], typeName(args[i]))
		}
	}
	for _, base := range bases {
		if t, ok := base.(*py.Type); !ok || !isClass(t) {
			return nil, py.ExceptionNewf(py.TypeError, "bases must be types")
		}
	}
	names, err := d.CopyNames()
	if err != nil {
		return nil, err
	}
	if names["__module__"] == nil { // gpython cannot find out, and says so on the standard output
		SetName(names, "__module__", py.String("__main__"))
	}
	return py.Tuple{name, bases, names}, nil
}

func textFunction(text string, f func(a []py.Object) (string, error)) {
	addFunction(text, func(a []py.Object) (py.Object, error) {
		s, err := f(a)
		return py.String(s), err
	})
}

func addAttributeFunctions() {
	addFunction("getattr(obj, name, default=, /)", func(a []py.Object) (py.Object, error) {
		name, err := attributeName(a[1])
		if err != nil {
			return nil, err
		}
		res, err := GetAttr(a[0], name)
		if a[2] != nil && py.IsException(py.AttributeError, err) {
			return a[2], nil
		}
		return res, err
	})
	addFunction("hasattr(obj, name, /)", func(a []py.Object) (py.Object, error) {
		name, err := attributeName(a[1])
		if err != nil {
			return nil, err
		}
		_, err = GetAttr(a[0], name)
		if py.IsException(py.AttributeError, err) {
			return py.False, nil
		}
		return py.True, err
	})
	addFunction("setattr(obj, name, value, /)", func(a []py.Object) (py.Object, error) {
		name, err := attributeName(a[1])
		if err != nil {
			return nil, err
		}
		return py.None, SetAttr(a[0], name, a[2])
	})
	addFunction("delattr(obj, name, /)", func(a []py.Object) (py.Object, error) {
		name, err := attributeName(a[1])
		if err != nil {
			return nil, err
		}
		return py.None, SetAttr(a[0], name, nil)
	})
}

func attributeName(o py.Object) (string, error) {
	s, ok := plain(o).(py.String)
	if !ok {
		return "", py.ExceptionNewf(py.TypeError, "attribute name must be string, not '%s'", typeName(o))
	}
	return string(s), nil
}

// anyClass asks about a class, or about each in a tuple until the answer is yes.
func anyClass(name string, o py.Object, ask func(t *py.Type) bool) (py.Object, error) {
	switch x := o.(type) {
	case *py.Type:
		if isClass(x) {
			return py.NewBool(ask(x)), nil
		}
	case py.Tuple:
		for _, item := range x {
			yes, err := anyClass(name, item, ask)
			if err != nil || yes == py.Object(py.True) {
				return yes, err
			}
		}
		return py.False, nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "%s() arg 2 must be a type, a tuple of types, or a union", name)
}

// length is len(o).
func length(o py.Object) (py.Object, error) {
	if b, ok := o.(py.Bytes); ok {
		return py.Int(len(b)), nil
	}
	if method := instanceMethod(o, "__len__"); method != nil {
		res, err := py.Call(method, py.Tuple{o}, nil)
		if err != nil {
			return nil, err
		}
		i, ok := asInt(plain(res))
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "'%s' object cannot be interpreted as an integer", typeName(res))
		}
		if i.Cmp(new(big.Int)) < 0 {
			return nil, py.ExceptionNewf(py.ValueError, "__len__() should return >= 0")
		}
		if !i.IsInt64() {
			return nil, py.ExceptionNewf(py.OverflowError, "cannot fit '%s' into an index-sized integer", typeName(res))
		}
		return intObject(i), nil
	}
	if names, ok := o.(py.StringDict); ok {
		return py.Int(View(names).len()), nil
	}
	if l, ok := o.(py.I__len__); ok {
		return l.M__len__()
	}
	return nil, py.ExceptionNewf(py.TypeError, "object of type '%s' has no len()", typeName(o))
}
