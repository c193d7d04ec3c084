package rsync

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"os"
	"slices"
)

// serveJob sends a file to the targets that need it.
func (s *session) serveJob(j *job) {
	s.mu.Lock()
	e := s.entries[j.entry]
	j.parts = slices.DeleteFunc(j.parts, func(p part) bool { return p.target.ended })
	s.mu.Unlock()
	if len(j.parts) == 0 {
		return
	}
	defer s.forget(j)
	if s.dryRun && !slices.ContainsFunc(j.parts, func(p part) bool { return p.want == wantCheck }) {
		s.wouldSend(j, &e)
		return
	}
	f, info, err := s.files.open(e.dir, e.name)
	if err != nil {
		s.gone(j, &e, err)
		return
	}
	defer f.Close()
	if info.Size() <= batchSize {
		err = s.sendSmall(j, &e, f, info)
	} else {
		err = s.sendLarge(j, &e, f, info)
	}
	if err != nil {
		s.gone(j, &e, err)
	}
}

// forget drops what was kept of a job at its targets.
func (s *session) forget(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range j.parts {
		delete(p.target.digests, j.entry)
		if p.signing != nil {
			delete(p.target.signing, j.entry)
			p.target.signBytes -= blockCount(p.size) * signatureSize
		}
	}
}

// gone tells that a file cannot be sent.
func (s *session) gone(j *job, e *entry, err error) {
	s.tree.report.unreadable(e.path(), err)
	if s.dryRun {
		return
	}
	for _, p := range j.parts {
		s.complete(p.target, j.entry, opGone, []byte(err.Error()), 0)
	}
}

// wouldSend is what a dry run does instead of sending.
func (s *session) wouldSend(j *job, e *entry) {
	for _, p := range j.parts {
		s.mu.Lock()
		p.target.stats.Files++
		s.mu.Unlock()
		s.report.sending(p.target, e.path(), e.size)
	}
}

// unreadable is the digest of a file that could not be read.
var unreadable [digestSize]byte

// split separates the parts of targets that have the file's content already, and tells those so.
func (s *session) split(j *job, digest func() [digestSize]byte) {
	j.parts = slices.DeleteFunc(j.parts, func(p part) bool {
		if p.want != wantCheck {
			return false
		}
		s.mu.Lock()
		theirs := p.target.digests[j.entry].bytes
		s.mu.Unlock()
		if theirs == unreadable || theirs != digest() {
			return false
		}
		if !s.dryRun {
			s.complete(p.target, j.entry, opSame, nil, 0)
		}
		s.mu.Lock()
		delete(p.target.digests, j.entry)
		s.mu.Unlock()
		return true
	})
}

// sendSmall sends a file that is read at once.
func (s *session) sendSmall(j *job, e *entry, f *os.File, info os.FileInfo) error {
	if s.scratch == nil {
		s.scratch = make([]byte, batchSize)
	}
	n, err := io.ReadFull(f, s.scratch[:info.Size()])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	data := s.scratch[:n]
	changed := s.changedSince(e, info, int64(n))
	s.split(j, func() [digestSize]byte { return sha256.Sum256(data) })
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
		s.report.sending(p.target, e.path(), int64(n))
		if changed {
			s.add(p.target, j.entry, opData, data)
			s.complete(p.target, j.entry, opChanged, nil, int64(n))
		} else {
			s.complete(p.target, j.entry, opWhole, data, int64(n))
		}
	}
	return nil
}

// changedSince reports, and tells the program, whether a file is not as announced.
func (s *session) changedSince(e *entry, info os.FileInfo, read int64) bool {
	if read == e.size && info.Size() == e.size && nanoseconds(info.ModTime()) == e.mtime {
		return false
	}
	s.report.warn(FileError{Path: e.path(), Problem: "changed while it was sent"})
	return true
}

// sendLarge sends a file in pieces.
func (s *session) sendLarge(j *job, e *entry, f *os.File, info os.FileInfo) error {
	s.split(j, func() [digestSize]byte { return j.digest })
	if s.dryRun {
		s.wouldSend(j, e)
		return nil
	}
	if !j.again {
		s.offer(j, e, f, info)
	}
	var deltas []*deltaPart
	var whole []*target
	var sum hash.Hash
	for _, p := range j.parts {
		if p.signing != nil {
			deltas = append(deltas, s.newDelta(p, j.entry))
			sum = sha256.New()
		} else {
			whole = append(whole, p.target)
			s.report.sending(p.target, e.path(), e.size)
			s.flush(p.target)
		}
	}
	read := int64(0)
	for read < info.Size() && len(whole)+len(deltas) > 0 {
		chunk := newChunk()
		n, err := io.ReadFull(f, chunk[chunkHead:][:min(pieceSize, info.Size()-read)])
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
			s.tree.report.unreadable(e.path(), err)
			for _, t := range append(whole, targetsOf(deltas)...) {
				s.complete(t, j.entry, opGone, []byte(err.Error()), 0)
			}
			return nil
		}
		useless := func(t *target) bool { return s.hasFailed(t, j.entry) }
		whole = slices.DeleteFunc(whole, useless)
		deltas = slices.DeleteFunc(deltas, func(d *deltaPart) bool { return useless(d.target) })
	}
	if len(whole)+len(deltas) == 0 {
		return nil // nobody needs it, or the rest of it: what was not read has not changed
	}
	// It may have changed after it was opened.
	if after, err := f.Stat(); err == nil {
		info = after
	}
	changed := s.changedSince(e, info, read)
	op := byte(opEnd)
	if changed {
		op = opChanged
	}
	for _, t := range whole {
		s.complete(t, j.entry, op, nil, read)
	}
	for _, d := range deltas {
		s.finishDelta(d, e, changed, [digestSize]byte(sum.Sum(nil)))
	}
	return nil
}

// hasFailed reports whether a target has no use for the rest of a file, and ends it there.
func (s *session) hasFailed(t *target, entry uint32) bool {
	s.mu.Lock()
	_, failed := t.failed[entry]
	failed = failed || t.ended
	s.mu.Unlock()
	if failed {
		s.complete(t, entry, opGone, nil, 0)
	}
	return failed
}

// deltaPart makes a delta for one target.
type deltaPart struct {
	session *session
	target  *target
	entry   uint32
	matcher *matcher
	sent    int64
}

func (s *session) newDelta(p part, entry uint32) *deltaPart {
	d := &deltaPart{session: s, target: p.target, entry: entry}
	d.matcher = newMatcher(newBlockIndex(p.size, p.signing.blocks), d)
	return d
}

func targetsOf(deltas []*deltaPart) []*target {
	var all []*target
	for _, d := range deltas {
		all = append(all, d.target)
	}
	return all
}

func (d *deltaPart) literal(data []byte) {
	d.sent += int64(len(data))
	for piece := range slices.Chunk(data, batchSize) { // a block may be longer than an item
		d.session.add(d.target, d.entry, opData, piece)
	}
}

func (d *deltaPart) copyBlocks(first, count uint32) {
	var run [8]byte
	binary.BigEndian.PutUint32(run[:], first)
	binary.BigEndian.PutUint32(run[4:], count)
	d.session.add(d.target, d.entry, opCopy, run[:])
}

// finishDelta ends a delta.
func (s *session) finishDelta(d *deltaPart, e *entry, changed bool, digest [digestSize]byte) {
	t := d.target
	if d.matcher.finish() {
		if !changed {
			s.repeatable(t, d.entry, 0)
			s.complete(t, d.entry, opSame, digest[:], 0)
			return
		}
		d.matcher.flushRun()
	}
	s.report.sending(t, e.path(), e.size)
	s.repeatable(t, d.entry, d.sent)
	op := byte(opEnd)
	if changed {
		op = opChanged
	}
	s.complete(t, d.entry, op, digest[:], d.sent)
}

// repeatable notes that a target may ask for a file once more, for which so much was sent.
func (s *session) repeatable(t *target, entry uint32, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.repeatable[entry] = sent
}
