package rsync

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/rsync/internal/source"
)

// announce walks the tree and sends it to all targets.
func (s *ownSession) announce(ctx context.Context) {
	tree := &treeItem{}
	first := uint32(0)
	flush := func() {
		if tree.entries > 0 || len(tree.bytes) > 0 {
			s.sendTree(tree.bytes, batch{first, first + uint32(tree.entries)})
			first += uint32(tree.entries)
			*tree = treeItem{}
		}
	}
	err := s.tree.Walk(ctx, func(b source.Block) error {
		s.remember(b)
		for !tree.add(&b) {
			flush()
		}
		if len(tree.bytes) >= wire.TreeItemSize {
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
	for _, t := range s.peers {
		events = append(events, t.list()...)
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	s.report.events(events)
}

func (s *ownSession) remember(b source.Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Members {
		m := &b.Members[i]
		s.entries = append(s.entries, entry{b.Path, m.Name, m.Size, m.MTime, m.Kind})
	}
}

// sendTree sends one tree item to all targets. It waits for those that have not answered enough of
// the earlier ones.
func (s *ownSession) sendTree(bytes []byte, b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, b)
	for _, t := range s.peers {
		for t.phase != ended && (t.queued > maxQueued || t.asked-len(t.answers) >= wire.MaxUnanswered) {
			s.changed.Wait()
		}
		if t.phase != ended {
			t.asked++
			t.push(&item{bytes: bytes})
		}
	}
}

// treeItem collects blocks into a tree item.
type treeItem struct {
	bytes   []byte
	entries int
}

// add appends as many members of b as fit, and cuts them off b. It reports whether that was all of
// them; otherwise the item is full. A block is encoded as its head, the entries, their names and
// the targets of its links, with NUL between names and between targets.
func (i *treeItem) add(b *source.Block) (all bool) {
	if len(i.bytes) == 0 {
		i.bytes = append(i.bytes, wire.ItemTree)
	}
	n, names, targets, links := 0, 0, 0, 0 // names and targets are in bytes
	for ; n < len(b.Members); n++ {
		m := &b.Members[n]
		size := len(i.bytes) + wire.BlockHeadSize + n*wire.EntrySize + names + targets
		if size >= wire.TreeItemSize && (n > 0 || i.entries > 0) {
			break
		}
		names += len(m.Name)
		if n > 0 {
			names++
		}
		if m.IsLink() {
			targets += len(m.Target)
			if links > 0 {
				targets++
			}
			links++
		}
	}
	members := b.Members[:n]
	b.Members = b.Members[n:]
	all = len(b.Members) == 0
	if n == 0 && !all {
		return false
	}
	flags := byte(0)
	if b.Last && all {
		flags |= wire.BlockLast
	}
	if b.Incomplete {
		flags |= wire.BlockIncomplete
	}
	to := slices.Grow(i.bytes, wire.BlockHeadSize+n*wire.EntrySize+names+targets)
	to = binary.BigEndian.AppendUint32(to, b.Dir)
	to = append(to, flags)
	to = binary.BigEndian.AppendUint32(to, uint32(n))
	to = binary.BigEndian.AppendUint32(to, uint32(names))
	to = binary.BigEndian.AppendUint32(to, uint32(targets))
	for j := range members {
		m := &members[j]
		to = append(to, m.Kind)
		to = binary.BigEndian.AppendUint32(to, m.Mode)
		to = binary.BigEndian.AppendUint64(to, uint64(m.MTime))
		to = binary.BigEndian.AppendUint64(to, uint64(m.Size))
	}
	for j := range members {
		if j > 0 {
			to = append(to, 0)
		}
		to = append(to, members[j].Name...)
	}
	links = 0
	for j := range members {
		if members[j].IsLink() {
			if links > 0 {
				to = append(to, 0)
			}
			to = append(to, members[j].Target...)
			links++
		}
	}
	i.bytes = to
	i.entries += n
	return all
}
