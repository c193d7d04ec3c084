package rsync

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/rsync/internal/delta"
)

// chunks are the buffers of large content items: head, one record, and a piece of a file.
var chunks = sync.Pool{New: func() any {
	b := make([]byte, chunkHead+wire.PieceSize)
	return &b
}}

const chunkHead = wire.ContentHead + wire.ContentRecord

// newChunk returns a buffer to read a piece of a file into, from chunkHead on.
func newChunk() []byte {
	b := *chunks.Get().(*[]byte)
	return b[:chunkHead+wire.PieceSize]
}

// chunkItem makes a content item of a chunk that holds n bytes of an entry. The chunk is used again
// when that many targets have sent it.
func chunkItem(chunk []byte, entry uint32, n, targets int) *item {
	b := chunk[:chunkHead+n]
	b[0] = wire.ItemContents
	binary.BigEndian.PutUint32(b[1:], 1)
	wire.PutRecord(b[wire.ContentHead:], entry, wire.OpData, n)
	i := &item{bytes: b, shared: new(atomic.Int32), piece: int64(n)}
	i.shared.Store(int32(targets))
	return i
}

// contentBatch collects small contents for one target into one item.
type contentBatch struct {
	records []byte
	data    []byte
	copied  int64     // bytes of files that the receiver is to copy by itself
	files   []arrival // those that end in it; flush sets at
}

// add appends a record to a target's batch, which is sent first if the data would make it too long.
func (s *ownSession) add(t *ownTarget, entry uint32, op byte, data []byte) {
	if len(t.batch.records) > 0 && len(t.batch.data)+len(t.batch.records)+len(data) > wire.BatchSize {
		s.flush(t)
	}
	b := &t.batch
	b.records = append(b.records, make([]byte, wire.ContentRecord)...)
	wire.PutRecord(b.records[len(b.records)-wire.ContentRecord:], entry, op, len(data))
	b.data = append(b.data, data...)
}

// complete appends the record that ends an entry. sent is how many bytes of it the target was sent.
func (s *ownSession) complete(t *ownTarget, entry uint32, op byte, data []byte, sent int64) {
	s.add(t, entry, op, data)
	writes := op != wire.OpSame && op != wire.OpGone
	t.batch.files = append(t.batch.files, arrival{entry: entry, size: sent, writes: writes})
}

// flush sends what a target's batch holds.
func (s *ownSession) flush(t *ownTarget) {
	b := &t.batch
	if len(b.records) == 0 {
		return
	}
	bytes := make([]byte, wire.ContentHead, wire.ContentHead+len(b.records)+len(b.data))
	bytes[0] = wire.ItemContents
	binary.BigEndian.PutUint32(bytes[1:], uint32(len(b.records)/wire.ContentRecord))
	bytes = append(append(bytes, b.records...), b.data...)
	s.enqueue(t, &item{bytes: bytes, copied: b.copied})

	s.mu.Lock()
	for _, file := range b.files {
		file.at = t.contents
		t.arriving = append(t.arriving, file)
	}
	events := t.arrived(t.acked) // all of it may be acknowledged by now
	s.mu.Unlock()
	s.report.events(events)
	b.records, b.data, b.files, b.copied = b.records[:0], b.data[:0], b.files[:0], 0
}

// deltaPart makes a delta of a file for one target.
type deltaPart struct {
	session *ownSession
	target  *ownTarget
	entry   uint32
	matcher *delta.Matcher
	sent    int64
}

func (s *ownSession) newDelta(p part, entry uint32) *deltaPart {
	d := &deltaPart{session: s, target: p.target, entry: entry}
	d.matcher = delta.New(p.size, p.signing.blocks, d)
	return d
}

func targetsOf(deltas []*deltaPart) []*ownTarget {
	var all []*ownTarget
	for _, d := range deltas {
		all = append(all, d.target)
	}
	return all
}

func (d *deltaPart) Literal(data []byte) {
	d.sent += int64(len(data))
	for piece := range slices.Chunk(data, wire.BatchSize) { // a block may be longer than an item
		d.session.add(d.target, d.entry, wire.OpData, piece)
	}
}

func (d *deltaPart) CopyBlocks(first, count uint32) {
	var run [8]byte
	binary.BigEndian.PutUint32(run[:], first)
	binary.BigEndian.PutUint32(run[4:], count)
	d.session.add(d.target, d.entry, wire.OpCopy, run[:])
}

// finishDelta ends a delta. Since checksums can be wrong the target gets the file's digest, and may
// ask for the file once more.
func (s *ownSession) finishDelta(d *deltaPart, e *entry, changed bool, digest [wire.DigestSize]byte) {
	t := d.target
	if d.matcher.Finish() {
		if !changed {
			s.repeatable(t, d.entry, sentFile{})
			s.complete(t, d.entry, wire.OpSame, digest[:], 0)
			return
		}
		d.matcher.HandOut()
	}
	s.report.sending(t.target, e.path(), e.size)
	s.repeatable(t, d.entry, sentFile{1, d.sent})
	op := byte(wire.OpEnd)
	if changed {
		op = wire.OpChanged
	}
	s.complete(t, d.entry, op, digest[:], d.sent)
}

// repeatable notes that a target may ask for a file once more, and what was counted for it.
func (s *ownSession) repeatable(t *ownTarget, entry uint32, sent sentFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.repeatable[entry] = sent
}
