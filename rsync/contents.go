package rsync

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// chunks are the buffers of large content items: head, one record, and pieceSize bytes of a file.
var chunks = sync.Pool{New: func() any {
	b := make([]byte, chunkHead+pieceSize)
	return &b
}}

const chunkHead = contentHead + contentRecord

// newChunk is a buffer to read a piece of a file into, from chunkHead on.
func newChunk() []byte {
	b := *chunks.Get().(*[]byte)
	return b[:chunkHead+pieceSize]
}

// chunkItem makes a content item of a chunk with n bytes of an entry in it, for so many targets.
func chunkItem(chunk []byte, entry uint32, n, targets int) *item {
	b := chunk[:chunkHead+n]
	b[0] = itemContents
	binary.BigEndian.PutUint32(b[1:], 1)
	putRecord(b[contentHead:], entry, opData, n)
	i := &item{bytes: b, shared: new(atomic.Int32), piece: int64(n)}
	i.shared.Store(int32(targets))
	return i
}

func putRecord(to []byte, entry uint32, op byte, n int) {
	binary.BigEndian.PutUint32(to, entry)
	to[4] = op
	binary.BigEndian.PutUint32(to[5:], uint32(n))
}

// contentBatch collects small contents for one target into one item.
type contentBatch struct {
	records []byte
	data    []byte
	copied  int64     // bytes of files that the receiver is to copy by itself
	files   []arrival // those it completes; at is still to be known
}

// add appends a record for a target, whose batch is sent first if the data would make it too long.
func (s *session) add(t *target, entry uint32, op byte, data []byte) {
	if len(t.batch.records) > 0 && len(t.batch.data)+len(t.batch.records)+len(data) > batchSize {
		s.flush(t)
	}
	b := &t.batch
	var record [contentRecord]byte
	putRecord(record[:], entry, op, len(data))
	b.records = append(b.records, record[:]...)
	b.data = append(b.data, data...)
}

// complete appends the record that ends an entry of which a target was sent so many bytes.
func (s *session) complete(t *target, entry uint32, op byte, data []byte, sent int64) {
	s.add(t, entry, op, data)
	writes := op != opSame && op != opGone
	t.batch.files = append(t.batch.files, arrival{entry: entry, size: sent, writes: writes})
}

// flush sends what a target's batch holds.
func (s *session) flush(t *target) {
	b := &t.batch
	if len(b.records) == 0 {
		return
	}
	bytes := make([]byte, contentHead, contentHead+len(b.records)+len(b.data))
	bytes[0] = itemContents
	binary.BigEndian.PutUint32(bytes[1:], uint32(len(b.records)/contentRecord))
	bytes = append(append(bytes, b.records...), b.data...)
	s.enqueue(t, &item{bytes: bytes, copied: b.copied})

	s.mu.Lock()
	for _, file := range b.files {
		file.at = t.contents
		t.arriving = append(t.arriving, file)
	}
	// All may be acknowledged by now.
	events := s.arrived(t, t.acked)
	s.mu.Unlock()
	for _, e := range events {
		s.report.event(e)
	}
	b.records, b.data, b.files, b.copied = b.records[:0], b.data[:0], b.files[:0], 0
}
