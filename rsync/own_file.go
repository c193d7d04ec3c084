package rsync

import (
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// serveJob sends a file to the targets that need it.
func (s *ownSession) serveJob(j *job) {
	s.mu.Lock()
	e := s.entries[j.entry]
	j.parts = slices.DeleteFunc(j.parts, func(p part) bool { return p.target.phase == ended })
	s.mu.Unlock()
	if len(j.parts) == 0 {
		return
	}
	defer s.forget(j)
	if s.dryRun && !slices.ContainsFunc(j.parts, func(p part) bool { return p.want == wire.WantCheck }) {
		s.wouldSend(j, &e)
		return
	}
	f, info, err := s.files.Open(e.dir, e.name)
	if err != nil {
		s.cannotSend(j, &e, err)
		return
	}
	defer f.Close()
	if info.Size() <= wire.BatchSize {
		err = s.sendSmall(j, &e, f, info)
	} else {
		err = s.sendLarge(j, &e, f, info)
	}
	if err != nil {
		s.cannotSend(j, &e, err)
	}
}

// forget drops the digests and signatures that targets have sent for a job.
func (s *ownSession) forget(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range j.parts {
		delete(p.target.digests, j.entry)
		if p.signing != nil {
			delete(p.target.signing, j.entry)
			p.target.signBytes -= wire.BlockCount(p.size) * wire.SignatureSize
		}
	}
}

// cannotSend reports that a file of the source cannot be read, and ends it at the targets, which
// keep what they have.
func (s *ownSession) cannotSend(j *job, e *entry, err error) {
	s.report.Unreadable(e.path(), err)
	if s.dryRun {
		return
	}
	for _, p := range j.parts {
		s.complete(p.target, j.entry, wire.OpGone, []byte(err.Error()), 0)
	}
}

// wouldSend is what a dry run does instead of sending.
func (s *ownSession) wouldSend(j *job, e *entry) {
	for _, p := range j.parts {
		s.mu.Lock()
		p.target.stats.Files++
		s.mu.Unlock()
		s.report.sending(p.target.target, e.path(), e.size)
	}
}

// unreadable is the digest that a target sends of a file that it cannot read.
var unreadable [wire.DigestSize]byte

// dropSame drops the parts of targets that have the file's content already, as their digests show,
// and tells them to keep it.
func (s *ownSession) dropSame(j *job, digest func() [wire.DigestSize]byte) {
	j.parts = slices.DeleteFunc(j.parts, func(p part) bool {
		if p.want != wire.WantCheck {
			return false
		}
		s.mu.Lock()
		theirs := p.target.digests[j.entry].bytes
		s.mu.Unlock()
		if theirs == unreadable || theirs != digest() {
			return false
		}
		if !s.dryRun {
			s.repeatable(p.target, j.entry, sentFile{})
			s.complete(p.target, j.entry, wire.OpSame, nil, 0)
		}
		s.mu.Lock()
		delete(p.target.digests, j.entry)
		s.mu.Unlock()
		return true
	})
}

// sendSmall sends a file that is read at once. Several such files travel in one item.
func (s *ownSession) sendSmall(j *job, e *entry, f *os.File, info os.FileInfo) error {
	if s.scratch == nil {
		s.scratch = make([]byte, wire.BatchSize)
	}
	n, err := io.ReadFull(f, s.scratch[:info.Size()])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	data := s.scratch[:n]
	changed := s.changedSince(e, info, int64(n))
	s.dropSame(j, func() [wire.DigestSize]byte { return sha256.Sum256(data) })
	if s.dryRun {
		s.wouldSend(j, e)
		return nil
	}
	for _, p := range j.parts {
		if p.signing != nil {
			d := s.newDelta(p, j.entry)
			d.matcher.Write(data)
			s.finishDelta(d, e, changed, sha256.Sum256(data))
			continue
		}
		s.report.sending(p.target.target, e.path(), int64(n))
		if changed {
			s.add(p.target, j.entry, wire.OpData, data)
			s.complete(p.target, j.entry, wire.OpChanged, nil, int64(n))
		} else {
			s.complete(p.target, j.entry, wire.OpWhole, data, int64(n))
		}
	}
	return nil
}

// changedSince reports whether a file is not as announced, and warns of it.
func (s *ownSession) changedSince(e *entry, info os.FileInfo, read int64) bool {
	if read == e.size && info.Size() == e.size && wire.Nanoseconds(info.ModTime()) == e.mtime {
		return false
	}
	s.report.Warn(e.path(), "changed while it was sent")
	return true
}

// sendLarge sends a file in pieces. Each piece is read once and given to all targets: as one shared
// item to those that get the whole file, and to a matcher for each that gets a delta.
func (s *ownSession) sendLarge(j *job, e *entry, f *os.File, info os.FileInfo) error {
	s.dropSame(j, func() [wire.DigestSize]byte { return j.digest })
	if s.dryRun {
		s.wouldSend(j, e)
		return nil
	}
	if !j.again {
		s.offer(j, e, f, info)
	}
	var deltas []*deltaPart
	var whole []*ownTarget
	var sum hash.Hash
	for _, p := range j.parts {
		if p.signing != nil {
			deltas = append(deltas, s.newDelta(p, j.entry))
			sum = sha256.New()
		} else {
			whole = append(whole, p.target)
			s.report.sending(p.target.target, e.path(), e.size)
			s.flush(p.target)
		}
	}
	read := int64(0)
	for read < info.Size() && len(whole)+len(deltas) > 0 {
		chunk := newChunk()
		n, err := io.ReadFull(f, chunk[chunkHead:][:min(wire.PieceSize, info.Size()-read)])
		read += int64(n)
		data := chunk[chunkHead:][:n]
		for _, d := range deltas {
			d.matcher.Write(data)
		}
		if sum != nil {
			sum.Write(data)
		}
		if len(whole) > 0 && n > 0 {
			shared := chunkItem(chunk, j.entry, n, len(whole))
			for _, t := range whole {
				s.enqueue(t, shared)
			}
		} else {
			chunks.Put(&chunk)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break // it became shorter
		}
		if err != nil {
			s.report.Unreadable(e.path(), err)
			for _, t := range append(whole, targetsOf(deltas)...) {
				s.complete(t, j.entry, wire.OpGone, []byte(err.Error()), 0)
			}
			return nil
		}
		noUse := func(t *ownTarget) bool { return s.hasFailed(t, j.entry) }
		whole = slices.DeleteFunc(whole, noUse)
		deltas = slices.DeleteFunc(deltas, func(d *deltaPart) bool { return noUse(d.target) })
	}
	if len(whole)+len(deltas) == 0 {
		return nil // no target needs it, or the rest of it, so it was not read to its end
	}
	// It may have changed after it was opened.
	if after, err := f.Stat(); err == nil {
		info = after
	}
	changed := s.changedSince(e, info, read)
	op := byte(wire.OpEnd)
	if changed {
		op = wire.OpChanged
	}
	for _, t := range whole {
		s.complete(t, j.entry, op, nil, read)
	}
	for _, d := range deltas {
		s.finishDelta(d, e, changed, [wire.DigestSize]byte(sum.Sum(nil)))
	}
	return nil
}

// hasFailed reports whether a target has no use for the rest of a file, and tells it that no more
// will come.
func (s *ownSession) hasFailed(t *ownTarget, entry uint32) bool {
	s.mu.Lock()
	_, failed := t.failed[entry]
	failed = failed || t.phase == ended
	s.mu.Unlock()
	if failed {
		s.complete(t, entry, wire.OpGone, nil, 0)
	}
	return failed
}

// offer has the targets on this machine copy a large file by themselves, which saves its way
// through a pipe. A target that cannot will ask for it once more.
func (s *ownSession) offer(j *job, e *entry, f *os.File, info os.FileInfo) {
	if info.Size() < wire.HereFrom || info.Size() != e.size || wire.Nanoseconds(info.ModTime()) != e.mtime {
		return
	}
	id, err := wire.Identify(f)
	if err != nil {
		return
	}
	path, err := filepath.Abs(s.tree.Full(e.path()))
	if err != nil {
		return
	}
	place := append(id.AppendTo(nil), path...)
	j.parts = slices.DeleteFunc(j.parts, func(p part) bool {
		t := p.target
		s.mu.Lock()
		able := t.copies && p.signing == nil
		if able {
			t.repeatable[j.entry] = sentFile{1, e.size}
		}
		s.mu.Unlock()
		if !able {
			return false
		}
		s.report.sending(t.target, e.path(), e.size)
		s.flush(t)
		s.complete(t, j.entry, wire.OpHere, place, e.size)
		t.batch.copied = e.size
		t.batch.files[len(t.batch.files)-1].copied = e.size
		s.flush(t) // so that its progress is reported before that of the next file
		return true
	})
}
