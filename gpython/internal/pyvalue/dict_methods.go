package pyvalue

// dict: its constructor and methods. gpython v0.2.0 has items, keys, values and get.

import (
	"github.com/go-python/gpython/py"
)

// newDict is dict(...): nothing, a mapping or an iterable of pairs, and keywords.
func newDict(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 1 {
		return nil, py.ExceptionNewf(py.TypeError, "dict expected at most 1 argument, got %d", len(args))
	}
	d := NewDict()
	if len(args) == 1 {
		if err := d.Update(args[0]); err != nil {
			return nil, err
		}
	}
	return d, d.Update(kwargs)
}

// Update is dict.update: it adds the entries of a mapping, or of an iterable of pairs.
func (d *Dict) Update(o py.Object) error {
	if other, ok := asDict(o); ok {
		return d.addAll(&other.table)
	}
	if keys, err := py.GetAttrString(o, "keys"); err == nil {
		all, err := py.Call(keys, nil, nil)
		if err != nil {
			return err
		}
		return iterate(all, func(key py.Object) error {
			value, err := GetItem(o, key)
			if err != nil {
				return err
			}
			return d.put(key, value)
		})
	}
	n := 0
	return iterate(o, func(item py.Object) error {
		if !iterable(item) {
			return py.ExceptionNewf(py.TypeError, "cannot convert dictionary update sequence element #%d to a sequence", n)
		}
		pair, err := items(item)
		if err != nil {
			return err
		}
		if len(pair) != 2 {
			return py.ExceptionNewf(py.ValueError, "dictionary update sequence element #%d has length %d; 2 is required", n, len(pair))
		}
		n++
		return d.put(pair[0], pair[1])
	})
}

// dictMethod gives dict a method that sees a Dict. On a StringDict, which gpython makes for
// **kwargs and globals(), the method works on a copy; what it changed is put back.
func dictMethod(text string, changes bool, f func(d *Dict, a []py.Object) (py.Object, error)) {
	addMethod(py.StringDictType, text, func(self py.Object, a []py.Object) (py.Object, error) {
		d, _ := asDict(self)
		res, err := f(d, a)
		if s, ok := self.(py.StringDict); ok && changes {
			if err := putBack(s, d); err != nil {
				return nil, err
			}
		}
		return res, err
	})
}

// putBack gives s the entries of d, and no others.
func putBack(s py.StringDict, d *Dict) error {
	now, err := d.StringDict()
	if err != nil {
		return err
	}
	for key := range s {
		if _, ok := now[key]; !ok {
			delete(s, key)
		}
	}
	for key, value := range now {
		s[key] = value
	}
	return nil
}

func init() {
	py.StringDictType.New = newDict
	for text, kind := range map[string]viewKind{"keys()": keysView, "values()": valuesView, "items()": itemsView} {
		dictMethod(text, false, func(d *Dict, _ []py.Object) (py.Object, error) { return &view{d, kind}, nil })
	}
	dictMethod("get(key, default=, /)", false, func(d *Dict, a []py.Object) (py.Object, error) {
		value, ok, err := d.get(a[0])
		if !ok {
			value = optional(a[1], py.None)
		}
		return value, err
	})
	dictMethod("pop(key, default=, /)", true, func(d *Dict, a []py.Object) (py.Object, error) {
		value, ok, err := d.remove(a[0])
		switch {
		case err != nil || ok:
			return value, err
		case a[1] == nil:
			return nil, keyError(a[0])
		}
		return a[1], nil
	})
	dictMethod("popitem()", true, func(d *Dict, _ []py.Object) (py.Object, error) {
		for i := len(d.entries) - 1; i >= 0; i-- {
			if e := d.entries[i]; e.key != nil {
				d.removeAt(i)
				return py.Tuple{e.key, e.value}, nil
			}
		}
		return nil, keyError(py.String("popitem(): dictionary is empty"))
	})
	dictMethod("setdefault(key, default=, /)", true, func(d *Dict, a []py.Object) (py.Object, error) {
		value, ok, err := d.get(a[0])
		if ok || err != nil {
			return value, err
		}
		value = optional(a[1], py.None)
		return value, d.put(a[0], value)
	})
	dictMethod("copy()", false, func(d *Dict, _ []py.Object) (py.Object, error) { return &Dict{d.clone()}, nil })
	dictMethod("clear()", true, func(d *Dict, _ []py.Object) (py.Object, error) {
		d.clear()
		return py.None, nil
	})
	addRaw(py.StringDictType, "update", func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(args) > 1 {
			return nil, py.ExceptionNewf(py.TypeError, "update expected at most 1 argument, got %d", len(args))
		}
		d, _ := asDict(self)
		if len(args) == 1 {
			if err := d.Update(args[0]); err != nil {
				return nil, err
			}
		}
		if err := d.Update(kwargs); err != nil {
			return nil, err
		}
		if s, ok := self.(py.StringDict); ok {
			return py.None, putBack(s, d)
		}
		return py.None, nil
	})
	addStatic(py.StringDictType, "fromkeys(iterable, value=, /)", func(a []py.Object) (py.Object, error) {
		d := NewDict()
		return d, iterate(a[0], func(key py.Object) error { return d.put(key, optional(a[1], py.None)) })
	})
	addMethod(viewTypes[keysView], "isdisjoint(other, /)", viewDisjoint)
	addMethod(viewTypes[itemsView], "isdisjoint(other, /)", viewDisjoint)
}

func viewDisjoint(self py.Object, a []py.Object) (py.Object, error) {
	t, err := self.(*view).asSet()
	if err != nil {
		return nil, err
	}
	common, err := combineAll(OpAnd, &Set{*t}, a)
	if err != nil {
		return nil, err
	}
	yes, err := Truth(common)
	return py.NewBool(!yes), err
}
