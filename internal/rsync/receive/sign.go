package receive

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// digestsPerItem is how many digests one item holds at most.
const digestsPerItem = 4096

// sendDigests sends the digests of files that are there; the digest of one that cannot be read is
// all zeros.
func (r *receiver) sendDigests(entries []uint32) error {
	for len(entries) > 0 {
		n := min(len(entries), digestsPerItem)
		item := []byte{wire.ItemDigests}
		for _, entry := range entries[:n] {
			digest := r.digest(r.wanted[entry])
			item = append(binary.BigEndian.AppendUint32(item, entry), digest[:]...)
		}
		if err := r.send(item); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// there opens a file that is there.
func (r *receiver) there(w *wanted) (f *os.File, err error) {
	err = r.entry(w, func(d *dir, name string) error {
		f, err = d.regular(name)
		return err
	})
	return f, err
}

// digest is the SHA-256 of a file that is there; all zeros if it cannot be read.
func (r *receiver) digest(w *wanted) (sum [wire.DigestSize]byte) {
	f, err := r.there(w)
	if err != nil {
		return sum
	}
	defer f.Close()
	if r.buf == nil {
		r.buf = make([]byte, wire.BatchSize)
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, r.buf); err != nil {
		return sum
	}
	h.Sum(sum[:0])
	return sum
}

// sign handles a request for signatures: it sends those of the file that is there. If the file
// cannot be read to its end, an item without signatures says that no more will come.
func (r *receiver) sign(f *wire.Fields) error {
	entry := f.U32()
	if err := f.End("a request for signatures"); err != nil {
		return err
	}
	w := r.wanted[entry]
	if w == nil || w.size < 0 || w.signed || r.dryRun || r.part != nil && r.part.entry == entry {
		return wire.Errorf("signatures of entry %d cannot be asked for", entry)
	}
	w.signed = true
	length, blocks := wire.BlockSize(w.size), wire.BlockCount(w.size)
	file, err := r.there(w)
	if err != nil {
		return r.sendSignatures(entry, 0, nil)
	}
	defer file.Close()
	block := make([]byte, min(length, max(w.size, 1)))
	var records []byte
	first := int64(0)
	for n := int64(0); n < blocks; n++ {
		part := block[:min(length, w.size-n*length)]
		if _, err := io.ReadFull(file, part); err != nil {
			if len(records) > 0 {
				if err := r.sendSignatures(entry, first, records); err != nil {
					return err
				}
			}
			return r.sendSignatures(entry, n, nil)
		}
		records = wire.Sign(part).AppendTo(records)
		if len(records) == wire.SignaturesPerItem*wire.SignatureSize || n == blocks-1 {
			if err := r.sendSignatures(entry, first, records); err != nil {
				return err
			}
			first, records = n+1, records[:0]
		}
	}
	return nil
}

func (r *receiver) sendSignatures(entry uint32, first int64, records []byte) error {
	item := binary.BigEndian.AppendUint32([]byte{wire.ItemSignatures}, entry)
	item = binary.BigEndian.AppendUint32(item, uint32(first))
	return r.send(append(item, records...))
}
