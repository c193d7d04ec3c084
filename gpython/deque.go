package gpython

// collections.deque.

import (
	"slices"
	"sync"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// deque is a collections.deque.
type deque struct {
	items   []py.Object
	most    int // how many items it keeps, or -1
	version int // counts changes, so that an iteration notices them
}

var dequeType = sync.OnceValue(func() *py.Type {
	class := newType(py.ObjectType, "deque", "A queue with two ends.")
	class.Dict["__module__"] = py.String("collections")
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("deque", args, kwargs, 0, "iterable", "maxlen")
		if err != nil {
			return nil, err
		}
		d := &deque{most: -1}
		if a[1] != nil && a[1] != py.None {
			if d.most, err = py.IndexInt(a[1]); err != nil {
				return nil, py.ExceptionNewf(py.TypeError, "an integer is required")
			}
			if d.most < 0 {
				return nil, py.ExceptionNewf(py.ValueError, "maxlen must be non-negative")
			}
		}
		if a[0] != nil {
			if _, err := d.extend(a[0], false); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return class
})

func (d *deque) Type() *py.Type { return dequeType() }

// Listed is for package pyvalue, which writes it.
func (d *deque) Listed() (before string, items []py.Object, after string) {
	after = "])"
	if d.most >= 0 {
		shown, _ := pyvalue.Repr(py.Int(d.most)) // an int has one
		after = "], maxlen=" + shown + ")"
	}
	return "deque([", d.items, after
}

// add appends an item at an end, and drops one at the other if there are too many.
func (d *deque) add(o py.Object, left bool) {
	d.version++
	if left {
		d.items = slices.Insert(d.items, 0, o)
	} else {
		d.items = append(d.items, o)
	}
	if d.most >= 0 && len(d.items) > d.most {
		if left {
			d.items = d.items[:d.most]
		} else {
			d.items = d.items[1:]
		}
	}
}

func (d *deque) extend(o py.Object, left bool) (py.Object, error) {
	all, err := itemsOf(o)
	for _, item := range all {
		d.add(item, left)
	}
	return py.None, err
}

func (d *deque) pop(left bool) (py.Object, error) {
	if len(d.items) == 0 {
		return nil, py.ExceptionNewf(py.IndexError, "pop from an empty deque")
	}
	d.version++
	at := len(d.items) - 1
	if left {
		at = 0
	}
	item := d.items[at]
	d.items[at] = nil
	if left {
		d.items = d.items[1:]
	} else {
		d.items = d.items[:at]
	}
	return item, nil
}

// index is where an item is, or -1.
func (d *deque) index(o py.Object) (int, error) {
	for i, item := range d.items {
		if pyvalue.Identical(item, o) {
			return i, nil
		}
		same, err := pyvalue.Equal(item, o)
		if same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// at is the position that a program means by an index.
func (d *deque) at(key py.Object) (int, error) {
	i, err := py.IndexInt(key)
	if err != nil {
		return 0, py.ExceptionNewf(py.TypeError, "sequence index must be integer, not '%s'", key.Type().Name)
	}
	if i < 0 {
		i += len(d.items)
	}
	if i < 0 || i >= len(d.items) {
		return 0, py.ExceptionNewf(py.IndexError, "deque index out of range")
	}
	return i, nil
}

func (d *deque) M__len__() (py.Object, error)  { return py.Int(len(d.items)), nil }
func (d *deque) M__bool__() (py.Object, error) { return py.NewBool(len(d.items) > 0), nil }
func (d *deque) M__str__() (py.Object, error)  { return d.M__repr__() }

func (d *deque) M__repr__() (py.Object, error) {
	text, err := pyvalue.Repr(d)
	return py.String(text), err
}

func (d *deque) M__getitem__(key py.Object) (py.Object, error) {
	i, err := d.at(key)
	if err != nil {
		return nil, err
	}
	return d.items[i], nil
}

func (d *deque) M__setitem__(key, value py.Object) (py.Object, error) {
	i, err := d.at(key)
	if err == nil {
		d.items[i] = value
	}
	return py.None, err
}

func (d *deque) M__delitem__(key py.Object) (py.Object, error) {
	i, err := d.at(key)
	if err == nil {
		d.version++
		d.items = slices.Delete(d.items, i, i+1)
	}
	return py.None, err
}

// Holds is o in d.
func (d *deque) Holds(o py.Object) (bool, error) {
	i, err := d.index(o)
	return i >= 0, err
}

func (d *deque) M__eq__(other py.Object) (py.Object, error) {
	o, ok := other.(*deque)
	if !ok {
		return py.NotImplemented, nil
	}
	same, err := pyvalue.Equal(&py.List{Items: d.items}, &py.List{Items: o.items})
	return py.NewBool(same), err
}

func (d *deque) M__ne__(other py.Object) (py.Object, error) {
	same, err := d.M__eq__(other)
	if err != nil || same == py.NotImplemented {
		return same, err
	}
	return py.NewBool(same == py.False), nil
}

// dequeIterator iterates over a deque.
type dequeIterator struct {
	of          *deque
	at, version int
}

var dequeIteratorType = newType(py.ObjectType, "_collections._deque_iterator", "An iterator over a deque.")

func (it *dequeIterator) Type() *py.Type                { return dequeIteratorType }
func (it *dequeIterator) M__iter__() (py.Object, error) { return it, nil }

func (it *dequeIterator) M__next__() (py.Object, error) {
	if it.version != it.of.version {
		return nil, py.ExceptionNewf(py.RuntimeError, "deque mutated during iteration")
	}
	if it.at >= len(it.of.items) {
		return nil, py.StopIteration
	}
	it.at++
	return it.of.items[it.at-1], nil
}

func (d *deque) M__iter__() (py.Object, error) { return &dequeIterator{d, 0, d.version}, nil }

func (d *deque) M__getattr__(name string) (py.Object, error) {
	call := func(required int, f func(a []py.Object) (py.Object, error), parameters ...string) (py.Object, error) {
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, required, parameters...)
			if err != nil {
				return nil, err
			}
			return f(a)
		}}, nil
	}
	switch name {
	case "maxlen":
		if d.most < 0 {
			return py.None, nil
		}
		return py.Int(d.most), nil
	case "append", "appendleft":
		return call(1, func(a []py.Object) (py.Object, error) { d.add(a[0], name == "appendleft"); return py.None, nil }, "x")
	case "extend", "extendleft":
		return call(1, func(a []py.Object) (py.Object, error) { return d.extend(a[0], name == "extendleft") }, "iterable")
	case "pop", "popleft":
		return call(0, func([]py.Object) (py.Object, error) { return d.pop(name == "popleft") })
	case "clear":
		return call(0, func([]py.Object) (py.Object, error) { d.items = nil; d.version++; return py.None, nil })
	case "copy", "__copy__":
		return call(0, func([]py.Object) (py.Object, error) { return &deque{items: slices.Clone(d.items), most: d.most}, nil })
	case "reverse":
		return call(0, func([]py.Object) (py.Object, error) { slices.Reverse(d.items); return py.None, nil })
	case "count":
		return call(1, d.count, "x")
	case "index":
		return call(1, func(a []py.Object) (py.Object, error) {
			i, err := d.index(a[0])
			if err == nil && i < 0 {
				shown, err := pyvalue.Repr(a[0])
				if err != nil {
					return nil, err
				}
				return nil, py.ExceptionNewf(py.ValueError, "%s is not in deque", shown)
			}
			return py.Int(i), err
		}, "x")
	case "remove":
		return call(1, func(a []py.Object) (py.Object, error) {
			i, err := d.index(a[0])
			switch {
			case err != nil:
				return nil, err
			case i < 0:
				shown, err := pyvalue.Repr(a[0])
				if err != nil {
					return nil, err
				}
				return nil, py.ExceptionNewf(py.ValueError, "%s is not in deque", shown)
			}
			return d.M__delitem__(py.Int(i))
		}, "x")
	case "insert":
		return call(2, func(a []py.Object) (py.Object, error) {
			i, err := py.IndexInt(a[0])
			switch {
			case err != nil:
				return nil, err
			case d.most >= 0 && len(d.items) >= d.most:
				return nil, py.ExceptionNewf(py.IndexError, "deque already at its maximum size")
			case i < 0:
				i = max(i+len(d.items), 0)
			}
			d.version++
			d.items = slices.Insert(d.items, min(i, len(d.items)), a[1])
			return py.None, nil
		}, "i", "x")
	case "rotate":
		return call(0, d.rotate, "n")
	}
	return nil, noAttribute(d, name)
}

func (d *deque) count(a []py.Object) (py.Object, error) {
	n := 0
	for _, item := range d.items {
		same, err := pyvalue.Equal(item, a[0])
		if err != nil {
			return nil, err
		}
		if same {
			n++
		}
	}
	return py.Int(n), nil
}

// rotate is d.rotate(n): so many steps to the right.
func (d *deque) rotate(a []py.Object) (py.Object, error) {
	n := 1
	if a[0] != nil {
		var err error
		if n, err = py.IndexInt(a[0]); err != nil {
			return nil, err
		}
	}
	if size := len(d.items); size > 0 {
		by := (n%size + size) % size
		d.items = slices.Concat(d.items[size-by:], d.items[:size-by])
		d.version++
	}
	return py.None, nil
}
