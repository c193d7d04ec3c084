package pyvalue

// Iterators over sequences. gpython v0.2.0 has one type for all of them, which goes on where a list
// has grown although it had come to its end.

import (
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// sequenceIterator gives the items of a sequence by their positions: those that it has at the time.
type sequenceIterator struct {
	typ  *py.Type
	item func(i int) (item py.Object, ok bool, err error) // nil once the end was met
	next int
}

var (
	sequenceIteratorType = newType("iterator")
	listIteratorType     = newType("list_iterator")
	tupleIteratorType    = newType("tuple_iterator")
	asciiIteratorType    = newType("str_ascii_iterator")
	stringIteratorType   = newType("str_iterator")
	bytesIteratorType    = newType("bytes_iterator")
)

func (it *sequenceIterator) Type() *py.Type                { return it.typ }
func (it *sequenceIterator) M__iter__() (py.Object, error) { return it, nil }

func (it *sequenceIterator) M__next__() (py.Object, error) {
	if it.item == nil {
		return nil, py.StopIteration
	}
	item, ok, err := it.item(it.next)
	if err != nil {
		return nil, err
	}
	if !ok {
		it.item = nil
		return nil, py.StopIteration
	}
	it.next++
	return item, nil
}

// itemsOfTuple is what a sequenceIterator over a tuple calls.
func itemsOfTuple(t py.Tuple) func(i int) (py.Object, bool, error) {
	return func(i int) (py.Object, bool, error) {
		if i >= len(t) {
			return nil, false, nil
		}
		return t[i], true, nil
	}
}

// iterateSequence is iter(o) for a sequence, and for an object that has nothing but __getitem__.
// It returns nil for other objects.
func iterateSequence(o py.Object) py.Object {
	switch x := o.(type) {
	case *py.List:
		return &sequenceIterator{typ: listIteratorType, item: func(i int) (py.Object, bool, error) {
			if i >= len(x.Items) {
				return nil, false, nil
			}
			return x.Items[i], true, nil
		}}
	case py.Tuple:
		return &sequenceIterator{typ: tupleIteratorType, item: itemsOfTuple(x)}
	case py.Bytes:
		return &sequenceIterator{typ: bytesIteratorType, item: func(i int) (py.Object, bool, error) {
			if i >= len(x) {
				return nil, false, nil
			}
			return py.Int(x[i]), true, nil
		}}
	case py.String:
		it := &sequenceIterator{typ: stringIteratorType}
		if isASCII(string(x)) {
			it.typ = asciiIteratorType
		}
		rest := x
		it.item = func(int) (py.Object, bool, error) {
			if rest == "" {
				return nil, false, nil
			}
			_, n := utf8.DecodeRuneInString(string(rest))
			c := rest[:n]
			rest = rest[n:]
			return c, true, nil
		}
		return it
	}
	if instanceMethod(o, "__iter__") != nil || instanceMethod(o, "__getitem__") == nil {
		return nil
	}
	return &sequenceIterator{typ: sequenceIteratorType, item: func(i int) (py.Object, bool, error) {
		item, err := GetItem(o, py.Int(i))
		if py.IsException(py.IndexError, err) || py.IsException(py.StopIteration, err) {
			return nil, false, nil
		}
		return item, err == nil, err
	}}
}

// checkLength asks an object how long it is, as CPython does before it makes a list or tuple of
// its items. The answer changes nothing, but may be an error.
func checkLength(o py.Object) error {
	if instanceMethod(o, "__len__") != nil {
		if _, err := length(o); err == nil || !py.IsException(py.TypeError, err) {
			return err
		}
	}
	hint := instanceMethod(o, "__length_hint__")
	if hint == nil {
		return nil
	}
	res, err := py.Call(hint, py.Tuple{o}, nil)
	switch {
	case py.IsException(py.TypeError, err) || res == py.NotImplemented:
		return nil
	case err != nil:
		return err
	}
	n, isInt := asInt(res)
	if !isInt {
		return py.ExceptionNewf(py.TypeError, "__length_hint__ must be an integer, not %s", typeName(res))
	}
	if n.Sign() < 0 {
		return py.ExceptionNewf(py.ValueError, "__length_hint__() should return >= 0")
	}
	return nil
}
