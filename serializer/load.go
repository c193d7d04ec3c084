package serializer

import (
	"encoding/binary"
	"math"
	"math/big"
	"sync"
	"unicode/utf8"
)

// decoder reads a program whose shape is known from start to end, and builds its value.
type decoder struct {
	codec   *Codec
	data    []byte
	off     int
	shape   shape
	filled  int   // the index in shape.filled of the next list or dict
	built   int   // the index in shape.built of the next tuple or set
	builtAt int   // where that tuple or set starts; noneBuilt when there are no more
	owned   bool  // the result may share data's memory
	most    int64 // how much memory the value may take; shape.cost is what it takes
	steps   int
	arena   arena
	ints    slab[int64]
	floats  slab[float64]
	strs    slab[string]
	keys    [64]keyEntry
}

const noneBuilt = math.MaxInt

// keyEntry is a dict key that was loaded before: the dicts of a list mostly have the same keys.
type keyEntry struct {
	text  string
	boxed any
}

const mostScratch = 1 << 16 // entries of scratch worth keeping

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// release drops what refers to the value and puts the decoder back into the pool.
func (d *decoder) release() {
	d.codec, d.data, d.arena = nil, nil, arena{}
	d.ints, d.floats, d.strs = slab[int64]{}, slab[float64]{}, slab[string]{}
	if cap(d.shape.filled) > mostScratch || cap(d.shape.built) > mostScratch || cap(d.shape.stack) > mostScratch {
		d.shape = shape{}
	}
	decoders.Put(d)
}

// start scans data and moves d to the start of its value.
func (d *decoder) start(c *Codec, data []byte, owned bool) error {
	if err := d.shape.scan(data, c); err != nil {
		return err
	}
	if cap(d.shape.stack) > mostScratch {
		d.shape.stack = nil
	}
	d.codec, d.data, d.owned = c, data, owned
	d.most, d.steps = c.mostMemory(len(data)), 0
	d.off, d.filled, d.built = 0, 0, -1
	d.nextBuilt()
	return nil
}

func (d *decoder) nextBuilt() {
	d.built++
	d.builtAt = noneBuilt
	if d.built < len(d.shape.built) {
		d.builtAt = int(d.shape.built[d.built].start)
	}
}

func (c *Codec) load(data []byte, base int64, owned bool) (any, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	err := d.start(c, data, owned)
	if err == nil {
		var v any
		if v, err = d.value(); err == nil {
			return v, nil
		}
	}
	return nil, finishLoad(err, base)
}

// value loads the value at d.off and moves past it.
func (d *decoder) value() (any, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	at := d.off
	if at == d.builtAt {
		return d.buildNext()
	}
	switch op := d.data[at]; op {
	case opInt, opLong:
		d.off += 5
		i := int64(int32At(d.data, at+1))
		if uint64(i) < 256 {
			return i, nil // for these the runtime allocates nothing
		}
		return d.ints.box(i, intWord, len(d.data)-d.off), nil
	case opPy3String, opUnicode, opPy2String, opBytes:
		raw := d.raw()
		if d.isText(op) {
			s, err := d.text(at, op, raw)
			if err != nil || len(s) > arenaMost {
				return s, err
			}
			return d.strs.box(s, stringWord, len(d.data)-d.off), nil
		}
		return d.bytes(raw), nil
	case opNone:
		d.off++
		return nil, nil
	case opTrue:
		d.off++
		return true, nil
	case opFalse:
		d.off++
		return false, nil
	case opFloat:
		d.off += 9
		return d.floats.box(floatAt(d.data, at+1), floatWord, len(d.data)-d.off), nil
	case opNewDict:
		return d.dict()
	case opNewList:
		return d.list()
	case opLongInt, opLongLong:
		return d.long()
	case opComplex:
		d.off += 17
		return complex(floatAt(d.data, at+1), floatAt(d.data, at+9)), nil
	default: // opChannel: the scan has refused all others
		return d.channel()
	}
}

func floatAt(data []byte, i int) float64 {
	return math.Float64frombits(binary.BigEndian.Uint64(data[i:]))
}

// raw returns the operand of the opcode at d.off that has a length, and moves past it.
func (d *decoder) raw() []byte {
	start := d.off + 5
	end := start + int(int32At(d.data, d.off+1))
	d.off = end
	return d.data[start:end:end]
}

// isText reports whether the strings of this opcode load as text rather than bytes.
func (d *decoder) isText(op byte) bool {
	switch op {
	case opPy3String:
		return !d.codec.Py3StrAsPy2Str
	case opPy2String:
		return d.codec.Py2StrAsPy3Str
	}
	return op == opUnicode
}

func (d *decoder) text(at int, op byte, raw []byte) (string, error) {
	if op == opPy2String {
		raw = fromLatin1(raw)
	}
	if !isASCII(raw) && !utf8.Valid(raw) {
		return "", loadErrorf(at, "a str that is not valid UTF-8")
	}
	return d.arena.string(raw, len(d.data)-d.off), nil
}

func fromLatin1(raw []byte) []byte {
	for i, c := range raw {
		if c >= utf8.RuneSelf {
			out := append(make([]byte, 0, 2*len(raw)), raw[:i]...)
			for _, c := range raw[i:] {
				out = utf8.AppendRune(out, rune(c))
			}
			return out
		}
	}
	return raw
}

// bytes returns raw, which the decoder has just read, if the result may share data's memory and raw
// is a good part of it (a few bytes must not keep a large message alive), and otherwise a copy. If
// nothing but STOP follows, raw gets the capacity of data, so that all of it can be used again.
func (d *decoder) bytes(raw []byte) []byte {
	if d.owned && len(raw) > len(d.data)/4 {
		if d.off == len(d.data)-1 {
			return d.data[d.off-len(raw) : d.off : cap(d.data)]
		}
		return raw
	}
	out := make([]byte, len(raw))
	copy(out, raw)
	return out
}

// long loads a LONGINT: the decimal digits of an int of any size.
func (d *decoder) long() (any, error) {
	at := d.off
	raw := d.raw()
	digits := raw
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return nil, loadErrorf(at, "an int without digits")
	}
	if most := limit(d.codec.MaxDigits, DefaultMaxDigits); len(digits) > most {
		return nil, loadErrorf(at, "an int of %d digits (the limit is %d)", len(digits), most)
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return nil, loadErrorf(at, "an int with the character %q", c)
		}
		n = n*10 - int64(c-'0') // negative, for -2^63 has no positive counterpart
	}
	if len(digits) < 19 {
		if len(raw) == len(digits) {
			n = -n
		}
		return n, nil
	}
	big, _ := new(big.Int).SetString(string(raw), 10)
	return bigKey(big), nil
}

func (d *decoder) channel() (any, error) {
	at := d.off
	d.off += 5
	if d.codec.Channels == nil {
		return nil, loadErrorf(at, "a channel, which has a meaning only on a gateway")
	}
	ch, err := d.codec.Channels.Channel(int32At(d.data, at+1))
	if err != nil {
		return nil, &LoadError{Offset: int64(at), Problem: "a channel", Err: err}
	}
	return ch, nil
}

func (d *decoder) list() (any, error) {
	b := d.shape.filled[d.filled]
	d.filled++
	d.off += 5
	items := make([]any, b.want)
	for range b.pairs {
		i, err := d.index(len(items))
		if err != nil {
			return nil, err
		}
		if items[i], err = d.value(); err != nil {
			return nil, within(err, indexStep(i))
		}
		d.off++
	}
	return items, nil
}

// index loads the key of a pair that SETITEM stores in a list of n items. As in Python, a negative
// one counts from the end.
func (d *decoder) index(n int) (int, error) {
	at := d.off
	if d.data[at] == opInt && at != d.builtAt {
		d.off += 5
		if i := int(int32At(d.data, at+1)); i >= 0 && i < n {
			return i, nil
		}
		d.off = at
	}
	key, err := d.value()
	if err != nil {
		return 0, err
	}
	i, ok := number(key).(int64)
	if !ok || pythonType(key) != "int" && pythonType(key) != "bool" {
		return 0, loadErrorf(at, "a list index must be an int, not %s", pythonType(key))
	}
	if i < -int64(n) || i >= int64(n) {
		return 0, loadErrorf(at, "index %d in a list of %d items", i, n)
	}
	if i < 0 {
		i += int64(n)
	}
	return int(i), nil
}

func (d *decoder) dict() (*Dict, error) {
	n := int(d.shape.filled[d.filled].pairs)
	d.filled++
	d.off++
	dict := new(Dict)
	dict.reserve(n)
	for range n {
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		value, err := d.value()
		if err != nil {
			return nil, within(err, keyStep(key))
		}
		d.off++
		dict.put(key, value)
	}
	return dict, nil
}

// key loads a dict's key.
func (d *decoder) key() (any, error) {
	at := d.off
	if at != d.builtAt && d.data[at] == opPy3String && !d.codec.Py3StrAsPy2Str {
		raw := d.raw()
		if n := len(raw); n > 0 && n <= 32 {
			slot := &d.keys[(uint(raw[0])*31+uint(raw[n-1])*7+uint(raw[n/2])+uint(n))%uint(len(d.keys))]
			if slot.text != string(raw) {
				if !isASCII(raw) && !utf8.Valid(raw) {
					return nil, loadErrorf(at, "a str that is not valid UTF-8")
				}
				slot.text = string(raw)
				slot.boxed = slot.text
			}
			return slot.boxed, nil
		}
		return d.text(at, opPy3String, raw)
	}
	key, err := d.value()
	if err != nil {
		return nil, err
	}
	if raw, ok := key.([]byte); ok && d.owned {
		return append([]byte{}, raw...), nil
	}
	if err := checkHashable(key); err != nil {
		return nil, &LoadError{Offset: int64(at), Err: err}
	}
	return key, nil
}

// buildNext loads the tuple, set or frozenset that starts at d.off.
func (d *decoder) buildNext() (any, error) {
	b := d.shape.built[d.built]
	d.nextBuilt()
	if b.op != opBuildTuple {
		return d.set(b)
	}
	items := make(Tuple, b.n)
	for i := range items {
		var err error
		if items[i], err = d.value(); err != nil {
			return nil, within(err, indexStep(i))
		}
	}
	d.off += 5
	return items, nil
}

// set loads the set or frozenset b, whose first item is at d.off.
func (d *decoder) set(b built) (any, error) {
	var set Dict
	// Equal items are one. Different ones have a few bytes each.
	set.reserve(min(int(b.n), few+int(b.end-b.start)/5))
	for i := range int(b.n) {
		item, err := d.value()
		if err != nil {
			return nil, within(err, indexStep(i))
		}
		if err := checkHashable(item); err != nil {
			return nil, &LoadError{Offset: int64(b.end), Problem: "in " + aType(b.op), Err: err}
		}
		set.put(item, nil)
	}
	d.off += 5
	if b.op == opSet {
		return &Set{items: set}, nil
	}
	return freeze(set), nil
}
