package pyvalue

// dir(o) and o.__dict__, which gpython v0.2.0 lacks.

import (
	"maps"
	"slices"

	"github.com/go-python/gpython/py"
)

func init() {
	for _, t := range []*py.Type{py.ObjectType, py.TypeType} {
		property(t, "__dict__", func(self py.Object) (py.Object, error) {
			if d := dictOf(self); d != nil {
				return d, nil
			}
			return nil, missingAttribute(self, "__dict__")
		})
	}
}

// dictOf is o.__dict__, or nil for an object without one. A class's is a copy.
func dictOf(o py.Object) py.Object {
	if d := attributesOf(o); d != nil {
		if t, ok := o.(*py.Type); ok && isClass(t) {
			names := FromStringDict(d)
			names.proxy = true
			return names
		} else if ok {
			if slots, limited := slotsOf(t.Type()); limited && !slices.Contains(slots, "__dict__") {
				return nil
			}
		}
		return View(d)
	}
	return nil
}

func attributesOf(o py.Object) py.StringDict {
	switch x := o.(type) {
	case *py.Exception:
		return x.Dict
	case py.StringDict: // which is a dict
		return nil
	case py.IGetDict:
		return x.GetDict()
	}
	return nil
}

// named is an object that knows what attributes it has besides those of its type.
type named interface{ AttributeNames() []string }

// Dir is dir(o).
func Dir(o py.Object) (py.Object, error) {
	if method := instanceMethod(o, "__dir__"); method != nil {
		names, err := py.Call(method, py.Tuple{o}, nil)
		if err != nil {
			return nil, err
		}
		return sortedList(names)
	}
	all := make(py.StringDict)
	maps.Copy(all, attributesOf(o))
	class, ok := o.(*py.Type)
	if !ok || !isClass(class) {
		class = classOf(o)
	}
	if _, ok := o.(*py.Module); !ok {
		for _, base := range class.Mro {
			if t, ok := base.(*py.Type); ok {
				maps.Copy(all, t.Dict)
			}
		}
	}
	if n, ok := o.(named); ok {
		for _, name := range n.AttributeNames() {
			all[name] = nil
		}
	}
	return NamesOf(all), nil
}

// NamesOf is the list of a namespace's names.
func NamesOf(names py.StringDict) py.Object {
	list := py.NewList()
	for _, name := range sortedKeys(names) {
		list.Append(py.String(name))
	}
	return list
}

func sortedList(o py.Object) (py.Object, error) {
	return py.Call(builtins["sorted"], py.Tuple{o}, nil)
}
