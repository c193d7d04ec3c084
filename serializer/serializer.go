package serializer

import (
	"bytes"
	"math"
	"sync"
)

// Marshaler is implemented by types that are serialized as another value than their fields.
type Marshaler interface {
	// MarshalExecnet returns the value to serialize instead of the receiver. If it fails, its error
	// is the Err of a [DumpError].
	MarshalExecnet() (any, error)
}

// Unmarshaler is implemented by types that load themselves; the method's receiver is a pointer.
type Unmarshaler interface {
	// UnmarshalExecnet gets the loaded value, as [Loads] returns it. If it fails, its error is the
	// Err of a [LoadError].
	UnmarshalExecnet(v any) error
}

// Dumps serializes v in the public form, as execnet.dumps does. The package comment says which Go
// type becomes which Python type. Its error is a [*DumpError].
func Dumps(v any) ([]byte, error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	out, _, err := dumper.append(append((*scratch)[:0], Version), v)
	if err != nil {
		return nil, err
	}
	if cap(out) <= maxScratch {
		*scratch = out
	}
	return bytes.Clone(out), nil
}

// dumper is the codec of Dumps. Whoever loads the result may set a limit of his own.
var dumper = &Codec{MaxDigits: math.MaxInt}

// scratches are buffers in which Dumps builds values, whose size it does not know in advance.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 1 << 20

// Loads returns the value that data holds in the public form, as execnet.loads does. The package
// comment says which Python type becomes which Go type. The result shares no memory with data. Its
// error is a [*LoadError], also when bytes follow the value.
func Loads(data []byte, opts ...Option) (any, error) {
	if err := checkVersion(data); err != nil {
		return nil, err
	}
	return newCodec(opts).load(data[1:], 1, false)
}

// Marshal is [Dumps] under the name that encoding/json uses.
func Marshal(v any) ([]byte, error) { return Dumps(v) }

// Unmarshal loads the value that data holds in the public form into *v, as encoding/json does; the
// package comment says which Python value fits which Go type. The result shares no memory with
// data. Its error is a [*LoadError]; *v may then be filled in part.
func Unmarshal(data []byte, v any, opts ...Option) error {
	if err := checkVersion(data); err != nil {
		return err
	}
	return newCodec(opts).unmarshal(data[1:], 1, false, v)
}

func checkVersion(data []byte) error {
	if len(data) == 0 {
		return loadErrorf(0, "there is no data")
	}
	if data[0] == Version || data[0] == oldVersion {
		return nil
	}
	return loadErrorf(0, "wrong dump format version %d (want %d)", data[0], Version)
}
