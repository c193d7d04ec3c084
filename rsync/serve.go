package rsync

import (
	"crypto/sha256"
	"errors"
	"io"
	"slices"
)

// job is a file that one or more targets need something of.
type job struct {
	entry  uint32
	parts  []part
	again  bool // what was tried before has failed
	hashed bool // digest is that of the file as it is here; guarded by the session's mutex
	digest [digestSize]byte
}

// part is what one target needs.
type part struct {
	target  *target
	want    byte
	size    int64    // of the file there
	signing *signing // asked for, if the target is to get a delta
}

// signaturesAhead is how many bytes of signatures a target may be asked for before they are needed.
const signaturesAhead = 8 << 20

// serve sends what the targets want until they have ended.
func (s *session) serve() {
	for k := 0; s.answered(k); k++ {
		s.serveBatch(k)
		s.serveDeferred(false)
	}
	s.serveDeferred(true)
	for _, t := range s.targets {
		s.flush(t)
		s.mu.Lock()
		if !t.ended {
			t.finishing = true
			s.push(t, &item{bytes: []byte{itemFinish}})
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
func (s *session) answered(k int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.alive() {
		waiting := k >= len(s.batches)
		if waiting && s.walked {
			return false
		}
		for _, t := range s.targets {
			waiting = waiting || !t.ended && len(t.answers) <= k
		}
		if !waiting {
			return true
		}
		s.waitIdle()
	}
	return false
}

// waitIdle waits for a change, after what is collected for the targets has been sent: they may be
// waiting for that. The caller holds the mutex, which is given up meanwhile.
func (s *session) waitIdle() {
	for _, t := range s.targets {
		if !t.ended && len(t.batch.records) > 0 {
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
func (s *session) serveBatch(k int) {
	s.mu.Lock()
	wants := make([][]want, len(s.targets))
	for i, t := range s.targets {
		if !t.ended {
			wants[i] = t.answers[k]
			t.answers[k] = nil
		}
	}
	s.mu.Unlock()
	var parts []part
	for {
		next := uint32(noEntry)
		for _, w := range wants {
			if len(w) > 0 {
				next = min(next, w[0].entry)
			}
		}
		if next == noEntry {
			return
		}
		parts = parts[:0]
		later := false
		for i, w := range wants {
			if len(w) > 0 && w[0].entry == next {
				p := part{target: s.targets[i], want: w[0].what, size: w[0].size}
				if !p.target.delta || p.size == 0 || s.size(next) < deltaFrom {
					if p.want == wantDiffers {
						p.want = wantContent
					}
				}
				later = later || p.want != wantContent
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

func (s *session) size(entry uint32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[entry].size
}

// deferJob puts a job off until the digests or signatures that it needs have come.
func (s *session) deferJob(j *job) {
	s.deferred = append(s.deferred, j)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[j.entry].size <= batchSize {
		return // hashed when it is read
	}
	if slices.ContainsFunc(j.parts, func(p part) bool { return p.want == wantCheck }) {
		s.hashing = append(s.hashing, j)
		s.changed.Broadcast()
	}
}

// serveDeferred serves the deferred jobs that are ready, in order; if wait is set, all of them.
func (s *session) serveDeferred(wait bool) {
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

// ready reports whether all has come that a job needs. The caller holds the mutex.
func (s *session) ready(j *job) bool {
	for _, p := range j.parts {
		switch {
		case p.target.ended:
		case p.want == wantCheck && !p.target.digests[j.entry].come,
			p.want == wantCheck && !j.hashed && s.entries[j.entry].size > batchSize,
			p.want == wantDiffers && !s.dryRun && (p.signing == nil || !p.signing.done):
			return false
		}
	}
	return true
}

// askForSignatures asks for those that the next jobs need. The caller holds the mutex.
func (s *session) askForSignatures() {
	if s.dryRun {
		return
	}
	var full map[*target]bool
	for n, j := range s.deferred {
		if n == 1000 || len(full) == len(s.targets) {
			return
		}
		for i := range j.parts {
			p := &j.parts[i]
			t := p.target
			if p.want != wantDiffers || p.signing != nil || t.ended || full[t] {
				continue
			}
			need := blockCount(p.size) * signatureSize
			if t.signBytes > 0 && t.signBytes+need > signaturesAhead {
				if full == nil {
					full = make(map[*target]bool)
				}
				full[t] = true
				continue
			}
			t.signBytes += need
			p.signing = &signing{size: p.size}
			t.signing[j.entry] = p.signing
			t.unsigned++
			s.push(t, &item{bytes: number(itemSign, j.entry)})
		}
	}
}

// nextAgain waits for a target that wants a file sent once more. It returns nil when all have
// ended.
func (s *session) nextAgain() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.alive() {
		for _, t := range s.targets {
			if len(t.again) > 0 && !t.ended {
				entry := t.again[0]
				t.again = t.again[1:]
				return &job{entry: entry, again: true, parts: []part{{target: t, want: wantContent}}}
			}
		}
		s.waitIdle()
	}
	return nil
}

// hash computes the digests of large files that targets have too, while those do the same.
func (s *session) hash() {
	files := opener{source: s.tree}
	defer files.close()
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
			buf = make([]byte, batchSize)
		}
		digest, err := s.digest(&files, &e, buf)
		s.mu.Lock()
		if err == nil {
			j.digest = digest
		} // otherwise nothing fits, and sending the file finds out what is wrong with it
		j.hashed = true
		s.changed.Broadcast()
	}
}

var errNobodyLeft = errors.New("no target is left")

// digest reads a whole file, unless nobody needs it any more.
func (s *session) digest(files *opener, e *entry, buf []byte) (digest [digestSize]byte, err error) {
	f, info, err := files.open(e.dir, e.name)
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
	return [digestSize]byte(sum.Sum(nil)), nil
}
