package rsync

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// receive takes what the target says until it ends.
func (s *session) receive(t *target) {
	defer t.channel.Close()
	for {
		v, err := t.channel.Receive(t.ctx)
		if err == nil {
			err = s.take(t, v)
		}
		if err != nil {
			s.endOf(t, err)
			return
		}
	}
}

// endOf is called with the reason why nothing more is received from a target.
func (s *session) endOf(t *target, err error) {
	s.mu.Lock()
	complete := t.finished && errors.Is(err, io.EOF)
	switch {
	case complete:
		err = nil
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("the receiving half ended too early: %w", io.ErrUnexpectedEOF)
	}
	complete = complete && !t.ended
	t.fail(err)
	s.changed.Broadcast()
	s.mu.Unlock()
	if complete && t.options.Finished != nil {
		s.report.call(t.options.Finished)
	}
}

// take acts on one item of a target. An error ends the target.
func (s *session) take(t *target, v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) == 0 || len(b) > maxItem {
		return broken("an item that is no byte string of 1 to %d bytes", maxItem)
	}
	s.mu.Lock()
	t.lively = time.Now()
	events, err := s.act(t, b[0], &fields{rest: b[1:]})
	s.changed.Broadcast()
	s.mu.Unlock()
	for _, e := range events {
		s.report.event(e)
	}
	return err
}

// act takes one item apart. The caller holds the mutex, and gives the program the events
// afterwards.
func (s *session) act(t *target, kind byte, f *fields) ([]Event, error) {
	if t.finished {
		return nil, broken("an item after the end")
	}
	switch kind {
	case itemWelcome:
		version, flags := f.u16(), f.u32()
		if err := f.end("hello"); err != nil {
			return nil, err
		}
		if version != protocolVersion {
			return nil, broken("version %d of the protocol", version)
		}
		t.copies = t.near && flags&welcomeHere != 0
		return nil, nil
	case itemWants:
		if err := s.takeWants(t, f); err != nil {
			return nil, err
		}
		return s.listEvent(t), nil
	case itemDigests:
		return nil, s.takeDigests(t, f)
	case itemSignatures:
		return nil, s.takeSignatures(t, f)
	case itemAgain:
		entry := f.u32()
		if err := f.end("request"); err != nil {
			return nil, err
		}
		sent, may := t.repeatable[entry]
		if !may {
			return nil, broken("a request to send entry %d again, which was sent whole or not at all", entry)
		}
		delete(t.repeatable, entry)
		t.count(-1, -sent)
		t.done -= s.entries[entry].size
		t.again = append(t.again, entry)
		return nil, nil
	case itemAck:
		return s.takeAck(t, f)
	case itemDeleted:
		var events []Event
		for _, path := range splitNUL(f.rest) {
			events = append(events, t.event(EventDelete, path, 0))
		}
		return events, nil
	case itemError:
		return s.takeError(t, f)
	case itemEnd:
		return s.takeEnd(t, f)
	}
	return nil, broken("an item of unknown kind %#x", kind)
}

// takeWants takes the answer to the next tree item.
func (s *session) takeWants(t *target, f *fields) error {
	if len(t.answers) >= t.asked {
		return broken("an answer to no question")
	}
	batch := s.batches[len(t.answers)]
	if len(f.rest)%wantSize != 0 {
		return broken("wants of a wrong length")
	}
	wants := make([]want, 0, len(f.rest)/wantSize)
	next := batch.first
	for len(f.rest) > 0 {
		w := want{f.u32(), f.u8(), int64(f.u64())}
		if w.entry < next || w.entry >= batch.end || s.entries[w.entry].kind != kindFile {
			return broken("entry %d is wanted, which is no file or was not asked about", w.entry)
		}
		next = w.entry + 1
		size := s.entries[w.entry].size
		switch w.what {
		case wantContent:
		case wantDiffers:
			if w.size < 0 || w.size > 1<<52 {
				return broken("a file of impossible size %d", uint64(w.size))
			}
		case wantCheck:
			if w.size != size {
				return broken("a digest is offered of a file of another size")
			}
			t.digests[w.entry] = &remoteDigest{}
			t.digesting++
		default:
			return broken("the unknown want %d", w.what)
		}
		t.wanted += size
		wants = append(wants, w)
	}
	t.answers = append(t.answers, wants)
	return nil
}

// listEvent is due once the target has answered all there is.
func (s *session) listEvent(t *target) []Event {
	if !s.walked || t.listed || len(t.answers) < len(s.batches) {
		return nil
	}
	t.listed = true
	return []Event{t.event(EventList, "", t.wanted)}
}

func (s *session) takeDigests(t *target, f *fields) error {
	for len(f.rest) > 0 {
		d := t.digests[f.u32()]
		digest := f.take(digestSize)
		if f.bad || d == nil || d.come {
			return broken("digests that do not fit what was announced")
		}
		d.come = true
		d.bytes = [digestSize]byte(digest)
		t.digesting--
	}
	return nil
}

func (s *session) takeSignatures(t *target, f *fields) error {
	signing := t.signing[f.u32()]
	first := f.u32()
	n := len(f.rest) / signatureSize
	if f.bad || signing == nil || signing.done || int64(first) != int64(len(signing.blocks)) ||
		len(f.rest)%signatureSize != 0 || n > signaturesPerItem || int64(len(signing.blocks)+n) > blockCount(signing.size) {
		return broken("signatures that do not fit what was asked for")
	}
	for range n {
		signing.blocks = append(signing.blocks, readSignature(f))
	}
	if n == 0 || int64(len(signing.blocks)) == blockCount(signing.size) {
		signing.done = true
		t.unsigned--
	}
	return nil
}

func (s *session) takeAck(t *target, f *fields) ([]Event, error) {
	n := f.u64()
	if err := f.end("acknowledgement"); err != nil {
		return nil, err
	}
	if n < t.acked || n > t.contents {
		return nil, broken("an acknowledgement of %d bytes after one of %d, with %d sent", n, t.acked, t.contents)
	}
	return s.arrived(t, n), nil
}

// arrived notes that the target has dealt with n bytes of contents. The caller holds the mutex.
func (s *session) arrived(t *target, n uint64) []Event {
	var events []Event
	t.acked = n
	for len(t.arriving) > 0 && t.arriving[0].at <= n {
		a := t.arriving[0]
		t.arriving = t.arriving[1:]
		if a.entry == noEntry {
			t.partly += a.size
			continue
		}
		t.partly = 0
		t.done += s.entries[a.entry].size
		if _, failed := t.failed[a.entry]; a.writes && !failed {
			t.count(1, a.size)
		}
		if s.report.callback != nil {
			events = append(events, t.event(EventAck, s.entries[a.entry].path(), a.size))
		}
	}
	copied := int64(0)
	if len(t.arriving) > 0 && t.arriving[0].copied > 0 {
		copied = max(0, t.arriving[0].copied-int64(t.arriving[0].at-n))
	}
	if progress := t.done + t.partly + copied; progress > t.progress {
		t.progress = progress
		events = append(events, t.event(EventProgress, "", progress))
	}
	return events
}

func (s *session) takeError(t *target, f *fields) ([]Event, error) {
	severity, entry := f.u8(), f.u32()
	texts := splitNUL(f.rest)
	if f.bad || len(texts) != 2 {
		return nil, broken("an error report of a wrong form")
	}
	e := FileError{Path: texts[0], Problem: printable(texts[1])}
	switch severity {
	case severityWarning:
		t.warnings = append(t.warnings, e)
		event := t.event(EventWarning, e.Path, 0)
		event.Err = &e
		return []Event{event}, nil
	case severityEntry:
		t.files = append(t.files, e)
		if entry != noEntry {
			t.failed[entry] = struct{}{}
		}
		return nil, nil
	case severityFatal:
		return nil, &e
	}
	return nil, broken("an error of unknown severity %d", severity)
}

func (s *session) takeEnd(t *target, f *fields) ([]Event, error) {
	var n [statistics]int64
	for i := range n {
		u := f.u64()
		if u > math.MaxInt64 {
			return nil, broken("impossible statistics")
		}
		n[i] = int64(u)
	}
	if err := f.end("statistics"); err != nil {
		return nil, err
	}
	if !t.finishing || len(t.again) > 0 {
		return nil, broken("the end before everything was sent")
	}
	files := n[0]
	if s.dryRun {
		files = t.stats.Files
	}
	events := s.arrived(t, t.contents)
	t.stats = Stats{files, n[1], n[2], n[3], n[4], n[5], n[6], n[7]}
	t.finished = true
	return events, nil
}

// splitNUL separates texts.
func splitNUL(b []byte) []string {
	texts := []string{}
	for start, i := 0, 0; i <= len(b); i++ {
		if i == len(b) || b[i] == 0 {
			texts = append(texts, string(b[start:i]))
			start = i + 1
		}
	}
	return texts
}
