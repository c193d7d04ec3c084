package serializer

import (
	"reflect"
	"slices"
	"strings"
)

// items is what lies ahead in a list, tuple or set.
type items struct {
	n      int // the length
	pairs  int // how many are to be loaded
	isList bool
}

// items moves to the first item of the list, tuple or set at d.off; ok is false when there is
// something else.
func (d *decoder) items() (it items, ok bool) {
	if d.off == d.builtAt {
		n := int(d.shape.built[d.built].n)
		d.nextBuilt()
		return items{n: n, pairs: n}, true
	}
	if d.data[d.off] == opNewList {
		b := d.shape.filled[d.filled]
		d.filled++
		d.off += 5
		return items{n: int(b.want), pairs: int(b.pairs), isList: true}, true
	}
	return it, false
}

// load loads all items of it with the plan, each into the place that at gives for its index.
func (it items) load(d *decoder, elem *loadPlan, at func(i int) reflect.Value) error {
	for k := range it.pairs {
		if err := d.step(); err != nil {
			return err
		}
		i := k
		if it.isList {
			var err error
			if i, err = d.index(it.n); err != nil {
				return err
			}
		}
		if err := elem.load(d, at(i)); err != nil {
			return within(err, indexStep(i))
		}
		if it.isList {
			d.off++
		}
	}
	if !it.isList {
		d.off += 5
	}
	return nil
}

func loadSlice(t reflect.Type, elem *loadPlan) func(*decoder, reflect.Value) error {
	isBytes := t.Elem().Kind() == reflect.Uint8
	return func(d *decoder, v reflect.Value) error {
		if d.none() {
			v.SetZero()
			return nil
		}
		if isBytes {
			if raw, ok := d.rawBytes(); ok {
				v.SetBytes(d.bytes(raw))
				return nil
			}
		}
		if d.op() == opNewDict {
			return loadNDArray(d, v)
		}
		it, ok := d.items()
		if !ok {
			return mismatch(d, v)
		}
		if err := d.spend(it.n, t.Elem().Size()); err != nil {
			return err
		}
		if v.SetZero(); it.n == 0 {
			v.Set(reflect.MakeSlice(t, 0, 0))
		} else { // one allocation less than MakeSlice, which makes a header too
			v.Grow(it.n)
			v.SetLen(it.n)
		}
		return it.load(d, elem, v.Index)
	}
}

// rawBytes returns the operand of an opcode that loads as bytes.
func (d *decoder) rawBytes() ([]byte, bool) {
	if d.off == d.builtAt {
		return nil, false
	}
	switch op := d.data[d.off]; op {
	case opBytes, opPy3String, opPy2String:
		if !d.isText(op) {
			return d.raw(), true
		}
	}
	return nil, false
}

func loadArray(t reflect.Type, elem *loadPlan) func(*decoder, reflect.Value) error {
	isBytes := t.Elem().Kind() == reflect.Uint8
	return func(d *decoder, v reflect.Value) error {
		at := d.off
		if isBytes {
			if raw, ok := d.rawBytes(); ok {
				if len(raw) != t.Len() {
					return loadErrorf(at, "%d bytes do not fit a Go %s", len(raw), t)
				}
				for i, c := range raw {
					v.Index(i).SetUint(uint64(c))
				}
				return nil
			}
		}
		if d.op() == opNewDict {
			return loadNDArray(d, v)
		}
		it, ok := d.items()
		if !ok {
			return mismatch(d, v)
		}
		if it.n != t.Len() {
			return loadErrorf(at, "%d items do not fit a Go %s", it.n, t)
		}
		return it.load(d, elem, v.Index)
	}
}

func loadMap(t reflect.Type, of func(reflect.Type) *loadPlan) func(*decoder, reflect.Value) error {
	key, elem := of(t.Key()), of(t.Elem())
	isSet := t.Elem().Kind() == reflect.Struct && t.Elem().NumField() == 0
	return func(d *decoder, v reflect.Value) error {
		if d.none() {
			v.SetZero()
			return nil
		}
		if isSet && d.off == d.builtAt {
			return loadSetMap(d, v, key)
		}
		if d.off == d.builtAt || d.data[d.off] != opNewDict {
			return mismatch(d, v)
		}
		n := int(d.shape.filled[d.filled].pairs)
		d.filled++
		d.off++
		if err := d.spendMap(t, n); err != nil {
			return err
		}
		if v.IsNil() {
			v.Set(reflect.MakeMapWithSize(t, n))
		}
		k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for range n {
			if err := d.step(); err != nil {
				return err
			}
			if err := loadMapKey(d, k, key); err != nil {
				return err
			}
			x.SetZero()
			if err := elem.load(d, x); err != nil {
				return within(err, keyStep(k.Interface()))
			}
			d.off++
			v.SetMapIndex(k, x)
		}
		return nil
	}
}

func loadMapKey(d *decoder, k reflect.Value, plan *loadPlan) error {
	at := d.off
	k.SetZero()
	if err := plan.load(d, k); err != nil {
		return err
	}
	if !k.Comparable() {
		return loadErrorf(at, "a Go map cannot have a %s as its key: load into a *serializer.Dict", k.Interface())
	}
	return nil
}

// loadSetMap loads a set into a map[T]struct{}.
func loadSetMap(d *decoder, v reflect.Value, key *loadPlan) error {
	if op := d.op(); op != opSet && op != opFrozenSet {
		return mismatch(d, v)
	}
	it, _ := d.items()
	if err := d.spendMap(v.Type(), it.n); err != nil {
		return err
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), it.n))
	}
	k, nothing := reflect.New(v.Type().Key()).Elem(), reflect.Zero(v.Type().Elem())
	for range it.n {
		if err := d.step(); err != nil {
			return err
		}
		if err := loadMapKey(d, k, key); err != nil {
			return err
		}
		v.SetMapIndex(k, nothing)
	}
	d.off += 5
	return nil
}

func loadStruct(t reflect.Type, of func(reflect.Type) *loadPlan) func(*decoder, reflect.Value) error {
	fields, strict := structFields(t), isStrict(t)
	if len(fields) == 0 && t.NumField() > 0 {
		return func(d *decoder, v reflect.Value) error {
			return loadErrorf(d.off, "a Go %s has no exported fields: convert it, or give it an UnmarshalExecnet method", t)
		}
	}
	type step struct {
		field
		plan *loadPlan
	}
	steps := make([]step, len(fields))
	byName := make(map[string]int, len(fields))
	inLowerCase := map[string]int{} // fields without names in tags
	for i, f := range slices.Backward(fields) {
		steps[i] = step{f, of(f.typ)}
		byName[f.name] = i
		if !f.tagged {
			inLowerCase[strings.ToLower(f.name)] = i
		}
	}
	return func(d *decoder, v reflect.Value) error {
		if d.off == d.builtAt || d.data[d.off] != opNewDict {
			return mismatch(d, v)
		}
		start := d.off
		n := int(d.shape.filled[d.filled].pairs)
		d.filled++
		d.off++
		next := 0
		var seen []bool
		if strict {
			seen = make([]bool, len(steps))
		}
		for range n {
			if err := d.step(); err != nil {
				return err
			}
			at := d.off
			name, ok := d.fieldName()
			if !ok {
				if strict {
					return loadErrorf(at, "the dict has a key that is no str, and the Go %s takes only its fields", t)
				}
				d.skip()
				d.skip()
				d.off++
				continue
			}
			// Dicts made by the same code have their keys in the same order, so the next field is
			// tried first.
			if next >= len(steps) || steps[next].name != string(name) {
				i, known := byName[string(name)]
				if !known && len(inLowerCase) > 0 {
					i, known = inLowerCase[strings.ToLower(string(name))]
				}
				if !known {
					if strict {
						return within(loadErrorf(at, "the Go %s has no field for this key", t), keyStep(string(name)))
					}
					d.skip()
					d.off++
					continue
				}
				next = i
			}
			s := &steps[next]
			if strict {
				seen[next] = true
			}
			next++
			if err := s.plan.load(d, settableField(v, s.index)); err != nil {
				return within(err, keyStep(s.name))
			}
			d.off++
		}
		for i, was := range seen {
			if !was && !steps[i].omitEmpty {
				return within(loadErrorf(start, "the dict has no such key, and the Go %s needs it", t), keyStep(steps[i].name))
			}
		}
		return nil
	}
}

// fieldName returns the key of a pair when it is a str, of either Python.
func (d *decoder) fieldName() ([]byte, bool) {
	if d.off == d.builtAt {
		return nil, false
	}
	switch d.data[d.off] {
	case opPy3String, opUnicode, opPy2String:
		return d.raw(), true
	}
	return nil, false
}

// settableField returns the field of v at index, and allocates embedded structs whose pointers are
// nil.
func settableField(v reflect.Value, index []int) reflect.Value {
	if len(index) == 1 {
		return v.Field(index[0])
	}
	for i, k := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(k)
	}
	return v
}
