package gatewaybase

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/go-execnet/execnet/serializer"
)

// core is a channel as its gateway's table holds it. The user holds a Channel, which refers to it.
// When the last reference to the Channel is gone, dropped tells the far end, as Python's
// Channel.__del__ does.
//
// Its states (protocol.md section 5) are open, sendonly (receiveClosed: the far end sends no more)
// and closed (both).
type core struct {
	gateway  *Gateway
	id       int32
	codec    atomic.Pointer[serializer.Codec] // string configuration of items that arrive now
	lender   Lender                           // receives for this channel, if a relay lends it
	relay    *Relay                           // which lends it
	hidden   bool                             // it is none of the user's; guarded by the table's mu
	stranger atomic.Pointer[stranger]         // nil if the far end knows the channel
	out      outflow

	mu            sync.Mutex // guards what follows; no callback and no write runs under it
	change        sync.Cond  // an item has come, or a state has changed
	items         queue
	in            inflow
	closed        bool // sending is over, at this end or at the other
	sendClosed    bool // this end has said that it sends no more
	reconfigured  bool // the far end was told a string configuration
	executing     bool // at the worker: the program that this channel belongs to has not ended
	ending        bool // the last item has come; a callback may have items before it to process
	receiveClosed bool // no more items will come
	remoteErrors  []*RemoteError
	died          error // why the gateway ended, if that ended the channel
	callback      *callback
	following     *following
	serve         func()    // has a goroutine receive; deliver calls it if nobody does
	most          int       // how many items may wait here; 0 means any number
	draining      bool      // a goroutine is feeding the callback
	afterClose    []*func() // the functions given to AfterClose
	waited        int       // how often goroutines have waited for an item, or for the end
	receiving     int       // goroutines that wait for an item while another one reads
	reading       bool      // a goroutine that waits for an item reads the messages itself
	ends          int       // the io.EOFs that the channel's users have got: see EndsSeen

	user       weak.Pointer[Channel] // the Channel, if somebody holds one
	generation int                   // how many Channels there have been
}

// item is one CHANNEL_DATA payload, or, when last is set, the end of the items.
type item struct {
	payload []byte
	codec   *serializer.Codec
	carries bool // payload names channels, which the table has noted
	last    *ending
}

// ending is the end of a channel's items. With a callback it takes effect after the items before
// it.
type ending struct {
	err      *RemoteError
	sendOnly bool
	died     error // why the gateway ended, if that ended the channel
}

func newCore(g *Gateway, id int32) *core {
	c := &core{gateway: g, id: id}
	c.change.L = &c.mu
	c.items.unread = &g.unread
	if g.windows.both {
		c.in.window = DefaultWindow
	}
	c.codec.Store(g.codec.Load())
	return c
}

// handle returns the user's Channel: the same one for as long as somebody holds it.
func (c *core) handle() *Channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.user.Value(); ch != nil {
		return ch
	}
	ch := &Channel{core: c}
	c.generation++
	c.user = weak.Make(ch)
	runtime.AddCleanup(ch, c.dropped, c.generation)
	return ch
}

// isMade reports whether there has been a Channel. If there has not, the far end has only said a
// string configuration for what may come.
func (c *core) isMade() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation > 0
}

// dropped runs when the user holds the Channel no longer.
func (c *core) dropped(generation int) {
	c.mu.Lock()
	if c.generation != generation {
		c.mu.Unlock()
		return // the far end has sent the channel again, and there is a new Channel
	}
	errs, hasCallback := c.remoteErrors, c.callback != nil
	closed, receiveClosed := c.closed, c.receiveClosed
	var unread []item
	if !hasCallback {
		unread = c.items.takeAll() // nobody will receive them
	}
	c.mu.Unlock()
	c.forget(unread)
	if c.stranger.Load() != nil {
		c.gateway.table.forgetStranger(c)
	}

	switch {
	case closed:
		for _, err := range errs {
			c.gateway.warn(err)
		}
	case hasCallback && !receiveClosed:
		// The callback goes on receiving; only sending has ended.
		c.notify(codeLastMessage, nil)
	default:
		// Also when the far end sends no more: a callback there may wait for its endmarker.
		// (execnet sends nothing then, and the callback waits until the gateway ends.)
		c.gateway.table.remove(c)
		c.notify(codeClose, nil)
	}
}

// notify tells the far end about this channel without waiting. That fails only if the pipe is
// closed; the far end knows then already.
func (c *core) notify(what code, payload []byte) {
	if c.keeps(what, payload) {
		return
	}
	if err := c.gateway.post(what, c.id, payload); err != nil {
		c.gateway.trace("channel", c.id, "could not send", what, err)
	}
}

// deliver takes an item from the reader, unless the channel has ended, or more items wait than may.
// It reports whether a goroutine waits for it.
func (c *core) deliver(it item) (taken, awaited bool, err error) {
	it.codec = c.codec.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false, false, nil
	}
	if c.most > 0 && c.items.len() >= c.most {
		return false, false, &protocolError{fmt.Sprintf("more than %d items of an iteration that nobody has taken", c.most)}
	}
	c.items.push(it)
	c.queued(len(it.payload))
	if c.following != nil {
		c.following.follower.Came(c.following.channel, true)
	}
	c.wake()
	if c.serve != nil && c.receiving == 0 && !c.reading {
		c.serve()
	}
	return true, c.receiving > 0, nil
}

// end ends receiving and, unless e.sendOnly, sending too. With a callback that happens after all
// items before. Only the first call counts. It reports whether a goroutine waits for it.
func (c *core) end(e ending) (awaited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	return c.finish(e)
}

// finish is end even if an ending waits in the queue. The caller holds mu.
func (c *core) finish(e ending) (awaited bool) {
	c.ending = true
	if !e.sendOnly {
		c.gateway.windows.release(c)
	}
	if c.callback == nil {
		c.apply(e)
		return c.receiving > 0
	}
	c.items.push(item{last: &e})
	c.wake()
	return false
}

// apply changes the channel's state as an ending says. The caller holds mu.
func (c *core) apply(e ending) {
	if e.err != nil {
		c.remoteErrors = append(c.remoteErrors, e.err)
	}
	if !e.sendOnly {
		c.closed = true
	}
	c.died = e.died
	c.receiveClosed = true
	if c.following != nil {
		c.following.follower.Came(c.following.channel, false)
	}
	for _, f := range c.afterClose {
		c.gateway.tasks.start(*f)
	}
	c.afterClose = nil
	c.changed()
}

func (c *core) cannotSend() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.closed || c.sendClosed
}

// wake makes a receiver or the callback look at the queue. The caller holds mu.
func (c *core) wake() {
	if c.callback == nil {
		c.change.Broadcast()
		return
	}
	if !c.draining {
		c.draining = true
		c.gateway.tasks.start(c.drain)
	}
}

// changed makes every goroutine that waits look again. The caller holds mu.
func (c *core) changed() {
	c.change.Broadcast()
	if c.reading {
		c.gateway.reader.lookAgain()
	}
}

// next removes the oldest item, and waits until there is one. After the last item it returns the
// channel's error or io.EOF.
func (c *core) next(ctx context.Context) (item, error) {
	if c.lender != nil {
		payload, err := c.lender.Receive(ctx, int(c.id))
		if err == io.EOF {
			c.mu.Lock()
			c.ends++
			c.mu.Unlock()
		}
		return item{payload: payload, codec: c.codec.Load()}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handsOut() {
		return item{}, ErrHasCallback
	}
	err := c.gateway.reader.wait(ctx, c, func() bool { return c.items.len() > 0 || c.receiveClosed || c.handsOut() }, "receiving")
	if err != nil {
		return item{}, err
	}
	if c.handsOut() {
		return item{}, ErrHasCallback
	}
	if c.items.len() > 0 {
		it := c.items.pop()
		c.unqueued(len(it.payload))
		return it, nil
	}
	if err := c.takeError(); err != nil {
		return item{}, err
	}
	c.ends++
	return item{}, io.EOF
}

// endHandled takes back the io.EOF of next, which the channel's user does not see.
func (c *core) endHandled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends--
}

// takeError returns a remote error once, and after that how the gateway died if it did (execnet's
// Channel._getremoteerror). The caller holds mu.
func (c *core) takeError() error {
	if len(c.remoteErrors) > 0 {
		err := c.remoteErrors[0]
		c.remoteErrors = c.remoteErrors[1:]
		return err
	}
	return c.died
}

// queue holds a channel's items in the order they came.
type queue struct {
	items  []item
	head   int
	unread *unread // counts them, with those of the gateway's other channels
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(it item) {
	q.unread.count(it, 1)
	if q.head > 0 && len(q.items) == cap(q.items) && q.head >= len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, it)
}

func (q *queue) pop() item {
	it := q.items[q.head]
	q.unread.count(it, -1)
	q.items[q.head] = item{}
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return it
}

func (q *queue) takeAll() []item {
	all := q.items[q.head:]
	for _, it := range all {
		q.unread.count(it, -1)
	}
	q.items, q.head = nil, 0
	return all
}
