package wire

import (
	"encoding/binary"
	"fmt"
)

// ProtocolError says how the other end broke the rules of the protocol. Nothing was done for the
// item at fault. It is exported to programs as rsync.ProtocolError.
type ProtocolError struct {
	// Problem says what was wrong.
	Problem string
}

// Error tells what was wrong.
func (e *ProtocolError) Error() string { return "execnet: rsync: the other end: " + e.Problem }

// Errorf returns a *ProtocolError with a formatted Problem.
func Errorf(format string, args ...any) error {
	return &ProtocolError{fmt.Sprintf(format, args...)}
}

// Fields reads the fields of an item one after the other. A read beyond the item's end sets Bad and
// gives zeros, and so does each later read.
type Fields struct {
	Rest []byte // what has not been read yet
	Bad  bool
}

// Bytes reads the next n bytes. They are not copied.
func (f *Fields) Bytes(n int) []byte {
	if f.Bad || n < 0 || n > len(f.Rest) {
		f.Bad = true
		return nil
	}
	b := f.Rest[:n]
	f.Rest = f.Rest[n:]
	return b
}

// U8 reads a byte.
func (f *Fields) U8() uint8 {
	if b := f.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// U16 reads a number of two bytes.
func (f *Fields) U16() uint16 {
	if b := f.Bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// U32 reads a number of four bytes.
func (f *Fields) U32() uint32 {
	if b := f.Bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// U64 reads a number of eight bytes.
func (f *Fields) U64() uint64 {
	if b := f.Bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// End reports an error unless the item was exactly as long as what was read of it.
func (f *Fields) End(what string) error {
	if f.Bad || len(f.Rest) > 0 {
		return Errorf("%s of a wrong length", what)
	}
	return nil
}
