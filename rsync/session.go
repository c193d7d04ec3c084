package rsync

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// session sends a tree to targets that speak this module's protocol.
//
// One goroutine walks the tree and sends it to all targets; one for each target takes its answers;
// run itself then goes through the batches of the tree in order, when all targets have answered a
// batch, reads each file that any of them needs once, and hands it to those; one goroutine for each
// target sends what it was handed. So a slow target holds up the others when it lags by more than
// may be on its way to it, and not before.
type session struct {
	tree   *source
	report *reporter
	dryRun bool

	mu      sync.Mutex // guards what follows, and the targets
	changed sync.Cond  // anything did
	targets []*target
	entries []entry
	batches []batch // the tree items
	walked  bool    // batches are complete
	hashing []*job  // jobs whose files wait to be hashed
	closing bool    // no more jobs to hash

	// Of the goroutine of run.
	files    opener
	deferred []*job
	scratch  []byte
}

// entry is what a session remembers of one of the tree's entries.
type entry struct {
	dir, name   string
	size, mtime int64
	kind        byte
}

func (e *entry) path() string { return join(e.dir, e.name) }

// batch is the range of entries of one tree item.
type batch struct{ first, end uint32 }

// maxQueued is how many bytes wait for a target's pipe before its session waits.
const maxQueued = 1 << 20

func newSession(tree *source, targets []*target, report *reporter, dryRun bool) *session {
	s := &session{tree: tree, report: report, dryRun: dryRun, targets: targets, files: opener{source: tree}}
	s.changed.L = &s.mu
	for _, t := range targets {
		t.wake.L = &s.mu
		t.digests = make(map[uint32]*remoteDigest)
		t.signing = make(map[uint32]*signing)
		t.repeatable = make(map[uint32]int64)
		t.failed = make(map[uint32]struct{})
		t.lively = time.Now()
	}
	return s
}

// run serves the targets until each has ended. What went wrong stands in them.
func (s *session) run(ctx context.Context, stall time.Duration) {
	var running sync.WaitGroup
	for _, t := range s.targets {
		t.ctx, t.cancel = context.WithCancel(context.Background())
	}
	for _, t := range s.targets {
		running.Go(func() { s.receive(t) })
		running.Go(func() { s.deliver(t) })
	}
	walking, stop := context.WithCancel(ctx)
	running.Go(func() { s.announce(walking) })
	running.Go(s.hash)
	running.Go(func() { s.watch(ctx, walking.Done(), stall) })

	s.serve()
	s.files.close()
	stop()
	s.mu.Lock()
	s.closing = true
	s.changed.Broadcast()
	s.mu.Unlock()
	running.Wait()
}

// failAll ends all targets. The caller holds the mutex.
func (s *session) failAll(err error) {
	for _, t := range s.targets {
		t.fail(err)
	}
	s.changed.Broadcast()
}

// alive reports whether any target is left. The caller holds the mutex.
func (s *session) alive() bool {
	for _, t := range s.targets {
		if !t.ended {
			return true
		}
	}
	return false
}

// watch gives up targets that stall, and all of them when ctx ends, until the session is over.
func (s *session) watch(ctx context.Context, over <-chan struct{}, stall time.Duration) {
	tick := time.NewTicker(max(stall/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-over:
			if ctx.Err() != nil {
				s.mu.Lock()
				s.failAll(context.Cause(ctx))
				s.mu.Unlock()
			}
			return
		case now := <-tick.C:
			s.mu.Lock()
			for _, t := range s.targets {
				if !t.owes() || t.drains() {
					t.lively = now
				} else if now.Sub(t.lively) > stall {
					t.fail(&StallError{stall})
					s.changed.Broadcast()
				}
			}
			s.mu.Unlock()
		}
	}
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

// enqueue hands an item to a target's sender, when there is room; it does nothing if the target has
// ended.
func (s *session) enqueue(t *target, i *item) {
	isContent := i.bytes[0] == itemContents
	s.mu.Lock()
	defer s.mu.Unlock()
	for !t.ended && (t.queued > maxQueued || isContent && t.contents-t.acked > window-uint64(pieceSize)) {
		s.changed.Wait()
	}
	if t.ended {
		i.release()
		return
	}
	if isContent {
		t.contents += uint64(len(i.bytes)) + uint64(i.copied)
		if i.piece > 0 {
			t.arriving = append(t.arriving, arrival{at: t.contents, entry: noEntry, size: i.piece})
		}
	}
	s.push(t, i)
}

// push is enqueue without waiting. The caller holds the mutex.
func (s *session) push(t *target, i *item) {
	if t.queued == 0 {
		t.lively = time.Now()
	}
	t.queue = append(t.queue, i)
	t.queued += len(i.bytes)
	t.wake.Signal()
}

// deliver sends what is queued for a target until it ends.
func (s *session) deliver(t *target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(t.queue) == 0 && !t.ended {
			t.wake.Wait()
		}
		if t.ended {
			return
		}
		i := t.queue[0]
		t.queue = t.queue[1:]
		s.mu.Unlock()
		err := t.channel.Send(t.ctx, i.bytes)
		size := len(i.bytes)
		i.release()
		s.mu.Lock()
		if err != nil {
			// Why it cannot be sent is what receiving reports.
			return
		}
		t.queued -= size
		t.lively = time.Now()
		s.changed.Broadcast()
	}
}

// announce walks the tree and sends it.
func (s *session) announce(ctx context.Context) {
	tree := &treeItem{}
	first := uint32(0)
	flush := func() {
		if tree.entries > 0 || len(tree.bytes) > 0 {
			s.sendTree(tree.bytes, batch{first, first + uint32(tree.entries)})
			first += uint32(tree.entries)
			*tree = treeItem{}
		}
	}
	err := s.tree.walk(ctx, func(b block) error {
		s.remember(b)
		for !tree.add(&b) {
			flush()
		}
		if tree.full() {
			flush()
		}
		return ctx.Err()
	})
	if err == nil {
		flush()
	}
	s.mu.Lock()
	var events []Event
	s.walked = true
	if err != nil {
		s.failAll(err)
	}
	for _, t := range s.targets {
		events = append(events, s.listEvent(t)...)
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	for _, e := range events {
		s.report.event(e)
	}
}

func (s *session) remember(b block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.members {
		m := &b.members[i]
		s.entries = append(s.entries, entry{b.path, m.name, m.size, m.mtime, m.kind})
	}
}

// sendTree sends one tree item to all, as far as they keep up with answering.
func (s *session) sendTree(bytes []byte, b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, b)
	for _, t := range s.targets {
		for !t.ended && (t.queued > maxQueued || t.asked-len(t.answers) >= maxUnanswered) {
			s.changed.Wait()
		}
		if !t.ended {
			t.asked++
			s.push(t, &item{bytes: bytes})
		}
	}
}

// number appends an entry's number to an item.
func number(kind byte, entry uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, entry)
}
