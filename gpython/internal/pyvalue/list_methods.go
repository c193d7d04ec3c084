package pyvalue

// list and tuple: their constructors and methods. gpython v0.2.0's list has append, extend and
// sort.

import (
	"slices"
	"sort"

	"github.com/go-python/gpython/py"
)

// newList is list(iterable).
func newList(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	all, err := sequenceArgument("list", args, kwargs)
	return &py.List{Items: all}, err
}

// newTuple is tuple(iterable).
func newTuple(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) == 1 {
		if t, ok := args[0].(py.Tuple); ok {
			return t, nil
		}
	}
	all, err := sequenceArgument("tuple", args, kwargs)
	return py.Tuple(all), err
}

func sequenceArgument(name string, args py.Tuple, kwargs py.StringDict) ([]py.Object, error) {
	switch {
	case len(kwargs) > 0:
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", name)
	case len(args) == 0:
		return nil, nil
	case len(args) == 1:
		return items(args[0])
	}
	return nil, py.ExceptionNewf(py.TypeError, "%s expected at most 1 argument, got %d", name, len(args))
}

// listMethod gives list a method.
func listMethod(text string, f func(l *py.List, a []py.Object) (py.Object, error)) {
	addMethod(py.ListType, text, func(self py.Object, a []py.Object) (py.Object, error) { return f(self.(*py.List), a) })
}

func init() {
	py.ListType.New, py.TupleType.New = newList, newTuple
	listMethod("append(item, /)", func(l *py.List, a []py.Object) (py.Object, error) {
		l.Items = append(l.Items, a[0])
		return py.None, nil
	})
	listMethod("extend(iterable, /)", func(l *py.List, a []py.Object) (py.Object, error) {
		all, err := items(a[0])
		l.Items = append(l.Items, all...)
		return py.None, err
	})
	listMethod("insert(index, item, /)", func(l *py.List, a []py.Object) (py.Object, error) {
		i, err := asSize(a[0])
		if err != nil {
			return nil, err
		}
		if i < 0 {
			i = max(i+len(l.Items), 0)
		}
		l.Items = slices.Insert(l.Items, min(i, len(l.Items)), a[1])
		return py.None, nil
	})
	listMethod("pop(index=, /)", func(l *py.List, a []py.Object) (py.Object, error) {
		i, err := asSize(optional(a[0], py.Int(-1)))
		if err != nil {
			return nil, err
		}
		if len(l.Items) == 0 {
			return nil, py.ExceptionNewf(py.IndexError, "pop from empty list")
		}
		if i < 0 {
			i += len(l.Items)
		}
		if i < 0 || i >= len(l.Items) {
			return nil, py.ExceptionNewf(py.IndexError, "pop index out of range")
		}
		item := l.Items[i]
		l.Items = slices.Delete(l.Items, i, i+1)
		return item, nil
	})
	listMethod("remove(item, /)", func(l *py.List, a []py.Object) (py.Object, error) {
		for i, item := range l.Items {
			same, err := sameOrEqual(item, a[0])
			if err != nil {
				return nil, err
			}
			if same {
				l.Items = slices.Delete(l.Items, i, i+1)
				return py.None, nil
			}
		}
		return nil, py.ExceptionNewf(py.ValueError, "list.remove(x): x not in list")
	})
	listMethod("reverse()", func(l *py.List, _ []py.Object) (py.Object, error) {
		slices.Reverse(l.Items)
		return py.None, nil
	})
	listMethod("copy()", func(l *py.List, _ []py.Object) (py.Object, error) {
		return &py.List{Items: slices.Clone(l.Items)}, nil
	})
	listMethod("clear()", func(l *py.List, _ []py.Object) (py.Object, error) {
		l.Items = nil
		return py.None, nil
	})
	listMethod("sort(*, key=, reverse=)", func(l *py.List, a []py.Object) (py.Object, error) {
		// The list is empty meanwhile, so that a change of it is noticed.
		all := l.Items
		l.Items = nil
		err := sortItems(all, a[0], a[1])
		changed := l.Items != nil
		l.Items = all
		if err == nil && changed {
			err = py.ExceptionNewf(py.ValueError, "list modified during sort")
		}
		return py.None, err
	})
	for _, t := range []*py.Type{py.ListType, py.TupleType} {
		addMethod(t, "count(item, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			n := 0
			err := iterate(self, func(item py.Object) error {
				same, err := sameOrEqual(item, a[0])
				if same {
					n++
				}
				return err
			})
			return py.Int(n), err
		})
		addMethod(t, "index(item, start=, stop=, /)", indexOf)
	}
}

// indexOf is l.index(value, start, stop).
func indexOf(self py.Object, a []py.Object) (py.Object, error) {
	all, err := items(self)
	if err != nil {
		return nil, err
	}
	from, to, err := clampedRange(a[1], a[2], len(all))
	if err != nil {
		return nil, err
	}
	for i := from; i < to; i++ {
		if same, err := sameOrEqual(all[i], a[0]); same || err != nil {
			return py.Int(i), err
		}
	}
	if _, ok := self.(py.Tuple); ok {
		return nil, py.ExceptionNewf(py.ValueError, "tuple.index(x): x not in tuple")
	}
	text, err := Repr(a[0])
	if err != nil {
		return nil, err
	}
	return nil, py.ExceptionNewf(py.ValueError, "%s is not in list", text)
}

// sortItems sorts in place, stably; key and reverse may be nil.
func sortItems(all []py.Object, key, reverse py.Object) error {
	backwards, err := Truth(optional(reverse, py.False))
	if err != nil {
		return err
	}
	s := &sorter{items: all, keys: all}
	if !isNone(key) {
		s.keys = make([]py.Object, len(all))
		for i, item := range all {
			if s.keys[i], err = py.Call(key, py.Tuple{item}, nil); err != nil {
				return err
			}
		}
		s.both = true
	}
	if backwards {
		s.reverse(0, len(all))
	}
	if len(all) < shortSort {
		s.insertionSort()
	} else {
		sort.Stable(s)
	}
	if backwards {
		s.reverse(0, len(all))
	}
	return s.err
}

// shortSort is the length below which a sort compares the same items as CPython's does, one after
// the other. A program sees that in its __lt__, and in the error for items that cannot be compared.
const shortSort = 64

// insertionSort finds the run that the items begin with, and inserts the others one by one.
func (s *sorter) insertionSort() {
	n := len(s.items)
	if n < 2 {
		return
	}
	run := 2
	if s.Less(1, 0) {
		for ; run < n && s.Less(run, run-1); run++ {
		}
		if s.err == nil {
			s.reverse(0, run)
		}
	} else {
		for ; run < n && s.err == nil && !s.Less(run, run-1); run++ {
		}
	}
	for ; run < n && s.err == nil; run++ {
		low, high := 0, run
		for low < high {
			middle := (low + high) / 2
			if s.Less(run, middle) {
				high = middle
			} else {
				low = middle + 1
			}
			if s.err != nil {
				return
			}
		}
		for i := run; i > low; i-- {
			s.Swap(i, i-1)
		}
	}
}

// reverse turns the order of some items.
func (s *sorter) reverse(from, to int) {
	for i, j := from, to-1; i < j; i, j = i+1, j-1 {
		s.Swap(i, j)
	}
}

// sorter sorts items by keys, which may be the same slice. The first error ends the comparing.
type sorter struct {
	items, keys []py.Object
	both        bool // keys are another slice
	err         error
}

func (s *sorter) Len() int { return len(s.items) }

func (s *sorter) Swap(i, j int) {
	s.items[i], s.items[j] = s.items[j], s.items[i]
	if s.both {
		s.keys[i], s.keys[j] = s.keys[j], s.keys[i]
	}
}

func (s *sorter) Less(i, j int) bool {
	if s.err != nil {
		return false
	}
	yes, err := lessThan(s.keys[i], s.keys[j])
	if err != nil {
		s.err = err
	}
	return yes
}
