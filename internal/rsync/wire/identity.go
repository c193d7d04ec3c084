package wire

import (
	"encoding/binary"
	"os"
)

// Identity distinguishes a file from all others of a machine, and its content from an earlier or
// later one. A receiver that finds the same identity at a path sees the same file as the sender.
type Identity struct {
	Device, Inode      uint64
	Size, MTime, CTime int64 // times in nanoseconds
}

// IsOf reports whether an open file is that one and has not changed.
func (id Identity) IsOf(f *os.File) bool {
	is, err := Identify(f)
	return err == nil && is == id
}

// AppendTo appends the identity as it travels.
func (id Identity) AppendTo(b []byte) []byte {
	for _, n := range []uint64{id.Device, id.Inode, uint64(id.Size), uint64(id.MTime), uint64(id.CTime)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// Identity reads an identity.
func (f *Fields) Identity() Identity {
	return Identity{f.U64(), f.U64(), int64(f.U64()), int64(f.U64()), int64(f.U64())}
}
