package deploy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"sync"
	"weak"

	"github.com/go-execnet/execnet/internal/errtext"
)

// pieceSize is how many bytes of a program are compressed, and sent, at once.
const pieceSize = 128 << 10

// packing is a program in compressed pieces, each a gzip file of its own: gzip -d takes several in
// a row for one. All uploads of the program at the same time share it.
type packing struct {
	mu     sync.Mutex // guards what follows
	pieces map[int][]byte
	begun  map[int]bool // the pieces that somebody compresses, or has compressed
}

// packing returns what other uploads of the program, which run now, have compressed.
func (p *program) packing() *packing {
	p.packingMu.Lock()
	defer p.packingMu.Unlock()
	if shared := p.packed.Value(); shared != nil {
		return shared
	}
	fresh := &packing{pieces: map[int][]byte{}, begun: map[int]bool{}}
	p.packed = weak.Make(fresh)
	return fresh
}

// packer compresses a program ahead of an upload. A piece that is not compressed when its turn
// comes is sent as it is, within a gzip file. So a slow network gets compressed pieces, and one
// that takes them faster than they are compressed does not wait for that.
type packer struct {
	*packing
	running sync.WaitGroup
	// Compressed pieces and others are made by different goroutines. A writer is large.
	compress, wrap *gzip.Writer

	next    int  // the piece that the upload sends next; guarded by packing.mu
	stopped bool // guarded by packing.mu
}

// startPacker begins to compress a program, until stop.
func (p *program) startPacker() *packer {
	k := &packer{packing: p.packing(), compress: newWriter(gzip.BestSpeed), wrap: newWriter(gzip.NoCompression)}
	k.running.Go(func() {
		// The upload reads the same file, and tells what is wrong with it.
		_ = p.eachPiece(func(i int, content []byte) error { return k.pack(i, content) })
	})
	return k
}

// stop ends the compressing. It may be called again.
func (k *packer) stop() {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.running.Wait()
}

// errStopped ends a packer.
var errStopped = errors.New("stopped")

// pack compresses a piece, unless its turn is over or somebody else does it.
func (k *packer) pack(i int, content []byte) error {
	k.mu.Lock()
	begun, stopped := k.begun[i] || i < k.next, k.stopped
	if !begun && !stopped {
		k.begun[i] = true
	}
	k.mu.Unlock()
	if stopped {
		return errStopped
	}
	if begun {
		return nil
	}
	packed := gzipped(k.compress, content)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pieces[i] = packed
	return nil
}

// take returns the piece whose turn it is, as a gzip file.
func (k *packer) take(i int, content []byte) []byte {
	k.mu.Lock()
	k.next = i + 1
	packed := k.pieces[i]
	k.mu.Unlock()
	if packed == nil {
		packed = gzipped(k.wrap, content)
	}
	return packed
}

func newWriter(level int) *gzip.Writer {
	w, err := gzip.NewWriterLevel(io.Discard, level)
	if err != nil {
		panic(err) // there is no such level
	}
	return w
}

// gzipped makes a gzip file by a writer.
func gzipped(w *gzip.Writer, content []byte) []byte {
	var packed bytes.Buffer
	w.Reset(&packed)
	_, err := w.Write(content)
	if err = errors.Join(err, w.Close()); err != nil {
		panic("writing to memory failed: " + err.Error())
	}
	return packed.Bytes()
}

// eachPiece reads the program piece by piece, until use returns an error.
func (p *program) eachPiece(use func(i int, content []byte) error) error {
	file, err := p.open()
	if err != nil {
		return errtext.Wrap("reading "+p.from, err)
	}
	defer file.Close()
	content := make([]byte, pieceSize)
	for i := 0; ; i++ {
		n, err := io.ReadFull(file, content)
		if n > 0 {
			if err := use(i, content[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		default:
			return errtext.Wrap("reading "+p.from, err)
		}
	}
}
