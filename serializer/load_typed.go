package serializer

import (
	"math"
	"math/big"
	"reflect"
	"strconv"
)

// loadPlan is how the values of one Go type are loaded, straight from the bytes.
type loadPlan struct {
	load func(d *decoder, v reflect.Value) error // into v, which can be set
}

var loadPlans plans[loadPlan]

func (c *Codec) unmarshal(data []byte, base int64, owned bool, target any) error {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return &LoadError{Offset: base, Problem: "the target must be a pointer that is not nil, not a Go " + typeName(target)}
	}
	d := decoders.Get().(*decoder)
	defer d.release()
	err := d.start(c, data, owned)
	if err == nil {
		err = loadPlans.of(v.Type().Elem(), planLoad).load(d, v.Elem())
	}
	if err != nil {
		return finishLoad(err, base)
	}
	return nil
}

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}

func planLoad(t reflect.Type, plan *loadPlan, of func(reflect.Type) *loadPlan) {
	plan.load = loadOf(t, of)
}

func loadOf(t reflect.Type, of func(reflect.Type) *loadPlan) func(*decoder, reflect.Value) error {
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(unmarshalerType) {
		return loadUnmarshaler
	}
	switch t {
	case bigIntType:
		return loadBig
	case timeType:
		return loadTime
	case dictType, setType, frozenSetType:
		return loadOwn
	}
	switch t.Kind() {
	case reflect.Bool:
		return loadBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return loadInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return loadUint
	case reflect.Float32, reflect.Float64:
		return loadFloat
	case reflect.Complex64, reflect.Complex128:
		return loadComplex
	case reflect.String:
		return loadString
	case reflect.Interface:
		return loadInterface
	case reflect.Pointer:
		return loadPointer(t, of(t.Elem()))
	case reflect.Slice:
		return loadSlice(t, of(t.Elem()))
	case reflect.Array:
		return loadArray(t, of(t.Elem()))
	case reflect.Map:
		return loadMap(t, of)
	case reflect.Struct:
		return loadStruct(t, of)
	}
	return mismatch
}

// none reports whether the value at d.off is None, and moves past it if so.
func (d *decoder) none() bool {
	if d.data[d.off] != opNone || d.off == d.builtAt {
		return false
	}
	d.off++
	return true
}

// op returns the opcode that makes the value at d.off.
func (d *decoder) op() byte {
	if d.off == d.builtAt {
		return d.shape.built[d.built].op
	}
	return d.data[d.off]
}

// skip moves past the value at d.off.
func (d *decoder) skip() {
	if d.off == d.builtAt {
		n := d.shape.built[d.built].n
		d.nextBuilt()
		for range n {
			d.skip()
		}
		d.off += 5
		return
	}
	at := d.off
	d.off += opSize(d.data, at)
	if op := d.data[at]; op == opNewList || op == opNewDict {
		n := d.shape.filled[d.filled].pairs
		d.filled++
		for range n {
			d.skip()
			d.skip()
			d.off++
		}
	}
}

// mismatch is the error for a value that does not fit v, except that a channel fits whatever can
// hold it and None leaves v as it is.
func mismatch(d *decoder, v reflect.Value) error {
	if d.none() {
		return nil
	}
	at, op := d.off, d.op()
	if op == opChannel {
		ch, err := d.channel()
		if err != nil {
			return err
		}
		if cv := reflect.ValueOf(ch); cv.IsValid() && cv.Type().AssignableTo(v.Type()) {
			v.Set(cv)
			return nil
		}
	}
	name := opTypes[op]
	if op == opPy3String || op == opPy2String {
		name = "str"
		if !d.isText(op) {
			name = "bytes"
		}
	}
	return loadErrorf(at, "a Python %s does not fit a Go %s", name, v.Type())
}

func loadBool(d *decoder, v reflect.Value) error {
	if d.off != d.builtAt {
		switch d.data[d.off] {
		case opTrue, opFalse:
			v.SetBool(d.data[d.off] == opTrue)
			d.off++
			return nil
		}
	}
	return mismatch(d, v)
}

// integer loads an int of any size; ok is false when there is something else.
func (d *decoder) integer() (small int64, large *big.Int, ok bool, err error) {
	if d.off == d.builtAt {
		return 0, nil, false, nil
	}
	switch d.data[d.off] {
	case opInt, opLong:
		small = int64(int32At(d.data, d.off+1))
		d.off += 5
		return small, nil, true, nil
	case opLongInt, opLongLong:
		x, err := d.long()
		small, _ = x.(int64)
		large, _ = x.(*big.Int)
		return small, large, true, err
	}
	return 0, nil, false, nil
}

func overflow(at int, text string, v reflect.Value) error {
	if len(text) > 40 {
		text = text[:20] + "…" + text[len(text)-20:]
	}
	return loadErrorf(at, "the int %s does not fit a Go %s", text, v.Type())
}

func loadInt(d *decoder, v reflect.Value) error {
	at := d.off
	small, large, ok, err := d.integer()
	switch {
	case err != nil:
		return err
	case !ok:
		return mismatch(d, v)
	case large != nil:
		return overflow(at, large.String(), v)
	case v.OverflowInt(small):
		return overflow(at, strconv.FormatInt(small, 10), v)
	}
	v.SetInt(small)
	return nil
}

func loadUint(d *decoder, v reflect.Value) error {
	at := d.off
	small, large, ok, err := d.integer()
	switch {
	case err != nil:
		return err
	case !ok:
		return mismatch(d, v)
	case large != nil && (!large.IsUint64() || v.OverflowUint(large.Uint64())):
		return overflow(at, large.String(), v)
	case large != nil:
		v.SetUint(large.Uint64())
		return nil
	case small < 0 || v.OverflowUint(uint64(small)):
		return overflow(at, strconv.FormatInt(small, 10), v)
	}
	v.SetUint(uint64(small))
	return nil
}

// real loads a float, or an int that a float64 holds exactly; ok is false when there is something
// else.
func (d *decoder) real(v reflect.Value) (f float64, ok bool, err error) {
	at := d.off
	if at != d.builtAt && d.data[at] == opFloat {
		d.off += 9
		return floatAt(d.data, at+1), true, nil
	}
	small, large, ok, err := d.integer()
	if err != nil || !ok {
		return 0, ok, err
	}
	if large == nil {
		large = big.NewInt(small)
	}
	f, accuracy := large.Float64()
	if accuracy != big.Exact {
		return 0, true, overflow(at, large.String(), v)
	}
	return f, true, nil
}

func loadFloat(d *decoder, v reflect.Value) error {
	at := d.off
	f, ok, err := d.real(v)
	switch {
	case err != nil:
		return err
	case !ok:
		return mismatch(d, v)
	case v.OverflowFloat(f) && !math.IsInf(f, 0):
		return loadErrorf(at, "the float %s does not fit a Go %s", floatRepr(f), v.Type())
	}
	v.SetFloat(f)
	return nil
}

func loadComplex(d *decoder, v reflect.Value) error {
	at := d.off
	var c complex128
	if at != d.builtAt && d.data[at] == opComplex {
		d.off += 17
		c = complex(floatAt(d.data, at+1), floatAt(d.data, at+9))
	} else {
		f, ok, err := d.real(v)
		if err != nil {
			return err
		}
		if !ok {
			return mismatch(d, v)
		}
		c = complex(f, 0)
	}
	if v.OverflowComplex(c) && !math.IsInf(real(c), 0) && !math.IsInf(imag(c), 0) {
		return loadErrorf(at, "the complex %s does not fit a Go %s", complexRepr(c), v.Type())
	}
	v.SetComplex(c)
	return nil
}

func loadString(d *decoder, v reflect.Value) error {
	at := d.off
	if at != d.builtAt {
		switch op := d.data[at]; op {
		case opPy3String, opUnicode, opPy2String:
			if d.isText(op) {
				s, err := d.text(at, op, d.raw())
				if err == nil {
					v.SetString(s)
				}
				return err
			}
		}
	}
	return mismatch(d, v)
}

func loadInterface(d *decoder, v reflect.Value) error {
	if d.none() {
		v.SetZero()
		return nil
	}
	at := d.off
	x, err := d.value()
	if err != nil {
		return err
	}
	xv := reflect.ValueOf(x)
	if !xv.IsValid() || !xv.Type().AssignableTo(v.Type()) {
		return loadErrorf(at, "a Python %s does not fit a Go %s", pythonType(x), v.Type())
	}
	v.Set(xv)
	return nil
}

func loadUnmarshaler(d *decoder, v reflect.Value) error {
	at := d.off
	x, err := d.value()
	if err != nil {
		return err
	}
	if err := v.Addr().Interface().(Unmarshaler).UnmarshalExecnet(x); err != nil {
		return &LoadError{Offset: int64(at), Problem: "UnmarshalExecnet of " + v.Type().String(), Err: err}
	}
	return nil
}

func loadBig(d *decoder, v reflect.Value) error {
	small, large, ok, err := d.integer()
	switch {
	case err != nil:
		return err
	case !ok:
		return mismatch(d, v)
	case large == nil:
		large = big.NewInt(small)
	}
	v.Addr().Interface().(*big.Int).Set(large)
	return nil
}

// loadOwn loads into a Dict, a Set or a FrozenSet.
func loadOwn(d *decoder, v reflect.Value) error {
	op := d.op()
	switch target := v.Addr().Interface().(type) {
	case *Dict:
		if op == opNewDict {
			dict, err := d.dict()
			if err == nil {
				*target = *dict
			}
			return err
		}
	case *Set:
		if op == opSet || op == opFrozenSet {
			x, err := d.value()
			switch x := x.(type) {
			case *Set:
				*target = *x
			case FrozenSet:
				*target = *NewSet()
				for item := range x.All() {
					target.items.put(item, nil)
				}
			}
			return err
		}
	case *FrozenSet:
		if op == opSet || op == opFrozenSet {
			x, err := d.value()
			switch x := x.(type) {
			case *Set:
				*target = freeze(x.items)
			case FrozenSet:
				*target = x
			}
			return err
		}
	}
	return mismatch(d, v)
}

func loadPointer(t reflect.Type, elem *loadPlan) func(*decoder, reflect.Value) error {
	isChannel := t.Implements(channelType)
	return func(d *decoder, v reflect.Value) error {
		if d.none() {
			v.SetZero()
			return nil
		}
		if isChannel && d.off != d.builtAt && d.data[d.off] == opChannel {
			return mismatch(d, v)
		}
		if v.IsNil() {
			if err := d.spend(1, t.Elem().Size()); err != nil {
				return err
			}
			v.Set(reflect.New(t.Elem()))
		}
		return elem.load(d, v.Elem())
	}
}
