package rsync

import (
	"crypto/sha256"
	"errors"
	"io"
	"slices"

	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/rsync/internal/source"
)

// job is a file that one or more targets need something of.
type job struct {
	entry  uint32
	parts  []part
	again  bool // a delta or a copy has failed
	hashed bool // digest was computed; guarded by the session's mutex
	digest [wire.DigestSize]byte
}

// part is what one target needs of a file.
type part struct {
	target  *ownTarget
	want    byte
	size    int64    // of the file there
	signing *signing // for a target that is to get a delta, once its signatures were asked for
}

// signaturesAhead is how many bytes of signatures a target may be asked for before they are needed.
const signaturesAhead = 8 << 20

// serve sends what the targets want until they have ended: batch by batch what they have answered,
// then what had to wait for digests or signatures, then what they ask for once more.
func (s *ownSession) serve() {
	for k := 0; s.answered(k); k++ {
		s.serveBatch(k)
		s.serveDeferred(false)
	}
	s.serveDeferred(true)
	for _, t := range s.peers {
		s.flush(t)
		s.mu.Lock()
		if t.phase != ended {
			t.phase = finishing
			t.push(&item{bytes: []byte{wire.ItemFinish}})
		}
		s.mu.Unlock()
	}
	for {
		j := s.nextAgain()
		if j == nil {
			return
		}
		s.serveJob(j)
		s.flush(j.parts[0].target)
	}
}

// answered waits until all targets have answered a batch. It reports false when there is no such
// batch.
func (s *ownSession) answered(k int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.alive() {
		waiting := k >= len(s.batches)
		if waiting && s.walked {
			return false
		}
		for _, t := range s.peers {
			waiting = waiting || t.phase != ended && len(t.answers) <= k
		}
		if !waiting {
			return true
		}
		s.waitIdle()
	}
	return false
}

// waitIdle sends what is collected for the targets, since they may be waiting for that, or waits
// for a change if there is nothing to send. The caller holds the mutex, which is released
// meanwhile.
func (s *ownSession) waitIdle() {
	for _, t := range s.peers {
		if t.phase != ended && len(t.batch.records) > 0 {
			s.mu.Unlock()
			s.flush(t)
			s.mu.Lock()
			return
		}
	}
	s.changed.Wait()
}

// serveBatch goes through the answers to a batch. What can be sent at once is; the rest is
// deferred.
func (s *ownSession) serveBatch(k int) {
	s.mu.Lock()
	wants := make([][]want, len(s.peers))
	for i, t := range s.peers {
		if t.phase != ended {
			wants[i] = t.answers[k]
			t.answers[k] = nil
		}
	}
	s.mu.Unlock()
	var parts []part
	for {
		next := uint32(wire.NoEntry)
		for _, w := range wants {
			if len(w) > 0 {
				next = min(next, w[0].entry)
			}
		}
		if next == wire.NoEntry {
			return
		}
		parts = parts[:0]
		later := false
		for i, w := range wants {
			if len(w) > 0 && w[0].entry == next {
				p := part{target: s.peers[i], want: w[0].what, size: w[0].size}
				if !p.target.delta || p.size == 0 || s.size(next) < wire.DeltaFrom {
					if p.want == wire.WantDiffers {
						p.want = wire.WantContent
					}
				}
				later = later || p.want != wire.WantContent
				parts = append(parts, p)
				wants[i] = w[1:]
			}
		}
		switch {
		case later:
			s.deferJob(&job{entry: next, parts: slices.Clone(parts)})
		default:
			s.serveJob(&job{entry: next, parts: parts})
		}
	}
}

func (s *ownSession) size(entry uint32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[entry].size
}

// deferJob puts a job off until the digests or signatures that it needs have come. The digests of a
// file here are computed meanwhile.
func (s *ownSession) deferJob(j *job) {
	s.deferred = append(s.deferred, j)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[j.entry].size <= wire.BatchSize {
		return // hashed when it is read
	}
	if slices.ContainsFunc(j.parts, func(p part) bool { return p.want == wire.WantCheck }) {
		s.hashing = append(s.hashing, j)
		s.changed.Broadcast()
	}
}

// serveDeferred serves the deferred jobs that are ready, in order; if wait is set, all of them.
func (s *ownSession) serveDeferred(wait bool) {
	for len(s.deferred) > 0 {
		s.mu.Lock()
		s.askForSignatures()
		for wait && !s.ready(s.deferred[0]) {
			s.waitIdle()
		}
		ready := s.ready(s.deferred[0])
		s.mu.Unlock()
		if !ready {
			return
		}
		s.serveJob(s.deferred[0])
		s.deferred[0] = nil
		s.deferred = s.deferred[1:]
	}
}

// ready reports whether everything that a job needs has come. The caller holds the mutex.
func (s *ownSession) ready(j *job) bool {
	for _, p := range j.parts {
		switch {
		case p.target.phase == ended:
		case p.want == wire.WantCheck && !p.target.digests[j.entry].received,
			p.want == wire.WantCheck && !j.hashed && s.entries[j.entry].size > wire.BatchSize,
			p.want == wire.WantDiffers && !s.dryRun && (p.signing == nil || !p.signing.done):
			return false
		}
	}
	return true
}

// askForSignatures asks for those that the next jobs need, as many as signaturesAhead allows. The
// caller holds the mutex.
func (s *ownSession) askForSignatures() {
	if s.dryRun {
		return
	}
	var full map[*ownTarget]bool
	for n, j := range s.deferred {
		if n == 1000 || len(full) == len(s.peers) {
			return
		}
		for i := range j.parts {
			p := &j.parts[i]
			t := p.target
			if p.want != wire.WantDiffers || p.signing != nil || t.phase == ended || full[t] {
				continue
			}
			need := wire.BlockCount(p.size) * wire.SignatureSize
			if t.signBytes > 0 && t.signBytes+need > signaturesAhead {
				if full == nil {
					full = make(map[*ownTarget]bool)
				}
				full[t] = true
				continue
			}
			t.signBytes += need
			p.signing = &signing{size: p.size}
			t.signing[j.entry] = p.signing
			t.unsigned++
			t.push(&item{bytes: wire.EntryItem(wire.ItemSign, j.entry)})
		}
	}
}

// nextAgain waits for a target that wants a file sent once more. It returns nil when all have
// ended.
func (s *ownSession) nextAgain() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.alive() {
		for _, t := range s.peers {
			if len(t.again) > 0 && t.phase != ended {
				entry := t.again[0]
				t.again = t.again[1:]
				return &job{entry: entry, again: true, parts: []part{{target: t, want: wire.WantContent}}}
			}
		}
		s.waitIdle()
	}
	return nil
}

// hash computes the digests of large files that targets have too, while those do the same.
func (s *ownSession) hash() {
	files := s.tree.Opener()
	defer files.Close()
	buf := make([]byte, 0)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.hashing) == 0 && !s.closing {
			s.changed.Wait()
		}
		if s.closing {
			return
		}
		j := s.hashing[0]
		s.hashing = s.hashing[1:]
		e := s.entries[j.entry]
		s.mu.Unlock()
		if len(buf) == 0 {
			buf = make([]byte, wire.BatchSize)
		}
		digest, err := s.digest(files, &e, buf)
		s.mu.Lock()
		if err == nil {
			j.digest = digest
		} // otherwise no digest fits, and sending the file finds out what is wrong with it
		j.hashed = true
		s.changed.Broadcast()
	}
}

var errNobodyLeft = errors.New("no target is left")

// digest reads a whole file, unless nobody needs it any more.
func (s *ownSession) digest(files *source.Opener, e *entry, buf []byte) (digest [wire.DigestSize]byte, err error) {
	f, info, err := files.Open(e.dir, e.name)
	if err != nil {
		return digest, err
	}
	defer f.Close()
	sum := sha256.New()
	for left := info.Size(); left > 0; {
		n, err := f.Read(buf[:min(left, int64(len(buf)))])
		sum.Write(buf[:n])
		left -= int64(n)
		if err != nil && (err != io.EOF || left > 0) {
			return digest, err
		}
		s.mu.Lock()
		over := s.closing || !s.alive()
		s.mu.Unlock()
		if over {
			return digest, errNobodyLeft
		}
	}
	return [wire.DigestSize]byte(sum.Sum(nil)), nil
}
