// Package uncleared makes memory for bytes that are read at once.
package uncleared

import (
	"strings"
	"unsafe"
)

// large is the size from which on it is worth it.
const large = 64 << 10

// Bytes is make of n bytes, which the caller fills. It leaves in large ones what was in that memory
// before: to clear it takes a fifth of the time of receiving.
func Bytes(n int) []byte {
	if n < large {
		return make([]byte, n)
	}
	var b strings.Builder
	b.Grow(n) // is all that makes such memory
	b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), n)
}
