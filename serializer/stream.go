package serializer

import (
	"errors"
	"fmt"
	"io"
)

// Dump writes v to w in the public form, in one call of Write, as execnet.dump does. Its error is a
// [*DumpError] or w's.
func Dump(w io.Writer, v any) error {
	data, err := Dumps(v)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// Load reads exactly one value in the public form from r and never a byte beyond it, as
// execnet.load does. It reads in small pieces, so give it a *bufio.Reader if r is a file or a
// connection that nobody else reads from. It returns io.EOF if r ends before the first byte. Any
// other error is a [*LoadError], whose Err is r's error (io.ErrUnexpectedEOF if r ends within the
// value).
func Load(r io.Reader, opts ...Option) (any, error) {
	c := newCodec(opts)
	data, err := readValue(r, limit(c.maxBytes, DefaultMaxBytes))
	if err != nil {
		return nil, err
	}
	if err := checkVersion(data); err != nil {
		return nil, err
	}
	return c.load(data[1:], 1, true)
}

// readValue reads a value opcode by opcode, up to its STOP.
func readValue(r io.Reader, most int64) ([]byte, error) {
	in := source{r: r, most: most}
	if err := in.read(1); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, io.EOF
		}
		return nil, err
	}
	if checkVersion(in.data) != nil {
		return in.data, nil
	}
	for n := 1; ; {
		if err := in.read(n); err != nil {
			return nil, err
		}
		// The last byte is an opcode. All but STOP are followed by another one, which is read
		// together with what belongs to this one.
		at := len(in.data) - 1
		n = 1
		switch op := in.data[at]; op {
		case opStop:
			return in.data, nil
		case opNone, opTrue, opFalse, opNewDict, opSetItem:
		case opInt, opLong, opChannel, opNewList, opBuildTuple, opSet, opFrozenSet:
			n += 4
		case opFloat:
			n += 8
		case opComplex:
			n += 16
		case opPy3String, opUnicode, opPy2String, opBytes, opLongInt, opLongLong:
			if err := in.read(4); err != nil {
				return nil, err
			}
			length := int(int32At(in.data, at+1))
			if length < 0 {
				return nil, loadErrorf(at, "%s of negative length %d", aType(op), length)
			}
			n += length
		default:
			return nil, loadErrorf(at, "unknown opcode %q", op)
		}
	}
}

// source keeps all that it reads.
type source struct {
	r    io.Reader
	data []byte
	most int64
}

// read appends the next n bytes to data. It allocates memory as bytes arrive, since n is what the
// input announces.
func (s *source) read(n int) error {
	const piece = 64 << 10
	if int64(len(s.data))+int64(n) > s.most {
		return loadErrorf(len(s.data), "a value of more than %d bytes", s.most)
	}
	for n > 0 {
		from := len(s.data)
		k := min(n, max(piece, from))
		if cap(s.data)-from < k {
			s.data = append(make([]byte, 0, from+max(k, from, 64)), s.data...)
		}
		got, err := io.ReadFull(s.r, s.data[from:from+k])
		s.data = s.data[:from+got]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return &LoadError{Offset: int64(from + got), Problem: fmt.Sprintf("reading %d more bytes", n-got), Err: err}
		}
		n -= k
	}
	return nil
}
