package pyvalue

// d.keys(), d.values() and d.items(), and the iterators of dicts and sets. In gpython v0.2.0 the
// three are iterators; CPython's views can be iterated over again, show the dict as it is at any
// time, and notice when it changes during an iteration.

import (
	"github.com/go-python/gpython/py"
)

// viewKind says which part of a dict's entries a view or an iterator gives.
type viewKind int

const (
	keysView viewKind = iota
	valuesView
	itemsView
	setItems
)

var (
	viewTypes = [...]*py.Type{
		keysView:   newType("dict_keys"),
		valuesView: newType("dict_values"),
		itemsView:  newType("dict_items"),
	}
	iteratorTypes = [...]*py.Type{
		keysView:   newType("dict_keyiterator"),
		valuesView: newType("dict_valueiterator"),
		itemsView:  newType("dict_itemiterator"),
		setItems:   newType("set_iterator"),
	}
)

// newType makes a type that programs cannot make instances of by calling it.
func newType(name string) *py.Type {
	t := &py.Type{ObjectType: py.TypeType, Name: name, Dict: py.StringDict{}}
	if err := t.Ready(); err != nil {
		panic(err)
	}
	return t
}

func (kind viewKind) of(e entry) py.Object {
	switch kind {
	case valuesView:
		return e.value
	case itemsView:
		return py.Tuple{e.key, e.value}
	}
	return e.key
}

// view is what d.keys(), d.values() and d.items() return: it shows the dict as it is at any time.
type view struct {
	dict *Dict
	kind viewKind
}

func (v *view) Type() *py.Type { return viewTypes[v.kind] }

func (v *view) M__len__() (py.Object, error)  { return py.Int(v.dict.len()), nil }
func (v *view) M__bool__() (py.Object, error) { return py.NewBool(v.dict.len() > 0), nil }
func (v *view) M__repr__() (py.Object, error) { return reprObject(v) }
func (v *view) M__str__() (py.Object, error)  { return reprObject(v) }

func (v *view) M__iter__() (py.Object, error) {
	return &tableIterator{walk: v.dict.walk("dictionary"), kind: v.kind}, nil
}

func (v *view) M__contains__(item py.Object) (py.Object, error) {
	switch v.kind {
	case keysView:
		return v.dict.M__contains__(item)
	case itemsView:
		pair, ok := item.(py.Tuple)
		if !ok || len(pair) != 2 {
			return py.False, nil
		}
		value, ok, err := v.dict.get(pair[0])
		if !ok || err != nil {
			return py.False, err
		}
		same, err := sameOrEqual(value, pair[1])
		return py.NewBool(same), err
	}
	for _, e := range v.dict.all() {
		if e.key == nil {
			continue
		}
		if same, err := sameOrEqual(e.value, item); same || err != nil {
			return py.NewBool(same), err
		}
	}
	return py.False, nil
}

// asSet makes a set of a view of keys or items, for their set algebra.
func (v *view) asSet() (*table, error) {
	t := new(table)
	for _, e := range v.dict.all() {
		if e.key != nil {
			if err := t.put(v.kind.of(e), nil); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// tableIterator iterates over a dict, a view or a set.
type tableIterator struct {
	walk *walk
	kind viewKind
}

func (it *tableIterator) Type() *py.Type                { return iteratorTypes[it.kind] }
func (it *tableIterator) M__iter__() (py.Object, error) { return it, nil }
func (it *tableIterator) M__next__() (py.Object, error) {
	e, err := it.walk.next()
	if err != nil {
		return nil, err
	}
	return it.kind.of(e), nil
}
