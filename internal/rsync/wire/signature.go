package wire

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"math"
)

// SignatureSize is the length of one block's signature: its weak and its strong checksum.
const SignatureSize = 4 + 4

// SignaturesPerItem is how many signatures one item holds at most.
const SignaturesPerItem = 32768

// Signature is what a receiver tells of one block of the file it has.
type Signature struct {
	// Weak is the block's adler32, which can follow a moving window byte by byte.
	Weak uint32
	// Strong is its crc32, which is quick. It need not resist an attacker: the digest of the whole
	// file decides.
	Strong uint32
}

// Sign returns the signature of a block.
func Sign(block []byte) Signature {
	return Signature{adler32.Checksum(block), crc32.ChecksumIEEE(block)}
}

// AppendTo appends the signature as it travels.
func (s Signature) AppendTo(to []byte) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(to, s.Weak), s.Strong)
}

// Signature reads a signature.
func (f *Fields) Signature() Signature { return Signature{f.U32(), f.U32()} }

// BlockSize is the length of the blocks into which both halves cut a file of this size: about its
// square root, so that signatures and one changed block cost about the same.
func BlockSize(size int64) int64 {
	up := func(n int64) int64 { return (n + 1023) / 1024 * 1024 }
	return max(2048, up(isqrt(size)), up((size+1<<20-1)>>20))
}

// BlockCount is how many blocks of that length a file has; the last may be shorter.
func BlockCount(size int64) int64 {
	length := BlockSize(size)
	return (size + length - 1) / length
}

// isqrt is the integer square root. The root of a float is off by one above 2 to the power of 52.
func isqrt(n int64) int64 {
	r := int64(math.Sqrt(float64(n)))
	for r > 0 && r > n/r {
		r--
	}
	for (r + 1) <= n/(r+1) {
		r++
	}
	return r
}
