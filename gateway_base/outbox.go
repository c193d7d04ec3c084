package gatewaybase

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/go-execnet/execnet/internal/timeout"
)

// maxPosted bounds what waits to be written on behalf of nobody: answers to the far end's own
// messages. A far end that sends and never reads must not fill our memory with answers.
const maxPosted = 16 << 20

var errNotReading = errors.New("execnet: the far end sends but does not read")

// outbox writes frames to a pipe in the order they were handed in, whole, from any number of
// goroutines.
//
// A lone sender writes for itself, without a switch of goroutines; while it does, others queue up,
// and a goroutine that lives as long as the queue writes theirs, several in one write.
type outbox struct {
	io    IO
	spawn func(func()) // runs a function in a goroutine its gateway waits for
	bytes atomic.Int64 // written so far

	mu      sync.Mutex // guards what follows; never held during a write
	change  sync.Cond  // written, err or closing changed
	queue   []*frame
	posted  int    // bytes in queue that nobody waits for
	taken   uint64 // how many frames have been handed in; each frame's number
	written uint64 // the number of the last frame written
	writing bool   // somebody is in io.Write
	closing bool   // no more frames; close the pipe when the queue is empty
	err     error  // why nothing can be written any more
}

// frame is a message on its way out. Its first headerSize bytes are the header.
type frame struct {
	bytes  []byte
	number uint64
	posted bool
}

func newOutbox(io IO, spawn func(func())) *outbox {
	o := &outbox{io: io, spawn: spawn}
	o.change.L = &o.mu
	return o
}

// frames keeps buffers for reuse. Large items gain most from it: memory that is fresh each time
// costs more than the copy.
var frames = sync.Pool{New: func() any { return &frame{bytes: make([]byte, headerSize, 512)} }}

func newFrame() *frame { return frames.Get().(*frame) }

// maxKept is the largest buffer kept for reuse; the collector frees those that are not used for a
// while.
const maxKept = 4 << 20

func (f *frame) free() {
	if cap(f.bytes) > maxKept {
		return
	}
	f.bytes = f.bytes[:headerSize]
	f.posted = false
	frames.Put(f)
}

// send writes f and returns when it is written, or when ctx ends. After an error from ctx the frame
// is either withdrawn or, if its writing had begun, still goes out. The outbox owns f from here on.
func (o *outbox) send(ctx context.Context, f *frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admit(f); err != nil {
		return err
	}
	number := f.number
	if !o.writing && ctx.Done() == nil {
		o.write([]*frame{f})
		if len(o.queue) > 0 && o.err == nil {
			o.startFlush()
		} else {
			o.finish()
		}
		if o.written < number {
			return o.err
		}
		return nil
	}
	o.queue = append(o.queue, f)
	if !o.writing {
		o.startFlush()
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.change.Broadcast()
		})
		defer stop()
	}
	for o.written < number && o.err == nil {
		if ctx.Err() != nil {
			o.withdraw(number)
			return timeout.During(ctx, "execnet: sending")
		}
		o.change.Wait()
	}
	if o.written < number {
		return o.err
	}
	return nil
}

// post hands in f and does not wait. It is for the goroutine that reads, which must never wait for
// writing.
func (o *outbox) post(f *frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.posted+len(f.bytes) > maxPosted {
		return errNotReading
	}
	if err := o.admit(f); err != nil {
		return err
	}
	f.posted = true
	o.posted += len(f.bytes)
	o.queue = append(o.queue, f)
	if !o.writing {
		o.startFlush()
	}
	return nil
}

// close lets what is queued be written and closes the pipe for writing then. It does not wait.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || o.err != nil {
		return
	}
	o.closing = true
	if !o.writing {
		o.startFlush()
	}
}

// fail ends the outbox: nothing is written any more, and a write under way is broken off.
func (o *outbox) fail(err error) {
	o.mu.Lock()
	o.setErr(err)
	o.mu.Unlock()
	o.io.CloseWrite()
}

// admit numbers f, or tells why nothing can be sent. The caller holds mu.
func (o *outbox) admit(f *frame) error {
	if o.err != nil {
		return o.err
	}
	if o.closing {
		return ErrClosed
	}
	o.taken++
	f.number = o.taken
	return nil
}

// write writes frames, which are the oldest, and frees them. The caller holds mu, which is given up
// meanwhile.
func (o *outbox) write(batch []*frame) {
	o.writing = true
	o.mu.Unlock()
	last := batch[len(batch)-1].number
	var err error
	if len(batch) == 1 {
		err = o.put(batch[0].bytes)
	} else {
		err = o.writeJoined(batch)
	}
	posted := 0
	for _, f := range batch {
		if f.posted {
			posted += len(f.bytes)
		}
		f.free()
	}
	o.mu.Lock()
	o.writing = false
	o.posted -= posted
	if err != nil {
		o.setErr(err)
	} else {
		o.written = last
	}
	o.change.Broadcast()
}

// putPiece is how much is written at once, so that it can be seen how far a large frame has got on
// a slow way. It is what a pipe to a process holds.
const putPiece = 256 << 10

func (o *outbox) put(b []byte) error {
	for len(b) > 0 {
		n, err := o.io.Write(b[:min(len(b), putPiece)])
		o.bytes.Add(int64(n))
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// joinUpTo is how much is gathered into one write: what a pipe takes at once.
const joinUpTo = 64 << 10

func (o *outbox) writeJoined(batch []*frame) error {
	joined := make([]byte, 0, joinUpTo)
	for i, f := range batch {
		joined = append(joined, f.bytes...)
		if i == len(batch)-1 || len(joined)+len(batch[i+1].bytes) > joinUpTo {
			if err := o.put(joined); err != nil {
				return err
			}
			joined = joined[:0]
		}
	}
	return nil
}

// startFlush starts the goroutine that writes the queue. The caller holds mu and has seen that
// nobody writes.
func (o *outbox) startFlush() {
	o.writing = true
	o.spawn(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.writing = false
		for len(o.queue) > 0 && o.err == nil {
			batch := o.queue
			o.queue = nil
			o.write(batch)
		}
		o.finish()
	})
}

// finish closes the pipe if that was asked for and everything is written. The caller holds mu.
func (o *outbox) finish() {
	if o.closing && !o.writing && len(o.queue) == 0 && o.err == nil {
		o.setErr(ErrClosed)
		o.io.CloseWrite()
	}
}

// withdraw takes a frame whose writing has not begun out of the queue. The caller holds mu.
func (o *outbox) withdraw(number uint64) {
	for i, f := range o.queue {
		if f.number == number {
			o.queue = append(o.queue[:i:i], o.queue[i+1:]...)
			f.free()
			return
		}
	}
}

// setErr records the first error and wakes who waits. The caller holds mu.
func (o *outbox) setErr(err error) {
	if o.err == nil {
		o.err = err
		o.queue = nil
		o.posted = 0
		o.change.Broadcast()
	}
}
