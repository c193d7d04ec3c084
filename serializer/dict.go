package serializer

import (
	"fmt"
	"iter"
	"slices"
)

// Dict is a Python dict: it has any hashable keys, in the order in which they were added. Keys are
// compared as Python compares them: 1, 1.0, True and complex(1, 0) are one key, str and bytes are
// never equal, tuples and frozensets are compared by their content. A NaN equals nothing, not even
// itself, so only All finds a value stored under one; a channel equals only itself.
//
// A key is converted to the type that loading gives: an int becomes an int64, a named string a
// string. A Dict must not be changed while another goroutine uses it or while it is ranged over. A
// nil *Dict can be read, and is empty. The zero value is an empty dict.
type Dict struct {
	entries []entry
	index   *index // nil while entries are few
}

// index finds the entries of a larger Dict.
type index struct {
	slots []uint32 // an open-addressed hash table of positions in entries plus one
	dead  int      // how many entries are deleted
}

type entry struct{ key, value any }

type deleted struct{} // the key of a deleted entry

// few is the number of entries up to which they are searched one by one, which is faster than
// hashing.
const few = 8

// NewDict makes a dict of alternating keys and values. It panics if their number is odd or a key is
// unhashable.
func NewDict(pairs ...any) *Dict {
	if len(pairs)%2 != 0 {
		panic("execnet: serializer.NewDict needs a value for each key")
	}
	d := new(Dict)
	d.reserve(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		if err := d.Set(pairs[i], pairs[i+1]); err != nil {
			panic("execnet: serializer.NewDict: " + err.Error())
		}
	}
	return d
}

// Set stores value under key. If an equal key is present, that one stays where and as it is, as in
// Python. The error says that the key is unhashable.
func (d *Dict) Set(key, value any) error {
	key, err := asKey(key)
	if err != nil {
		return err
	}
	d.put(key, value)
	return nil
}

// Get returns the value stored under key, and whether there is one.
func (d *Dict) Get(key any) (any, bool) {
	if d == nil {
		return nil, false
	}
	if i := d.findAny(key); i >= 0 {
		return d.entries[i].value, true
	}
	return nil, false
}

// Delete removes key and reports whether it was present.
func (d *Dict) Delete(key any) bool {
	if d == nil {
		return false
	}
	i := d.findAny(key)
	if i < 0 {
		return false
	}
	if d.index == nil {
		d.entries = slices.Delete(d.entries, i, i+1)
		return true
	}
	d.entries[i] = entry{key: deleted{}}
	d.index.dead++
	if d.index.dead > len(d.entries)/2 {
		d.entries = slices.DeleteFunc(d.entries, func(e entry) bool { return e.key == any(deleted{}) })
		d.rebuild(len(d.entries))
	}
	return true
}

// Len returns the number of entries.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	if d.index != nil {
		return len(d.entries) - d.index.dead
	}
	return len(d.entries)
}

// All ranges over the entries in the order their keys were first set.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		if d == nil {
			return
		}
		for _, e := range d.entries {
			if _, gone := e.key.(deleted); !gone && !yield(e.key, e.value) {
				return
			}
		}
	}
}

// Keys ranges over the keys in the order they were first set.
func (d *Dict) Keys() iter.Seq[any] {
	return func(yield func(any) bool) {
		for key := range d.All() {
			if !yield(key) {
				return
			}
		}
	}
}

// String returns what Python's repr prints for the dict.
func (d *Dict) String() string { return Repr(d) }

var _ fmt.Stringer = (*Dict)(nil)

// reserve makes room for n entries in an empty dict.
func (d *Dict) reserve(n int) {
	d.entries = make([]entry, 0, n)
	d.rebuild(n)
}

// put is Set for a key that is known to be hashable and has the type that loading gives. It reports
// whether the key is new.
func (d *Dict) put(key, value any) bool {
	if d.index == nil {
		if i := d.scan(key); i >= 0 {
			d.entries[i].value = value
			return false
		}
		d.entries = append(d.entries, entry{key, value})
		if len(d.entries) > few {
			d.rebuild(len(d.entries))
		}
		return true
	}
	slot, i := d.probe(key)
	if i >= 0 {
		d.entries[i].value = value
		return false
	}
	d.entries = append(d.entries, entry{key, value})
	d.index.slots[slot] = uint32(len(d.entries))
	if len(d.entries) > len(d.index.slots)/4*3 {
		d.rebuild(len(d.entries))
	}
	return true
}

func (d *Dict) findAny(key any) int {
	if _, ok := key.(string); !ok {
		var err error
		if key, err = asKey(key); err != nil {
			return -1
		}
	}
	if d.index == nil {
		return d.scan(key)
	}
	_, i := d.probe(key)
	return i
}

func (d *Dict) scan(key any) int {
	if s, ok := key.(string); ok {
		for i := range d.entries {
			if k, ok := d.entries[i].key.(string); ok && k == s {
				return i
			}
		}
		return -1
	}
	for i := range d.entries {
		if equalKeys(key, d.entries[i].key) {
			return i
		}
	}
	return -1
}

// probe returns the entry that holds key, or -1 and the free slot where its position belongs.
func (d *Dict) probe(key any) (slot, i int) {
	slots := d.index.slots
	mask := len(slots) - 1
	for slot = int(hashKey(key)) & mask; ; slot = (slot + 1) & mask {
		i = int(slots[slot]) - 1
		if i < 0 || equalKeys(key, d.entries[i].key) {
			return slot, i
		}
	}
}

// rebuild makes a new index with room for at least n entries, or drops it if n is at most few.
func (d *Dict) rebuild(n int) {
	if n <= few {
		d.index = nil
		return
	}
	size := 16
	for size/2 < n {
		size *= 2
	}
	slots, dead := make([]uint32, size), 0
	for i := range d.entries {
		key := d.entries[i].key
		if _, gone := key.(deleted); gone {
			dead++
			continue
		}
		slot := int(hashKey(key)) & (size - 1)
		for slots[slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		slots[slot] = uint32(i + 1)
	}
	d.index = &index{slots, dead}
}
