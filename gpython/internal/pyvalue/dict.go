package pyvalue

// dict: any key that can be hashed, in the order of insertion, as in CPython from 3.7 on. gpython
// v0.2.0's dicts are Go maps with str keys: {1: 2} is an error there, and the order is random.
// Where gpython makes its own kind (**kwargs, globals()), both kinds are one type to programs.

import (
	"slices"

	"github.com/go-python/gpython/py"
)

// Dict is Python's dict: any hashable key, in insertion order.
type Dict struct {
	table
	kind *DictKind // of a class derived from dict, else nil
	// proxy says that it is the copy of a class's names, which the program cannot change.
	proxy bool
}

// NewDict makes an empty dict.
func NewDict() *Dict { return new(Dict) }

// Type is dict, which py.StringDict is too, or a class derived from it.
func (d *Dict) Type() *py.Type {
	if d.kind != nil {
		return d.kind.Class
	}
	return py.StringDictType
}

// Len is the number of entries.
func (d *Dict) Len() int { return d.len() }

// Set stores value under key. It returns a TypeError when key is unhashable.
func (d *Dict) Set(key, value py.Object) error { return d.put(key, value) }

// Get returns the value under key, and whether there is one.
func (d *Dict) Get(key py.Object) (py.Object, bool, error) { return d.get(key) }

// Each calls f with each entry, in order, until it returns an error.
func (d *Dict) Each(f func(key, value py.Object) error) error {
	for _, e := range d.all() {
		if e.key != nil {
			if err := f(e.key, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// Keys are the dict's keys in their order, in a new slice.
func (d *Dict) Keys() []py.Object { return d.keys() }

// StringDict copies the dict into gpython's form, for **kwargs. It returns a TypeError when a key
// is not a str.
func (d *Dict) StringDict() (py.StringDict, error) {
	out := py.NewStringDictSized(d.len())
	for _, e := range d.all() {
		if e.key == nil {
			continue
		}
		key, ok := e.key.(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "keywords must be strings")
		}
		out[string(key)] = e.value
	}
	return out, nil
}

// FromStringDict copies gpython's form of a dict: in order if that is known, or in the order of the
// keys.
func FromStringDict(s py.StringDict) *Dict {
	d := NewDict()
	order := sortedKeys(s)
	if ns, ok := s[namespaceKey].(*namespace); ok {
		order = ns.inOrder()
	}
	for _, key := range order {
		_ = d.put(py.String(key), s[key]) // a str is hashable
	}
	return d
}

func sortedKeys(s py.StringDict) []string {
	keys := make([]string, 0, len(s))
	for key := range s {
		if key != namespaceKey {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// asDict sees either form of a dict as a Dict.
func asDict(o py.Object) (*Dict, bool) {
	switch x := o.(type) {
	case *Dict:
		return x, true
	case py.StringDict:
		return View(x), true
	}
	return nil, false
}

// The slots that gpython's interpreter and builtins call.

func (d *Dict) M__getitem__(key py.Object) (py.Object, error) {
	value, ok, err := d.get(key)
	if err == nil && !ok {
		if d.kind != nil && d.kind.Missing != nil {
			return d.kind.Missing(d, key)
		}
		err = keyError(key)
	}
	return value, err
}

func (d *Dict) M__setitem__(key, value py.Object) (py.Object, error) {
	return py.None, d.put(key, value)
}

func (d *Dict) M__delitem__(key py.Object) (py.Object, error) {
	_, ok, err := d.remove(key)
	if err == nil && !ok {
		err = keyError(key)
	}
	return py.None, err
}

func (d *Dict) M__contains__(key py.Object) (py.Object, error) {
	_, ok, err := d.get(key)
	return py.NewBool(ok), err
}

func (d *Dict) M__len__() (py.Object, error)  { return py.Int(d.len()), nil }
func (d *Dict) M__bool__() (py.Object, error) { return py.NewBool(d.len() > 0), nil }
func (d *Dict) M__repr__() (py.Object, error) { return reprObject(d) }
func (d *Dict) M__str__() (py.Object, error)  { return reprObject(d) }
func (d *Dict) M__iter__() (py.Object, error) {
	return &tableIterator{walk: d.walk("dictionary"), kind: keysView}, nil
}

func (d *Dict) M__eq__(other py.Object) (py.Object, error) { return eqSlot(d, other) }
func (d *Dict) M__ne__(other py.Object) (py.Object, error) { return neSlot(d, other) }

// dictsEqualAt is d == other for dicts.
func dictsEqualAt(d, other *Dict, depth int) (bool, error) {
	if d.len() != other.len() {
		return false, nil
	}
	for _, e := range d.all() {
		if e.key == nil {
			continue
		}
		value, ok, err := other.get(e.key)
		if !ok || err != nil {
			return false, err
		}
		if Identical(e.value, value) {
			continue
		}
		if same, err := equalAt(e.value, value, depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// keyError is the KeyError for a key that is absent: its argument is the key, so that its str is
// the key's repr.
func keyError(key py.Object) error {
	return &py.Exception{Base: py.KeyError, Args: py.Tuple{key}, Dict: py.StringDict{}}
}
