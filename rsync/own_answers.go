package rsync

import (
	"bytes"
	"math"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// What targets say. The methods here are called with the session's mutex held; an error ends the
// target. Nothing is believed that was not asked for: what does not fit is a *ProtocolError.

func (t *ownTarget) handle(v any) ([]Event, error) {
	b, ok := v.([]byte)
	if !ok || len(b) == 0 || len(b) > wire.MaxItem {
		return nil, wire.Errorf("an item that is no byte string of 1 to %d bytes", wire.MaxItem)
	}
	if t.phase == finished {
		return nil, wire.Errorf("an item after the end")
	}
	f := &wire.Fields{Rest: b[1:]}
	switch b[0] {
	case wire.ItemWelcome:
		return nil, t.handleWelcome(f)
	case wire.ItemWants:
		if err := t.handleWants(f); err != nil {
			return nil, err
		}
		return t.list(), nil
	case wire.ItemDigests:
		return nil, t.handleDigests(f)
	case wire.ItemSignatures:
		return nil, t.handleSignatures(f)
	case wire.ItemAgain:
		return nil, t.handleAgain(f)
	case wire.ItemAck:
		return t.handleAck(f)
	case wire.ItemDeleted:
		var events []Event
		for _, path := range bytes.Split(f.Rest, []byte{0}) {
			events = append(events, t.event(EventDelete, string(path), 0))
		}
		return events, nil
	case wire.ItemError:
		return t.handleError(f)
	case wire.ItemEnd:
		return t.handleEnd(f)
	}
	return nil, wire.Errorf("an item of unknown kind %#x", b[0])
}

func (t *ownTarget) handleWelcome(f *wire.Fields) error {
	version, flags := f.U16(), f.U32()
	if err := f.End("hello"); err != nil {
		return err
	}
	if version != wire.ProtocolVersion {
		return wire.Errorf("version %d of the protocol", version)
	}
	t.copies = t.near && flags&wire.WelcomeHere != 0
	return nil
}

// handleWants handles the answer to the next tree item: which of its files the target needs.
func (t *ownTarget) handleWants(f *wire.Fields) error {
	if len(t.answers) >= t.asked {
		return wire.Errorf("an answer to no question")
	}
	batch := t.session.batches[len(t.answers)]
	if len(f.Rest)%wire.WantSize != 0 {
		return wire.Errorf("wants of a wrong length")
	}
	wants := make([]want, 0, len(f.Rest)/wire.WantSize)
	next := batch.first
	for len(f.Rest) > 0 {
		w := want{f.U32(), f.U8(), int64(f.U64())}
		if w.entry < next || w.entry >= batch.end || t.session.entries[w.entry].kind != wire.KindFile {
			return wire.Errorf("entry %d is wanted, which is no file or was not asked about", w.entry)
		}
		next = w.entry + 1
		size := t.session.entries[w.entry].size
		switch w.what {
		case wire.WantContent:
		case wire.WantDiffers:
			if w.size < 0 || w.size > 1<<52 {
				return wire.Errorf("a file of impossible size %d", uint64(w.size))
			}
		case wire.WantCheck:
			if w.size != size {
				return wire.Errorf("a digest is offered of a file of another size")
			}
			t.digests[w.entry] = &remoteDigest{}
			t.digesting++
		default:
			return wire.Errorf("the unknown want %d", w.what)
		}
		t.wanted += size
		wants = append(wants, w)
	}
	t.answers = append(t.answers, wants)
	return nil
}

// list returns EventList once the target has answered the whole tree.
func (t *ownTarget) list() []Event {
	if t.phase != listing || !t.session.walked || len(t.answers) < len(t.session.batches) {
		return nil
	}
	t.phase = listed
	return []Event{t.event(EventList, "", t.wanted)}
}

func (t *ownTarget) handleDigests(f *wire.Fields) error {
	for len(f.Rest) > 0 {
		d := t.digests[f.U32()]
		digest := f.Bytes(wire.DigestSize)
		if f.Bad || d == nil || d.received {
			return wire.Errorf("digests that do not fit what was announced")
		}
		d.received = true
		d.bytes = [wire.DigestSize]byte(digest)
		t.digesting--
	}
	return nil
}

func (t *ownTarget) handleSignatures(f *wire.Fields) error {
	signing := t.signing[f.U32()]
	first := f.U32()
	n := len(f.Rest) / wire.SignatureSize
	if f.Bad || signing == nil || signing.done || int64(first) != int64(len(signing.blocks)) ||
		len(f.Rest)%wire.SignatureSize != 0 || n > wire.SignaturesPerItem || int64(len(signing.blocks)+n) > wire.BlockCount(signing.size) {
		return wire.Errorf("signatures that do not fit what was asked for")
	}
	for range n {
		signing.blocks = append(signing.blocks, f.Signature())
	}
	if n == 0 || int64(len(signing.blocks)) == wire.BlockCount(signing.size) {
		signing.done = true
		t.unsigned--
	}
	return nil
}

// handleAgain handles a request to send a file whole, after a delta, a copy or a keeping that
// failed there.
func (t *ownTarget) handleAgain(f *wire.Fields) error {
	entry := f.U32()
	if err := f.End("request"); err != nil {
		return err
	}
	sent, may := t.repeatable[entry]
	if !may {
		return wire.Errorf("a request to send entry %d again, which was sent whole or not at all", entry)
	}
	delete(t.repeatable, entry)
	t.count(-sent.files, -sent.bytes)
	t.done -= t.session.entries[entry].size
	t.again = append(t.again, entry)
	return nil
}

func (t *ownTarget) handleAck(f *wire.Fields) ([]Event, error) {
	n := f.U64()
	if err := f.End("acknowledgement"); err != nil {
		return nil, err
	}
	if n < t.acked || n > t.contents {
		return nil, wire.Errorf("an acknowledgement of %d bytes after one of %d, with %d sent", n, t.acked, t.contents)
	}
	return t.arrived(n), nil
}

// arrived notes that the target has processed n bytes of contents.
func (t *ownTarget) arrived(n uint64) []Event {
	s := t.session
	var events []Event
	t.acked = n
	for len(t.arriving) > 0 && t.arriving[0].at <= n {
		a := t.arriving[0]
		t.arriving = t.arriving[1:]
		if a.entry == wire.NoEntry {
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
	// After a failed delta done has become less: no progress is reported until it is made up for.
	if progress := t.done + t.partly + copied; progress > t.progress {
		t.progress = progress
		events = append(events, t.event(EventProgress, "", progress))
	}
	return events
}

func (t *ownTarget) handleError(f *wire.Fields) ([]Event, error) {
	severity, entry := f.U8(), f.U32()
	texts := bytes.Split(f.Rest, []byte{0})
	if f.Bad || len(texts) != 2 {
		return nil, wire.Errorf("an error report of a wrong form")
	}
	e := &FileError{Path: string(texts[0]), Problem: paths.Printable(string(texts[1]))}
	switch severity {
	case wire.SeverityWarning:
		t.warnings = append(t.warnings, e)
		event := t.event(EventWarning, e.Path, 0)
		event.Err = e
		return []Event{event}, nil
	case wire.SeverityEntry:
		t.files = append(t.files, e)
		if entry != wire.NoEntry {
			t.failed[entry] = struct{}{}
		}
		return nil, nil
	case wire.SeverityFatal:
		return nil, e
	}
	return nil, wire.Errorf("an error of unknown severity %d", severity)
}

func (t *ownTarget) handleEnd(f *wire.Fields) ([]Event, error) {
	var n [wire.Statistics]int64
	for i := range n {
		u := f.U64()
		if u > math.MaxInt64 {
			return nil, wire.Errorf("impossible statistics")
		}
		n[i] = int64(u)
	}
	if err := f.End("statistics"); err != nil {
		return nil, err
	}
	if t.phase != finishing || len(t.again) > 0 {
		return nil, wire.Errorf("the end before everything was sent")
	}
	if t.session.dryRun {
		n[wire.StatWritten] = t.stats.Files // the target was sent nothing to write
	}
	events := t.arrived(t.contents)
	t.stats = Stats{
		Files: n[wire.StatWritten], Touched: n[wire.StatTouched], Dirs: n[wire.StatDirs], Links: n[wire.StatLinks],
		Deleted: n[wire.StatDeleted], Failed: n[wire.StatFailed], Literal: n[wire.StatReceived], Matched: n[wire.StatCopied],
	}
	t.phase = finished
	return events, nil
}
