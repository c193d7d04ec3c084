package pyvalue

// How classes are made. gpython v0.2.0 forgets the order of what a class defines, refuses
// __slots__, and calls neither __set_name__ nor __init_subclass__.

import (
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
)

// newClass makes a class by gpython's type.__new__: of a name, bases, and a namespace.
func newClass(meta *py.Type, args py.Tuple, newType py.NewFunc) (py.Object, error) {
	if err := checkBases(args[1].(py.Tuple)); err != nil {
		return nil, err
	}
	names := args[2].(py.StringDict)
	if names["__del__"] != nil {
		return nil, Refused("classes", "__del__")
	}
	order := namespaceOf(names).inOrder()
	slots, limited := names["__slots__"]
	if limited {
		DeleteName(names, "__slots__")
	}
	delete(names, namespaceKey)
	made, err := newType(meta, py.Tuple{args[0], args[1], names}, nil)
	class, ok := made.(*py.Type)
	if err != nil || !ok {
		return made, orderError(args[1].(py.Tuple), err)
	}
	if err := markBase(class); err != nil {
		return nil, err
	}
	class.New, class.Init = newInstance, nil
	class.Dict[namespaceKey] = &namespace{names: class.Dict, order: append([]string(nil), order...)}
	NoHash(class)
	if limited {
		return class, setSlots(class, slots)
	}
	return class, nil
}

// NoHash makes a class that defines __eq__ without __hash__ one whose instances cannot be hashed.
func NoHash(class *py.Type) {
	if class.Dict["__eq__"] != nil && class.Dict["__hash__"] == nil {
		SetName(class.Dict, "__hash__", py.None)
	}
}

// setSlots limits the attributes of a class's instances to some names, or to one.
func setSlots(class *py.Type, slots py.Object) error {
	names := py.Tuple{slots}
	if _, one := slots.(py.String); !one {
		all, err := items(slots)
		if err != nil {
			return err
		}
		names = all
	}
	if len(names) > 0 && baseOf(class) == py.IntType {
		return py.ExceptionNewf(py.TypeError, "nonempty __slots__ not supported for subtype of 'int'")
	}
	own := make(py.Tuple, len(names))
	for i, o := range names {
		name, ok := o.(py.String)
		if !ok {
			return py.ExceptionNewf(py.TypeError, "__slots__ items must be strings, not '%s'", typeName(o))
		}
		if strings.HasPrefix(string(name), "__") && !strings.HasSuffix(string(name), "__") {
			if stripped := strings.TrimLeft(class.Name, "_"); stripped != "" {
				name = py.String("_" + stripped + string(name))
			}
		}
		if _, ok := class.Dict[string(name)]; ok {
			return py.ExceptionNewf(py.ValueError, "'%s' in __slots__ conflicts with class variable", name)
		}
		own[i] = name
	}
	SetName(class.Dict, "__slots__", slots)
	class.Dict[namespaceKey].(*namespace).slots = own
	return nil
}

// Announce tells the attributes of a new class their names, and the classes that it is derived from
// that it is.
func Announce(class *py.Type, named py.StringDict) error {
	for _, name := range append([]string(nil), namespaceOf(class.Dict).inOrder()...) {
		attr := class.Dict[name]
		if method := instanceMethod(attr, "__set_name__"); method != nil {
			if _, err := py.Call(method, py.Tuple{attr, class, py.String(name)}, nil); err != nil {
				e := py.ExceptionNewf(py.RuntimeError, "Error calling __set_name__ on '%s' instance '%s' in '%s'", typeName(attr), name, class.Name)
				if info, ok := err.(py.ExceptionInfo); ok {
					e.Cause, e.Context, e.SuppressContext = info.Value, info.Value, true
				}
				return e
			}
		}
	}
	if method, ok := Inherited(class.Mro[1:], "__init_subclass__").(*py.ClassMethod); ok {
		_, err := py.Call(method.Callable, py.Tuple{class}, named)
		return err
	}
	if len(named) > 0 {
		return py.ExceptionNewf(py.TypeError, "%s.__init_subclass__() takes no keyword arguments", class.Name)
	}
	return nil
}

func init() { py.EllipsisTypeType.Name = "ellipsis" }

// finalTypes are the types from which CPython derives no classes either.
var finalTypes = map[string]bool{"bool": true, "range": true, "slice": true, "NoneType": true, "NotImplementedType": true, "ellipsis": true,
	"function": true, "builtin_function_or_method": true, "method": true, "generator": true, "code": true, "frame": true, "traceback": true,
	"cell": true, "dict_keys": true, "dict_values": true, "dict_items": true, "_thread.lock": true, "_thread.RLock": true}

// checkBases returns an error for a base from which no class can be derived here: a TypeError if
// CPython cannot do that either.
func checkBases(bases py.Tuple) error {
	for _, base := range bases {
		t, ok := base.(*py.Type)
		if !ok || !isBuiltin(t) || t == py.ObjectType || py.ExceptionClassCheck(t) || slices.Contains(builtinBases, t) {
			continue
		}
		if finalTypes[t.Name] || strings.HasSuffix(t.Name, "iterator") {
			return py.ExceptionNewf(py.TypeError, "type '%s' is not an acceptable base type", t.Name)
		}
		return py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no classes derived from %s", t.Name)
	}
	return nil
}

// Refused is the error for a method of a class that would never be called; kind says which classes
// those are.
func Refused(kind, name string) error {
	return py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s with %s", kind, name)
}

// orderError makes of gpython's error about bases without a common order CPython's, which names
// them: those that would be the next.
func orderError(bases py.Tuple, err error) error {
	e, ok := err.(*py.Exception)
	if !ok || !strings.Contains(py.DebugRepr(e), "mro is wonky") {
		return err
	}
	var lists [][]py.Object
	for _, base := range bases {
		lists = append(lists, slices.Clone(base.(*py.Type).Mro))
	}
	lists = append(lists, slices.Clone(bases))
	next := func() py.Object {
		for _, list := range lists {
			if len(list) > 0 && !slices.ContainsFunc(lists, func(other []py.Object) bool {
				return len(other) > 0 && slices.Contains(other[1:], list[0])
			}) {
				return list[0]
			}
		}
		return nil
	}
	for class := next(); class != nil; class = next() {
		for i, list := range lists {
			if len(list) > 0 && list[0] == class {
				lists[i] = list[1:]
			}
		}
	}
	var names []string
	for _, list := range lists {
		if len(list) > 0 && !slices.Contains(names, list[0].(*py.Type).Name) {
			names = append(names, list[0].(*py.Type).Name)
		}
	}
	return py.ExceptionNewf(py.TypeError, "Cannot create a consistent method resolution\norder (MRO) for bases %s", strings.Join(names, ", "))
}
