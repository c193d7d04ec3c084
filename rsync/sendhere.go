package rsync

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
)

// identity tells a file from all others of a machine, and its content from an earlier or later one.
// A receiver that finds the same at a path sees the same file as the sender.
type identity struct {
	device, inode      uint64
	size, mtime, ctime int64 // times in nanoseconds
}

// isOf reports whether an open file is that one, and still as it was.
func (id identity) isOf(f *os.File) bool {
	is, err := identify(f)
	return err == nil && is == id
}

func (id identity) appendTo(b []byte) []byte {
	for _, n := range []uint64{id.device, id.inode, uint64(id.size), uint64(id.mtime), uint64(id.ctime)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func (f *fields) identity() identity {
	return identity{f.u64(), f.u64(), int64(f.u64()), int64(f.u64()), int64(f.u64())}
}

// offer has the targets on this machine copy a large file by themselves: that saves its way through
// a pipe. Those who cannot will ask for it once more.
func (s *session) offer(j *job, e *entry, f *os.File, info os.FileInfo) {
	if info.Size() < hereFrom || info.Size() != e.size || nanoseconds(info.ModTime()) != e.mtime {
		return
	}
	id, err := identify(f)
	if err != nil {
		return
	}
	path, err := filepath.Abs(s.tree.full(e.path()))
	if err != nil {
		return
	}
	place := append(id.appendTo(nil), path...)
	j.parts = slices.DeleteFunc(j.parts, func(p part) bool {
		t := p.target
		s.mu.Lock()
		able := t.copies && p.signing == nil
		if able {
			t.repeatable[j.entry] = e.size
		}
		s.mu.Unlock()
		if !able {
			return false
		}
		s.report.sending(t, e.path(), e.size)
		s.flush(t)
		s.complete(t, j.entry, opHere, place, e.size)
		t.batch.copied = e.size
		t.batch.files[len(t.batch.files)-1].copied = e.size
		s.flush(t) // so that its progress is told before that of the next one
		return true
	})
}
