package cpython

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
)

// request is what a call asks for.
type request struct {
	name    string
	channel int // the id of the execution's, or 0
	args    []any
	kwargs  *serializer.Dict // nil if there are none
}

var errNoCall = errors.New("execnet: a call of a Go function that is no tuple of (str, int, tuple, dict)")

// load returns the request that is the payload of the call.
func (k *call) load() (request, error) {
	if r, ok := k.loadPlain(); ok {
		return r, nil
	}
	// The value was in the interpreter's memory, so what it takes here is no surprise.
	codec := serializer.Codec{Py2StrAsPy3Str: true, Channels: k, MaxCost: math.MaxInt}
	v, err := codec.Load(k.begun.payload)
	if err != nil {
		return request{}, err
	}
	parts, _ := v.(serializer.Tuple)
	if len(parts) != 4 {
		return request{}, errNoCall
	}
	name, ok1 := parts[0].(string)
	channel, ok2 := parts[1].(int64)
	args, ok3 := parts[2].(serializer.Tuple)
	kwargs, ok4 := parts[3].(*serializer.Dict)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return request{}, errNoCall
	}
	return request{name, int(channel), args, kwargs}, nil
}

// end is what the payload of a call without kwargs ends with, behind the number of its arguments:
// NEWDICT, BUILDTUPLE of four, STOP.
const end = "J@\x00\x00\x00\x04Q"

// loadPlain loads what most calls are: the name of a function that there is, a channel, and no
// kwargs, where the arguments are texts, bytes and small ints. The serializer would do the same and
// take longer, because it first looks for what else there may be.
func (k *call) loadPlain() (r request, ok bool) {
	b := k.begun.payload
	tail := len(b) - len(end) - 5
	if k.function == nil || b[0] != 'N' || tail < k.function.head+5 || string(b[tail+5:]) != end || b[tail] != '@' || b[k.function.head] != 'F' {
		return r, false
	}
	n := binary.BigEndian.Uint32(b[tail+1:])
	r.channel = int(int32(binary.BigEndian.Uint32(b[k.function.head+1:])))
	rest := b[k.function.head+5 : tail]
	if uint64(n) > uint64(len(rest)/5) {
		return r, false
	}
	r.args = make([]any, n)
	for i := range r.args {
		if len(rest) < 5 {
			return r, false
		}
		op, word := rest[0], binary.BigEndian.Uint32(rest[1:])
		rest = rest[5:]
		if op == 'F' {
			r.args[i] = int64(int32(word))
			continue
		}
		if uint64(word) > uint64(len(rest)) {
			return r, false
		}
		raw := rest[:word:word]
		rest = rest[word:]
		switch {
		case op == 'A':
			if len(raw) <= len(b)/4 {
				raw = bytes.Clone(raw) // a few bytes must not keep a large call alive
			}
			r.args[i] = raw
		case op == 'N' && utf8.Valid(raw):
			r.args[i] = string(raw)
		default:
			return r, false
		}
	}
	return r, len(rest) == 0
}
