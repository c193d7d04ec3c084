package serializer

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"
)

var (
	bigIntType      = reflect.TypeFor[big.Int]()
	channelType     = reflect.TypeFor[Channel]()
	dictType        = reflect.TypeFor[Dict]()
	frozenSetType   = reflect.TypeFor[FrozenSet]()
	marshalerType   = reflect.TypeFor[Marshaler]()
	setType         = reflect.TypeFor[Set]()
	tupleType       = reflect.TypeFor[Tuple]()
	unmarshalerType = reflect.TypeFor[Unmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
)

// dumpPlan is how the values of one Go type are serialized. It is made once and used through a
// pointer, so that the plans of recursive types can refer to themselves.
type dumpPlan struct {
	dump func(e *encoder, v reflect.Value) error
}

var dumpPlans plans[dumpPlan]

func (e *encoder) reflected(v reflect.Value) error {
	return dumpPlans.of(v.Type(), planDump).dump(e, v)
}

func planDump(t reflect.Type, plan *dumpPlan, of func(reflect.Type) *dumpPlan) {
	plan.dump = dumpOf(t, of)
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && !t.Implements(marshalerType) &&
		reflect.PointerTo(t).Implements(marshalerType) {
		plain := plan.dump
		plan.dump = func(e *encoder, v reflect.Value) error {
			if v.CanAddr() {
				return dumpMarshaler(e, v.Addr())
			}
			return plain(e, v)
		}
	}
}

func dumpOf(t reflect.Type, of func(reflect.Type) *dumpPlan) func(*encoder, reflect.Value) error {
	switch {
	case t.Kind() == reflect.Interface:
		return dumpInterface
	case t.Implements(marshalerType):
		return dumpMarshaler
	case t.Implements(channelType):
		return dumpChannel
	}
	switch t {
	case bigIntType:
		return func(e *encoder, v reflect.Value) error { x := v.Interface().(big.Int); return e.big(&x) }
	case ndArrayType:
		dump := dumpStruct(t, of)
		return func(e *encoder, v reflect.Value) error { e.arrays = true; return dump(e, v) }
	case dictType:
		return func(e *encoder, v reflect.Value) error { x := v.Interface().(Dict); return e.dict(&x) }
	case setType:
		return func(e *encoder, v reflect.Value) error { x := v.Interface().(Set); return e.set(&x.items, opSet) }
	case frozenSetType, tupleType, reflect.PointerTo(bigIntType), reflect.PointerTo(dictType), reflect.PointerTo(setType):
		return func(e *encoder, v reflect.Value) error { return e.value(v.Interface()) }
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(e *encoder, v reflect.Value) error { e.bool(v.Bool()); return nil }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(e *encoder, v reflect.Value) error { e.int(v.Int()); return nil }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(e *encoder, v reflect.Value) error { e.uint(v.Uint()); return nil }
	case reflect.Float32, reflect.Float64:
		return func(e *encoder, v reflect.Value) error { e.float(v.Float()); return nil }
	case reflect.Complex64, reflect.Complex128:
		return func(e *encoder, v reflect.Value) error { e.complex(v.Complex()); return nil }
	case reflect.String:
		return func(e *encoder, v reflect.Value) error { return e.string(v.String()) }
	case reflect.Pointer:
		return dumpPointer(of(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(e *encoder, v reflect.Value) error { return e.bytes(v.Bytes()) }
		}
		return dumpItems(of(t.Elem()))
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(e *encoder, v reflect.Value) error {
				e.header(opBytes, v.Len())
				for i := range v.Len() {
					e.out = append(e.out, byte(v.Index(i).Uint()))
				}
				return nil
			}
		}
		return dumpItems(of(t.Elem()))
	case reflect.Map:
		return dumpMap(t, of)
	case reflect.Struct:
		return dumpStruct(t, of)
	}
	return func(*encoder, reflect.Value) error {
		return dumpErrorf("a Go %s has no counterpart in Python", t)
	}
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return v.IsNil()
	}
	return false
}

func dumpInterface(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		e.out = append(e.out, opNone)
		return nil
	}
	return e.value(v.Elem().Interface())
}

func dumpMarshaler(e *encoder, v reflect.Value) error {
	if isNil(v) {
		e.out = append(e.out, opNone)
		return nil
	}
	if e.enter() {
		if err := e.guard(v); err != nil {
			return err
		}
	}
	instead, err := v.Interface().(Marshaler).MarshalExecnet()
	if err != nil {
		return &DumpError{Problem: "MarshalExecnet of " + v.Type().String(), Err: err}
	}
	if err := e.value(instead); err != nil {
		return err
	}
	e.leave()
	return nil
}

func dumpChannel(e *encoder, v reflect.Value) error {
	if isNil(v) {
		e.out = append(e.out, opNone)
		return nil
	}
	return e.channel(v.Interface().(Channel))
}

func dumpPointer(elem *dumpPlan) func(*encoder, reflect.Value) error {
	return func(e *encoder, v reflect.Value) error {
		if v.IsNil() {
			e.out = append(e.out, opNone)
			return nil
		}
		if e.enter() {
			if err := e.guard(v); err != nil {
				return err
			}
		}
		if err := elem.dump(e, v.Elem()); err != nil {
			return err
		}
		e.leave()
		return nil
	}
}

func dumpItems(elem *dumpPlan) func(*encoder, reflect.Value) error {
	return func(e *encoder, v reflect.Value) error {
		if e.enter() {
			if err := e.guard(v); err != nil {
				return err
			}
		}
		n := v.Len()
		if err := e.count(n, "list"); err != nil {
			return err
		}
		e.header(opNewList, n)
		for i := range n {
			e.header(opInt, i)
			if err := elem.dump(e, v.Index(i)); err != nil {
				return within(err, indexStep(i))
			}
			e.out = append(e.out, opSetItem)
		}
		e.leave()
		return nil
	}
}

// dumpMap writes a dict, or a set when the map holds nothing but its keys. The order is that of the
// keys if they are strings or numbers, and otherwise that of their serialized form, so that equal
// maps give equal bytes.
func dumpMap(t reflect.Type, of func(reflect.Type) *dumpPlan) func(*encoder, reflect.Value) error {
	key, elem := of(t.Key()), of(t.Elem())
	isSet := t.Elem().Kind() == reflect.Struct && t.Elem().NumField() == 0
	// Only keys of one plain kind are known to be hashable and different from each other in Python
	// too.
	plain := !t.Key().Implements(marshalerType) && !t.Key().Implements(channelType)
	switch k := t.Key().Kind(); k {
	case reflect.Interface, reflect.Pointer, reflect.Struct, reflect.Array, reflect.Chan:
		plain = false
	}
	return func(e *encoder, v reflect.Value) error {
		if e.enter() {
			if err := e.guard(v); err != nil {
				return err
			}
		}
		entries, err := e.sortedEntries(v, key, plain)
		if err != nil {
			return err
		}
		if !isSet {
			e.out = append(e.out, opNewDict)
		}
		for _, k := range entries {
			if k.dumped != nil {
				e.out = append(e.out, k.dumped...)
			} else if err := key.dump(e, k.key); err != nil {
				return within(err, keyStep(k.key.Interface()))
			}
			if isSet {
				continue
			}
			if err := elem.dump(e, k.value); err != nil {
				return within(err, keyStep(k.key.Interface()))
			}
			e.out = append(e.out, opSetItem)
		}
		if isSet {
			e.header(opSet, len(entries))
		}
		e.leave()
		return nil
	}
}

type mapEntry struct {
	key, value reflect.Value
	dumped     []byte // the key's; nil for strings and numbers, which sort as they are
}

func (e *encoder) sortedEntries(v reflect.Value, plan *dumpPlan, plain bool) ([]mapEntry, error) {
	entries := make([]mapEntry, 0, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		entries = append(entries, mapEntry{key: iter.Key(), value: iter.Value()})
	}
	if plain {
		slices.SortFunc(entries, func(a, b mapEntry) int { return comparePlain(a.key, b.key) })
		return entries, nil
	}
	var unique Set
	for i := range entries {
		dumped, err := e.dumpKey(entries[i].key, plan, &unique)
		if err != nil {
			return nil, within(err, keyStep(entries[i].key.Interface()))
		}
		entries[i].dumped = dumped
	}
	slices.SortFunc(entries, func(a, b mapEntry) int { return bytes.Compare(a.dumped, b.dumped) })
	return entries, nil
}

// dumpKey serializes a key that may be unhashable in Python, or equal there to another key of the
// map. To find out, it loads the key back and adds it to unique.
func (e *encoder) dumpKey(key reflect.Value, plan *dumpPlan, unique *Set) ([]byte, error) {
	sub := encoder{codec: e.codec, depth: e.depth, most: e.most, watch: e.watch}
	if err := plan.dump(&sub, key); err != nil {
		return nil, err
	}
	sub.out = append(sub.out, opStop)
	check := Codec{Channels: knownChannels{}, MaxDepth: e.most, MaxDigits: math.MaxInt, MaxCost: math.MaxInt}
	loaded, err := check.load(sub.out, 0, false)
	if err == nil && unique.Contains(loaded) {
		return nil, dumpErrorf("another key of the map is the same key in Python")
	}
	if err == nil {
		err = unique.Add(loaded)
	}
	if err != nil {
		return nil, &DumpError{Err: err}
	}
	return sub.out[:len(sub.out)-1], nil
}

// knownChannels makes stand-ins for channels, to compare them by id.
type knownChannels struct{}

type knownChannel int32

func (id knownChannel) ExecnetChannelID() int32     { return int32(id) }
func (knownChannels) CheckChannel(Channel) error    { return nil }
func (knownChannels) Channel(id int32) (any, error) { return knownChannel(id), nil }

func comparePlain(a, b reflect.Value) int {
	switch {
	case a.Kind() == reflect.String:
		return strings.Compare(a.String(), b.String())
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	case a.CanComplex():
		x, y := a.Complex(), b.Complex()
		return cmp.Or(cmp.Compare(real(x), real(y)), cmp.Compare(imag(x), imag(y)))
	case a.Kind() == reflect.Bool && a.Bool() != b.Bool():
		if b.Bool() {
			return -1
		}
		return 1
	}
	return 0
}

func dumpStruct(t reflect.Type, of func(reflect.Type) *dumpPlan) func(*encoder, reflect.Value) error {
	fields := structFields(t)
	if len(fields) == 0 && t.NumField() > 0 {
		// Without this error a time.Time, for example, would become an empty dict.
		return func(*encoder, reflect.Value) error {
			return dumpErrorf("a Go %s has no exported fields: convert it, or give it a MarshalExecnet method", t)
		}
	}
	type step struct {
		field
		key  []byte // the serialized name
		plan *dumpPlan
	}
	steps := make([]step, len(fields))
	for i, f := range fields {
		var e encoder
		if err := e.string(f.name); err != nil {
			return func(*encoder, reflect.Value) error { return within(err, "."+f.name) }
		}
		steps[i] = step{f, e.out, of(f.typ)}
	}
	return func(e *encoder, v reflect.Value) error {
		if e.enter() {
			if err := e.guard(v); err != nil {
				return err
			}
		}
		e.out = append(e.out, opNewDict)
		for i := range steps {
			s := &steps[i]
			fv, ok := fieldAt(v, s.index)
			if !ok || s.omitEmpty && isEmpty(fv) {
				continue
			}
			e.out = append(e.out, s.key...)
			if err := s.plan.dump(e, fv); err != nil {
				return within(err, "."+t.FieldByIndex(s.index).Name)
			}
			e.out = append(e.out, opSetItem)
		}
		e.leave()
		return nil
	}
}

// fieldAt returns the field of v at index; ok is false if it is in an embedded struct whose pointer
// is nil.
func fieldAt(v reflect.Value, index []int) (reflect.Value, bool) {
	if len(index) == 1 {
		return v.Field(index[0]), true
	}
	for i, k := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(k)
	}
	return v, true
}
