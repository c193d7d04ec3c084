package serializer

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// encoder appends a value's program to out.
type encoder struct {
	codec *Codec
	out   []byte
	depth int
	most  int // the limit of depth
	watch int // the depth from which containers are remembered, to find one that holds itself
	open  map[container]struct{}
	trail []container // those below watch, in the order they were entered
	// arrays is set if there was an NDArray.
	arrays bool
}

// container is a Go value that can hold itself.
type container struct {
	at  uintptr
	len int
	typ reflect.Type
}

// watchFrom is the depth from which on cycles are looked for: ordinary values are not that deep.
const watchFrom = 50

var errCycle = errors.New("the value contains itself")

// append is [Codec.AppendNoting].
func (c *Codec) append(dst []byte, v any) (out []byte, arrays bool, err error) {
	most := limit(c.MaxDepth, DefaultMaxDepth)
	e := encoder{codec: c, out: dst, most: most, watch: min(watchFrom, most)}
	err = e.value(v)
	if err != nil && e.depth > e.watch {
		// If it was a cycle, it was found deep down. Another run that looks from the top finds it
		// with a short path.
		again := encoder{codec: c, out: dst, most: most}
		if err2 := again.value(v); err2 != nil {
			err = err2
		}
	}
	if err != nil {
		return dst, false, finishDump(err)
	}
	return append(e.out, opStop), e.arrays, nil
}

// enter is called before the content of a container, and leave after it if there was no error. If
// enter returns true, guard must be called with the container.
func (e *encoder) enter() bool {
	e.depth++
	return e.depth > e.watch
}

func (e *encoder) leave() {
	if e.depth > e.watch {
		last := len(e.trail) - 1
		delete(e.open, e.trail[last])
		e.trail = e.trail[:last]
	}
	e.depth--
}

// guard refuses a container that is too deep or within itself.
func (e *encoder) guard(v reflect.Value) error {
	if e.depth > e.most {
		return dumpErrorf("nested more than %d levels deep", e.most)
	}
	id := identity(v)
	if _, twice := e.open[id]; twice {
		return errCycle
	}
	if id.typ != nil {
		if e.open == nil {
			e.open = make(map[container]struct{})
		}
		e.open[id] = struct{}{}
	}
	e.trail = append(e.trail, id)
	return nil
}

// identity returns what tells containers from each other; its typ is nil for those that cannot hold
// themselves.
func identity(v reflect.Value) container {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map:
		return container{v.Pointer(), 0, v.Type()}
	case reflect.Slice:
		if v.Len() > 0 {
			return container{v.Pointer(), v.Len(), v.Type()}
		}
	}
	return container{}
}

// value appends v. The types that loading produces come first, without reflection.
func (e *encoder) value(v any) error {
	switch x := v.(type) {
	case nil:
		e.out = append(e.out, opNone)
	case bool:
		e.bool(x)
	case int:
		e.int(int64(x))
	case int64:
		e.int(x)
	case float64:
		e.float(x)
	case string:
		return e.string(x)
	case []byte:
		return e.bytes(x)
	case []any:
		return e.list(x)
	case Tuple:
		return e.tuple(x)
	case *Dict:
		return e.dict(x)
	case *Set:
		if x == nil {
			e.out = append(e.out, opNone)
			return nil
		}
		return e.set(&x.items, opSet)
	case FrozenSet:
		return e.set(x.dict(), opFrozenSet)
	case complex128:
		e.complex(x)
	case *big.Int:
		return e.big(x)
	case []string:
		return appendItems(e, x, (*encoder).string)
	case []int:
		return appendItems(e, x, func(e *encoder, i int) error { e.int(int64(i)); return nil })
	case []int64:
		return appendItems(e, x, func(e *encoder, i int64) error { e.int(i); return nil })
	case []float64:
		return appendItems(e, x, func(e *encoder, f float64) error { e.float(f); return nil })
	default:
		return e.reflected(reflect.ValueOf(v))
	}
	return nil
}

func (e *encoder) bool(b bool) {
	if b {
		e.out = append(e.out, opTrue)
	} else {
		e.out = append(e.out, opFalse)
	}
}

// int appends an INT, or the digits when it does not fit. (Python's own dumper fails below -2^31;
// every loader takes the digits.)
func (e *encoder) int(i int64) {
	if i == int64(int32(i)) {
		e.header(opInt, int(i))
		return
	}
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], i, 10)
	e.header(opLongInt, len(text))
	e.out = append(e.out, text...)
}

func (e *encoder) uint(u uint64) {
	if u <= math.MaxInt64 {
		e.int(int64(u))
		return
	}
	text := strconv.FormatUint(u, 10)
	e.header(opLongInt, len(text))
	e.out = append(e.out, text...)
}

// big refuses what a Python end could not load: since Python 3.11 that ends the whole gateway of
// Python's execnet.
func (e *encoder) big(i *big.Int) error {
	most := limit(e.codec.MaxDigits, DefaultMaxDigits)
	switch {
	case i == nil:
		e.out = append(e.out, opNone)
	case i.IsInt64():
		e.int(i.Int64())
	case i.BitLen()/4 > most: // a digit has less than four bits
		return tooManyDigits(most)
	default:
		text := i.String()
		if len(strings.TrimPrefix(text, "-")) > most {
			return tooManyDigits(most)
		}
		e.header(opLongInt, len(text))
		e.out = append(e.out, text...)
	}
	return nil
}

func tooManyDigits(most int) error { return dumpErrorf("an int of more than %d digits", most) }

func (e *encoder) float(f float64) {
	b := math.Float64bits(f)
	e.out = append(e.out, opFloat,
		byte(b>>56), byte(b>>48), byte(b>>40), byte(b>>32), byte(b>>24), byte(b>>16), byte(b>>8), byte(b))
}

func (e *encoder) complex(c complex128) {
	e.out = binary.BigEndian.AppendUint64(append(e.out, opComplex), math.Float64bits(real(c)))
	e.out = binary.BigEndian.AppendUint64(e.out, math.Float64bits(imag(c)))
}

// header appends an opcode and its 32-bit operand, which the caller has checked. One append of
// several bytes checks the capacity only once.
func (e *encoder) header(op byte, n int) {
	e.out = append(e.out, op, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func (e *encoder) string(s string) error {
	if len(s) > math.MaxInt32 {
		return dumpErrorf("a string of %d bytes is too long", len(s))
	}
	if !isASCII(s) && !utf8.ValidString(s) {
		return dumpErrorf("the string %s is not valid UTF-8: send such data as []byte", clip(s))
	}
	e.header(opPy3String, len(s))
	e.out = append(e.out, s...)
	return nil
}

func clip(s string) string {
	if len(s) > 40 {
		return strconv.Quote(s[:40]) + "…"
	}
	return strconv.Quote(s)
}

func (e *encoder) bytes(b []byte) error {
	if len(b) > math.MaxInt32 {
		return dumpErrorf("%d bytes are too many", len(b))
	}
	e.header(opBytes, len(b))
	e.out = append(e.out, b...)
	return nil
}

func (e *encoder) count(n int, what string) error {
	if n > math.MaxInt32 {
		return dumpErrorf("a %s of %d items is too long", what, n)
	}
	return nil
}

func (e *encoder) list(items []any) error {
	if e.enter() {
		if err := e.guard(reflect.ValueOf(items)); err != nil {
			return err
		}
	}
	if err := e.count(len(items), "list"); err != nil {
		return err
	}
	e.header(opNewList, len(items))
	for i, item := range items {
		e.header(opInt, i)
		if err := e.value(item); err != nil {
			return within(err, indexStep(i))
		}
		e.out = append(e.out, opSetItem)
	}
	e.leave()
	return nil
}

// appendItems is list for slices of the types that are so common that they should not take
// reflection.
func appendItems[T any](e *encoder, items []T, item func(*encoder, T) error) error {
	if e.enter() {
		if err := e.guard(reflect.Value{}); err != nil {
			return err
		}
	}
	if err := e.count(len(items), "list"); err != nil {
		return err
	}
	e.header(opNewList, len(items))
	for i, x := range items {
		e.header(opInt, i)
		if err := item(e, x); err != nil {
			return within(err, indexStep(i))
		}
		e.out = append(e.out, opSetItem)
	}
	e.leave()
	return nil
}

func (e *encoder) tuple(items Tuple) error {
	if e.enter() {
		if err := e.guard(reflect.ValueOf(items)); err != nil {
			return err
		}
	}
	if err := e.count(len(items), "tuple"); err != nil {
		return err
	}
	for i, item := range items {
		if err := e.value(item); err != nil {
			return within(err, indexStep(i))
		}
	}
	e.header(opBuildTuple, len(items))
	e.leave()
	return nil
}

func (e *encoder) dict(d *Dict) error {
	if d == nil {
		e.out = append(e.out, opNone)
		return nil
	}
	if e.enter() {
		if err := e.guard(reflect.ValueOf(d)); err != nil {
			return err
		}
	}
	e.out = append(e.out, opNewDict)
	for key, value := range d.All() {
		if err := e.value(key); err != nil {
			return within(err, keyStep(key))
		}
		if err := e.value(value); err != nil {
			return within(err, keyStep(key))
		}
		e.out = append(e.out, opSetItem)
	}
	e.leave()
	return nil
}

func (e *encoder) set(items *Dict, op byte) error {
	if e.enter() {
		if err := e.guard(reflect.Value{}); err != nil {
			return err
		}
	}
	if err := e.count(items.Len(), "set"); err != nil {
		return err
	}
	for item := range items.Keys() {
		if err := e.value(item); err != nil {
			return within(err, "{"+clip(Repr(item))+"}")
		}
	}
	e.header(op, items.Len())
	e.leave()
	return nil
}

func (e *encoder) channel(ch Channel) error {
	if e.codec.Channels == nil {
		return dumpErrorf("a channel has a meaning only on its gateway: send it through a channel")
	}
	if err := e.codec.Channels.CheckChannel(ch); err != nil {
		return &DumpError{Problem: "a channel", Err: err}
	}
	e.header(opChannel, int(ch.ExecnetChannelID()))
	return nil
}
