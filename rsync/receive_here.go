package rsync

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// here copies a file of this machine that the driver names, or asks to be sent it. Its bytes count
// as dealt with in any case.
func (r *receiver) here(w *wanted, entry uint32, data []byte) (done bool, err error) {
	f := &fields{rest: data}
	id := f.identity()
	if f.bad || id.size < 0 || len(f.rest) == 0 {
		return false, broken("a file to be copied of a wrong form")
	}
	end := r.dealt + uint64(id.size)
	err = r.copyHere(w, id, string(f.rest))
	r.dealt = end
	if errors.Is(err, errNotThatFile) {
		return false, r.askAgain(w, entry)
	}
	return err == nil, err
}

// errNotThatFile is for a file that cannot be seen from here, as another user or in a container, or
// has changed.
var errNotThatFile = errors.New("it is not the driver's file")

// copyHere makes a file of one of this machine.
func (r *receiver) copyHere(w *wanted, id identity, path string) error {
	source, err := os.OpenFile(path, readOnly, 0)
	if err != nil {
		return errNotThatFile
	}
	defer source.Close()
	if !id.isOf(source) {
		return errNotThatFile
	}
	d, name, err := r.at(w)
	if err != nil {
		return err
	}
	to, err := d.create(name)
	if err != nil {
		return err
	}
	defer to.discard()
	for left := id.size; left > 0; {
		n, err := io.CopyN(to.File, source, min(left, herePiece)) // within the kernel where that is possible
		left -= n
		r.dealt += uint64(n)
		r.stats[statReceived] += uint64(n)
		if err == io.EOF {
			return errNotThatFile // it has become shorter
		}
		if err != nil {
			return pathError("cannot write", d.full(name), err)
		}
		if !id.isOf(source) {
			return errNotThatFile
		}
		if err := r.ack(); err != nil {
			return err
		}
	}
	return r.commit(to, w)
}

// askAgain asks for a file that came to nothing to be sent whole.
func (r *receiver) askAgain(w *wanted, entry uint32) error {
	w.signed, w.size = false, -1
	r.again[entry] = struct{}{}
	return r.send(binary.BigEndian.AppendUint32([]byte{itemAgain}, entry))
}
