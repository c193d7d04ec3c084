package pyvalue

// Attributes of objects and classes, as CPython finds and sets them. gpython v0.2.0 finds what a
// class inherits for its instances only, returns the args of an exception under every name, lets a
// program change built-in types, and has no __name__, __class__, __mro__ or __dict__.

import (
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
)

// GetAttr is o.name. To gpython's lookup it adds the attributes of exceptions, for which gpython
// gives the args whatever the name, those that a class has from its bases, which gpython finds for
// instances only, and the methods of object.
func GetAttr(o py.Object, name string) (py.Object, error) {
	switch x := o.(type) {
	case *py.Exception:
		return exceptionAttr(x, name)
	case *Dict:
		if x.proxy && slices.Contains([]string{"clear", "pop", "popitem", "setdefault", "update", "__setitem__", "__delitem__"}, name) {
			return nil, py.ExceptionNewf(py.AttributeError, "'mappingproxy' object has no attribute '%s'", name)
		}
	case *py.Type:
		if !isClass(x) {
			return instanceAttr(x, name)
		}
		if value, err := inheritedByClass(x, name); value != nil || err != nil {
			return value, err
		}
		// gpython would ask the methods that are for the class's instances.
		if isClass(x) && (x.Lookup("__getattribute__") != nil || x.Lookup("__getattr__") != nil) {
			if p, ok := py.TypeType.Lookup(name).(*py.Property); ok {
				return p.M__get__(x, py.TypeType)
			}
			return nil, missingAttribute(x, name)
		}
	}
	value, err := py.GetAttrString(o, name)
	if err != nil {
		return objectAttr(o, name, attributeError(err, o))
	}
	return ownName(o, value), nil
}

// SetAttr is o.name = value, or del o.name if value is nil. Built-in types refuse: all executions
// share them. gpython has no way to set an attribute of an exception.
func SetAttr(o py.Object, name string, value py.Object) error {
	switch x := o.(type) {
	case *py.Exception:
		return setExceptionAttr(x, name, value)
	case *py.Type:
		if !isClass(x) {
			return setInstanceAttr(x, name, value)
		}
		if isBuiltin(x) {
			return py.ExceptionNewf(py.TypeError, "can't set attributes of built-in/extension type '%s'", x.Name)
		}
	}
	if class, ok := o.(*py.Type); ok {
		if name == "__del__" && value != nil {
			return Refused("classes", name)
		}
		if value == nil && !DeleteName(class.Dict, name) {
			return missingAttribute(o, name)
		} else if value != nil {
			SetName(class.Dict, name, value)
		}
		return nil
	}
	if value == nil {
		return attributeError(py.DeleteAttrString(o, name), o)
	}
	_, err := py.SetAttrString(o, name, value)
	return err
}

// isBuiltin tells a type that no program has made from the classes of programs and their instances.
func isBuiltin(t *py.Type) bool { return isClass(t) && t.Flags&py.TPFLAGS_HEAPTYPE == 0 }

// inheritedByClass finds what a class has itself or from one that it is derived from: a class of
// the program, one of exceptions, or object. It returns nil if there is no such thing.
func inheritedByClass(class *py.Type, name string) (py.Object, error) {
	if !isClass(class) || isBuiltin(class) && class != py.ObjectType && !py.ExceptionClassCheck(class) && !slices.Contains(builtinBases, class) {
		return nil, nil
	}
	switch value := Inherited(class.Mro, name).(type) {
	case nil:
		return nil, nil
	case *py.StaticMethod:
		return value.M__get__(py.None, class)
	case *py.ClassMethod:
		return value.M__get__(py.None, class)
	default:
		if get := instanceMethod(value, "__get__"); get != nil {
			return py.Call(get, py.Tuple{value, py.None, class}, nil)
		}
		return ofClass(class, name, value), nil
	}
}

// Inherited returns what the first of some classes that defines this name has there, or nil. Of
// built-in classes only methods count: their properties are about the class itself.
func Inherited(mro py.Tuple, name string) py.Object {
	for _, base := range mro {
		class, ok := base.(*py.Type)
		if !ok {
			continue
		}
		value := class.Dict[name]
		if _, isMethod := value.(*py.Method); value != nil && (isMethod || value == py.Object(py.None) || !isBuiltin(class)) {
			return value
		}
	}
	if method := objectMethods[name]; method != nil {
		return method
	}
	return nil
}

// ownName puts a class's own name in the place of the property by which its instances have theirs.
func ownName(o, attr py.Object) py.Object {
	p, ok := attr.(*py.Property)
	if !ok {
		return attr
	}
	if class, ok := o.(*py.Type); ok && isClass(class) {
		for _, name := range []string{"__name__", "__qualname__"} {
			if class.Dict[name] == py.Object(p) {
				if name == "__name__" {
					return py.String(class.Name)
				}
				return py.String(Qualname(class))
			}
		}
	}
	return attr
}

// Qualname is the qualified name of a class.
func Qualname(class *py.Type) string {
	if class.Qualname != "" {
		return class.Qualname
	}
	return class.Name
}

// attributeError says in Python's words that an attribute of o is missing, if that is what
// gpython's error says.
func attributeError(err error, o py.Object) error {
	e, ok := err.(*py.Exception)
	if !ok || e.Base != py.AttributeError {
		return err
	}
	args, _ := e.Args.(py.Tuple)
	text, _ := append(args, py.String(""))[0].(py.String)
	name, ok := strings.CutPrefix(string(text), "'"+o.Type().Name+"' has no attribute '")
	if !ok {
		return err
	}
	return missingAttribute(o, strings.TrimSuffix(name, "'"))
}

// OfLibrary marks the modules that stand for those of CPython's library, and may have less.
const OfLibrary py.ModuleFlags = 1 << 16

// MissingNote is a further line for the error about a name that a module has not: it says who has
// not, if CPython's module may have it.
func MissingNote(module *py.Module, name string) string {
	if module.ModuleImpl.Info.Flags&OfLibrary == 0 {
		return ""
	}
	return "\nThis Go worker's Python has no " + module.ModuleImpl.Info.Name + "." + name
}

func missingAttribute(o py.Object, name string) error {
	switch x := o.(type) {
	case *py.Type:
		if isClass(x) {
			return py.ExceptionNewf(py.AttributeError, "type object '%s' has no attribute '%s'", x.Name, name)
		}
	case *py.Module:
		return py.ExceptionNewf(py.AttributeError, "module '%s' has no attribute '%s'%s", x.ModuleImpl.Info.Name, name, MissingNote(x, name))
	}
	return py.ExceptionNewf(py.AttributeError, "'%s' object has no attribute '%s'", typeName(o), name)
}

func init() {
	// Attributes that every object or every class has. gpython finds methods M__x__ of Go types by
	// reflection; these are the ones that are no methods.
	property(py.ObjectType, "__class__", func(self py.Object) (py.Object, error) { return classOf(self), nil })
	for name, get := range map[string]func(t *py.Type) py.Object{
		"__name__":     func(t *py.Type) py.Object { return py.String(t.Name) },
		"__qualname__": func(t *py.Type) py.Object { return py.String(Qualname(t)) },
		"__mro__":      func(t *py.Type) py.Object { return t.Mro },
		"__bases__":    func(t *py.Type) py.Object { return t.Bases },
	} {
		for _, t := range []*py.Type{py.ObjectType, py.TypeType} {
			property(t, name, func(self py.Object) (py.Object, error) {
				if class, ok := self.(*py.Type); ok && isClass(class) {
					return get(class), nil
				}
				return nil, missingAttribute(self, name)
			})
		}
	}
	property(py.BoundMethodType, "__name__", func(self py.Object) (py.Object, error) {
		if m, ok := self.(*py.BoundMethod); ok {
			return GetAttr(m.Method, "__name__")
		}
		return nil, missingAttribute(self, "__name__")
	})
	for name, get := range map[string]func(f *py.Function) py.Object{
		"__doc__":    func(f *py.Function) py.Object { return f.Doc },
		"__module__": func(f *py.Function) py.Object { return f.Globals["__name__"] },
	} {
		property(py.FunctionType, name, func(self py.Object) (py.Object, error) {
			f, ok := self.(*py.Function)
			if !ok {
				return nil, missingAttribute(self, name)
			}
			return optional(get(f), py.None), nil
		})
	}
	property(py.MethodType, "__name__", func(self py.Object) (py.Object, error) {
		if m, ok := self.(*py.Method); ok {
			return py.String(m.Name), nil
		}
		return nil, missingAttribute(self, "__name__")
	})
}
