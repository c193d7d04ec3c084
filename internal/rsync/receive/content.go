package receive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// incoming is a file that comes in pieces.
type incoming struct {
	entry  uint32
	file   *newFile
	old    *os.File  // what blocks are copied from; nil if it cannot be read
	digest hash.Hash // nil unless signatures were asked for
}

// regularMode marks a mode as that of a file, since a mode of 0 means none to commit.
const regularMode = 0o100000

// contents handles a contents item: the heads of all records, then their data.
func (r *receiver) contents(f *wire.Fields, size int) error {
	count := f.U32()
	if count > wire.MaxItem {
		return wire.Errorf("contents of a wrong length")
	}
	table := &wire.Fields{Rest: f.Bytes(int(count) * wire.ContentRecord)}
	if r.dryRun {
		return wire.Errorf("contents in a dry run")
	}
	for range count {
		entry, op, length := table.U32(), table.U8(), table.U32()
		if table.Bad || length > wire.MaxItem {
			return wire.Errorf("contents of a wrong length")
		}
		data := f.Bytes(int(length))
		if f.Bad {
			return wire.Errorf("contents of a wrong length")
		}
		if err := r.content(entry, op, data); err != nil {
			return err
		}
	}
	if err := f.End("contents"); err != nil {
		return err
	}
	r.processed += uint64(size)
	if r.processed-r.acked.Load() >= wire.AckEvery/2 {
		return r.ack()
	}
	return nil
}

// content handles one record. Of an entry that failed here, everything is ignored up to its end:
// the driver may have sent it before it knew.
func (r *receiver) content(entry uint32, op byte, data []byte) error {
	if op > wire.OpHere {
		return wire.Errorf("a content record of unknown kind %d", op)
	}
	finishes := op != wire.OpData && op != wire.OpCopy
	if _, failed := r.failed[entry]; failed {
		if finishes {
			delete(r.failed, entry)
			delete(r.again, entry)
		}
		return nil
	}
	w := r.wanted[entry]
	if w == nil || r.part != nil && (r.part.entry != entry || op == wire.OpWhole || op == wire.OpSame || op == wire.OpHere) {
		return wire.Errorf("contents of entry %d at this point", entry)
	}
	done, err := r.apply(w, entry, op, data)
	if err != nil {
		r.discard()
		if err := r.report(wire.SeverityEntry, entry, w.path(), err); err != nil {
			return err
		}
		done = true
		if !finishes {
			delete(r.wanted, entry)
			r.failed[entry] = struct{}{}
			return nil
		}
	}
	if done {
		delete(r.wanted, entry)
		delete(r.again, entry)
	}
	return nil
}

// apply does what one record says, and reports whether the entry is finished by it.
func (r *receiver) apply(w *wanted, entry uint32, op byte, data []byte) (done bool, err error) {
	switch op {
	case wire.OpWhole:
		r.stats[wire.StatReceived] += uint64(len(data))
		return true, r.whole(w, data)
	case wire.OpSame:
		return r.same(w, entry, data)
	case wire.OpGone:
		r.discard()
		return true, nil
	case wire.OpHere:
		return r.copyLocal(w, entry, data)
	}
	if r.part == nil {
		if err := r.begin(w, entry); err != nil {
			return false, err
		}
	}
	switch op {
	case wire.OpData:
		r.stats[wire.StatReceived] += uint64(len(data))
		return false, r.part.write(data)
	case wire.OpCopy:
		return false, r.copyBlocks(w, data)
	}
	return r.end(w, data)
}

// whole writes a file that came in one record.
func (r *receiver) whole(w *wanted, data []byte) error {
	return r.written(r.entry(w, func(d *dir, name string) error {
		return d.write(name, data, w.mode|regularMode, time.Unix(0, w.mtime))
	}))
}

func (r *receiver) commit(f *newFile, w *wanted) error {
	return r.written(f.commit(w.mode|regularMode, time.Unix(0, w.mtime)))
}

// written counts a file unless writing it has failed.
func (r *receiver) written(err error) error {
	if err == nil {
		r.stats[wire.StatWritten]++
	}
	return err
}

// same handles the message that the content here is right: only mode and time are set. If the
// driver has judged by signatures it sends a digest too, since signatures can be wrong.
func (r *receiver) same(w *wanted, entry uint32, digest []byte) (done bool, err error) {
	if w.size < 0 || !w.signed && len(digest) > 0 || w.signed && len(digest) != wire.DigestSize {
		return false, wire.Errorf("a file of which nothing is there called the same, or with a digest that was not wanted, or without one")
	}
	if w.signed && r.digest(w) != [wire.DigestSize]byte(digest) {
		return false, r.askAgain(w, entry)
	}
	changed := false
	err = r.entry(w, func(d *dir, name string) error {
		info, err := d.lstat(name)
		if changed = err == nil && !unchanged(w.info, info); changed || err != nil {
			return err
		}
		return d.touch(name, info, w.mode, w.mtime)
	})
	if changed {
		return false, r.askAgain(w, entry)
	}
	if err != nil {
		return false, err
	}
	r.stats[wire.StatTouched]++
	return true, nil
}

// create begins the file. It has a directory of its own, which is to be closed: the tree may close
// its one when something else comes meanwhile.
func (r *receiver) create(w *wanted) (file *newFile, err error) {
	err = r.entry(w, func(d *dir, name string) error {
		own, err := d.clone()
		if err != nil {
			return err
		}
		if file, err = own.create(name); err != nil {
			own.close()
		}
		return err
	})
	return file, err
}

// begin begins a file that comes in pieces.
func (r *receiver) begin(w *wanted, entry uint32) error {
	file, err := r.create(w)
	if err != nil {
		return err
	}
	r.part = &incoming{entry: entry, file: file}
	if w.signed {
		r.part.digest = sha256.New()
		// Without it the result is wrong, which is found at the end.
		r.part.old, _ = file.dir.regular(file.name)
	}
	return nil
}

func (p *incoming) write(data []byte) error {
	if p.digest != nil {
		p.digest.Write(data)
	}
	_, err := p.file.Write(data)
	return err
}

// copyBlocks takes the next bytes from the file that was there.
func (r *receiver) copyBlocks(w *wanted, data []byte) error {
	if r.part.digest == nil || len(data)%8 != 0 {
		return wire.Errorf("blocks of a file whose signatures were not asked for")
	}
	length, blocks := wire.BlockSize(w.size), wire.BlockCount(w.size)
	for ; len(data) > 0; data = data[8:] {
		first, number := int64(binary.BigEndian.Uint32(data)), int64(binary.BigEndian.Uint32(data[4:]))
		if number == 0 || first+number > blocks {
			return wire.Errorf("blocks that the file does not have")
		}
		if r.part.old == nil {
			continue
		}
		from, to := first*length, min((first+number)*length, w.size)
		if r.buf == nil {
			r.buf = make([]byte, wire.BatchSize)
		}
		for from < to {
			n, err := r.part.old.ReadAt(r.buf[:min(to-from, int64(len(r.buf)))], from)
			if n == 0 || err != nil && err != io.EOF {
				break // it has become shorter, or a directory; the digest will be wrong
			}
			if err := r.part.write(r.buf[:n]); err != nil {
				return err
			}
			from += int64(n)
			r.stats[wire.StatCopied] += uint64(n)
		}
	}
	return nil
}

// end completes the file that came in pieces, or asks for it again.
func (r *receiver) end(w *wanted, digest []byte) (done bool, err error) {
	p := r.part
	if p.digest == nil && len(digest) > 0 || p.digest != nil && len(digest) != wire.DigestSize {
		return false, wire.Errorf("the end of a file with a digest that was not wanted, or without one")
	}
	if p.digest != nil && !bytes.Equal(p.digest.Sum(nil), digest) {
		r.discard()
		return false, r.askAgain(w, p.entry)
	}
	p.closeOld() // Windows replaces no file that is open
	err = r.commit(p.file, w)
	r.discard()
	return true, err
}

func (p *incoming) closeOld() {
	if p.old != nil {
		p.old.Close()
		p.old = nil
	}
}

// discard gives up the file that is coming in pieces, or closes what is still open after commit.
func (r *receiver) discard() {
	p := r.part
	if p == nil {
		return
	}
	r.part = nil
	p.file.discard()
	p.file.dir.close()
	p.closeOld()
}

// copyLocal copies a file of this machine that the driver names, or asks the driver to send it. Its
// bytes count as processed in any case.
func (r *receiver) copyLocal(w *wanted, entry uint32, data []byte) (done bool, err error) {
	f := &wire.Fields{Rest: data}
	id := f.Identity()
	if f.Bad || id.Size < 0 || len(f.Rest) == 0 {
		return false, wire.Errorf("a file to be copied of a wrong form")
	}
	end := r.processed + uint64(id.Size)
	err = r.copyFrom(string(f.Rest), id, w)
	r.processed = end
	if errors.Is(err, errNotThatFile) {
		return false, r.askAgain(w, entry)
	}
	return err == nil, err
}

// errNotThatFile is for a file that cannot be read from here, by another user or in a container, or
// that has changed.
var errNotThatFile = errors.New("it is not the driver's file")

// copyFrom copies the file at path if it has that identity, also while it is copied.
func (r *receiver) copyFrom(path string, id wire.Identity, w *wanted) error {
	source, err := os.OpenFile(path, openToRead, 0)
	if err != nil {
		return errNotThatFile
	}
	defer source.Close()
	if !id.IsOf(source) {
		return errNotThatFile
	}
	to, err := r.create(w)
	if err != nil {
		return err
	}
	defer to.dir.close()
	defer to.discard()
	for left := id.Size; left > 0; {
		// Within the kernel where that is possible.
		n, err := io.CopyN(to.File, source, min(left, wire.HerePiece))
		left -= n
		r.processed += uint64(n)
		r.stats[wire.StatReceived] += uint64(n)
		if err == io.EOF {
			return errNotThatFile // it has become shorter
		}
		if err != nil {
			return paths.Wrap("cannot write", to.dir.full(to.name), err)
		}
		if !id.IsOf(source) {
			return errNotThatFile
		}
		if err := r.ack(); err != nil {
			return err
		}
	}
	if err = r.commit(to, w); errors.Is(err, fs.ErrNotExist) {
		return errNotThatFile // its directory has vanished; what is sent goes into a new one
	}
	return err
}

// askAgain asks the driver to send a file whole, since what came for it cannot be used.
func (r *receiver) askAgain(w *wanted, entry uint32) error {
	w.signed, w.size, w.info = false, -1, nil
	r.again[entry] = struct{}{}
	return r.send(wire.EntryItem(wire.ItemAgain, entry))
}
