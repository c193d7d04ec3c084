package serializer

import (
	"errors"
	"math"
	"reflect"
)

// Into copies the items into the variable that target points to: slices or arrays of as many
// dimensions as a has, or a number if it has none. The elements may be of any type that can hold
// the items. The error is a [*LoadError].
func (a NDArray) Into(target any) error {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return finishLoad(loadErrorf(0, "the target must be a pointer that is not nil, not a Go %s", typeName(target)), 0)
	}
	free := func(int, uintptr) error { return nil }
	if err := a.into(v.Elem(), free); err != nil {
		return finishLoad(err, 0)
	}
	return nil
}

// loadNDArray loads a dict that describes an array into a slice or an array.
func loadNDArray(d *decoder, v reflect.Value) error {
	at := d.off
	var a NDArray
	target := reflect.ValueOf(&a).Elem()
	if err := loadPlans.of(ndArrayType, planLoad).load(d, target); err != nil || a.DType == "" || a.Shape == nil {
		return loadErrorf(at, "a Python dict does not fit a Go %s", v.Type())
	}
	err := a.into(v, d.spend)
	cause := err
	if t, ok := err.(*trail); ok {
		cause = t.err
	}
	if e, ok := cause.(*LoadError); ok {
		e.Offset = int64(at)
	}
	return err
}

// into is Into. spend is asked before memory is taken.
func (a *NDArray) into(v reflect.Value, spend func(n int, size uintptr) error) error {
	k, err := a.check()
	if err != nil {
		return err
	}
	dims, t := 0, v.Type()
	for ; t.Kind() == reflect.Slice || t.Kind() == reflect.Array; t = t.Elem() {
		dims++
	}
	if dims != len(a.Shape) {
		return loadErrorf(0, "an array of %d dimensions does not fit a Go %s", len(a.Shape), v.Type())
	}
	of, ok := itemKindOf(t)
	if !ok {
		return loadErrorf(0, "an array does not fit a Go %s", v.Type())
	}
	f := filling{array: a, item: k, same: k.native(of), spend: spend}
	return f.fill(v, 0)
}

// filling is the copying of an array into slices.
type filling struct {
	array *NDArray
	item  itemKind
	same  bool // the items have the same bytes there
	at    int  // in Data
	spend func(n int, size uintptr) error
}

func (f *filling) fill(v reflect.Value, dim int) error {
	if dim == len(f.array.Shape) {
		data := f.array.Data[f.at : f.at+f.item.size]
		f.at += f.item.size
		return setNumber(v, f.item, data)
	}
	n := f.array.Shape[dim]
	if v.Kind() == reflect.Slice {
		if err := f.spend(n, v.Type().Elem().Size()); err != nil {
			return err
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
	} else if v.Len() != n {
		return loadErrorf(0, "%d items do not fit a Go %s", n, v.Type())
	}
	if dim == len(f.array.Shape)-1 && f.same {
		if n > 0 {
			f.at += copy(memoryOf(v, f.item.size), f.array.Data[f.at:])
		}
		return nil
	}
	for i := range n {
		if err := f.fill(v.Index(i), dim+1); err != nil {
			return within(err, indexStep(i))
		}
	}
	return nil
}

// setNumber sets v to an item of an array.
func setNumber(v reflect.Value, k itemKind, data []byte) error {
	var bits uint64
	switch k.size {
	case 1:
		bits = uint64(data[0])
	case 2:
		bits = uint64(k.order.Uint16(data))
	case 4:
		bits = uint64(k.order.Uint32(data))
	case 8:
		bits = k.order.Uint64(data)
	}
	var err error
	switch k.kind {
	case 'b':
		if v.Kind() == reflect.Bool {
			v.SetBool(bits != 0)
			return nil
		}
		err = errNumber
	case 'i':
		shift := 64 - 8*k.size
		err = setInt(v, int64(bits<<shift)>>shift)
	case 'u':
		err = setUint(v, bits)
	case 'f':
		f := math.Float64frombits(bits)
		if k.size == 4 {
			f = float64(math.Float32frombits(uint32(bits)))
		}
		err = setFloat(v, f)
	case 'c':
		half := k.size / 2
		part := func(data []byte) float64 {
			if half == 4 {
				return float64(math.Float32frombits(k.order.Uint32(data)))
			}
			return math.Float64frombits(k.order.Uint64(data))
		}
		err = setComplex(v, complex(part(data[:half]), part(data[half:])))
	}
	if err != nil {
		return loadErrorf(0, "an item of dtype %s%d does not fit a Go %s", string(k.kind), k.size, v.Type())
	}
	return nil
}

var errNumber = errors.New("the number does not fit")

func setInt(v reflect.Value, x int64) error {
	switch {
	case v.CanInt() && !v.OverflowInt(x):
		v.SetInt(x)
	case v.CanUint() && x >= 0 && !v.OverflowUint(uint64(x)):
		v.SetUint(uint64(x))
	case (v.CanFloat() || v.CanComplex()) && float64(x) < 1<<63 && int64(float64(x)) == x:
		return setFloat(v, float64(x))
	default:
		return errNumber
	}
	return nil
}

func setUint(v reflect.Value, x uint64) error {
	if x <= math.MaxInt64 {
		return setInt(v, int64(x))
	}
	switch {
	case v.CanUint() && !v.OverflowUint(x):
		v.SetUint(x)
	case (v.CanFloat() || v.CanComplex()) && float64(x) < 1<<64 && uint64(float64(x)) == x:
		return setFloat(v, float64(x))
	default:
		return errNumber
	}
	return nil
}

func setFloat(v reflect.Value, x float64) error {
	switch {
	case v.CanFloat() && (!v.OverflowFloat(x) || math.IsInf(x, 0)):
		v.SetFloat(x)
	case v.CanComplex():
		return setComplex(v, complex(x, 0))
	default:
		return errNumber
	}
	return nil
}

func setComplex(v reflect.Value, x complex128) error {
	if !v.CanComplex() || v.OverflowComplex(x) && !math.IsInf(real(x), 0) && !math.IsInf(imag(x), 0) {
		return errNumber
	}
	v.SetComplex(x)
	return nil
}
