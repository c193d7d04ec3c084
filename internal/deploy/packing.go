package deploy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"sync"
	"time"
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
	first  time.Time    // when the first piece had been sent; zero before that
	sent   int64        // the bytes of all pieces that were sent, by all uploads
}

const (
	// worthBelow is how many bytes a second the uploads of a program send at most, all together,
	// when compressing pays. What is faster is bounded by processors, which it would need, too.
	worthBelow = 24 << 20
	// buffered is how many bytes go out at once and say nothing of the speed, and settling how long
	// that is not known, since the far end is still starting.
	buffered = 2 << 20
	settling = 300 * time.Millisecond
	// lookAgain is how long to wait when it does not pay yet.
	lookAgain = 20 * time.Millisecond
)

// pays reports whether compressing pays. The caller holds mu.
func (k *packing) pays(now time.Time) bool {
	took := now.Sub(k.first)
	return k.sent > 0 && took >= settling && float64(k.sent-buffered) < worthBelow*took.Seconds()
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

// packer compresses a program ahead of an upload, while that pays. A piece that is not compressed
// when its turn comes is sent as it is, within a gzip file. So a slow network gets compressed
// pieces, and one that takes them faster than they are compressed does not wait for that.
type packer struct {
	*packing
	running sync.WaitGroup
	// Compressed pieces and others are made by different goroutines. A writer is large.
	compress, wrap *gzip.Writer

	next     int // the piece that the upload sends next; guarded by packing.mu
	over     chan struct{}
	stopping sync.Once // closes over
}

func newPacker(shared *packing) *packer {
	return &packer{packing: shared, compress: newWriter(gzip.BestSpeed), wrap: newWriter(gzip.NoCompression), over: make(chan struct{})}
}

// startPacker begins to compress a program, until stop.
func (p *program) startPacker() *packer {
	k := newPacker(p.packing())
	k.running.Go(func() {
		// The upload reads the same file, and tells what is wrong with it.
		_ = p.eachPiece(func(i int, content []byte) error { return k.pack(i, content) })
	})
	return k
}

// stop ends the compressing. It may be called again.
func (k *packer) stop() {
	k.stopping.Do(func() { close(k.over) })
	k.running.Wait()
}

// errStopped ends a packer.
var errStopped = errors.New("stopped")

// pack compresses a piece, unless its turn is over or somebody else does it.
func (k *packer) pack(i int, content []byte) error {
	for {
		select {
		case <-k.over:
			return errStopped
		default:
		}
		k.mu.Lock()
		begun, pays := k.begun[i] || i < k.next, k.pays(time.Now())
		if !begun && pays {
			k.begun[i] = true
		}
		k.mu.Unlock()
		if begun {
			return nil
		}
		if pays {
			break
		}
		select {
		case <-k.over:
		case <-time.After(lookAgain):
		}
	}
	packed := gzipped(k.compress, content)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pieces[i] = packed
	return nil
}

// gone notes that so many bytes of pieces were sent. Those of the first call waited for the far end
// to start, which tells nothing of the network's speed.
func (k *packing) gone(size int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.first.IsZero() {
		k.first = time.Now()
	}
	k.sent += int64(size)
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
