package gatewaybase

import (
	"bufio"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
)

// reader reads a gateway's messages and dispatches them. One goroutine at a time does that: usually
// the gateway's own (run), but also a goroutine that waits for an item (wait). When a message is
// what a goroutine waited for, that goroutine probably waits for another one soon. It then reads by
// itself, so that requests and answers need no switch between goroutines.
type reader struct {
	gateway   *Gateway
	in        *bufio.Reader
	interrupt func() // interrupts a Read; nil if the pipe has no such thing

	partial messageReader // belongs to the goroutine that reads

	continuous atomic.Bool // the gateway's own goroutine has to read at all times
	inRead     atomic.Bool // a waiting goroutine is in Read, or about to be

	messages, bytes atomic.Int64 // read so far

	mu       sync.Mutex // guards what follows; locked after a core's mu, never before
	taken    bool       // some goroutine reads
	waiting  int        // goroutines that wait for what another one reads
	err      error      // why reading has ended
	times    int        // how often waiting goroutines have taken over
	sleeping bool       // run waits for wakeUp, however long that takes
	wakeUp   chan struct{}
}

// unusedFor is how long nobody reads before the gateway's own goroutine takes over again. It looks
// this often; setting a timer each time a waiting goroutine stops reading would cost more.
const unusedFor = time.Millisecond

func newReader(g *Gateway) *reader {
	r := &reader{gateway: g, in: bufio.NewReaderSize(g.io, 64<<10), taken: true, wakeUp: make(chan struct{}, 1)}
	if pipe, ok := g.io.(farend.ReadInterrupter); ok {
		r.interrupt = pipe.InterruptRead
	}
	return r
}

// run reads until the stream ends and returns why. It is called by the gateway's own goroutine.
func (r *reader) run() error {
	for {
		awaited, err := r.step()
		switch {
		case errors.Is(err, farend.ErrReadInterrupted):
			// The interruption was for a goroutine that has read before.
		case err != nil:
			r.fail(err)
			return err
		case awaited && r.release():
			if err := r.reclaim(); err != nil {
				return err
			}
		}
	}
}

// step reads one message and dispatches it. It reports whether a goroutine waits for what came.
func (r *reader) step() (awaited bool, err error) {
	if relay := r.gateway.relay.Load(); relay != nil && r.partial.have == 0 {
		if moved, err := r.move(relay); moved || err != nil {
			r.inRead.Store(false)
			return false, err
		}
	}
	m, err := r.partial.next(r.in)
	r.inRead.Store(false)
	if err != nil {
		return false, err
	}
	r.messages.Add(1)
	r.bytes.Add(int64(headerSize + len(m.payload)))
	if r.gateway.tracer != nil {
		r.gateway.trace("[receiver] received", m)
	}
	return r.gateway.dispatch(m)
}

// release lets a waiting goroutine read if exactly one waits: the one that the last message was
// for.
func (r *reader) release() bool {
	if r.interrupt == nil || r.in.Buffered() > 0 || r.continuous.Load() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting != 1 {
		return false
	}
	r.taken = false
	return true
}

// reclaim blocks until no other goroutine has read for a while, or until one has to read at once.
// Then the caller reads again. It returns why reading has ended if it has.
func (r *reader) reclaim() error {
	look := time.NewTimer(unusedFor)
	defer look.Stop()
	seen := -1
	for {
		select {
		case <-look.C:
		case <-r.wakeUp:
		}
		r.mu.Lock()
		switch {
		case r.err != nil:
			defer r.mu.Unlock()
			return r.err
		case !r.taken && (r.times == seen || r.needed()):
			defer r.mu.Unlock()
			r.taken = true
			return nil
		}
		// The goroutine that reads has done so since the last look, and perhaps goes on for long.
		// Otherwise questions and answers take turns, and to be woken by each would slow them.
		r.sleeping = r.taken && r.times == seen
		seen = r.times
		if r.sleeping {
			look.Stop()
		} else {
			look.Reset(unusedFor)
		}
		r.mu.Unlock()
	}
}

// needed reports whether somebody has to read although nobody reads for himself. The caller holds
// mu.
func (r *reader) needed() bool {
	return r.waiting > 0 || r.in.Buffered() > 0 || r.continuous.Load()
}

func (r *reader) wake() {
	select {
	case r.wakeUp <- struct{}{}:
	default:
	}
}

// wait blocks until ready reports true, and then returns nil, or until ctx ends, and then returns
// ctx's error with doing in front. Meanwhile it reads messages if no other goroutine does. The
// caller holds c.mu, under which ready runs; whoever makes ready true calls c.changed or c.wake.
func (r *reader) wait(ctx context.Context, c *core, ready func() bool, doing string) error {
	if ready() {
		return nil
	}
	c.waited++
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.changed()
		})
		defer stop()
	}
	for !ready() {
		if ctx.Err() != nil {
			return timeout.During(ctx, doing)
		}
		if r.take() {
			c.reading = true
			c.mu.Unlock()
			r.readFor(ctx, c, ready)
			c.mu.Lock()
			c.reading = false
			continue
		}
		c.receiving++
		c.change.Wait()
		c.receiving--
		r.mu.Lock()
		r.waiting--
		r.mu.Unlock()
	}
	return nil
}

// take makes the caller the goroutine that reads, if none does. Otherwise the caller counts as
// waiting, and it decreases waiting afterwards.
func (r *reader) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken || r.err != nil || r.interrupt == nil || r.continuous.Load() {
		r.waiting++
		return false
	}
	r.taken = true
	r.times++
	return true
}

// readFor reads until ready reports true, ctx ends, the stream does, or the gateway's own goroutine
// has to read. After that nobody reads.
func (r *reader) readFor(ctx context.Context, c *core, ready func() bool) {
	isReady := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return ready()
	}
	for {
		r.inRead.Store(true) // before the question, so that no change is missed
		if isReady() || ctx.Err() != nil || r.continuous.Load() {
			r.inRead.Store(false)
			break
		}
		if _, err := r.step(); err != nil && !errors.Is(err, farend.ErrReadInterrupted) {
			r.fail(err)
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = false
	if r.sleeping || r.needed() {
		r.sleeping = false
		r.wake()
	}
}

// lookAgain makes a waiting goroutine that reads ask again whether it is ready.
func (r *reader) lookAgain() {
	if r.inRead.Load() {
		r.interrupt()
	}
}

// readContinuously makes the gateway's own goroutine read at all times from now on: no goroutine
// waits for the items of a callback, and one that waits for an item must not wait for a relay.
func (r *reader) readContinuously() {
	if !r.continuous.Swap(true) {
		r.wake()
	}
}

// fail ends reading. The gateway's own goroutine then ends the gateway.
func (r *reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.wake()
}
