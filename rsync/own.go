package rsync

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/rsync/internal/source"
)

// The files own*.go have the sending half of this module's own protocol, docs/protocol.md section
// 11.5.

type ownDialect struct{}

func (ownDialect) execute(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error) {
	return executeRemote(gw)
}

func (ownDialect) hello(t *target, dryRun bool) any {
	flags := uint32(0)
	if t.options.Delete {
		flags |= wire.HelloDelete
	}
	if dryRun {
		flags |= wire.HelloDryRun
	}
	if t.delta || t.near { // copying a large file on this machine is quicker than comparing it
		flags |= wire.HelloDelta
	}
	hello := binary.BigEndian.AppendUint16([]byte{wire.ItemHello}, wire.ProtocolVersion)
	return append(binary.BigEndian.AppendUint32(hello, flags), t.dest...)
}

func (ownDialect) begin(base *session) func(context.Context) {
	s := &ownSession{session: base, files: base.tree.Opener()}
	for _, t := range base.targets {
		own := &ownTarget{
			target: t, session: s,
			wake:       make(chan struct{}, 1),
			digests:    make(map[uint32]*remoteDigest),
			signing:    make(map[uint32]*signing),
			repeatable: make(map[uint32]sentFile),
			failed:     make(map[uint32]struct{}),
		}
		t.peer = own
		s.peers = append(s.peers, own)
	}
	return s.send
}

// ownSession sends a tree in this module's own protocol.
//
// One goroutine walks the tree and sends it to all targets (announce). When all targets have
// answered a batch of the tree, send goes through it in order, reads each file that any of them
// needs once, and queues it for those. One goroutine for each target sends what is queued
// (deliver). So a slow target delays the others only when it lags by more than may be on its way to
// it.
type ownSession struct {
	*session
	peers []*ownTarget // those of targets

	// The session's mutex guards what follows.
	entries []entry
	batches []batch // the tree items
	walked  bool    // batches are complete
	hashing []*job  // jobs whose files are to be hashed
	closing bool    // there will be no more of them

	// The goroutine of send alone uses what follows.
	files    *source.Opener
	deferred []*job
	scratch  []byte
}

// entry is what a session remembers of one of the tree's entries.
type entry struct {
	dir, name   string
	size, mtime int64
	kind        byte
}

func (e *entry) path() string { return paths.Join(e.dir, e.name) }

// batch is the range of entries of one tree item.
type batch struct{ first, end uint32 }

// ownTarget is a target that speaks this module's own protocol.
type ownTarget struct {
	*target
	session *ownSession
	batch   contentBatch // the goroutine of send alone uses it
	wake    chan struct{}

	// The session's mutex guards what follows.
	queue      []*item
	queued     int  // bytes in queue, and in the item that is being sent
	copies     bool // it copies large files by itself if it can read them
	asked      int  // tree items handed to queue
	answers    [][]want
	contents   uint64 // bytes of content items handed to queue, and of files to be copied
	acked      uint64
	arriving   []arrival // files and pieces on their way
	partly     int64     // bytes that it has of the file that is coming in pieces
	progress   int64     // as last reported
	digests    map[uint32]*remoteDigest
	digesting  int // digests that are to come
	signing    map[uint32]*signing
	unsigned   int                 // files whose signatures are to come
	signBytes  int64               // of the signatures that were asked for and are needed
	repeatable map[uint32]sentFile // files it may ask for once more
	again      []uint32            // those that it has asked for
	failed     map[uint32]struct{} // files that it could not write
}

// sentFile is what was counted for a file: 1 if the target is to write it, and the bytes sent.
type sentFile struct{ files, bytes int64 }

// want is a receiver's answer for one file.
type want struct {
	entry uint32
	what  byte
	size  int64 // of the file there
}

// arrival is a file, or a piece of one, that has arrived when so many bytes of contents are
// acknowledged.
type arrival struct {
	at     uint64
	entry  uint32 // wire.NoEntry for a piece
	size   int64  // what was sent
	copied int64  // or is copied there
	writes bool   // a file is written
}

// remoteDigest is the digest of a file at a target.
type remoteDigest struct {
	received bool
	bytes    [wire.DigestSize]byte
}

// signing is a file's signatures on their way.
type signing struct {
	size   int64
	blocks []wire.Signature
	done   bool
}

func (s *ownSession) send(ctx context.Context) {
	var running sync.WaitGroup
	for _, t := range s.peers {
		running.Go(func() { s.deliver(t) })
	}
	walking, stop := context.WithCancel(ctx)
	running.Go(func() { s.announce(walking) })
	running.Go(s.hash)

	s.serve()
	s.files.Close()
	stop()
	s.mu.Lock()
	s.closing = true
	s.changed.Broadcast()
	s.mu.Unlock()
	running.Wait()
}

func (t *ownTarget) owes() bool {
	return t.queued > 0 || t.asked > len(t.answers) || t.contents-t.acked >= wire.AckEvery || t.digesting > 0 ||
		t.unsigned > 0 || t.phase >= finishing
}

// item is bytes on their way to targets; several may share them.
type item struct {
	bytes  []byte
	shared *atomic.Int32 // how many have still to send it; nil for one
	copied int64         // bytes that its receiver will copy by itself: they count as sent
	piece  int64         // bytes of a file that goes on
}

// release gives the memory of a large item back when all have sent it.
func (i *item) release() {
	if i.shared != nil && i.shared.Add(-1) == 0 {
		chunks.Put(&i.bytes)
	}
}

// maxQueued is how many bytes are queued for a target before its session waits.
const maxQueued = 1 << 20

// enqueue queues an item for a target, when there is room; it does nothing if the target has ended.
func (s *ownSession) enqueue(t *ownTarget, i *item) {
	isContent := i.bytes[0] == wire.ItemContents
	s.mu.Lock()
	defer s.mu.Unlock()
	for t.phase != ended && (t.queued > maxQueued || isContent && t.contents-t.acked > wire.Window-uint64(wire.PieceSize)) {
		s.changed.Wait()
	}
	if t.phase == ended {
		i.release()
		return
	}
	if isContent {
		t.contents += uint64(len(i.bytes)) + uint64(i.copied)
		if i.piece > 0 {
			t.arriving = append(t.arriving, arrival{at: t.contents, entry: wire.NoEntry, size: i.piece})
		}
	}
	t.push(i)
}

// push is enqueue without waiting. The caller holds the mutex.
func (t *ownTarget) push(i *item) {
	if t.queued == 0 {
		t.lastSign = time.Now()
	}
	t.queue = append(t.queue, i)
	t.queued += len(i.bytes)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// deliver sends what is queued for a target until it ends.
func (s *ownSession) deliver(t *ownTarget) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t.phase != ended {
		if len(t.queue) == 0 {
			s.mu.Unlock()
			select {
			case <-t.wake:
			case <-t.ctx.Done():
			}
			s.mu.Lock()
			continue
		}
		i := t.queue[0]
		t.queue = t.queue[1:]
		s.mu.Unlock()
		err := t.channel.Send(t.ctx, i.bytes)
		size := len(i.bytes)
		i.release()
		s.mu.Lock()
		if err != nil {
			break // the goroutine that receives reports why
		}
		t.queued -= size
		t.lastSign = time.Now()
		s.changed.Broadcast()
	}
	t.queue = nil
}
