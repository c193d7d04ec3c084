package gatewaybase

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/internal/uncleared"
)

// maxPosted bounds the memory for answers that wait to be written. A far end that sends and never
// reads must not fill this program's memory with answers.
const maxPosted = 16 << 20

// frameCost is how much memory a posted frame takes besides its bytes.
const frameCost = 128

var errNotReading = errors.New("execnet: the far end sends but does not read")

// outbox writes frames to a pipe: each one whole, in the order in which they were handed in, from
// any number of goroutines.
//
// A goroutine that sends while nobody else does writes its frame itself, which saves a switch
// between goroutines. So does one that must not wait, as far as the pipe takes the frame at once.
// What others send meanwhile is queued. A goroutine that lives as long as the queue is not empty
// then writes it, several frames in one write.
type outbox struct {
	io        IO
	interrupt func()           // interrupts a Write; nil if the pipe has no such thing
	now       func([]byte) int // writes without waiting; nil if the pipe has no such thing
	spawn     func(func())     // runs a function in a goroutine that the gateway waits for
	bytes     atomic.Int64     // written so far

	mu      sync.Mutex // guards what follows; never held during a write that may wait
	change  sync.Cond  // written, err or closing has changed
	queue   []*frame
	posted  int    // memory of the frames in queue that nobody waits for
	taken   uint64 // how many frames have been handed in, and so the number of the latest
	written uint64 // the number of the last frame that was written
	writing bool   // a goroutine is in io.Write
	closing bool   // no more frames are taken; the pipe is closed when the queue is empty
	err     error  // why nothing can be written any more

	// The context whose end interrupts writes is that of the latest direct send. It stays watched
	// for the next one, which probably has the same: to watch it anew costs a microsecond.
	watched <-chan struct{}
	unwatch func() bool
}

// frame is a message to be written. Its first headerSize bytes are the header.
type frame struct {
	bytes  []byte
	sent   int // how many of them have been written
	number uint64
	posted bool
	of     *core  // whose item it is, if that counts for a window
	rest   []byte // if not nil, what belongs into bytes at split, in the sender's own memory
	split  int
	passed bool // it was read as it is, by a messageReader
}

func newOutbox(io IO, spawn func(func())) *outbox {
	o := &outbox{io: io, spawn: spawn}
	if writer, ok := io.(farend.WriteInterrupter); ok {
		o.interrupt = writer.InterruptWrite
	}
	if writer, ok := io.(farend.ImmediateWriter); ok {
		o.now = writer.WriteNow
	}
	o.change.L = &o.mu
	return o
}

// frames keeps buffers for reuse. Large items gain most: fresh memory costs more than the copy.
var frames = sync.Pool{New: func() any { return &frame{bytes: make([]byte, headerSize, 512)} }}

func newFrame() *frame { return frames.Get().(*frame) }

// largeBytes is the size from which on a bytes item is written from where it is, and edgeBytes how
// much of its beginning and of its end is copied all the same: a write of a few bytes more would
// wake the far end for nothing.
const (
	largeBytes = 128 << 10
	edgeBytes  = 16 << 10
)

// putBytes makes f the frame of a bytes item, which must not change until f is written or owns it.
func (f *frame) putBytes(item []byte) {
	f.bytes = append(appendNumber(f.bytes, 'A', int32(len(item))), item[:edgeBytes]...)
	f.split, f.rest = len(f.bytes), item[edgeBytes:len(item)-edgeBytes]
	f.bytes = append(append(f.bytes, item[len(item)-edgeBytes:]...), 'Q')
}

// own copies what f has of the sender's memory.
func (f *frame) own() {
	if f.rest != nil {
		f.bytes = slices.Insert(f.bytes, f.split, f.rest...)
		f.rest = nil
	}
}

// size is how many bytes f has on the wire.
func (f *frame) size() int { return len(f.bytes) + len(f.rest) }

// maxKept is the largest buffer that is kept for reuse. The collector frees those that are not used
// for a while.
const maxKept = 4 << 20

func (f *frame) free() {
	f.of, f.rest = nil, nil
	switch {
	case f.passed:
		uncleared.GiveBack(f.bytes)
	case cap(f.bytes) > maxKept:
	case !f.posted: // a posted frame has no room to spare
		f.bytes = f.bytes[:headerSize]
		f.sent = 0
		frames.Put(f)
	}
}

// withdrawn is free for a frame of which nothing was written.
func (f *frame) withdrawn() {
	if f.of != nil {
		f.of.unsent(f.size() - headerSize)
	}
	f.free()
}

// send writes f and returns when it is written, or when ctx ends. After an error from ctx the frame
// is withdrawn; if writing it had begun, the rest of it still goes out. The outbox owns f from here
// on.
func (o *outbox) send(ctx context.Context, f *frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admit(f); err != nil {
		return err
	}
	if !o.writing && (ctx.Done() == nil || o.interrupt != nil) {
		return o.sendDirectly(ctx, f)
	}
	number := f.number
	f.own() // this call may return before f is written
	o.queue = append(o.queue, f)
	o.flush()
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
			return timeout.During(ctx, "sending")
		}
		o.change.Wait()
	}
	if o.written < number {
		return o.err
	}
	return nil
}

// sendDirectly writes f in the caller's goroutine. The caller holds mu and has seen that nobody
// writes; mu is unlocked during the write.
func (o *outbox) sendDirectly(ctx context.Context, f *frame) error {
	if ctx.Done() != nil {
		if ctx.Err() != nil {
			f.withdrawn()
			return timeout.During(ctx, "sending")
		}
		o.watch(ctx)
	}
	number := f.number
	o.write(ctx, []*frame{f})
	if len(o.queue) > 0 && o.err == nil {
		o.flush()
	} else {
		o.finish()
	}
	switch {
	case o.written >= number:
		return nil
	case o.err != nil:
		return o.err
	}
	return timeout.During(ctx, "sending")
}

// full reports whether the answers that wait to be written take as much memory as they may. Then
// the far end does not read, and the goroutine that reads must not act on what it sends.
func (o *outbox) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.posted > maxPosted
}

// waitForRoom blocks while the frames that wait to be written take as much memory as they may, but
// not longer than limit. It reports whether there is room, or nothing can be written any more.
func (o *outbox) waitForRoom(limit time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.posted <= maxPosted {
		return true
	}
	o.waitFor(limit, func() bool { return o.posted <= maxPosted })
	return o.posted <= maxPosted || o.err != nil
}

// waitFor waits until ready reports true or nothing can be written any more, but not longer than
// limit. The caller holds mu, under which ready runs.
func (o *outbox) waitFor(limit time.Duration, ready func() bool) {
	over := false
	timer := time.AfterFunc(limit, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		over = true
		o.change.Broadcast()
	})
	defer timer.Stop()
	for !ready() && o.err == nil && !over {
		o.change.Wait()
	}
}

// watch makes the end of ctx interrupt writes. The caller holds mu.
func (o *outbox) watch(ctx context.Context) {
	if o.watched == ctx.Done() {
		return
	}
	if o.unwatch != nil {
		o.unwatch()
	}
	o.watched, o.unwatch = ctx.Done(), context.AfterFunc(ctx, o.interrupt)
}

// post hands in f and does not wait. It takes frames beyond maxPosted, too: a close that the
// far end is not told of leaves somebody waiting there for ever.
func (o *outbox) post(f *frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admit(f); err != nil {
		return err
	}
	f.posted = true
	if o.now != nil && !o.writing && len(o.queue) == 0 {
		f.sent = o.now(f.bytes)
		o.bytes.Add(int64(f.sent))
		if f.sent == len(f.bytes) {
			o.written = f.number
			f.free()
			return nil
		}
	}
	o.posted += len(f.bytes) + frameCost
	o.queue = append(o.queue, f)
	o.flush()
	return nil
}

// waitUntilIdle blocks until everything that was handed in is written, but not longer than limit.
// It reports whether it is, and more can be handed in.
func (o *outbox) waitUntilIdle(limit time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	idle := func() bool { return !o.writing && len(o.queue) == 0 }
	if !idle() {
		o.waitFor(limit, idle)
	}
	return idle() && o.err == nil && !o.closing
}

// postMoved is post of a frame of which a passage holds all but the first head bytes; f has room
// for them. What the pipe, whose file is to, does not take within movePatience is copied to f and
// written later.
func (o *outbox) postMoved(f *frame, head int, p *pipe.Passage, to *os.File) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admit(f); err != nil {
		return err
	}
	f.posted = true
	place := len(o.queue)
	if !o.writing && len(o.queue) == 0 && o.now != nil {
		place = 0 // what is handed in meanwhile comes behind it
		o.writing = true
		o.mu.Unlock()
		if f.sent = o.now(f.bytes[:head]); f.sent == head {
			f.sent += p.Drain(to, movePatience)
		}
		o.bytes.Add(int64(f.sent))
		o.mu.Lock()
		o.writing = false
	}
	if f.sent == len(f.bytes) {
		o.written = f.number
		f.free()
		o.change.Broadcast()
	} else {
		p.Take(f.bytes[max(head, f.sent):])
		o.posted += len(f.bytes) + frameCost
		o.queue = slices.Insert(o.queue, place, f)
	}
	if len(o.queue) > 0 {
		o.flush()
	} else {
		o.finish()
	}
	return nil
}

// close closes the pipe for writing once everything in the queue is written. It does not wait.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || o.err != nil {
		return
	}
	o.closing = true
	o.flush()
}

// closePatience is how long a far end that is to end may take nothing of what is written.
const closePatience = 10 * time.Second

// closeEvenSo closes the pipe, which close is to close, also if the far end takes nothing of what
// is still to be written: it has stopped, or waits itself, and will not come to what asks it to
// end. It does not wait.
func (o *outbox) closeEvenSo() { o.closeUnlessMore(-1) }

func (o *outbox) closeUnlessMore(before int64) {
	now := o.bytes.Load()
	if now == before {
		o.fail(ErrClosed)
		return
	}
	time.AfterFunc(closePatience, func() {
		o.mu.Lock()
		over := o.err != nil
		o.mu.Unlock()
		if !over {
			o.closeUnlessMore(now)
		}
	})
}

// fail ends the outbox with err: nothing more is written, and a write under way is interrupted.
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

// write writes frames, which are the oldest, and frees them. If ctx ends while the only frame of a
// batch is written, the rest of it goes back to the front of the queue. The caller holds mu, which
// is unlocked during the write.
func (o *outbox) write(ctx context.Context, batch []*frame) {
	o.writing = true
	o.mu.Unlock()
	last := batch[len(batch)-1].number
	var err error
	if len(batch) == 1 {
		err = o.putFrame(ctx, batch[0])
	} else {
		_, err = o.put(ctx, join(batch))
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, farend.ErrWriteInterrupted) {
		o.mu.Lock()
		o.writing = false
		if f := batch[0]; f.sent > 0 {
			f.own()
			o.queue = slices.Insert(o.queue, 0, f)
		} else {
			f.withdrawn()
		}
		return
	}
	posted := 0
	for _, f := range batch {
		if f.posted {
			posted += len(f.bytes) + frameCost
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

// pieceSize is how many bytes one Write takes. It is what a pipe to a process holds, and lets
// Gateway.Stats tell how far a large frame has got on a slow network.
const pieceSize = 256 << 10

// putFrame writes what of f is not written yet.
func (o *outbox) putFrame(ctx context.Context, f *frame) error {
	parts := [][]byte{f.bytes[f.sent:]}
	if f.rest != nil { // nothing of it is written
		parts = [][]byte{f.bytes[:f.split], f.rest, f.bytes[f.split:]}
	}
	for _, part := range parts {
		n, err := o.put(ctx, part)
		f.sent += n
		if err != nil {
			return err
		}
	}
	return nil
}

// put writes b, and returns how many bytes were written. It returns ErrWriteInterrupted once ctx
// has ended; an interruption for the context of an earlier write does not count.
func (o *outbox) put(ctx context.Context, b []byte) (written int, err error) {
	for written < len(b) {
		n, err := o.io.Write(b[written:min(len(b), written+pieceSize)])
		written += n
		o.bytes.Add(int64(n))
		if err != nil && (ctx.Err() != nil || !errors.Is(err, farend.ErrWriteInterrupted)) {
			return written, err
		}
	}
	return written, nil
}

// joinedSize is how many bytes of several frames are gathered into one Write: what a pipe takes at
// once.
const joinedSize = 64 << 10

// nextBatch takes the oldest frames that fit into one Write out of the queue, at least one. The
// caller holds mu.
func (o *outbox) nextBatch() []*frame {
	n, size := 1, len(o.queue[0].bytes)
	for n < len(o.queue) && size+len(o.queue[n].bytes) <= joinedSize {
		size += len(o.queue[n].bytes)
		n++
	}
	batch := o.queue[:n:n]
	if o.queue = o.queue[n:]; len(o.queue) == 0 {
		o.queue = nil
	}
	return batch
}

// join puts the bytes of several frames together.
func join(batch []*frame) []byte {
	joined := make([]byte, 0, joinedSize)
	for _, f := range batch {
		joined = append(joined, f.bytes[f.sent:]...)
	}
	return joined
}

// flush starts the goroutine that writes the queue, unless somebody writes. The caller holds mu.
func (o *outbox) flush() {
	if o.writing {
		return
	}
	o.writing = true
	o.spawn(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.writing = false
		for len(o.queue) > 0 && o.err == nil {
			o.write(context.Background(), o.nextBatch())
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

// withdraw removes a frame from the queue, unless writing it has begun. The caller holds mu.
func (o *outbox) withdraw(number uint64) {
	for i, f := range o.queue {
		if f.number == number && f.sent == 0 {
			o.queue = slices.Delete(o.queue, i, i+1)
			f.withdrawn()
			return
		}
	}
}

// setErr records the first error and wakes the goroutines that wait. The caller holds mu.
func (o *outbox) setErr(err error) {
	if o.err == nil {
		o.err = err
		o.queue = nil
		o.posted = 0
		if o.unwatch != nil {
			o.unwatch()
		}
		o.change.Broadcast()
	}
}
