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
	if s, ok := o.(py.StringDict); ok {
		o = FromStringDict(s)
	}
	other, ok := asDict(o)
	if value := valueOf(o); value != nil && !Overrides(o, "__iter__") {
		// As CPython, which then asks no other method.
		other, ok = asDict(value)
	}
	if ok {
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

// dictMethod gives dict a method, in either form.
func dictMethod(text string, f func(d *Dict, a []py.Object) (py.Object, error)) {
	addMethod(py.StringDictType, text, func(self py.Object, a []py.Object) (py.Object, error) {
		d, _ := asDict(self)
		return f(d, a)
	})
}

func init() {
	py.StringDictType.New = newDict
	for text, kind := range map[string]viewKind{"keys()": keysView, "values()": valuesView, "items()": itemsView} {
		dictMethod(text, func(d *Dict, _ []py.Object) (py.Object, error) { return &view{d, kind}, nil })
	}
	dictMethod("get(key, default=, /)", func(d *Dict, a []py.Object) (py.Object, error) {
		value, ok, err := d.get(a[0])
		if !ok {
			value = optional(a[1], py.None)
		}
		return value, err
	})
	dictMethod("pop(key, default=, /)", func(d *Dict, a []py.Object) (py.Object, error) {
		value, ok, err := d.remove(a[0])
		switch {
		case err != nil || ok:
			return value, err
		case a[1] == nil:
			return nil, keyError(a[0])
		}
		return a[1], nil
	})
	dictMethod("popitem()", func(d *Dict, _ []py.Object) (py.Object, error) {
		all := d.all()
		for i := len(all) - 1; i >= 0; i-- {
			if e := all[i]; e.key != nil {
				d.removeAt(i)
				return py.Tuple{e.key, e.value}, nil
			}
		}
		return nil, keyError(py.String("popitem(): dictionary is empty"))
	})
	dictMethod("setdefault(key, default=, /)", func(d *Dict, a []py.Object) (py.Object, error) {
		value, ok, err := d.get(a[0])
		if ok || err != nil {
			return value, err
		}
		value = optional(a[1], py.None)
		return value, d.put(a[0], value)
	})
	py.StringDictType.Dict["copy"] = newMethodOfInstance(py.StringDictType, "copy()", func(self py.Object, _ []py.Object) (py.Object, error) {
		return dictCopy(self)
	})
	dictMethod("clear()", func(d *Dict, _ []py.Object) (py.Object, error) {
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
		return py.None, d.Update(kwargs)
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
