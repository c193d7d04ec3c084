package pyvalue

// Attributes of instances of a program's classes. gpython v0.2.0 does not know the program's
// descriptors (__get__, __set__ and __delete__), finds no __getattr__ behind a __getattribute__,
// lets an attribute hide a property, and hides __eq__, __repr__ and the like behind Go methods of
// its own.

import (
	"slices"

	"github.com/go-python/gpython/py"
)

// instanceAttr is o.name.
func instanceAttr(o *py.Type, name string) (value py.Object, err error) {
	class := o.Type()
	if method := class.Lookup("__getattribute__"); method != nil {
		value, err = py.Call(method, py.Tuple{o, py.String(name)}, nil)
	} else {
		value, err = ownAttr(o, name)
	}
	if err == nil || !py.IsException(py.AttributeError, err) {
		return value, err
	}
	if method := class.Lookup("__getattr__"); method != nil {
		return py.Call(method, py.Tuple{o, py.String(name)}, nil)
	}
	return nil, err
}

// ownAttr is object.__getattribute__(o, name).
func ownAttr(o *py.Type, name string) (py.Object, error) {
	class := o.Type()
	attr := class.Lookup(name)
	if attr != nil && isDataDescriptor(attr) && (!isInstanceOfProgram(attr) || instanceMethod(attr, "__get__") != nil) {
		return describe(attr, o, class)
	}
	if value, ok := o.Dict[name]; ok {
		return value, nil
	}
	if attr != nil {
		return describe(ofClass(class, name, attr), o, class)
	}
	if method := objectMethods[name]; method != nil {
		if name == "__new__" {
			return method, nil
		}
		return py.NewBoundMethod(o, method), nil
	}
	return nil, missingAttribute(o, name)
}

// Special is the method of this name that the class of o has, for o, or nil.
func Special(o py.Object, name string) (py.Object, error) {
	if instance, ok := o.(*py.Type); ok && !isClass(instance) {
		attr := instance.Type().Lookup(name)
		if attr == nil {
			return nil, nil
		}
		return describe(attr, instance, instance.Type())
	}
	method, err := GetAttr(o, name)
	if py.IsException(py.AttributeError, err) {
		return nil, nil
	}
	return method, err
}

// isDataDescriptor reports whether a class's attribute goes before one of the instance.
func isDataDescriptor(attr py.Object) bool {
	switch attr.(type) {
	case *py.Property:
		return true
	case *py.Type:
		return instanceMethod(attr, "__set__") != nil || instanceMethod(attr, "__delete__") != nil
	}
	return false
}

// describe is what an attribute of the class is for an instance: a function becomes a method.
func describe(attr py.Object, o, class *py.Type) (py.Object, error) {
	if m, builtin := attr.(*py.Method); builtin && m.Flags&ofType == 0 && class.Flags&py.TPFLAGS_HEAPTYPE != 0 {
		return attr, nil // CPython's builtin functions are no methods
	}
	if get, ok := attr.(py.I__get__); ok {
		return get.M__get__(o, class)
	}
	if get := instanceMethod(attr, "__get__"); get != nil {
		return py.Call(get, py.Tuple{attr, o, class}, nil)
	}
	return attr, nil
}

// setInstanceAttr is o.name = value, or del o.name if value is nil.
func setInstanceAttr(o *py.Type, name string, value py.Object) error {
	method, args := "__setattr__", py.Tuple{o, py.String(name), value}
	if value == nil {
		method, args = "__delattr__", args[:2]
	}
	if f := o.Type().Lookup(method); f != nil {
		_, err := py.Call(f, args, nil)
		return err
	}
	return setInstanceOwn(o, name, value)
}

// setInstanceOwn is object.__setattr__(o, name, value), or object.__delattr__(o, name) if value is
// nil.
func setInstanceOwn(o *py.Type, name string, value py.Object) error {
	class := o.Type()
	attr := class.Lookup(name)
	if attr != nil {
		if done, err := setDescribed(attr, o, name, value); done {
			return err
		}
	}
	if value == nil {
		if DeleteName(o.Dict, name) {
			return nil
		}
		if slots, limited := slotsOf(class); limited && attr != nil {
			return readOnly(class, name)
		} else if limited && slices.Contains(slots, name) {
			return py.ExceptionNewf(py.AttributeError, "%s", name)
		}
		return missingAttribute(o, name)
	}
	if _, ok := o.Dict[name]; !ok {
		if slots, limited := slotsOf(class); limited && !slices.Contains(slots, name) && !slices.Contains(slots, "__dict__") {
			if attr != nil {
				return readOnly(class, name)
			}
			return missingAttribute(o, name)
		}
	}
	SetName(o.Dict, name, value)
	return nil
}

// setDescribed sets or deletes an attribute by a descriptor of the class, if attr is one for that.
func setDescribed(attr py.Object, o *py.Type, name string, value py.Object) (done bool, err error) {
	if p, ok := attr.(*py.Property); ok {
		switch {
		case name == "__dict__" && value != nil && dictOf(o) == nil:
			return true, missingAttribute(o, name)
		case name == "__dict__" && value != nil:
			d, ok := asDict(value)
			if !ok {
				return true, py.ExceptionNewf(py.TypeError, "__dict__ must be set to a dictionary, not a '%s'", typeName(value))
			}
			o.Dict = d.Names()
			return true, nil
		case value == nil && p.Fdel == nil:
			return true, py.ExceptionNewf(py.AttributeError, "property '%s' of '%s' object has no deleter", name, o.Type().Name)
		case value == nil:
			return true, p.Fdel(o)
		case p.Fset == nil:
			return true, py.ExceptionNewf(py.AttributeError, "property '%s' of '%s' object has no setter", name, o.Type().Name)
		}
		return true, p.Fset(o, value)
	}
	set, remove := instanceMethod(attr, "__set__"), instanceMethod(attr, "__delete__")
	if set == nil && remove == nil {
		return false, nil
	}
	method, args, missing := set, py.Tuple{attr, o, value}, "__set__"
	if value == nil {
		method, args, missing = remove, args[:2], "__delete__"
	}
	if method == nil {
		return true, py.ExceptionNewf(py.AttributeError, "%s", missing)
	}
	_, err = py.Call(method, args, nil)
	return true, err
}

func readOnly(class *py.Type, name string) error {
	return py.ExceptionNewf(py.AttributeError, "'%s' object attribute '%s' is read-only", class.Name, name)
}

// slotsOf returns the names that instances of a class may have, if that is limited by __slots__.
func slotsOf(class *py.Type) (names []string, limited bool) {
	for _, base := range class.Mro {
		t := base.(*py.Type)
		if t == py.ObjectType || slices.Contains(builtinBases, t) {
			continue
		}
		ns, ok := t.Dict[namespaceKey].(*namespace)
		if !ok || ns.slots == nil {
			return nil, false
		}
		for _, name := range ns.slots {
			names = append(names, string(name.(py.String)))
		}
	}
	return names, true
}
