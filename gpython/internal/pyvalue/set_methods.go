package pyvalue

// set and frozenset: their constructors, operators and methods. gpython v0.2.0 has add.

import (
	"github.com/go-python/gpython/py"
)

// combine makes a table from two, by one of - & ^ |.
func combine(op Operator, a, b *table) (*table, error) {
	out := new(table)
	if op == OpOr {
		*out = a.clone()
		return out, out.addAll(b)
	}
	copyIf := func(from, other *table, wanted bool) error {
		for _, e := range from.entries {
			if e.key == nil {
				continue
			}
			i, err := other.find(e.key)
			if err != nil {
				return err
			}
			if (i >= 0) == wanted {
				if err := out.put(e.key, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if op == OpAnd && b.len() <= a.len() {
		a, b = b, a // of equal items those of the smaller set remain
	}
	if err := copyIf(a, b, op == OpAnd); err != nil {
		return nil, err
	}
	if op == OpXor {
		if err := copyIf(b, a, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// setOperation is - & ^ | of sets, frozensets and views of dicts, and | of dicts. It returns nil
// without an error for other operands.
func setOperation(op Operator, a, b py.Object) (py.Object, error) {
	if op != OpSub && op != OpAnd && op != OpXor && op != OpOr {
		return nil, nil
	}
	if x, ok := asDict(a); ok {
		if y, ok := asDict(b); ok && op == OpOr {
			if err := x.refusesOperators(); err != nil {
				return nil, err
			}
			out := x.Clone()
			return out, out.addAll(&y.table)
		}
		return nil, nil
	}
	_, aView := a.(*view)
	_, bView := b.(*view)
	x, err := setOperand(a, bView)
	if x == nil || err != nil {
		return nil, err
	}
	y, err := setOperand(b, aView)
	if y == nil || err != nil {
		return nil, err
	}
	t, err := combine(op, x, y)
	if err != nil {
		return nil, err
	}
	if _, frozen := a.(*FrozenSet); frozen {
		return &FrozenSet{table: *t}, nil
	}
	return &Set{*t}, nil
}

// setOperand gives the table of an operand; beside a view of a dict it may be any iterable.
func setOperand(o py.Object, besideView bool) (*table, error) {
	if t, ok := setTable(o); ok {
		return t, nil
	}
	if v, ok := o.(*view); ok && v.kind == itemsView {
		return v.asSet() // for its error
	}
	if besideView && iterable(o) {
		return tableOf(o)
	}
	return nil, nil
}

// tableOf makes a table of what an iterable gives.
func tableOf(o py.Object) (*table, error) {
	if t, ok := setTable(o); ok {
		c := t.clone()
		return &c, nil
	}
	t := new(table)
	err := iterate(o, func(item py.Object) error { return t.put(item, nil) })
	return t, err
}

// like makes a set of the same type as self.
func like(self py.Object, t *table) py.Object {
	if _, frozen := self.(*FrozenSet); frozen {
		return &FrozenSet{table: *t}
	}
	return &Set{*t}
}

// newSet is set(iterable).
func newSet(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	t, err := setArgument("set", args, kwargs)
	if err != nil {
		return nil, err
	}
	return &Set{*t}, nil
}

// newFrozenSet is frozenset(iterable).
func newFrozenSet(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) == 1 {
		if s, ok := args[0].(*FrozenSet); ok {
			return s, nil
		}
	}
	t, err := setArgument("frozenset", args, kwargs)
	if err != nil {
		return nil, err
	}
	return &FrozenSet{table: *t}, nil
}

func setArgument(name string, args py.Tuple, kwargs py.StringDict) (*table, error) {
	if len(kwargs) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", name)
	}
	switch len(args) {
	case 0:
		return new(table), nil
	case 1:
		return tableOf(args[0])
	}
	return nil, py.ExceptionNewf(py.TypeError, "%s expected at most 1 argument, got %d", name, len(args))
}

func init() {
	py.SetType.New, py.FrozenSetType.New = newSet, newFrozenSet
	py.SetType.Dict = py.StringDict{}
	for _, t := range []*py.Type{py.SetType, py.FrozenSetType} {
		for name, op := range map[string]Operator{
			"union": OpOr, "intersection": OpAnd, "difference": OpSub,
		} {
			addRaw(t, name, func(self py.Object, args py.Tuple, _ py.StringDict) (py.Object, error) {
				return combineAll(op, self, args)
			})
		}
		addMethod(t, "symmetric_difference(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			return combineAll(OpXor, self, a)
		})
		addMethod(t, "copy()", func(self py.Object, _ []py.Object) (py.Object, error) {
			if _, frozen := self.(*FrozenSet); frozen {
				return self, nil
			}
			return combineAll(OpOr, self, nil)
		})
		addMethod(t, "issubset(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			return compareWith(lessEqual, self, a[0])
		})
		addMethod(t, "issuperset(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			return compareWith(greaterEqual, self, a[0])
		})
		addMethod(t, "isdisjoint(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			common, err := combineAll(OpAnd, self, a)
			if err != nil {
				return nil, err
			}
			yes, err := Truth(common)
			return py.NewBool(!yes), err
		})
	}
	addChangingMethods(py.SetType)
}

// combineAll does op on a set and each of others, which may be any iterables.
func combineAll(op Operator, self py.Object, others []py.Object) (py.Object, error) {
	t, _ := setTable(self)
	out := t.clone()
	for _, other := range others {
		o, err := tableOf(other)
		if err != nil {
			return nil, err
		}
		next, err := combine(op, &out, o)
		if err != nil {
			return nil, err
		}
		out = *next
	}
	return like(self, &out), nil
}

// compareWith is issubset and issuperset.
func compareWith(op Comparison, self, other py.Object) (py.Object, error) {
	a, _ := setTable(self)
	b, err := tableOf(other)
	if err != nil {
		return nil, err
	}
	return compareSets(op, a, b)
}

// addChangingMethods gives set the methods that frozenset has not.
func addChangingMethods(t *py.Type) {
	for name, op := range map[string]Operator{
		"update": OpOr, "intersection_update": OpAnd, "difference_update": OpSub, "symmetric_difference_update": OpXor,
	} {
		addRaw(t, name, func(self py.Object, args py.Tuple, _ py.StringDict) (py.Object, error) {
			res, err := combineAll(op, self, args)
			if err == nil {
				s := self.(*Set)
				version := s.version + 1
				s.table = res.(*Set).table
				s.version = version
			}
			return py.None, err
		})
	}
	addMethod(t, "add(item, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		return py.None, self.(*Set).Add(a[0])
	})
	addMethod(t, "discard(item, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		_, _, err := self.(*Set).remove(setItem(a[0]))
		return py.None, err
	})
	addMethod(t, "remove(item, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		_, ok, err := self.(*Set).remove(setItem(a[0]))
		if err == nil && !ok {
			err = keyError(a[0])
		}
		return py.None, err
	})
	addMethod(t, "pop()", func(self py.Object, _ []py.Object) (py.Object, error) {
		s := self.(*Set)
		for i, e := range s.entries {
			if e.key != nil {
				s.removeAt(i)
				return e.key, nil
			}
		}
		return nil, py.ExceptionNewf(py.KeyError, "pop from an empty set")
	})
	addMethod(t, "clear()", func(self py.Object, _ []py.Object) (py.Object, error) {
		self.(*Set).clear()
		return py.None, nil
	})
}
