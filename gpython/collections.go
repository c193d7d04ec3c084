package gpython

// collections, which gpython v0.2.0 lacks: OrderedDict and defaultdict, which are dicts of package
// pyvalue. Counter, namedtuple and deque stand in files of their own.

import (
	"slices"
	"sync"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// collectionsModule makes the module.
func (in *interp) collectionsModule() (*py.Module, error) {
	return in.newModule("collections", py.StringDict{
		"OrderedDict": orderedDictType(), "defaultdict": defaultDictType(), "Counter": counterType(), "deque": dequeType(),
		"namedtuple": &function{"namedtuple", makeNamedTuple},
	})
}

// dictClass makes a class derived from dict, which no program can derive from.
func dictClass(name string) *py.Type {
	class := newType(py.StringDictType, name, "")
	class.Dict["__module__"] = py.String("collections")
	return class
}

// addTo gives a class a method.
func addTo(class *py.Type, name string, call func(self *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
	class.Dict[name] = py.MustNewMethod(name, func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d, ok := self.(*pyvalue.Dict)
		if !ok {
			return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s.%s as a function of the class", class.Name, name)
		}
		return call(d, args, kwargs)
	}, 0, "")
}

// fill is what the constructors take: nothing, a mapping or pairs, and keywords.
func fill(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) error {
	if len(args) > 1 {
		return py.ExceptionNewf(py.TypeError, "expected at most 1 arguments, got %d", len(args))
	}
	if len(args) == 1 {
		if err := d.Update(args[0]); err != nil {
			return err
		}
	}
	return d.Update(kwargs)
}

var orderedDictType = sync.OnceValue(func() *py.Type {
	class := dictClass("OrderedDict")
	kind := &pyvalue.DictKind{Class: class, Ordered: true}
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d := pyvalue.NewDictOf(kind)
		return d, fill(d, args, kwargs)
	}
	addTo(class, "move_to_end", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("move_to_end", args, kwargs, 1, "key", "last")
		if err != nil {
			return nil, err
		}
		last, err := truth(a[1], true)
		if err != nil {
			return nil, err
		}
		value, ok, err := d.Remove(a[0])
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, newException(py.KeyError, a[0])
		}
		rest := pyvalue.NewDict()
		if !last {
			if err := rest.Update(d); err != nil {
				return nil, err
			}
			for _, key := range d.Keys() {
				if _, _, err := d.Remove(key); err != nil {
					return nil, err
				}
			}
		}
		if err := d.Set(a[0], value); err != nil {
			return nil, err
		}
		return py.None, d.Update(rest)
	})
	addTo(class, "popitem", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("popitem", args, kwargs, 0, "last")
		if err != nil {
			return nil, err
		}
		last, err := truth(a[0], true)
		if err != nil {
			return nil, err
		}
		keys := d.Keys()
		if len(keys) == 0 {
			return nil, newException(py.KeyError, py.String("dictionary is empty"))
		}
		key := keys[0]
		if last {
			key = keys[len(keys)-1]
		}
		value, _, err := d.Remove(key)
		return py.Tuple{key, value}, err
	})
	class.Dict["fromkeys"] = py.MustNewMethod("fromkeys", func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("fromkeys", args, kwargs, 1, "iterable", "value")
		if err != nil {
			return nil, err
		}
		if a[1] == nil {
			a[1] = py.None
		}
		keys, err := itemsOf(a[0])
		if err != nil {
			return nil, err
		}
		d := pyvalue.NewDictOf(kind)
		for _, key := range keys {
			if err := d.Set(key, a[1]); err != nil {
				return nil, err
			}
		}
		return d, nil
	}, 0, "")
	return class
})

var defaultDictType = sync.OnceValue(func() *py.Type {
	class := dictClass("defaultdict")
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		kind := &pyvalue.DictKind{Class: class, First: py.None}
		if len(args) > 0 {
			kind.First = args[0]
			if kind.First != py.None && !isCallable(kind.First) {
				return nil, py.ExceptionNewf(py.TypeError, "first argument must be callable or None")
			}
			args = args[1:]
		}
		kind.Missing = func(d *pyvalue.Dict, key py.Object) (py.Object, error) {
			if kind.First == py.None {
				return nil, newException(py.KeyError, key)
			}
			value, err := py.Call(kind.First, nil, nil)
			if err != nil {
				return nil, err
			}
			return value, d.Set(key, value)
		}
		d := pyvalue.NewDictOf(kind)
		return d, fill(d, slices.Clone(args), kwargs)
	}
	class.Dict["default_factory"] = &py.Property{
		Fget: func(self py.Object) (py.Object, error) {
			if d, ok := self.(*pyvalue.Dict); ok && d.Kind() != nil {
				return d.Kind().First, nil
			}
			return nil, noAttribute(self, "default_factory")
		},
		Fset: func(self, value py.Object) error {
			if d, ok := self.(*pyvalue.Dict); ok && d.Kind() != nil {
				d.Kind().First = value
				return nil
			}
			return noAttribute(self, "default_factory")
		},
	}
	addTo(class, "copy", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("copy", args, kwargs, 0); err != nil {
			return nil, err
		}
		return py.Call(class, py.Tuple{d.Kind().First, d}, nil)
	})
	class.Dict["fromkeys"] = notInClass("defaultdict.fromkeys")
	return class
})

// notInClass is a function that is not there.
func notInClass(name string) py.Object {
	return &function{name, func(py.Tuple, py.StringDict) (py.Object, error) {
		return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no %s", name)
	}}
}

// itemsOf is tuple(o).
func itemsOf(o py.Object) (py.Tuple, error) {
	if _, err := pyvalue.Iter(o); err != nil {
		return nil, err
	}
	return pyvalue.Unpack(o, -1)
}

func isCallable(o py.Object) bool {
	yes, err := py.Call(pyvalue.Builtins()["callable"], py.Tuple{o}, nil)
	return err == nil && yes == py.True
}
