package rsync

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"math"
)

// signatureSize is one block's signature on the wire: its weak and its strong checksum.
const signatureSize = 4 + 4

// signaturesPerItem is how many travel together.
const signaturesPerItem = 32768

// signature is what a receiver tells of one block of the file it has.
type signature struct {
	weak   uint32 // adler32, which can be rolled on byte by byte
	strong uint32 // crc32: quick, as it need not be proof against anybody; the digest of the whole file is
}

func signBlock(block []byte) signature {
	return signature{adler32.Checksum(block), crc32.ChecksumIEEE(block)}
}

func appendSignature(to []byte, s signature) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(to, s.weak), s.strong)
}

func readSignature(f *fields) signature { return signature{f.u32(), f.u32()} }

// blockSize is the length of the blocks into which both halves cut a file of this size: about its
// square root, so that signatures and one changed block cost about the same.
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
