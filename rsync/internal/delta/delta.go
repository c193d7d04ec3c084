// Package delta finds what has changed in a file, rsync's idea: a delta tells a receiver how to
// make a file from the blocks of the one it has and from bytes that it has not.
//
// The receiver sends a weak and a strong checksum of each block. The sender looks at each position
// of its file whether a block begins there: first by the weak checksum, which follows the position
// at the cost of a few operations, and where that fits by the strong one. Both can be wrong, so a
// digest of the whole file must decide in the end.
package delta

import (
	"hash/adler32"
	"hash/crc32"
	"math/bits"

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// Sink takes a delta. What it is given is valid during the call.
type Sink interface {
	// Literal takes the next bytes of the file, which the receiver has not.
	Literal(data []byte)
	// CopyBlocks says that the next bytes are these blocks of the receiver's file.
	CopyBlocks(first, count uint32)
}

// Matcher makes the delta of a file whose content is written to it in pieces of any size.
type Matcher struct {
	index   *blockIndex
	sink    Sink
	buf     []byte
	literal int // buf[literal:pos] is literal data that was not handed out yet
	pos     int // the window is buf[pos:pos+length]
	sum     rolling
	drop    *[256]int32
	summed  bool  // sum is that of the window
	budget  int64 // bytes the strong checksum may still be computed of: see spend
	run     struct{ first, count uint32 }
	sent    bool // anything was handed to sink
}

// literalSize is about how much literal data is handed out at once.
const literalSize = 64 << 10

// New returns a matcher for a receiver's file of this size. The signatures of its blocks may be
// fewer than it has blocks.
func New(size int64, blocks []wire.Signature, sink Sink) *Matcher {
	index := newBlockIndex(size, blocks)
	return &Matcher{index: index, sink: sink, drop: dropTable(int(index.length)), budget: 64 * index.length}
}

// Write takes the next piece of the file.
func (m *Matcher) Write(p []byte) (int, error) {
	if m.literal > 0 {
		m.buf = m.buf[:copy(m.buf, m.buf[m.literal:])]
		m.pos -= m.literal
		m.literal = 0
	}
	m.buf = append(m.buf, p...)
	m.budget += 4 * int64(len(p))
	m.scan()
	return len(p), nil
}

// scan moves the window as far as the buffer goes.
func (m *Matcher) scan() {
	n := int(m.index.length)
	for m.pos+n <= len(m.buf) {
		if !m.summed {
			m.sum = startRolling(m.buf[m.pos:m.pos+n], m.drop)
			m.summed = true
		}
		if !m.index.mayHave(m.sum.value()) || !m.match(n) {
			if !m.roll(n) {
				return
			}
			continue
		}
		m.pos += n
		m.literal = m.pos
		m.summed = false
	}
}

// roll moves the window on to where a block may begin, or to the buffer's end, which it reports by
// false: the next byte is not there yet. Its loop runs once for each byte of a changed file, hence
// the local copies.
func (m *Matcher) roll(n int) bool {
	leaving, coming := m.buf[m.pos:len(m.buf)-n], m.buf[m.pos+n:]
	leaving = leaving[:len(coming)]
	a, b, drop := m.sum.a, m.sum.b, m.sum.drop
	filter, shift := m.index.filter, m.index.shift&31
	found := false
	moved := len(coming)
	for i, in := range coming {
		a, b = rollOn(a, b, leaving[i], in, drop)
		if at := (uint32(b)<<16 | uint32(a)) * spread >> shift; filter[at/64]>>(at%64)&1 != 0 {
			found, moved = true, i+1
			break
		}
	}
	m.pos += moved
	m.sum.a, m.sum.b = a, b
	if m.pos-m.literal >= literalSize {
		m.flushLiteral(m.pos)
	}
	return found
}

// match reports whether the window is a block, and notes it.
func (m *Matcher) match(n int) bool {
	weak := m.sum.value()
	if !m.index.hasWeak(weak) || !m.spend(n) {
		return false
	}
	block, ok := m.index.find(weak, m.buf[m.pos:m.pos+n], m.run.first+m.run.count)
	if ok {
		m.flushLiteral(m.pos)
		m.copy(block)
	}
	return ok
}

// spend keeps the cost of strong checksums in proportion to the file: signatures can be made up so
// that the weak checksum fits everywhere and the strong one nowhere.
func (m *Matcher) spend(n int) bool {
	if m.budget < int64(n) {
		return false
	}
	m.budget -= int64(n)
	return true
}

func (m *Matcher) copy(block uint32) {
	if m.run.count > 0 && block == m.run.first+m.run.count {
		m.run.count++
		return
	}
	m.HandOut()
	m.run.first, m.run.count = block, 1
}

// HandOut hands out the blocks that the last part of the file was found to be.
func (m *Matcher) HandOut() {
	if m.run.count > 0 {
		m.sink.CopyBlocks(m.run.first, m.run.count)
		m.sent = true
		m.run.count = 0
	}
}

// flushLiteral hands out the literal data before end, after the blocks that come before it.
func (m *Matcher) flushLiteral(end int) {
	if end > m.literal {
		m.HandOut()
		m.sink.Literal(m.buf[m.literal:end])
		m.sent = true
		m.literal = end
	}
}

// Finish ends the file and hands out what is left. It reports whether the file seems to be the one
// that the receiver has; then nothing has been handed out at all, until HandOut is called.
func (m *Matcher) Finish() (same bool) {
	tail := m.buf[m.literal:]
	if last := m.index.lastLength; last > 0 && last <= int64(len(tail)) && (last < m.index.length) {
		start := len(m.buf) - int(last)
		if m.index.isLast(m.buf[start:]) {
			m.flushLiteral(start)
			m.copy(uint32(len(m.index.blocks) - 1))
			m.literal = len(m.buf)
		}
	}
	if !m.sent && m.literal == len(m.buf) && m.run.first == 0 && m.run.count > 0 && int64(m.run.count) == m.index.total {
		return true
	}
	m.flushLiteral(len(m.buf))
	m.HandOut()
	return false
}

// blockIndex finds the blocks of a receiver's file by their checksums. It does not change once it
// is made.
type blockIndex struct {
	length     int64 // of all blocks but the last
	lastLength int64 // of the last one; 0 if its signature did not come
	total      int64 // how many blocks the file has
	blocks     []wire.Signature
	filter     []uint64 // a bit for the upper bits of each weak checksum that a block has
	shift      uint
	weak       map[uint32]struct{}
	strong     map[wire.Signature]uint32
}

// newBlockIndex makes the index of a file of this size from the signatures that came, which may be
// fewer than it has blocks.
func newBlockIndex(size int64, blocks []wire.Signature) *blockIndex {
	x := &blockIndex{length: wire.BlockSize(size), total: wire.BlockCount(size), blocks: blocks}
	width := max(16, min(24, bits.Len(uint(len(blocks)))+5))
	x.shift = uint(32 - width)
	x.filter = make([]uint64, 1<<width/64)
	x.weak = make(map[uint32]struct{}, len(blocks))
	x.strong = make(map[wire.Signature]uint32, len(blocks))
	full := len(blocks)
	if int64(full) == x.total && full > 0 {
		x.lastLength = size - (x.total-1)*x.length
		if x.lastLength < x.length {
			full--
		}
	}
	for i, s := range blocks[:full] {
		if _, twice := x.strong[s]; !twice {
			x.strong[s] = uint32(i)
			x.weak[s.Weak] = struct{}{}
			at := x.bit(s.Weak)
			x.filter[at/64] |= 1 << (at % 64)
		}
	}
	return x
}

func (x *blockIndex) bit(weak uint32) uint32 { return weak * spread >> x.shift }

// spread makes the upper bits of a product depend on all bits of a checksum.
const spread = 0x9e3779b1

// mayHave is quick and wrong now and then: true for a weak checksum that no block has.
func (x *blockIndex) mayHave(weak uint32) bool {
	at := x.bit(weak)
	return x.filter[at/64]>>(at%64)&1 != 0
}

func (x *blockIndex) hasWeak(weak uint32) bool {
	_, ok := x.weak[weak]
	return ok
}

// find returns the number of a full block with this content, next if that is one.
func (x *blockIndex) find(weak uint32, content []byte, next uint32) (uint32, bool) {
	s := wire.Signature{Weak: weak, Strong: crc32.ChecksumIEEE(content)}
	block, ok := x.strong[s]
	if ok && block != next && int(next) < len(x.blocks) && x.blocks[next] == s {
		isLast := int64(next) == x.total-1
		if !isLast || x.lastLength == x.length {
			block = next
		}
	}
	return block, ok
}

func (x *blockIndex) isLast(content []byte) bool {
	return wire.Sign(content) == x.blocks[len(x.blocks)-1]
}

// rolling is the adler32 of a window that can move on by one byte.
type rolling struct {
	a, b int32
	drop *[256]int32 // what b loses when a byte leaves: as often as the window is long
}

const adlerMod = 65521

// dropTable is a rolling sum's drop for windows of n bytes.
func dropTable(n int) *[256]int32 {
	var table [256]int32
	for i := range table {
		table[i] = int32(int64(n) * int64(i) % adlerMod)
	}
	return &table
}

func startRolling(window []byte, drop *[256]int32) rolling {
	sum := adler32.Checksum(window)
	return rolling{int32(sum & 0xffff), int32(sum >> 16), drop}
}

func (r *rolling) value() uint32 { return uint32(r.b)<<16 | uint32(r.a) }

// rollOn moves the two halves of a sum on by one byte.
func rollOn(a, b int32, out, in byte, drop *[256]int32) (int32, int32) {
	a += int32(in) - int32(out)
	a += a >> 31 & adlerMod
	a -= adlerMod
	a += a >> 31 & adlerMod
	// The 1 is what adler32 begins with.
	b += a - 1 - drop[out]
	b += b >> 31 & adlerMod
	b -= adlerMod
	b += b >> 31 & adlerMod
	return a, b
}
