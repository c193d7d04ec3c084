package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// DefaultWindow is how many bytes of unread items a channel has room for where both ends are this
// module's: see [Channel.SetWindow].
const DefaultWindow = 16 << 20

// sendPatience is how long a sender waits because a default window is full and nothing is taken.
// Then it sends as much again, so that no program waits for ever that does not know of windows.
const sendPatience = 5 * time.Second

// While a window is full, a gateway looks every lookEvery whether something is taken. When that was
// not so looksUnread times, and a goroutine has been waiting for another channel, the far end may
// send as much again each time.
const (
	lookEvery   = 200 * time.Millisecond
	looksUnread = 5
)

// asideWindow is the kind of the items aside that say how much of a channel's items is taken. It
// follows AsideLog.
const asideWindow = 8

// SetWindow says how many bytes of items that nobody has received may wait at this end, where both
// ends are this module's: then the far end's send waits, and other channels go on. An item goes out
// while less than the window is unread, so one item more may come, and one that is larger than the
// window goes when nothing is unread. What a callback has been called with counts as received.
// Bytes are those of serialized items, as [Gateway.Stats] counts them. 0 means any number. Without
// SetWindow it is [DefaultWindow].
//
// What comes is queued whatever the window is, and the far end goes on, so that one end may send
// everything before it receives anything,
//   - while a Send of this end waits for the window of a channel of this gateway;
//   - while WaitClose waits for this channel;
//   - after Exit, and while Join waits.
//
// With [DefaultWindow], but not with one that SetWindow has set, no program waits for ever. When
// nothing has been received for a second, and a Receive or WaitClose waits for another channel of
// this gateway, the far end may send as much again, five times a second: what that waits for may
// come only when all is sent. And when nothing has been received for 5 seconds, the far end sends
// as much again in any case. A program that does such things as a rule wants SetWindow(0).
//
// In a Python worker, send does not wait in callbacks, as these run in the thread that reads.
//
// SetWindow returns an error in which errors.Is finds errors.ErrUnsupported if the far end is pip's
// execnet, which knows no windows, and in a Go function for a channel of the Python that has called
// it. It does not wait; what is on its way meanwhile still comes. It is a part of [protocol.md
// section 5.7].
//
// [protocol.md section 5.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#57-windows
func (c *Channel) SetWindow(bytes int) error {
	defer runtime.KeepAlive(c)
	core := c.core
	switch {
	case bytes < 0:
		return fmt.Errorf("execnet: a window of %d bytes: it must not be negative; 0 means none", bytes)
	case core.lender != nil:
		return fmt.Errorf("execnet: %v belongs to the Python that has called this function, which has the window: %w", c, errors.ErrUnsupported)
	case !core.gateway.windows.both:
		return fmt.Errorf("execnet: the far end of gateway %s is another execnet, which knows no windows: %w", core.gateway.id, errors.ErrUnsupported)
	}
	core.mu.Lock()
	defer core.mu.Unlock()
	core.in.window, core.in.firm = int64(bytes), true
	if bytes > 0 || core.in.said {
		core.tell(bytes == 0)
	}
	// The far end may not know the channel yet, so it is told again when items have come.
	core.in.told = false
	return nil
}

// windows are what the windows of a gateway's channels have in common.
type windows struct {
	both   bool         // both ends know windows
	lifted atomic.Int32 // how many calls wait for what unread items may hold up
	over   atomic.Bool  // no more is confirmed, so nobody waits for it

	mu       sync.Mutex         // guards what follows, and the wake of all cores; a leaf
	known    map[*core]struct{} // channels whose far end knows their window here
	watching *time.Timer        // of watch; nil while it is not needed
	waits    map[*core]int      // the waits that it has seen
	wakes    map[*core]struct{} // channels on which Send waits
}

// inflow is what a core knows of its own window: how much of what has come the far end has been
// told is taken. Its core's mu guards it.
type inflow struct {
	window int64 // 0 means any number of bytes
	firm   bool  // SetWindow has set it
	told   bool  // the far end knows the window
	said   bool  // the far end may know a window, this one or an earlier one
	lifted int   // how many calls of WaitClose wait for this channel
	moved  bool  // something was taken since the last look
	idle   int   // how many looks have seen nothing taken
	unread int64 // bytes of the items in the queue
	ahead  int64 // those of them that the far end has been told are taken
	taken  int64 // bytes that are taken of which it has not been told
}

// outflow is what a core knows of the far end's window.
type outflow struct {
	sent  atomic.Int64 // bytes of items sent that the far end has not said are taken
	limit atomic.Int64 // how many these may be; 0 means any number

	// The gateway's windows.mu guards what follows.
	firm bool          // a full window ends no sooner than something is taken
	wake chan struct{} // closed when a Send that waits has to look again
}

// queued counts an item that was put into the queue. The caller holds mu.
func (c *core) queued(size int) {
	in := &c.in
	in.unread += int64(size)
	if in.window == 0 || in.unread-in.ahead+in.taken < in.window/4 {
		return
	}
	w := &c.gateway.windows
	if lifted := in.lifted > 0 || w.lifted.Load() > 0; lifted || !in.told {
		c.tell(lifted)
	}
	if c.full() {
		w.watch(c.gateway)
	}
}

// full reports whether the far end waits, or soon will. The caller holds mu.
func (c *core) full() bool {
	in := &c.in
	return in.window > 0 && in.unread-in.ahead+in.taken >= in.window
}

// unqueued counts an item that was taken out of the queue. The caller holds mu.
func (c *core) unqueued(size int) {
	in, n := &c.in, int64(size)
	in.moved = true
	in.unread -= n
	ahead := min(in.ahead, n)
	in.ahead -= ahead
	in.taken += n - ahead
	if in.window > 0 && in.taken >= max(1, in.window/4) {
		c.tell(false)
	}
}

// tell tells the far end how much is taken. With all set, what is unread counts as taken, too. The
// caller holds mu.
func (c *core) tell(all bool) {
	in := &c.in
	n := in.taken
	if all {
		n += in.unread - in.ahead
		in.ahead = in.unread
	}
	in.taken, in.said = 0, true
	if c.ending {
		return // the far end sends no more
	}
	w := &c.gateway.windows
	if !in.told {
		in.told = true
		w.mu.Lock()
		w.known[c] = struct{}{}
		w.mu.Unlock()
	}
	// It fails if the pipe is closed; then the far end waits for nothing.
	_ = PostAside(c.gateway, serializer.Tuple{asideWindow, c.id, n, in.window, in.firm})
}

// withoutWindow makes any number of items wait here: the channel has a bound of its own. It is for
// new channels.
func (c *core) withoutWindow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.window = 0
}

// lift makes this end count as taken what is unread, and what comes, until the returned function is
// called. Its caller is about to wait for something that the far end may do only when it has sent
// more. It must not hold a core's mu.
func (w *windows) lift() (lower func()) {
	if w.lifted.Add(1) == 1 {
		w.mu.Lock()
		known := slices.Collect(maps.Keys(w.known))
		w.mu.Unlock()
		for _, c := range known {
			c.mu.Lock()
			c.tell(true)
			c.mu.Unlock()
		}
	}
	return func() { w.lifted.Add(-1) }
}

// watch looks after windows that are full. If something is taken, the far end is told, so that it
// does not run out of patience with a slow reader. If nothing is, what a goroutine of this program
// waits for on another channel may be what the far end does next, when it has sent everything. So
// if one wait lasts, the far end may send as much again each time.
func (w *windows) watch(g *Gateway) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watching == nil && !w.over.Load() {
		w.watching = time.AfterFunc(lookEvery, func() { w.look(g) })
	}
}

func (w *windows) look(g *Gateway) {
	waits := g.table.waits()
	w.mu.Lock()
	before, known := w.waits, slices.Collect(maps.Keys(w.known))
	w.waits = waits
	w.mu.Unlock()
	lasts := false
	for c, n := range waits {
		m, ok := before[c]
		lasts = lasts || ok && m == n
	}
	full := false
	for _, c := range known {
		c.mu.Lock()
		if c.full() {
			full = true
			c.lookAtWindow(lasts)
		}
		c.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if full && !w.over.Load() {
		w.watching.Reset(lookEvery)
	} else {
		w.watching = nil
	}
}

// lookAtWindow acts on a window that is full. The caller holds mu.
func (c *core) lookAtWindow(otherWaits bool) {
	in := &c.in
	switch {
	case in.moved:
		in.moved, in.idle = false, 0
		c.tell(false)
	case in.idle < looksUnread:
		in.idle++
	case otherWaits && !in.firm:
		c.tell(true)
	}
}

// forget forgets a channel that has ended: nothing more comes for it, or nobody takes it.
func (w *windows) forget(c *core) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.known, c)
}

// admit counts an item of so many bytes as sent, and waits before if the far end's window is full.
func (c *core) admit(ctx context.Context, size int) error {
	o, w := &c.out, &c.gateway.windows
	for {
		sent, limit := o.sent.Load(), o.limit.Load()
		if limit > 0 && sent >= limit && !w.over.Load() {
			return c.admitLater(ctx, size)
		}
		if o.sent.CompareAndSwap(sent, sent+int64(size)) {
			return nil
		}
	}
}

// admitLater is admit when the window is full.
func (c *core) admitLater(ctx context.Context, size int) error {
	defer c.gateway.windows.lift()()
	o, w := &c.out, &c.gateway.windows
	patience := time.NewTimer(sendPatience)
	defer patience.Stop()
	for {
		w.mu.Lock()
		sent, limit, firm := o.sent.Load(), o.limit.Load(), o.firm
		if limit == 0 || sent < limit || w.over.Load() {
			o.sent.Add(int64(size))
			w.mu.Unlock()
			break
		}
		if o.wake == nil {
			o.wake = make(chan struct{})
			w.wakes[c] = struct{}{}
		}
		wake := o.wake
		w.mu.Unlock()
		select {
		case <-wake:
			patience.Reset(sendPatience)
		case <-ctx.Done():
			return timeout.During(ctx, "sending")
		case <-patience.C:
			if !firm {
				c.confirmed(limit)
			}
			patience.Reset(sendPatience)
		}
	}
	if c.cannotSend() {
		c.unsent(size)
		return c.closedError()
	}
	return nil
}

// confirmed notes that n bytes are taken. More than was sent is what others have sent on this
// channel: calls, and Go functions of a relay's worker.
func (c *core) confirmed(n int64) {
	w := &c.gateway.windows
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		sent := c.out.sent.Load()
		if c.out.sent.CompareAndSwap(sent, max(0, sent-n)) {
			break
		}
	}
	w.wake(c)
}

// unsent undoes admit for an item that was not sent.
func (c *core) unsent(size int) { c.confirmed(int64(size)) }

// wake wakes the goroutines in Send that wait for the window of c. The caller holds mu.
func (w *windows) wake(c *core) {
	if c.out.wake != nil {
		close(c.out.wake)
		c.out.wake = nil
		delete(w.wakes, c)
	}
}

// release makes every Send on c go on, as the far end says no more how much it has taken.
func (w *windows) release(c *core) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.out.limit.Store(0)
	w.wake(c)
}

// end makes every Send of the gateway go on.
func (w *windows) end() {
	w.over.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.wakes {
		w.wake(c)
	}
	if w.watching != nil {
		w.watching.Stop()
	}
	clear(w.known)
	w.waits = nil
}

// windowItem is an item aside that tells of a channel's window. The zero value tells of nothing.
type windowItem struct {
	channel       int32
	taken, window int64
	firm          bool
}

// readWindowItem reports whether an item aside is of this kind. A wrong one is the zero value: it
// could only harm the far end's own channels, so it is dropped.
func readWindowItem(item any) (read windowItem, ok bool) {
	parts, _ := item.(serializer.Tuple)
	if len(parts) == 0 || parts[0] != any(int64(asideWindow)) {
		return read, false
	}
	if len(parts) != 5 {
		return read, true
	}
	id, ok1 := parts[1].(int64)
	taken, ok2 := parts[2].(int64)
	window, ok3 := parts[3].(int64)
	firm, ok4 := parts[4].(bool)
	if !ok1 || !ok2 || !ok3 || !ok4 || int64(int32(id)) != id || taken < 0 || window < 0 {
		return read, true
	}
	return windowItem{int32(id), taken, window, firm}, true
}

// heard acts on what the far end has told of one of its windows.
func (w *windows) heard(g *Gateway, told windowItem) {
	c := g.table.sender(told.channel)
	if c == nil {
		return // it is closed, and that has crossed this
	}
	w.mu.Lock()
	c.out.limit.Store(told.window)
	c.out.firm = told.firm
	w.mu.Unlock()
	c.confirmed(told.taken)
}

// closedError is what Send returns on a closed channel.
func (c *core) closedError() error {
	return c.gateway.diedOr(errtext.Wrap("cannot send to "+(&Channel{core: c}).String(), ErrClosed))
}
