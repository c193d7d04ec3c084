package farend

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// outletSize is how many bytes may wait in an Outlet.
	outletSize = 1 << 20
	// outletGrace is how long one Write of the writer may take at the end of a far end.
	outletGrace = 500 * time.Millisecond
)

// Outlet passes text on to a user's writer, in a goroutine of its own, so that nobody has to wait
// for a writer that is slow or takes nothing more. That goroutine lives while something waits to be
// written, and ends when the writer returns.
//
// Up to 1 MiB waits. What is left out beyond that is told by a line at the place where it is
// missing. After an error of the writer the rest is discarded. Several goroutines may use an
// Outlet.
type Outlet struct {
	to io.Writer

	mu      sync.Mutex // guards the fields below
	changed *sync.Cond // something was written, or one of the fields below was set
	queue   []byte     // what waits
	writing int        // how many bytes the goroutine has taken from the queue
	running bool       // the goroutine runs
	leftOut int64      // bytes that were left out behind the queue
	middle  bool       // the last byte that went to the writer does not end a line
	writes  int        // how many Writes have returned
	ending  bool
	hurried bool
	err     error
}

// NewOutlet returns an Outlet to a writer.
func NewOutlet(to io.Writer) *Outlet {
	o := &Outlet{to: to}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// Write passes b on. While too much waits, it waits, too, unless Hurry was called. It returns the
// writer's error once that has failed.
func (o *Outlet) Write(b []byte) (int, error) { return o.put(b, true) }

// Offer is Write that never waits.
func (o *Outlet) Offer(b []byte) { _, _ = o.put(b, false) }

func (o *Outlet) put(b []byte, patient bool) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for rest := b; len(rest) > 0; {
		room := outletSize - o.writing - len(o.queue)
		if o.leftOut > 0 {
			room = 0 // nothing follows a gap before it is told
		}
		switch {
		case o.err != nil:
			return len(b) - len(rest), o.err
		case room > 0:
			n := min(room, len(rest))
			o.queue, rest = append(o.queue, rest[:n]...), rest[n:]
		case patient && !o.hurried:
			o.changed.Wait()
		default:
			o.leftOut += int64(len(rest))
			rest = nil
		}
		if !o.running && o.err == nil {
			o.running = true
			go o.run()
		}
	}
	return len(b), nil
}

// run writes until nothing waits.
func (o *Outlet) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && (len(o.queue) > 0 || o.leftOut > 0) {
		text := o.queue
		if len(text) == 0 {
			text = o.notice()
		}
		o.queue, o.writing = nil, len(text)
		o.middle = text[len(text)-1] != '\n'
		if o.ending {
			o.limitWrite()
		}
		o.mu.Unlock()
		_, err := o.to.Write(text)
		o.mu.Lock()
		o.writing, o.err = 0, err
		o.writes++
		o.changed.Broadcast()
	}
	if o.err != nil {
		o.queue, o.leftOut = nil, 0
	}
	o.running = false
	o.changed.Broadcast()
}

// notice returns the line that tells what was left out. The caller holds mu.
func (o *Outlet) notice() []byte {
	line := fmt.Sprintf("execnet: %d bytes were left out here, as they were not taken in time\n", o.leftOut)
	if o.middle {
		line = "\n" + line
	}
	o.leftOut = 0
	return []byte(line)
}

// Hurry makes an Outlet wait for its writer no more: a Write or Flush under way returns, later ones
// do at once. What waits already is still written when the writer takes it.
func (o *Outlet) Hurry() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hurried = true
	o.changed.Broadcast()
}

// Flush returns when everything is written, or Hurry was called, or with the writer's error.
func (o *Outlet) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.running && !o.hurried {
		o.changed.Wait()
	}
	return o.err
}

// End says that the far end has ended, and so that from now on a Write of the writer that takes
// longer than half a second counts as Hurry. (A bound for all of them would leave out something
// where the machine is busy and not the writer slow.)
func (o *Outlet) End() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ending && o.writing > 0 {
		o.limitWrite()
	}
	o.ending = true
}

// limitWrite bounds the Write that is under way or about to begin. The caller holds mu.
func (o *Outlet) limitWrite() {
	this := o.writes
	time.AfterFunc(outletGrace, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.writes == this {
			o.hurried = true
			o.changed.Broadcast()
		}
	})
}

// FlushSoon is End and Flush.
func (o *Outlet) FlushSoon() {
	o.End()
	_ = o.Flush()
}
