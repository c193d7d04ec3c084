package rsync

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/adler32"
	"math"
)

// strongSize is how much of a block's digest is sent.
const strongSize = 16

// signatureSize is one block's signature on the wire: its weak and its strong checksum.
const signatureSize = 4 + strongSize

// signaturesPerItem is how many travel together.
const signaturesPerItem = 32768

// signature is what a receiver tells of one block of the file it has.
type signature struct {
	weak   uint32 // adler32, which can be rolled on byte by byte
	strong [strongSize]byte
}

func signBlock(block []byte) signature {
	digest := sha256.Sum256(block)
	return signature{adler32.Checksum(block), [strongSize]byte(digest[:strongSize])}
}

func appendSignature(to []byte, s signature) []byte {
	return append(binary.BigEndian.AppendUint32(to, s.weak), s.strong[:]...)
}

func readSignature(f *fields) signature {
	s := signature{weak: f.u32()}
	copy(s.strong[:], f.take(strongSize))
	return s
}

// blockSize is the length of the blocks into which both halves cut a file of this size: about its square root, so that
// signatures and one changed block cost about the same.
func blockSize(size int64) int64 {
	up := func(n int64) int64 { return (n + 1023) / 1024 * 1024 }
	return max(2048, up(isqrt(size)), up((size+1<<20-1)>>20))
}

// blockCount is how many blocks that gives; the last may be shorter.
func blockCount(size int64) int64 {
	length := blockSize(size)
	return (size + length - 1) / length
}

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
