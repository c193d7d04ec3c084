package serializer

import (
	"bytes"
	"sync"
)

// Marshaler is implemented by types that choose what is serialized in their place.
type Marshaler interface {
	// MarshalExecnet returns a value to serialize instead of the receiver. Its error becomes a
	// DumpError's Err.
	MarshalExecnet() (any, error)
}

// Unmarshaler is implemented by (pointers to) types that load themselves.
type Unmarshaler interface {
	// UnmarshalExecnet gets the loaded value, in the form that Loads gives it. Its error becomes a
	// LoadError's Err.
	UnmarshalExecnet(v any) error
}

// Channel is what a value that travels as the opcode CHANNEL implements.
type Channel interface{ ExecnetChannelID() int32 }

// Channels is a gateway's table of channels.
type Channels interface {
	// CheckChannel says whether ch may be sent here: it must belong to the same gateway.
	CheckChannel(ch Channel) error
	// Channel returns the channel with this id, made if need be.
	Channel(id int32) (any, error)
}

// Codec reads and writes the internal form, without version byte, that messages carry. The zero
// value is ready to use, and refuses channels. A Codec may be used by several goroutines at once
// while its fields do not change.
type Codec struct {
	Py2StrAsPy3Str bool     // a Python 2 str loads as text (Latin-1) rather than bytes
	Py3StrAsPy2Str bool     // a Python 3 str loads as bytes (UTF-8) rather than text
	Channels       Channels // the table that channels are checked against and made from; nil refuses them
	Limits         Limits
}

// Append serializes v, appends it to dst and returns the longer slice. On error, a *DumpError, it
// returns dst as it was.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	out, err := c.append(dst, v)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Load returns the value that data holds, or a *LoadError. The caller hands data over: the result
// may share its memory.
func (c *Codec) Load(data []byte) (any, error) { return c.load(data, 0, true) }

// Unmarshal loads the value that data holds into *v, as the function Unmarshal does. The caller
// hands data over: the result may share its memory.
func (c *Codec) Unmarshal(data []byte, v any) error { return c.unmarshal(data, 0, true, v) }

// Dumps serializes v in the public form, as execnet.dumps does. The package comment says what
// becomes of which Go type. Its error is a *DumpError.
func Dumps(v any) ([]byte, error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	out, err := new(Codec).append(append((*scratch)[:0], Version), v)
	if err != nil {
		return nil, err
	}
	if cap(out) <= maxScratch {
		*scratch = out
	}
	return bytes.Clone(out), nil
}

// scratches are buffers in which values of unknown size are put together.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 1 << 20

// Loads returns the value that data holds in the public form, as execnet.loads does. The result
// shares no memory with data. Its error is a *LoadError; bytes after the value are one.
func Loads(data []byte, opts ...Option) (any, error) {
	if err := checkVersion(data); err != nil {
		return nil, err
	}
	return newCodec(opts).load(data[1:], 1, false)
}

// Marshal is Dumps under the name that encoding/json has made familiar.
func Marshal(v any) ([]byte, error) { return Dumps(v) }

// Unmarshal loads the public form in data into *v, in the manner of encoding/json; the package
// comment says what fits what. The result shares no memory with data. Its error is a *LoadError; *v
// may then have been filled in part.
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
