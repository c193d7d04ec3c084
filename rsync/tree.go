package rsync

import (
	"encoding/binary"
	"slices"
)

// treeItem collects blocks into tree items.
type treeItem struct {
	bytes   []byte
	entries int
}

// add appends as many members of b as fit, and cuts them off b. It reports whether that was all of
// them; otherwise the item is full.
func (i *treeItem) add(b *block) (all bool) {
	if len(i.bytes) == 0 {
		i.bytes = append(i.bytes, itemTree)
	}
	n, names, targets, links := 0, 0, 0, 0
	for ; n < len(b.members); n++ {
		m := &b.members[n]
		size := len(i.bytes) + blockHeadSize + n*entrySize + names + targets
		if size >= treeItemSize && (n > 0 || i.entries > 0) {
			break
		}
		names += len(m.name)
		if n > 0 {
			names++
		}
		if m.isLink() {
			targets += len(m.target)
			if links > 0 {
				targets++
			}
			links++
		}
	}
	members := b.members[:n]
	b.members = b.members[n:]
	all = len(b.members) == 0
	if n == 0 && !all {
		return false
	}
	flags := byte(0)
	if b.last && all {
		flags |= blockLast
	}
	if b.incomplete {
		flags |= blockIncomplete
	}
	to := slices.Grow(i.bytes, blockHeadSize+n*entrySize+names+targets)
	to = binary.BigEndian.AppendUint32(to, b.dir)
	to = append(to, flags)
	to = binary.BigEndian.AppendUint32(to, uint32(n))
	to = binary.BigEndian.AppendUint32(to, uint32(names))
	to = binary.BigEndian.AppendUint32(to, uint32(targets))
	for j := range members {
		m := &members[j]
		to = append(to, m.kind)
		to = binary.BigEndian.AppendUint32(to, m.mode)
		to = binary.BigEndian.AppendUint64(to, uint64(m.mtime))
		to = binary.BigEndian.AppendUint64(to, uint64(m.size))
	}
	for j := range members {
		if j > 0 {
			to = append(to, 0)
		}
		to = append(to, members[j].name...)
	}
	links = 0
	for j := range members {
		if members[j].isLink() {
			if links > 0 {
				to = append(to, 0)
			}
			to = append(to, members[j].target...)
			links++
		}
	}
	i.bytes = to
	i.entries += n
	return all
}

// full reports whether it is time to send the item.
func (i *treeItem) full() bool { return len(i.bytes) >= treeItemSize }

func (m *found) isLink() bool { return m.kind == kindLink || m.kind == kindLinkBase }
