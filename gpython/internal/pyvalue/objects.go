package pyvalue

// bool(o), iter(o), type(o), and iteration, for all types. gpython v0.2.0 takes an instance for
// true although its __len__ returns 0, iterates in random order over dicts and sets, and says of
// some objects that their type is another one.

import (
	"errors"
	"math/big"

	"github.com/go-python/gpython/py"
)

// isClass tells classes from instances of classes of the program: gpython makes both a py.Type,
// instances without name.
func isClass(t *py.Type) bool { return t.Name != "" }

// classOf is Python's type(o). gpython says of some classes that their type is another class.
func classOf(o py.Object) *py.Type {
	t := o.Type()
	switch x := o.(type) {
	case *py.Type:
		if isClass(x) && !t.IsSubtype(py.TypeType) {
			return py.TypeType
		}
	case *py.BigInt:
		return py.IntType
	case *py.BoundMethod:
		if _, ok := x.Method.(*py.Method); ok {
			return py.MethodType
		}
	case *py.Exception:
		if o == py.NotImplemented {
			return notImplementedType
		}
	}
	return t
}

var notImplementedType = newType("NotImplementedType")

// typeName is the name of o's type, for messages.
func typeName(o py.Object) string {
	return classOf(o).Name
}

// isInstanceOfProgram reports whether o may be an instance of a class of the program.
func isInstanceOfProgram(o py.Object) bool {
	switch x := o.(type) {
	case *py.Type:
		return !isClass(x)
	case *py.Exception:
		return true
	}
	return false
}

// instanceMethod returns the method of this name that the program's class of o has, or nil. It is
// nil for other objects too.
func instanceMethod(o py.Object, name string) py.Object {
	if !isInstanceOfProgram(o) {
		return nil
	}
	return o.Type().Lookup(name)
}

// Truth is bool(o).
func Truth(o py.Object) (bool, error) {
	switch x := o.(type) {
	case py.Bool:
		return bool(x), nil
	case py.NoneType:
		return false, nil
	case py.Int:
		return x != 0, nil
	case *py.BigInt:
		return (*big.Int)(x).Sign() != 0, nil
	case py.Float:
		return x != 0, nil
	case py.Complex:
		return x != 0, nil
	case py.String:
		return x != "", nil
	case py.Bytes:
		return len(x) > 0, nil
	case py.Tuple:
		return len(x) > 0, nil
	case *py.List:
		return len(x.Items) > 0, nil
	case py.StringDict:
		return View(x).len() > 0, nil
	case *py.Type, *py.Exception:
		if method := instanceMethod(o, "__bool__"); method != nil {
			res, err := py.Call(method, py.Tuple{o}, nil)
			if err != nil {
				return false, err
			}
			yes, ok := res.(py.Bool)
			if !ok {
				return false, py.ExceptionNewf(py.TypeError, "__bool__ should return bool, returned %s", typeName(res))
			}
			return bool(yes), nil
		}
		if instanceMethod(o, "__len__") != nil {
			res, err := length(o)
			if err != nil {
				return false, err
			}
			return Truth(res)
		}
		return true, nil
	case py.I__bool__:
		res, err := x.M__bool__()
		return res == py.True, err
	case py.I__len__:
		res, err := x.M__len__()
		if err != nil {
			return false, err
		}
		return Truth(res)
	}
	return true, nil
}

// errStop ends an iterate early.
var errStop = errors.New("stop")

// iterate calls f with each item of o until it returns an error.
func iterate(o py.Object, f func(py.Object) error) error {
	stop := func(err error) error {
		if err == errStop {
			return nil
		}
		return err
	}
	switch x := o.(type) {
	case py.Tuple:
		for _, item := range x {
			if err := f(item); err != nil {
				return stop(err)
			}
		}
		return nil
	case py.String:
		for _, r := range x {
			if err := f(py.String(r)); err != nil {
				return stop(err)
			}
		}
		return nil
	}
	it, err := Iter(o)
	if err != nil {
		return err
	}
	for {
		item, err := py.Next(it)
		if err != nil {
			if py.IsException(py.StopIteration, err) {
				return nil
			}
			return err
		}
		if err := f(item); err != nil {
			return stop(err)
		}
	}
}

// Items collects what o gives when iterated over, in a new slice, after o was asked for its length.
// With an error it returns the items before it.
func Items(o py.Object) ([]py.Object, error) { return items(o) }

// items is Items.
func items(o py.Object) ([]py.Object, error) {
	var all []py.Object
	switch x := o.(type) {
	case py.Tuple:
		return append(all, x...), nil
	case *py.List:
		return append(all, x.Items...), nil
	case *py.Range:
		if err := Fits(int(x.Length), itemBytes); err != nil {
			return nil, err
		}
	}
	it, err := Iter(o)
	if err == nil {
		err = checkLength(o)
	}
	if err != nil {
		return nil, err
	}
	err = iterate(it, func(item py.Object) error {
		all = append(all, item)
		return Fits(len(all), itemBytes)
	})
	return all, err
}

// Unpack returns the items of o, for a, b = o. It returns a ValueError if there are more than most,
// unless most is negative.
func Unpack(o py.Object, most int) (py.Tuple, error) {
	if !iterable(o) {
		return nil, py.ExceptionNewf(py.TypeError, "cannot unpack non-iterable %s object", typeName(o))
	}
	var all py.Tuple
	err := iterate(o, func(item py.Object) error {
		if len(all) == most {
			return py.ExceptionNewf(py.ValueError, "too many values to unpack (expected %d)", most)
		}
		all = append(all, item)
		return nil
	})
	return all, err
}

// Iterable reports whether iter(o) would work.
func Iterable(o py.Object) bool { return iterable(o) }

// TypeName is the name of o's type, for messages.
func TypeName(o py.Object) string { return typeName(o) }

func iterable(o py.Object) bool {
	switch o.(type) {
	case py.Bytes, py.StringDict, *py.List, py.Tuple, py.String, *Dict, *Set, *FrozenSet:
		return true
	case *py.Type, *py.Exception:
		return instanceMethod(o, "__iter__") != nil || instanceMethod(o, "__getitem__") != nil
	case py.I__iter__, py.I__getitem__:
		return true
	}
	return false
}

// isIterator reports whether next(o) would work.
func isIterator(o py.Object) bool {
	_, ok := o.(py.I__next__)
	return ok || instanceMethod(o, "__next__") != nil
}

// Iter is iter(o).
func Iter(o py.Object) (py.Object, error) {
	if names, ok := o.(py.StringDict); ok {
		return FromStringDict(names).M__iter__()
	}
	if it := iterateSequence(o); it != nil {
		return it, nil
	}
	if !iterable(o) {
		return nil, py.ExceptionNewf(py.TypeError, "'%s' object is not iterable", typeName(o))
	}
	if method := instanceMethod(o, "__iter__"); method != nil {
		it, err := py.Call(method, py.Tuple{o}, nil)
		if err == nil && !isIterator(it) {
			return nil, py.ExceptionNewf(py.TypeError, "iter() returned non-iterator of type '%s'", typeName(it))
		}
		return it, err
	}
	it, err := py.Iter(o)
	if gpythons, ok := it.(*py.Iterator); ok {
		if all, ok := gpythons.Seq.(py.Tuple); ok { // a tuple whose items have names
			return iterateSequence(all), nil
		}
	}
	return it, err
}
