package serializer

import (
	"encoding/binary"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"unsafe"
)

// NDArray is an array of numbers with any number of dimensions, as numpy has it. Data holds the
// items one after the other, the last index changing fastest (numpy's order "C").
//
// It is serialized as the dict {"dtype": str, "shape": list, "data": bytes}. An argument of a
// RemoteCall is a numpy array at the far end, and a numpy array in a result comes as such a dict,
// which fits an NDArray. It also fits slices and arrays of as many dimensions, whose elements can
// hold the items. Neither needs numpy at this end.
type NDArray struct {
	// DType is what numpy calls dtype.str: byte order ("<" little, ">" big, "|" none), kind ("b"
	// bool, "i" int, "u" unsigned int, "f" float, "c" complex), and bytes of an item.
	DType string `execnet:"dtype"`
	Shape []int  `execnet:"shape"`
	Data  []byte `execnet:"data"`
}

var ndArrayType = reflect.TypeFor[NDArray]()

// itemKind says how an item of an array is represented.
type itemKind struct {
	kind  byte // as in a dtype
	size  int  // in bytes
	order binary.ByteOrder
}

// nativeOrder is this machine's byte order in a dtype.
var nativeOrder = func() byte {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return '<'
	}
	return '>'
}()

// itemKindOf returns how Go represents a type of numbers; ok is false for other types.
func itemKindOf(t reflect.Type) (k itemKind, ok bool) {
	k.size, k.order = int(t.Size()), binary.NativeEndian
	switch t.Kind() {
	case reflect.Bool:
		k.kind = 'b'
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		k.kind = 'i'
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		k.kind = 'u'
	case reflect.Float32, reflect.Float64:
		k.kind = 'f'
	case reflect.Complex64, reflect.Complex128:
		k.kind = 'c'
	default:
		return k, false
	}
	return k, true
}

func (k itemKind) dtype() string {
	order := nativeOrder
	if k.size == 1 {
		order = '|'
	}
	return string([]byte{order, k.kind}) + strconv.Itoa(k.size)
}

// native reports whether items of an array have the same bytes as a Go value of kind k.
func (k itemKind) native(of itemKind) bool {
	return k.kind == of.kind && k.size == of.size && (k.size == 1 || k.order.Uint16([]byte{1, 0}) == of.order.Uint16([]byte{1, 0}))
}

// check returns how a's items are represented, or a *LoadError if it describes no array of numbers.
func (a *NDArray) check() (k itemKind, err error) {
	if len(a.DType) < 3 {
		return k, loadErrorf(0, "%q is no dtype of an array", a.DType)
	}
	size, err := strconv.Atoi(a.DType[2:])
	order, kind := a.DType[0], a.DType[1]
	if err != nil || !slices.Contains(itemSizes[kind], size) {
		return k, loadErrorf(0, "items of dtype %q have no counterpart in Go", a.DType)
	}
	k = itemKind{kind: kind, size: size, order: binary.NativeEndian}
	switch order {
	case '<':
		k.order = binary.LittleEndian
	case '>':
		k.order = binary.BigEndian
	case '=':
	case '|':
		if size > 1 {
			return k, loadErrorf(0, "the dtype %q says nothing of the byte order", a.DType)
		}
	default:
		return k, loadErrorf(0, "%q is no dtype of an array", a.DType)
	}
	items := 1
	for _, n := range a.Shape {
		if n < 0 || n > 0 && items > math.MaxInt/n {
			return k, loadErrorf(0, "an array cannot have the shape %v", a.Shape)
		}
		items *= n
	}
	if items > math.MaxInt/k.size || items*k.size != len(a.Data) {
		return k, loadErrorf(0, "%d bytes are no array of the shape %v with items of %d bytes", len(a.Data), a.Shape, k.size)
	}
	return k, nil
}

// itemSizes are the sizes of items that Go has, by their kind.
var itemSizes = map[byte][]int{'b': {1}, 'i': {1, 2, 4, 8}, 'u': {1, 2, 4, 8}, 'f': {4, 8}, 'c': {8, 16}}

// ArrayOf returns the array of what v holds: a number, or slices and arrays of numbers, of any
// number of dimensions. It copies them. The error is a [*DumpError]: v holds something else, or
// slices of different lengths at one level.
func ArrayOf(v any) (NDArray, error) {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return NDArray{}, finishDump(dumpErrorf("nil is no array"))
	}
	if rv.Kind() == reflect.Array { // its memory can be copied if it can be addressed
		p := reflect.New(rv.Type()).Elem()
		p.Set(rv)
		rv = p
	}
	a, t, total := NDArray{Shape: []int{}}, rv.Type(), 1
	for level := rv; t.Kind() == reflect.Slice || t.Kind() == reflect.Array; t = t.Elem() {
		n := 0
		if level.IsValid() {
			n = level.Len()
		} else if t.Kind() == reflect.Array {
			n = t.Len()
		}
		if n > 0 && level.IsValid() {
			level = level.Index(0)
		} else {
			level = reflect.Value{}
		}
		a.Shape = append(a.Shape, n)
		total *= n
	}
	k, ok := itemKindOf(t)
	if !ok {
		return NDArray{}, finishDump(dumpErrorf("a Go %s is no array of numbers", rv.Type()))
	}
	a.DType = k.dtype()
	a.Data = make([]byte, 0, total*k.size)
	if err := a.take(rv, 0, k); err != nil {
		return NDArray{}, finishDump(err)
	}
	return a, nil
}

// take appends the numbers of v, which has the dimensions from dim on.
func (a *NDArray) take(v reflect.Value, dim int, k itemKind) error {
	if dim == len(a.Shape) {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		a.Data = append(a.Data, unsafe.Slice((*byte)(p.UnsafePointer()), k.size)...)
		return nil
	}
	if v.Len() != a.Shape[dim] {
		return dumpErrorf("%d items where an array of the shape %v has %d", v.Len(), a.Shape, a.Shape[dim])
	}
	if dim == len(a.Shape)-1 {
		if v.Len() > 0 {
			a.Data = append(a.Data, memoryOf(v, k.size)...)
		}
		return nil
	}
	for i := range v.Len() {
		if err := a.take(v.Index(i), dim+1, k); err != nil {
			return within(err, indexStep(i))
		}
	}
	return nil
}

// memoryOf is the memory of a slice, or of an array that can be addressed, which is not empty.
func memoryOf(v reflect.Value, size int) []byte {
	return unsafe.Slice((*byte)(v.Index(0).Addr().UnsafePointer()), v.Len()*size)
}

// Number is what an item of an [NDArray] can be in Go.
type Number interface {
	~bool | ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 |
		~float32 | ~float64 | ~complex64 | ~complex128
}

// ArrayView returns the items of a, in their order in memory, without copying them: what is written
// to the slice is written to a.Data. T must be what the dtype says, in this machine's byte order;
// otherwise, or if a is not sound, the error is a [*LoadError], and [NDArray.Into] may help.
//
// What was received need not begin at an address that is a multiple of an item's size. On amd64 and
// arm64 that does not matter; on other processors such data is copied, and the slice is another one
// than a.Data.
func ArrayView[T Number](a NDArray) ([]T, error) {
	k, err := a.check()
	if err != nil {
		return nil, finishLoad(err, 0)
	}
	t := reflect.TypeFor[T]()
	if want, _ := itemKindOf(t); !k.native(want) {
		return nil, finishLoad(loadErrorf(0, "an array of dtype %q is not in memory as a Go []%s", a.DType, t), 0)
	}
	if len(a.Data) == 0 {
		return []T{}, nil
	}
	p := unsafe.Pointer(unsafe.SliceData(a.Data))
	if uintptr(p)%uintptr(t.Align()) != 0 && runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		// This processor may not read numbers at such addresses.
		out := make([]T, len(a.Data)/k.size)
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), len(a.Data)), a.Data)
		return out, nil
	}
	return unsafe.Slice((*T)(p), len(a.Data)/k.size), nil
}
