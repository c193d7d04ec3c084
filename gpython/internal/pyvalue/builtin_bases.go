package pyvalue

// Classes that programs derive from dict, list, str and int, which gpython v0.2.0 refuses. An
// instance is one of a class of the program, and has beside its attributes a value of the built-in
// type: the built-in's methods work on that value. The methods that CPython calls for operators and
// builtin functions stand in special_methods.go.

import (
	"slices"

	"github.com/go-python/gpython/py"
)

// holdsValue is a flag of classes that are derived from one of builtinBases.
const holdsValue = 1 << 3

// ofType is a flag of methods of built-in types, which become bound to an instance as functions of
// Python do. Builtin functions do not.
const ofType = 1 << 30

// builtinBases are the built-in types that programs derive from.
var builtinBases = []*py.Type{py.StringDictType, py.ListType, py.StringType, py.IntType}

func init() {
	object := py.ObjectType.New
	py.ObjectType.New = func(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if class == py.ObjectType && len(args)+len(kwargs) > 0 {
			return nil, py.ExceptionNewf(py.TypeError, "object() takes no arguments")
		}
		return object(class, args, kwargs)
	}
	for _, t := range builtinBases {
		t.Flags |= py.TPFLAGS_BASETYPE
		t.ObjectType = py.TypeType
		t.Dict["__new__"] = newFunctionOf(t)
	}
	py.StringDictType.Dict["__init__"] = newMethod(py.StringDictType, "__init__", func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d, err := newDict(nil, args, kwargs)
		if err != nil {
			return nil, err
		}
		to, _ := asDict(self)
		return py.None, to.Update(d)
	})
	py.ListType.Dict["__init__"] = newMethod(py.ListType, "__init__", func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		l, err := newList(nil, args, kwargs)
		if err != nil {
			return nil, err
		}
		self.(*py.List).Items = l.(*py.List).Items
		return py.None, nil
	})
}

// newFunctionOf is the __new__ of a type of builtinBases. A list's and a dict's take any arguments:
// they are for __init__.
func newFunctionOf(t *py.Type) *py.Method {
	return py.MustNewMethod("__new__", func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) == 0 {
			return nil, py.ExceptionNewf(py.TypeError, "%s.__new__(): not enough arguments", t.Name)
		}
		class, ok := args[0].(*py.Type)
		if !ok || !isClass(class) {
			return nil, py.ExceptionNewf(py.TypeError, "%s.__new__(X): X is not a type object (%s)", t.Name, typeName(args[0]))
		}
		if !class.IsSubtype(t) {
			return nil, py.ExceptionNewf(py.TypeError, "%s.__new__(%s): %s is not a subtype of %s", t.Name, class.Name, class.Name, t.Name)
		}
		args = args[1:]
		if t == py.StringDictType || t == py.ListType {
			args, kwargs = nil, nil
		}
		if isBuiltin(class) {
			return class.New(class, args, kwargs)
		}
		value, err := t.New(t, args, kwargs)
		if err != nil {
			return nil, err
		}
		o, err := allocate(class)
		if err == nil {
			namespaceOf(o.(*py.Type).Dict).value = plain(value)
		}
		return o, err
	}, 0, "")
}

// baseOf is the type of builtinBases that a class is derived from, or nil.
func baseOf(class *py.Type) *py.Type {
	if class.Flags&holdsValue == 0 {
		return nil
	}
	for _, base := range class.Mro {
		if t := base.(*py.Type); slices.Contains(builtinBases, t) {
			return t
		}
	}
	return nil
}

// markBase gives a new class the flag if it is derived from one of builtinBases. It returns a
// TypeError if it is derived from two, or from another type whose instances have a value.
func markBase(class *py.Type) error {
	for _, base := range class.Mro[1:] {
		t := base.(*py.Type)
		if t == py.ObjectType || !isBuiltin(t) {
			continue
		}
		if class.Flags&holdsValue != 0 || !slices.Contains(builtinBases, t) && slices.ContainsFunc(class.Mro, func(o py.Object) bool {
			return slices.Contains(builtinBases, o.(*py.Type))
		}) {
			return py.ExceptionNewf(py.TypeError, "multiple bases have instance lay-out conflict")
		}
		if slices.Contains(builtinBases, t) {
			class.Flags |= holdsValue
		}
	}
	return nil
}

// valueOf is the built-in value of an instance of a class derived from a type of builtinBases. It
// is nil for all other objects.
func valueOf(o py.Object) py.Object {
	t, ok := o.(*py.Type)
	if !ok || isClass(t) || t.ObjectType.Flags&holdsValue == 0 {
		return nil
	}
	return namespaceOf(t.Dict).value
}

// plain is the built-in value of an instance that has one, else the object itself.
func plain(o py.Object) py.Object {
	if value := valueOf(o); value != nil {
		return value
	}
	return o
}

// Plain is the built-in value of an instance of a class that a program has derived from dict,
// list, str or int, and the object itself for all others.
func Plain(o py.Object) py.Object { return plain(o) }

// Overrides reports whether an instance's class has a method of its own instead of the built-in
// type's.
func Overrides(o py.Object, name string) bool {
	base := baseOf(o.Type())
	return base != nil && o.Type().Lookup(name) != base.Dict[name]
}

// classFunction is a function of a class, such as dict.fromkeys, as a class has it that is derived
// from the built-in one: it makes an instance of that class.
func classFunction(class *py.Type, f *py.Method) py.Object {
	return py.MustNewMethod(f.Name, func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		made, err := py.Call(f, args, kwargs)
		if err != nil {
			return nil, err
		}
		d, ok := made.(*Dict)
		if !ok {
			return py.Call(class, py.Tuple{made}, nil)
		}
		o, err := py.Call(class, nil, nil)
		if err != nil {
			return nil, err
		}
		return o, d.Each(func(key, value py.Object) error { return SetItem(o, key, value) })
	}, 0, "")
}

// ofClass is an attribute of a class derived from a type of builtinBases: what the built-in one
// has as functions that make instances makes those of the class.
func ofClass(class *py.Type, name string, attr py.Object) py.Object {
	if base := baseOf(class); base != nil && (name == "fromkeys" || name == "from_bytes") && attr == base.Dict[name] {
		return classFunction(class, attr.(*py.Method))
	}
	return attr
}
