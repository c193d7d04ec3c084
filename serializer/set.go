package serializer

import "iter"

// Tuple is a Python tuple. (A []any is a list.)
type Tuple []any

// String returns what Python's repr prints for the tuple.
func (t Tuple) String() string { return Repr(t) }

// Set is a Python set. Items are compared and converted as the keys of a [Dict] are. They keep the
// order in which they were added; Python's do not. A nil *Set can be read, and is empty. The zero
// value is an empty set.
type Set struct{ items Dict }

// NewSet makes a set of items. It panics if one is unhashable.
func NewSet(items ...any) *Set {
	s := new(Set)
	s.items.reserve(len(items))
	for _, item := range items {
		if err := s.Add(item); err != nil {
			panic("execnet: serializer.NewSet: " + err.Error())
		}
	}
	return s
}

// Add adds item, unless an equal one is present. The error says that the item is unhashable.
func (s *Set) Add(item any) error { return s.items.Set(item, nil) }

// Delete removes item and reports whether it was present.
func (s *Set) Delete(item any) bool { return s != nil && s.items.Delete(item) }

// Contains reports whether an equal item is present.
func (s *Set) Contains(item any) bool {
	if s == nil {
		return false
	}
	_, ok := s.items.Get(item)
	return ok
}

// Len returns the number of items.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.items.Len()
}

// All ranges over the items in the order they were added.
func (s *Set) All() iter.Seq[any] {
	if s == nil {
		return (*Dict)(nil).Keys()
	}
	return s.items.Keys()
}

// String returns what Python's repr prints for the set.
func (s *Set) String() string { return Repr(s) }

// FrozenSet is a Python frozenset: a set that cannot be changed, and so can be a dict key or in a
// set. The zero value is an empty one. Use Equal to compare two: Go's == compares their identity.
type FrozenSet struct{ frozen *frozen }

type frozen struct {
	items Dict
	hash  uint64 // kept, so that hashing nested frozensets does not walk them again and again
}

// NewFrozenSet makes a frozenset of items. It panics if one is unhashable.
func NewFrozenSet(items ...any) FrozenSet { return freeze(NewSet(items...).items) }

func freeze(items Dict) FrozenSet {
	f := &frozen{items: items, hash: tupleSeed ^ intSeed}
	for key := range items.Keys() {
		f.hash += mix(intSeed, hashKey(key)) // a sum, because order does not matter
	}
	return FrozenSet{f}
}

// Contains reports whether an equal item is present.
func (s FrozenSet) Contains(item any) bool {
	_, ok := s.dict().Get(item)
	return ok
}

// Len returns the number of items.
func (s FrozenSet) Len() int { return s.dict().Len() }

// All ranges over the items in the order they were given.
func (s FrozenSet) All() iter.Seq[any] { return s.dict().Keys() }

// Equal reports whether both have the same items, as Python compares them.
func (s FrozenSet) Equal(other FrozenSet) bool { return s.equal(other) }

// String returns what Python's repr prints for the frozenset.
func (s FrozenSet) String() string { return Repr(s) }

func (s FrozenSet) dict() *Dict {
	if s.frozen == nil {
		return nil
	}
	return &s.frozen.items
}

func (s FrozenSet) hash() uint64 {
	if s.frozen == nil {
		return tupleSeed ^ intSeed
	}
	return s.frozen.hash
}

func (s FrozenSet) equal(other FrozenSet) bool {
	if s.frozen == other.frozen {
		return true
	}
	if s.Len() != other.Len() || s.hash() != other.hash() {
		return false
	}
	for item := range s.All() {
		if !other.Contains(item) {
			return false
		}
	}
	return true
}
