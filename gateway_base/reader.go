package gatewaybase

import (
	"bufio"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// reader reads a gateway's messages. One goroutine at a time has that role. It is the gateway's own
// as a rule; but when a message is what somebody waited for, that goroutine is likely to wait for
// another one soon, and then reads by itself: so requests and answers pass without a switch of
// goroutines.
type reader struct {
	gateway   *Gateway
	in        *bufio.Reader
	interrupt func() // breaks a Read off; nil if that is impossible

	// Of whoever has the role:
	partial messageReader
	found   bool // the last message was what a goroutine waits for

	restless atomic.Bool // there are callbacks: somebody reads all the time
	blocked  atomic.Bool // who leads is in Read, or about to be

	mu      sync.Mutex    // guards what follows; taken after a core's mu, never before
	taken   bool          // somebody has the role
	waiting int           // goroutines that wait for what somebody reads
	err     error         // why reading has ended
	loans   int           // how often others have had the role
	asleep  bool          // the gateway's goroutine waits for turn, whatever time it takes
	turn    chan struct{} // wakes the gateway's goroutine; holds one
}

// freeFor is how long nobody has the role, at least, before the gateway's own goroutine takes it
// again. That looks this often, as an alarm set at each return of the role would cost more than the
// return.
const freeFor = time.Millisecond

func newReader(g *Gateway) *reader {
	r := &reader{gateway: g, in: bufio.NewReaderSize(g.io, 64<<10), taken: true, turn: make(chan struct{}, 1)}
	if io, ok := g.io.(farend.ReadInterrupter); ok {
		r.interrupt = io.InterruptRead
	}
	return r
}

// run reads until the stream ends and returns why. It is the gateway's own goroutine, which has the
// role at first.
func (r *reader) run() error {
	for {
		err := r.step()
		if errors.Is(err, farend.ErrReadInterrupted) {
			continue // meant for somebody who had the role before
		}
		if err != nil {
			r.fail(err)
			return err
		}
		if r.lend() {
			if err := r.takeBack(); err != nil {
				return err
			}
		}
	}
}

// step reads one message and acts on it.
func (r *reader) step() error {
	m, err := r.partial.next(r.in)
	if err != nil {
		return err
	}
	return r.act(m)
}

// act acts on a message.
func (r *reader) act(m message) error {
	if r.gateway.tracer != nil {
		r.gateway.trace("[receiver] received", m)
	}
	r.found = false
	return r.gateway.dispatch(m)
}

// lend gives the role up for a while if the goroutine that is likely to read next has just been
// woken.
func (r *reader) lend() bool {
	if r.interrupt == nil || !r.found || r.in.Buffered() > 0 || r.restless.Load() {
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

// takeBack takes the role again when nobody else has wanted it for a while, or when it is needed at
// once; it returns why reading has ended if it has.
func (r *reader) takeBack() error {
	look := time.NewTimer(freeFor)
	defer look.Stop()
	seen := -1
	for {
		select {
		case <-look.C:
		case <-r.turn:
		}
		r.mu.Lock()
		switch {
		case r.err != nil:
			defer r.mu.Unlock()
			return r.err
		case !r.taken && (r.loans == seen || r.needed()):
			defer r.mu.Unlock()
			r.taken = true
			return nil
		}
		seen = r.loans
		r.asleep = r.taken // somebody waits, perhaps for long
		if r.asleep {
			look.Stop()
		} else {
			look.Reset(freeFor)
		}
		r.mu.Unlock()
	}
}

// needed tells whether somebody has to read who has nothing else to do. The caller holds mu, and
// nobody has the role.
func (r *reader) needed() bool { return r.waiting > 0 || r.in.Buffered() > 0 || r.restless.Load() }

// wake has the gateway's goroutine look at once.
func (r *reader) wake() {
	select {
	case r.turn <- struct{}{}:
	default:
	}
}

// takeOrWait takes the role if it is free; otherwise the caller counts as waiting until it calls
// waited.
func (r *reader) takeOrWait() (taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken || r.err != nil || r.interrupt == nil {
		r.waiting++
		return false
	}
	r.taken = true
	r.loans++
	return true
}

func (r *reader) waited() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting--
}

// lead reads on behalf of a goroutine that has taken the role until ready reports true, ctx ends,
// or the stream does. Then the role is free again. Whoever makes ready true otherwise has to call
// disturb.
func (r *reader) lead(ctx context.Context, ready func() bool) {
	for {
		r.blocked.Store(true) // before asking, so that no change is missed
		if ready() || ctx.Err() != nil {
			r.blocked.Store(false)
			break
		}
		m, err := r.partial.next(r.in)
		r.blocked.Store(false)
		if err == nil {
			err = r.act(m)
		}
		if err != nil && !errors.Is(err, farend.ErrReadInterrupted) {
			r.fail(err)
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = false
	if r.asleep || r.needed() {
		r.asleep = false
		r.wake()
	}
}

// disturb has the goroutine that leads ask again whether it is ready.
func (r *reader) disturb() {
	if r.blocked.Load() {
		r.interrupt()
	}
}

// stayAwake has somebody read all the time from now on: a callback does not wait in a goroutine
// that could.
func (r *reader) stayAwake() {
	if !r.restless.Swap(true) {
		r.wake()
	}
}

// fail ends reading, and has the gateway's goroutine draw the consequences.
func (r *reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.wake()
}
