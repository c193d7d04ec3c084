package pyvalue

// set and frozenset. gpython v0.2.0's set is a Go map with a random order, and frozenset cannot be
// called. These keep the order in which items were added, so that a program gives the same result
// each time.

import (
	"github.com/go-python/gpython/py"
)

// Set is Python's set. Its items keep the order in which they were added.
type Set struct{ table }

// FrozenSet is Python's frozenset.
type FrozenSet struct {
	table
	hashed bool
	sum    int64
}

// NewSet makes a set of items. It returns a TypeError when one is unhashable.
func NewSet(items ...py.Object) (*Set, error) {
	s := new(Set)
	return s, s.addItems(items)
}

// NewFrozenSet makes a frozenset of items. It returns a TypeError when one is unhashable.
func NewFrozenSet(items ...py.Object) (*FrozenSet, error) {
	s := new(FrozenSet)
	return s, s.addItems(items)
}

func (t *table) addItems(items []py.Object) error {
	for _, item := range items {
		if err := t.put(item, nil); err != nil {
			return err
		}
	}
	return nil
}

// Type is set.
func (s *Set) Type() *py.Type { return py.SetType }

// Type is frozenset.
func (s *FrozenSet) Type() *py.Type { return py.FrozenSetType }

// Add adds item. It returns a TypeError when item is unhashable.
func (s *Set) Add(item py.Object) error { return s.put(item, nil) }

// Items are the items in order, in a new slice.
func (s *Set) Items() []py.Object { return s.keys() }

// Items are the items in order, in a new slice.
func (s *FrozenSet) Items() []py.Object { return s.keys() }

// hash does not depend on the order of the items.
func (s *FrozenSet) hash() int64 {
	if !s.hashed {
		h := uint64(0x27d4eb2f165667c5)
		for _, e := range s.entries {
			if e.key != nil {
				one := uint64(e.hash) * 0x9e3779b97f4a7c15
				h += (one ^ one>>29) * 0xbf58476d1ce4e5b9
			}
		}
		s.sum, s.hashed = notMinusOne(int64(h^h>>32)), true
	}
	return s.sum
}

// setTable gives the table of a set or frozenset, or makes one of a view of keys or of hashable
// items.
func setTable(o py.Object) (*table, bool) {
	switch x := o.(type) {
	case *Set:
		return &x.table, true
	case *FrozenSet:
		return &x.table, true
	case *view:
		if x.kind == valuesView {
			return nil, false
		}
		t, err := x.asSet()
		return t, err == nil
	case *py.Set: // gpython's own, from a Go module
		it, _ := x.M__iter__()
		all, _ := items(it)
		t := new(table)
		return t, t.addItems(all) == nil
	}
	return nil, false
}

// setItem is the form in which an item is looked up: a set, which has no hash, is looked up as a
// frozenset of the same items.
func setItem(item py.Object) py.Object {
	if s, ok := item.(*Set); ok {
		return &FrozenSet{table: s.clone()}
	}
	return item
}

// compareSets orders sets by inclusion.
func compareSets(op Comparison, a, b *table) (py.Object, error) {
	switch op {
	case equal, notEqual:
		same := a.len() == b.len()
		if same {
			var err error
			if same, err = subset(a, b); err != nil {
				return nil, err
			}
		}
		return py.NewBool(same == (op == equal)), nil
	case greater, greaterEqual:
		a, b, op = b, a, comparisons[op].mirror
	}
	if op == less && a.len() == b.len() {
		return py.False, nil
	}
	in, err := subset(a, b)
	return py.NewBool(in), err
}

// subset reports whether all items of a are in b.
func subset(a, b *table) (bool, error) {
	if a.len() > b.len() {
		return false, nil
	}
	for _, e := range a.entries {
		if e.key == nil {
			continue
		}
		if i, err := b.find(e.key); i < 0 || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *Set) M__contains__(item py.Object) (py.Object, error) {
	i, err := s.find(setItem(item))
	return py.NewBool(i >= 0), err
}

func (s *FrozenSet) M__contains__(item py.Object) (py.Object, error) {
	i, err := s.find(setItem(item))
	return py.NewBool(i >= 0), err
}

func (s *Set) M__len__() (py.Object, error)                     { return py.Int(s.len()), nil }
func (s *FrozenSet) M__len__() (py.Object, error)               { return py.Int(s.len()), nil }
func (s *Set) M__bool__() (py.Object, error)                    { return py.NewBool(s.len() > 0), nil }
func (s *FrozenSet) M__bool__() (py.Object, error)              { return py.NewBool(s.len() > 0), nil }
func (s *Set) M__repr__() (py.Object, error)                    { return reprObject(s) }
func (s *FrozenSet) M__repr__() (py.Object, error)              { return reprObject(s) }
func (s *Set) M__str__() (py.Object, error)                     { return reprObject(s) }
func (s *FrozenSet) M__str__() (py.Object, error)               { return reprObject(s) }
func (s *Set) M__eq__(other py.Object) (py.Object, error)       { return eqSlot(s, other) }
func (s *Set) M__ne__(other py.Object) (py.Object, error)       { return neSlot(s, other) }
func (s *FrozenSet) M__eq__(other py.Object) (py.Object, error) { return eqSlot(s, other) }
func (s *FrozenSet) M__ne__(other py.Object) (py.Object, error) { return neSlot(s, other) }
func (s *Set) M__iter__() (py.Object, error) {
	return &tableIterator{walk: s.walk("Set"), kind: setItems}, nil
}

func (s *FrozenSet) M__iter__() (py.Object, error) {
	return &tableIterator{walk: s.walk("Set"), kind: setItems}, nil
}
