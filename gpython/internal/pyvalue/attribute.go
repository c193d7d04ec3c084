package pyvalue

import (
	"strings"

	"github.com/go-python/gpython/py"
)

// getAttr is o.name.
func getAttr(o py.Object, name string) (py.Object, error) {
	if e, ok := o.(*py.Exception); ok {
		return exceptionAttr(e, name)
	}
	if method := HiddenMethod(o, name); method != nil {
		return method, nil
	}
	res, err := py.GetAttrString(o, name)
	if err != nil {
		return ObjectAttr(o, name, attributeError(err, o))
	}
	return classAttr(o, res), nil
}

// classAttr puts a class's own name for the property that the class has to give its instances
// theirs.
func classAttr(o, attr py.Object) py.Object {
	p, ok := attr.(*py.Property)
	if !ok {
		return attr
	}
	if class, ok := o.(*py.Type); ok && isClass(class) {
		for _, name := range []string{"__name__", "__qualname__"} {
			if class.Dict[name] == py.Object(p) {
				return py.String(class.Name)
			}
		}
	}
	return attr
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

func missingAttribute(o py.Object, name string) error {
	switch x := o.(type) {
	case *py.Type:
		if isClass(x) {
			return py.ExceptionNewf(py.AttributeError, "type object '%s' has no attribute '%s'", x.Name, name)
		}
	case *py.Module:
		return py.ExceptionNewf(py.AttributeError, "module '%s' has no attribute '%s'", x.ModuleImpl.Info.Name, name)
	}
	return py.ExceptionNewf(py.AttributeError, "'%s' object has no attribute '%s'", typeName(o), name)
}

func init() {
	// Attributes that every object or every class has. gpython finds methods M__x__ of Go types by
	// reflection; these are the ones that are no methods.
	property(py.ObjectType, "__class__", func(self py.Object) (py.Object, error) { return classOf(self), nil })
	for name, get := range map[string]func(t *py.Type) py.Object{
		"__name__":     func(t *py.Type) py.Object { return py.String(t.Name) },
		"__qualname__": func(t *py.Type) py.Object { return py.String(t.Name) },
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
			return getAttr(m.Method, "__name__")
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
