package rsync

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"
)

// incoming is a file that comes in pieces.
type incoming struct {
	entry  uint32
	file   *newFile
	old    *os.File  // what blocks are copied from; nil if it cannot be read
	digest hash.Hash // nil unless signatures were asked for
}

// regularMode marks a mode as that of a file: commit takes a mode of 0 for none.
const regularMode = 0o100000

// contents takes a C item: the records, then their data.
func (r *receiver) contents(f *fields, size int) error {
	count := f.u32()
	if count > maxItem {
		return broken("contents of a wrong length")
	}
	table := &fields{rest: f.take(int(count) * contentRecord)}
	if r.dryRun {
		return broken("contents in a dry run")
	}
	for range count {
		entry, op, length := table.u32(), table.u8(), table.u32()
		if table.bad || length > maxItem {
			return broken("contents of a wrong length")
		}
		data := f.take(int(length))
		if f.bad {
			return broken("contents of a wrong length")
		}
		if err := r.content(entry, op, data); err != nil {
			return err
		}
	}
	if err := f.end("contents"); err != nil {
		return err
	}
	r.dealt += uint64(size)
	if r.dealt-r.told.Load() >= ackEvery/2 {
		return r.ack()
	}
	return nil
}

// content takes one record.
func (r *receiver) content(entry uint32, op byte, data []byte) error {
	if op > opHere {
		return broken("a content record of unknown kind %d", op)
	}
	finishes := op != opData && op != opCopy
	if _, failed := r.failed[entry]; failed {
		if finishes {
			delete(r.failed, entry)
			delete(r.again, entry)
		}
		return nil
	}
	w := r.wanted[entry]
	if w == nil || r.part != nil && (r.part.entry != entry || op == opWhole || op == opSame || op == opHere) {
		return broken("contents of entry %d at this point", entry)
	}
	done, err := r.apply(w, entry, op, data)
	if err != nil {
		r.discard()
		if err := r.trouble(severityEntry, entry, w.path(), err); err != nil {
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

// apply does what one record says, and tells whether the entry is finished by it.
func (r *receiver) apply(w *wanted, entry uint32, op byte, data []byte) (done bool, err error) {
	switch op {
	case opWhole:
		r.stats[statReceived] += uint64(len(data))
		return true, r.whole(w, data)
	case opSame:
		return r.same(w, entry, data)
	case opGone:
		r.discard()
		return true, nil
	case opHere:
		return r.here(w, entry, data)
	}
	if r.part == nil {
		if err := r.begin(w, entry); err != nil {
			return false, err
		}
	}
	switch op {
	case opData:
		r.stats[statReceived] += uint64(len(data))
		return false, r.part.write(data)
	case opCopy:
		return false, r.copyBlocks(w, data)
	}
	return r.end(w, data)
}

func (r *receiver) whole(w *wanted, data []byte) error {
	d, name, err := r.at(w)
	if err != nil {
		return err
	}
	return r.written(d.write(name, data, w.mode|regularMode, time.Unix(0, w.mtime)))
}

func (r *receiver) commit(f *newFile, w *wanted) error {
	return r.written(f.commit(w.mode|regularMode, time.Unix(0, w.mtime)))
}

// written counts a file unless writing it has failed.
func (r *receiver) written(err error) error {
	if err == nil {
		r.stats[statWritten]++
	}
	return err
}

func (r *receiver) same(w *wanted, entry uint32, digest []byte) (done bool, err error) {
	if w.size < 0 || !w.signed && len(digest) > 0 || w.signed && len(digest) != digestSize {
		return false, broken("a file of which nothing is there called the same, or with a digest that was not wanted, or without one")
	}
	if w.signed && r.digest(w) != [digestSize]byte(digest) {
		return false, r.askAgain(w, entry)
	}
	d, name, err := r.at(w)
	if err != nil {
		return false, err
	}
	info, err := d.lstat(name)
	if err != nil {
		return false, err
	}
	if info == nil || !info.Mode().IsRegular() {
		return false, pathError("cannot find", d.full(name), fs.ErrNotExist)
	}
	if err := d.touch(name, info, w.mode, w.mtime); err != nil {
		return false, err
	}
	r.stats[statTouched]++
	return true, nil
}

func (r *receiver) begin(w *wanted, entry uint32) error {
	d, name, err := r.at(w)
	if err != nil {
		return err
	}
	p := &incoming{entry: entry}
	if p.file, err = d.create(name); err != nil {
		return err
	}
	// The directories that are open change with what else comes meanwhile.
	if p.file.dir, err = d.clone(); err != nil {
		p.file.discard()
		return err
	}
	if w.signed {
		p.digest = sha256.New()
		p.old, _ = d.regular(name) // without it the result is wrong, which is found at the end
	}
	r.part = p
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
		return broken("blocks of a file whose signatures were not asked for")
	}
	length, blocks := blockSize(w.size), blockCount(w.size)
	for ; len(data) > 0; data = data[8:] {
		first, number := int64(binary.BigEndian.Uint32(data)), int64(binary.BigEndian.Uint32(data[4:]))
		if number == 0 || first+number > blocks {
			return broken("blocks that the file does not have")
		}
		if r.part.old == nil {
			continue
		}
		from, to := first*length, min((first+number)*length, w.size)
		if r.buf == nil {
			r.buf = make([]byte, batchSize)
		}
		for from < to {
			n, err := r.part.old.ReadAt(r.buf[:min(to-from, int64(len(r.buf)))], from)
			if n == 0 {
				if err == nil || err == io.EOF {
					break // it has become shorter
				}
				return err
			}
			if err := r.part.write(r.buf[:n]); err != nil {
				return err
			}
			from += int64(n)
			r.stats[statCopied] += uint64(n)
		}
	}
	return nil
}

// end completes the file that came in pieces, or asks for it again.
func (r *receiver) end(w *wanted, digest []byte) (done bool, err error) {
	p := r.part
	if p.digest == nil && len(digest) > 0 || p.digest != nil && len(digest) != digestSize {
		return false, broken("the end of a file with a digest that was not wanted, or without one")
	}
	if p.digest != nil && !bytes.Equal(p.digest.Sum(nil), digest) {
		r.discard()
		return false, r.askAgain(w, p.entry)
	}
	err = r.commit(p.file, w)
	r.discard()
	return true, err
}

// discard gives up the file that is coming in pieces, or what is left of it after commit.
func (r *receiver) discard() {
	p := r.part
	if p == nil {
		return
	}
	r.part = nil
	p.file.discard()
	p.file.dir.close()
	if p.old != nil {
		p.old.Close()
	}
}
