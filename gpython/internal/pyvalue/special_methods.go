package pyvalue

// The methods of dict, list, str and int that CPython calls for operators and builtin functions.
// gpython v0.2.0 has none: it knows by the Go type what to do. Programs call them by super() in
// classes that they derive from these types, and instances of such classes do what they say.

import (
	"github.com/go-python/gpython/py"
)

func init() {
	dict, list, str, number := py.StringDictType, py.ListType, py.StringType, py.IntType
	for _, t := range []*py.Type{dict, list, str} {
		addMethod(t, "__len__()", func(self py.Object, _ []py.Object) (py.Object, error) { return length(self) })
		addMethod(t, "__iter__()", func(self py.Object, _ []py.Object) (py.Object, error) { return Iter(self) })
		addMethod(t, "__contains__(key, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			found, err := Contains(self, a[0])
			return py.NewBool(found), err
		})
	}
	for _, t := range builtinBases {
		addMethod(t, "__repr__()", func(self py.Object, _ []py.Object) (py.Object, error) { return reprObject(self) })
		addComparison(t, equal)
		addComparison(t, notEqual)
	}
	for _, t := range []*py.Type{list, str, number} {
		for _, op := range []Comparison{less, lessEqual, greater, greaterEqual} {
			addComparison(t, op)
		}
		addOperator(t, OpAdd)
	}
	for _, t := range []*py.Type{list, str} {
		addMethod(t, "__getitem__(key, /)", func(self py.Object, a []py.Object) (py.Object, error) { return GetItem(self, a[0]) })
		addOperator(t, OpMul)
		addReflected(t, OpMul)
	}
	dict.Dict["__getitem__"] = newMethodOfInstance(dict, "__getitem__(key, /)", dictItem)
	dict.Dict["__hash__"], list.Dict["__hash__"] = py.None, py.None
	for _, t := range []*py.Type{dict, list} {
		addMethod(t, "__setitem__(key, value, /)", func(self py.Object, a []py.Object) (py.Object, error) { return py.None, SetItem(self, a[0], a[1]) })
		addMethod(t, "__delitem__(key, /)", func(self py.Object, a []py.Object) (py.Object, error) { return py.None, DelItem(self, a[0]) })
		addMethod(t, "__reversed__()", func(self py.Object, _ []py.Object) (py.Object, error) {
			return newReversed(nil, py.Tuple{self}, nil)
		})
	}
	for i, name := range []string{"__or__", "__ror__"} {
		dict.Dict[name] = newMethodOfInstance(dict, name+"(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			if !sameKind(plain(self), plain(a[0])) {
				return py.NotImplemented, nil
			}
			pair := []py.Object{self, a[0]}
			return dictUnion(pair[i], pair[1-i])
		})
	}
	addInPlace(dict, OpOr)
	addInPlace(list, OpAdd)
	addInPlace(list, OpMul)
	addOperator(str, OpMod)
	for _, t := range []*py.Type{str, number} {
		addMethod(t, "__hash__()", func(self py.Object, _ []py.Object) (py.Object, error) {
			h, err := hash(self)
			return py.Int(h), err
		})
		t.Dict["__format__"] = newMethodOfInstance(t, "__format__(spec, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			spec, ok := plain(a[0]).(py.String)
			if !ok {
				return nil, py.ExceptionNewf(py.TypeError, "__format__() argument must be str, not %s", typeName(a[0]))
			}
			if spec != "" {
				self = plain(self)
			} else if valueOf(self) != nil {
				s, err := Str(self)
				return py.String(s), err
			}
			s, err := Format(self, string(spec))
			return py.String(s), err
		})
	}
	addMethod(str, "__str__()", func(self py.Object, _ []py.Object) (py.Object, error) { return self, nil })
	addNumberMethods(number)
}

// addNumberMethods gives int its operators.
func addNumberMethods(t *py.Type) {
	for op := range operations {
		addOperator(t, Operator(op))
		addReflected(t, Operator(op))
	}
	for name, symbol := range map[string]string{"neg": "-", "pos": "+", "invert": "~"} {
		addMethod(t, "__"+name+"__()", func(self py.Object, _ []py.Object) (py.Object, error) { return Unary(name, symbol, self) })
	}
	for _, name := range []string{"int", "index", "trunc", "floor", "ceil"} {
		addMethod(t, "__"+name+"__()", func(self py.Object, _ []py.Object) (py.Object, error) { return integer(self), nil })
	}
	addMethod(t, "__abs__()", func(self py.Object, _ []py.Object) (py.Object, error) { return absolute(self) })
	addMethod(t, "__bool__()", func(self py.Object, _ []py.Object) (py.Object, error) {
		yes, err := Truth(self)
		return py.NewBool(yes), err
	})
	addMethod(t, "__float__()", func(self py.Object, _ []py.Object) (py.Object, error) {
		f, err := floatOf(self)
		return py.Float(f), err
	})
	addMethod(t, "__round__(digits=, /)", func(self py.Object, a []py.Object) (py.Object, error) { return round(self, a[0]) })
	addMethod(t, "__divmod__(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		if !sameKind(self, plain(a[0])) {
			return py.NotImplemented, nil
		}
		return divMod(self, plain(a[0]))
	})
	addMethod(t, "__rdivmod__(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		if !sameKind(self, plain(a[0])) {
			return py.NotImplemented, nil
		}
		return divMod(plain(a[0]), self)
	})
}

// sameKind reports whether two built-in values are of one type of builtinBases, where bool is an
// int.
func sameKind(a, b py.Object) bool {
	switch a.(type) {
	case *Dict, py.StringDict:
		_, ok := asDict(b)
		return ok
	case *py.List:
		_, ok := b.(*py.List)
		return ok
	case py.String:
		_, ok := b.(py.String)
		return ok
	}
	_, ok := asInt(a)
	_, ok2 := asInt(b)
	return ok && ok2
}

func addComparison(t *py.Type, op Comparison) {
	addMethod(t, comparisons[op].slot+"(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		other := plain(a[0])
		if !sameKind(self, other) {
			return py.NotImplemented, nil
		}
		return Compare(op, self, other)
	})
}

// operate is self op other, or other op self, in a type's own method: NotImplemented for an
// operand that the type does not know.
func operate(op Operator, self, other py.Object, reflected bool) (py.Object, error) {
	value := plain(other)
	_, isInt := asInt(value)
	known := sameKind(self, value)
	if _, sequence := self.(py.String); op == OpMul {
		_, list := self.(*py.List)
		known = known && !sequence && !list || isInt
	} else if op == OpMod && sequence && !reflected {
		known, value = true, other // its formats ask the instance
	}
	if !known {
		return py.NotImplemented, nil
	}
	if reflected {
		return Binary(op, value, self)
	}
	return Binary(op, self, value)
}

func addOperator(t *py.Type, op Operator) {
	addMethod(t, "__"+operations[op].name+"__(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		return operate(op, self, a[0], false)
	})
}

func addReflected(t *py.Type, op Operator) {
	addMethod(t, "__r"+operations[op].name+"__(other, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		return operate(op, self, a[0], true)
	})
}

func addInPlace(t *py.Type, op Operator) {
	text := "__i" + operations[op].name + "__(other, /)"
	t.Dict[text[:len(text)-len("(other, /)")]] = newMethodOfInstance(t, text, func(self py.Object, a []py.Object) (py.Object, error) {
		other := a[0]
		if op == OpMul {
			other = plain(other)
		}
		_, err := InPlace(op, plain(self), other)
		return self, err
	})
}

// dictCopy is a plain dict of what a dict, or an instance of a class derived from it, has.
func dictCopy(o py.Object) (*Dict, error) {
	if d, ok := o.(*Dict); ok {
		return d.Clone(), nil
	}
	d := NewDict()
	if own, ok := asDict(plain(o)); ok && own.len() == 0 {
		return d, nil
	}
	return d, d.Update(o)
}

// dictUnion is a | b for dicts, or instances of classes derived from dict.
func dictUnion(a, b py.Object) (py.Object, error) {
	d, err := dictCopy(a)
	if err != nil {
		return nil, err
	}
	return d, d.Update(b)
}

// dictItem is dict.__getitem__, which asks the __missing__ of a class derived from dict.
func dictItem(self py.Object, a []py.Object) (py.Object, error) {
	if valueOf(self) == nil {
		return GetItem(self, a[0])
	}
	d := plain(self).(*Dict)
	value, ok, err := d.get(a[0])
	if ok || err != nil {
		return value, err
	}
	if method := instanceMethod(self, "__missing__"); method != nil {
		return py.Call(method, py.Tuple{self, a[0]}, nil)
	}
	return nil, keyError(a[0])
}
