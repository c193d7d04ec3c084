package gpython

// collections.Counter, a dict of package pyvalue whose missing keys count as 0.

import (
	"sync"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

var counterType = sync.OnceValue(func() *py.Type {
	class := dictClass("Counter")
	kind := &pyvalue.DictKind{Class: class, Counts: true}
	kind.Missing = func(*pyvalue.Dict, py.Object) (py.Object, error) { return py.Int(0), nil }
	kind.Sort = func(d *pyvalue.Dict) ([]py.Object, error) {
		pairs, err := mostCommon(d)
		keys := make([]py.Object, len(pairs))
		for i, pair := range pairs {
			keys[i] = pair.(py.Tuple)[0]
		}
		return keys, err
	}
	change := func(name string, op pyvalue.Operator) func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			if len(args) > 1 {
				return nil, py.ExceptionNewf(py.TypeError, "Counter.%s() takes from 1 to 2 positional arguments but %d were given", name, len(args)+1)
			}
			if len(args) == 1 && args[0] != py.None {
				if err := count(d, args[0], op); err != nil {
					return nil, err
				}
			}
			if len(kwargs) > 0 {
				return py.None, count(d, kwargs, op)
			}
			return py.None, nil
		}
	}
	update := change("update", pyvalue.OpAdd)
	class.New = func(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		d := pyvalue.NewDictOf(kind)
		_, err := update(d, args, kwargs)
		return d, err
	}
	addTo(class, "update", update)
	addTo(class, "subtract", change("subtract", pyvalue.OpSub))
	addTo(class, "most_common", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("most_common", args, kwargs, 0, "n")
		if err != nil {
			return nil, err
		}
		pairs, err := mostCommon(d)
		if err == nil && a[0] != nil && a[0] != py.None {
			var n int
			if n, err = py.IndexInt(a[0]); err == nil {
				pairs = pairs[:min(max(n, 0), len(pairs))]
			}
		}
		return &py.List{Items: pairs}, err
	})
	addTo(class, "elements", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("elements", args, kwargs, 0); err != nil {
			return nil, err
		}
		all := py.NewList()
		for _, key := range d.Keys() {
			value, _, err := d.Get(key)
			if err != nil {
				return nil, err
			}
			n, err := py.IndexInt(value)
			if err != nil {
				return nil, err
			}
			if err := pyvalue.Fits(len(all.Items)+max(n, 0), 16); err != nil {
				return nil, err
			}
			for range n {
				all.Append(key)
			}
		}
		return pyvalue.Iter(all)
	})
	addTo(class, "total", func(d *pyvalue.Dict, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, err := arguments("total", args, kwargs, 0); err != nil {
			return nil, err
		}
		sum := py.Object(py.Int(0))
		for _, key := range d.Keys() {
			value, _, err := d.Get(key)
			if err == nil {
				sum, err = pyvalue.Binary(pyvalue.OpAdd, sum, value)
			}
			if err != nil {
				return nil, err
			}
		}
		return sum, nil
	})
	class.Dict["fromkeys"] = &function{"fromkeys", func(py.Tuple, py.StringDict) (py.Object, error) {
		return nil, py.ExceptionNewf(py.NotImplementedError, "Counter.fromkeys() is undefined.  Use Counter(iterable) instead.")
	}}
	return class
})

// mostCommon are the entries of a Counter, those with the highest counts first.
func mostCommon(d *pyvalue.Dict) ([]py.Object, error) {
	pairs := py.NewList()
	for _, key := range d.Keys() {
		value, _, err := d.Get(key)
		if err != nil {
			return nil, err
		}
		pairs.Append(py.Tuple{key, value})
	}
	byCount := &function{"count", func(args py.Tuple, _ py.StringDict) (py.Object, error) { return args[0].(py.Tuple)[1], nil }}
	sorted, err := py.Call(pyvalue.Builtins()["sorted"], py.Tuple{pairs}, py.StringDict{"key": byCount, "reverse": py.True})
	if err != nil {
		return nil, err
	}
	return sorted.(*py.List).Items, nil
}

// count adds what o has to a Counter, or subtracts it: counts, if it is a mapping, else its items.
func count(d *pyvalue.Dict, o py.Object, op pyvalue.Operator) error {
	one := func(key, by py.Object) error {
		now, ok, err := d.Get(key)
		if err != nil {
			return err
		}
		if !ok {
			now = py.Int(0)
			if op == pyvalue.OpAdd && d.Len() >= 0 {
				if sum, err := pyvalue.Binary(op, by, now); err != nil {
					return err
				} else {
					return d.Set(key, sum)
				}
			}
		}
		if now, err = pyvalue.Binary(op, now, by); err != nil {
			return err
		}
		return d.Set(key, now)
	}
	_, isDict := o.(*pyvalue.Dict)
	_, isNames := o.(py.StringDict)
	if isDict || isNames {
		counts := pyvalue.NewDict()
		if err := counts.Update(o); err != nil {
			return err
		}
		for _, key := range counts.Keys() {
			by, _, err := counts.Get(key)
			if err == nil {
				err = one(key, by)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	it, err := pyvalue.Iter(o)
	if err != nil {
		return err
	}
	for {
		key, err := py.Next(it)
		if py.IsException(py.StopIteration, err) {
			return nil
		}
		if err == nil {
			err = one(key, py.Int(1))
		}
		if err != nil {
			return err
		}
	}
}
