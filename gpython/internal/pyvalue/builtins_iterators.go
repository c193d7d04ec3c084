package pyvalue

// The builtins that iterate: enumerate, zip, map, filter, reversed, min, max, sum, any, all and so
// on. gpython v0.2.0 has no reversed, and its other ones lack keyword arguments such as strict= and
// do not know this package's types.

import (
	"slices"

	"github.com/go-python/gpython/py"
)

// generated is an iterator made of a Go function, which returns py.StopIteration at the end.
type generated struct {
	typ  *py.Type
	next func() (py.Object, error)
}

func (g *generated) Type() *py.Type                { return g.typ }
func (g *generated) M__iter__() (py.Object, error) { return g, nil }
func (g *generated) M__next__() (py.Object, error) { return g.next() }

var reversedType = newType("reversed")

func init() {
	builtins["reversed"] = reversedType
	iteratorClass(py.EnumerateType, enumerate)
	iteratorClass(py.ZipType, zip)
	iteratorClass(py.MapType, mapping)
	iteratorClass(py.FilterType, filter)
	reversedType.New = newReversed
	newRange := py.RangeType.New
	py.RangeType.New = func(t *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		args = slices.Clone(args)
		for i, o := range args {
			n, err := asSize(o)
			if err != nil {
				return nil, err
			}
			args[i] = py.Int(n)
		}
		if len(args) == 3 && args[2] == py.Object(py.Int(0)) {
			return nil, py.ExceptionNewf(py.ValueError, "range() arg 3 must not be zero")
		}
		return newRange(t, args, kwargs)
	}
	addFunction("iter(obj, sentinel=, /)", func(a []py.Object) (py.Object, error) {
		if a[1] == nil {
			return Iter(a[0])
		}
		return &generated{callIteratorType, func() (py.Object, error) {
			res, err := py.Call(a[0], nil, nil)
			if err != nil {
				return nil, err
			}
			if same, err := sameOrEqual(res, a[1]); same || err != nil {
				return nil, orStop(err)
			}
			return res, nil
		}}, nil
	})
	addFunction("next(iterator, default=, /)", func(a []py.Object) (py.Object, error) {
		if !isIterator(a[0]) {
			return nil, py.ExceptionNewf(py.TypeError, "'%s' object is not an iterator", typeName(a[0]))
		}
		res, err := py.Next(a[0])
		if a[1] != nil && py.IsException(py.StopIteration, err) {
			return a[1], nil
		}
		return res, err
	})
	for name, wanted := range map[string]bool{"all": false, "any": true} {
		addFunction(name+"(iterable, /)", func(a []py.Object) (py.Object, error) {
			found := !wanted
			err := iterate(a[0], func(item py.Object) error {
				yes, err := Truth(item)
				if err == nil && yes == wanted {
					found, err = wanted, errStop
				}
				return err
			})
			return py.NewBool(found), err
		})
	}
	addFunction("sorted(iterable, /, *, key=, reverse=)", func(a []py.Object) (py.Object, error) {
		all, err := items(a[0])
		if err != nil {
			return nil, err
		}
		return &py.List{Items: all}, sortItems(all, a[1], a[2])
	})
	addRawFunction("min", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return extreme("min", less, args, kwargs)
	})
	addRawFunction("max", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return extreme("max", greater, args, kwargs)
	})
}

var callIteratorType = newType("callable_iterator")

func orStop(err error) error {
	if err == nil {
		return py.StopIteration
	}
	return err
}

// iteratorClass makes calling the type make such an iterator.
func iteratorClass(t *py.Type, f func(args py.Tuple, kwargs py.StringDict) (func() (py.Object, error), error)) {
	t.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		next, err := f(args, kwargs)
		if err != nil {
			return nil, err
		}
		return &generated{t, next}, nil
	}
}

// enumerate is enumerate(iterable, start).
func enumerate(args py.Tuple, kwargs py.StringDict) (func() (py.Object, error), error) {
	s := signature{name: "enumerate", params: []string{"iterable", "start"}, positional: 2, required: 1}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	n, err := asIndex(optional(a[1], py.Int(0)))
	if err != nil {
		return nil, err
	}
	it, err := Iter(a[0])
	if err != nil {
		return nil, err
	}
	count := intObject(n)
	return func() (py.Object, error) {
		item, err := py.Next(it)
		if err != nil {
			return nil, err
		}
		pair := py.Tuple{count, item}
		count, err = Binary(OpAdd, count, py.Int(1))
		return pair, err
	}, nil
}

// iterators makes an iterator of each argument.
func iterators(args py.Tuple) ([]py.Object, error) {
	its := make([]py.Object, len(args))
	for i, o := range args {
		var err error
		if its[i], err = Iter(o); err != nil {
			return nil, err
		}
	}
	return its, nil
}

// zip is zip(*iterables, strict).
func zip(args py.Tuple, kwargs py.StringDict) (func() (py.Object, error), error) {
	strict := false
	for name, value := range kwargs {
		if name != "strict" {
			return nil, py.ExceptionNewf(py.TypeError, "zip() got an unexpected keyword argument '%s'", name)
		}
		var err error
		if strict, err = Truth(value); err != nil {
			return nil, err
		}
	}
	for i, o := range args {
		if !iterable(o) {
			return nil, py.ExceptionNewf(py.TypeError, "'%s' object is not iterable", typeName(args[i]))
		}
	}
	its, err := iterators(args)
	return func() (py.Object, error) {
		if len(its) == 0 {
			return nil, py.StopIteration
		}
		group := make(py.Tuple, len(its))
		for i, it := range its {
			var err error
			if group[i], err = py.Next(it); err != nil {
				if strict && py.IsException(py.StopIteration, err) {
					return nil, unevenZip(its, i)
				}
				return nil, err
			}
		}
		return group, nil
	}, err
}

// unevenZip is the error of zip(strict=True) when the i-th iterator ended, unless all others did
// too.
func unevenZip(its []py.Object, i int) error {
	which := func(n int) string {
		if n == 1 {
			return " 1"
		}
		return "s 1-" + py.DebugRepr(py.Int(n))
	}
	if i > 0 {
		return py.ExceptionNewf(py.ValueError, "zip() argument %d is shorter than argument%s", i+1, which(i))
	}
	for n, it := range its[1:] {
		_, err := py.Next(it)
		if err == nil {
			return py.ExceptionNewf(py.ValueError, "zip() argument %d is longer than argument%s", n+2, which(n+1))
		}
		if !py.IsException(py.StopIteration, err) {
			return err
		}
	}
	return py.StopIteration
}

// mapping is map(f, *iterables).
func mapping(args py.Tuple, kwargs py.StringDict) (func() (py.Object, error), error) {
	if len(kwargs) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "map() takes no keyword arguments")
	}
	if len(args) < 2 {
		return nil, py.ExceptionNewf(py.TypeError, "map() must have at least two arguments.")
	}
	function := args[0] // args is a part of the caller's stack
	its, err := iterators(args[1:])
	return func() (py.Object, error) {
		group := make(py.Tuple, len(its))
		for i, it := range its {
			var err error
			if group[i], err = py.Next(it); err != nil {
				return nil, err
			}
		}
		return py.Call(function, group, nil)
	}, err
}

// filter is filter(f, iterable).
func filter(args py.Tuple, kwargs py.StringDict) (func() (py.Object, error), error) {
	s := signature{name: "filter", params: []string{"function", "iterable"}, positional: 2, required: 2, nameless: 2}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	it, err := Iter(a[1])
	return func() (py.Object, error) {
		for {
			item, err := py.Next(it)
			if err != nil {
				return nil, err
			}
			verdict := item
			if !isNone(a[0]) {
				if verdict, err = py.Call(a[0], py.Tuple{item}, nil); err != nil {
					return nil, err
				}
			}
			if yes, err := Truth(verdict); yes || err != nil {
				return item, err
			}
		}
	}, err
}

// newReversed is reversed(o): what __reversed__ returns, or an iterator.
func newReversed(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) == 1 && len(kwargs) == 0 {
		if method := instanceMethod(args[0], "__reversed__"); method != nil {
			return py.Call(method, args[:1:1], nil)
		}
	}
	s := signature{name: "reversed", params: []string{"sequence"}, positional: 1, required: 1, nameless: 1}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	g := &generated{typ: reversedType}
	switch x := a[0].(type) {
	case *py.List:
		g.typ, g.next = listReverseIteratorType, reversedList(x)
		return g, nil
	case *Dict:
		g.typ, g.next = reverseIteratorTypes[keysView], reversedDict(x, keysView)
		return g, nil
	case *view:
		g.typ, g.next = reverseIteratorTypes[x.kind], reversedDict(x.dict, x.kind)
		return g, nil
	case *Set, *FrozenSet, *generated, *tableIterator, *sequenceIterator, *py.Generator, *py.Iterator:
		return nil, notReversible(a[0])
	}
	if isInstanceOfProgram(a[0]) {
		g.next, err = reversedInstance(a[0])
		return g, err
	}
	_, plain := a[0].(py.I__len__)
	if !iterable(a[0]) || !plain && !isSequence(a[0]) {
		return nil, notReversible(a[0])
	}
	all, err := items(a[0])
	g.next = reversedList(&py.List{Items: all})
	return g, err
}

var (
	listReverseIteratorType = newType("list_reverseiterator")
	reverseIteratorTypes    = [...]*py.Type{
		keysView:   newType("dict_reversekeyiterator"),
		valuesView: newType("dict_reversevalueiterator"),
		itemsView:  newType("dict_reverseitemiterator"),
	}
)

// reversedList gives the items that a list has at the time, the last one first.
func reversedList(l *py.List) func() (py.Object, error) {
	i := len(l.Items)
	return func() (py.Object, error) {
		i--
		if i < 0 || i >= len(l.Items) {
			i = 0
			return nil, py.StopIteration
		}
		return l.Items[i], nil
	}
}

// reversedDict gives what a dict's view shows, the last entry first.
func reversedDict(d *Dict, kind viewKind) func() (py.Object, error) {
	entries, version := d.all(), d.version
	return func() (py.Object, error) {
		for len(entries) > 0 {
			if d.all(); d.version != version {
				return nil, py.ExceptionNewf(py.RuntimeError, "dictionary changed size during iteration")
			}
			e := entries[len(entries)-1]
			entries = entries[:len(entries)-1]
			if e.key != nil {
				return kind.of(e), nil
			}
		}
		return nil, py.StopIteration
	}
}

// reversedInstance asks an instance for its items, the last one first.
func reversedInstance(o py.Object) (func() (py.Object, error), error) {
	if instanceMethod(o, "__getitem__") == nil {
		return nil, notReversible(o)
	}
	n, err := length(o)
	if err != nil {
		return nil, err
	}
	i, err := asSize(n)
	return func() (py.Object, error) {
		i--
		if i < 0 {
			return nil, py.StopIteration
		}
		item, err := GetItem(o, py.Int(i))
		if py.IsException(py.IndexError, err) {
			i, err = 0, py.StopIteration
		}
		return item, err
	}, err
}

func notReversible(o py.Object) error {
	return py.ExceptionNewf(py.TypeError, "'%s' object is not reversible", typeName(o))
}

// extreme is min and max: the first item that no other comes before.
func extreme(name string, before Comparison, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	s := signature{name: name, params: []string{"key", "default"}}
	a, err := s.bind(nil, kwargs)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, py.ExceptionNewf(py.TypeError, "%s expected at least 1 argument, got 0", name)
	}
	var all py.Object = args
	if len(args) == 1 {
		all = args[0]
	} else if a[1] != nil {
		return nil, py.ExceptionNewf(py.TypeError, "Cannot specify a default for %s() with multiple positional arguments", name)
	}
	var best, bestKey py.Object
	err = iterate(all, func(item py.Object) error {
		key := item
		if !isNone(a[0]) {
			if key, err = py.Call(a[0], py.Tuple{item}, nil); err != nil {
				return err
			}
		}
		if best != nil {
			res, err := Compare(before, key, bestKey)
			if err != nil {
				return err
			}
			if yes, err := Truth(res); !yes || err != nil {
				return err
			}
		}
		best, bestKey = item, key
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case best != nil:
		return best, nil
	case a[1] != nil:
		return a[1], nil
	}
	return nil, py.ExceptionNewf(py.ValueError, "%s() arg is an empty sequence", name)
}
