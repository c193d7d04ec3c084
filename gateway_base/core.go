package gatewaybase

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// core is a channel as its gateway knows it. What the user holds is a Channel, a handle: when the
// last reference to that is gone, the core hears of it and tells the other end, as Python's
// Channel.__del__ does.
//
// Its states (protocol.md section 5): open; sendonly (receiveClosed: the far end sends no more);
// closed (both).
type core struct {
	gateway *Gateway
	id      int32
	codec   atomic.Pointer[serializer.Codec] // how items that arrive now are to be loaded

	mu            sync.Mutex // guards what follows; no callback and no write runs under it
	change        sync.Cond  // an item came, or a state changed
	items         queue
	closed        bool // sending is over, at this end or at the other
	sendClosed    bool // this end has said that it sends no more
	executing     bool // at the worker: the program that this channel belongs to has not ended
	ending        bool // the end of the items is known, and waits for a callback to come to it
	receiveClosed bool // no more items will come
	remoteErrors  []*RemoteError
	died          error // how the gateway died, if that ended the channel
	callback      *callback
	draining      bool      // a goroutine is feeding the callback
	afterClose    []*func() // what AfterClose has been given
	receiving     int       // goroutines that wait for an item or the end, while somebody else reads
	leading       bool      // a goroutine that waits for them reads itself

	user       weak.Pointer[Channel] // the handle, if one is alive
	generation int                   // how many handles there have been
}

// item is one CHANNEL_DATA payload, or, when last is set, the end of the items.
type item struct {
	payload []byte
	codec   *serializer.Codec
	carried map[int32]*Channel // the other channels that payload names, held until it is received or thrown away
	last    *ending
}

// ending is a close that waits for its turn behind the items a callback has yet to see.
type ending struct {
	err      *RemoteError
	sendOnly bool
	died     error // how the gateway died, if that is why
}

func newCore(g *Gateway, id int32) *core {
	c := &core{gateway: g, id: id}
	c.change.L = &c.mu
	c.codec.Store(g.codec.Load())
	return c
}

// handle returns the user's view of the channel, the same one for as long as somebody holds it.
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

// dropped runs when a handle is gone for good.
func (c *core) dropped(generation int) {
	c.mu.Lock()
	if c.generation != generation {
		c.mu.Unlock()
		return // the far end has named the channel again, and it has a new handle
	}
	errs, hasCallback := c.remoteErrors, c.callback != nil
	closed, receiveClosed := c.closed, c.receiveClosed
	if !hasCallback {
		c.items.takeAll() // nobody will receive them; this lets go of the channels in them
	}
	c.mu.Unlock()

	switch {
	case closed:
		for _, err := range errs {
			c.gateway.warn(err)
		}
	case hasCallback && !receiveClosed:
		// The callback goes on receiving; only sending has ended.
		c.notify(codeLastMessage, nil)
	default:
		// Also when the far end sends no more: it may have a callback that waits for its endmarker.
		// (execnet says nothing then, and the callback waits for the gateway's end.)
		c.gateway.table.remove(c)
		c.notify(codeClose, nil)
	}
}

// notify tells the far end about this channel without waiting. If the pipe is closed, the far end
// knows already.
func (c *core) notify(what code, payload []byte) {
	if err := c.gateway.post(what, c.id, payload); err != nil {
		c.gateway.trace("channel", c.id, "could not send", what, err)
	}
}

// deliver takes an item from the reader. It reports whether a goroutine waits for it.
func (c *core) deliver(it item) (awaited bool) {
	it.codec = c.codec.Load()
	if it.carried != nil {
		codec := *it.codec
		codec.Channels = carriedChannels{&c.gateway.table, c, it.carried}
		it.codec = &codec
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	c.items.push(it)
	c.wake()
	return c.receiving > 0
}

// end ends receiving, and unless e.sendOnly sending as well, once a callback has seen all items
// before it. Only the first call counts. It reports whether a goroutine waits for it.
func (c *core) end(e ending) (awaited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	c.ending = true
	if c.callback == nil {
		c.apply(e)
		return c.receiving > 0
	}
	c.items.push(item{last: &e})
	c.wake()
	return false
}

// apply makes an ending the channel's state. The caller holds mu.
func (c *core) apply(e ending) {
	if e.err != nil {
		c.remoteErrors = append(c.remoteErrors, e.err)
	}
	if !e.sendOnly {
		c.closed = true
	}
	c.died = e.died
	c.receiveClosed = true
	for _, f := range c.afterClose {
		c.gateway.tasks.start(*f)
	}
	c.afterClose = nil
	c.changed()
}

func (c *core) cannotSend() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed || c.sendClosed
}

// wake lets a receiver or the callback see the queue. The caller holds mu.
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

// wait blocks until ready reports true, or until ctx ends, and reads the gateway's messages itself
// where nobody else does. ready runs under mu, which the caller holds.
func (c *core) wait(ctx context.Context, ready func() bool, doing string) error {
	if ready() {
		return nil
	}
	r := c.gateway.reader
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
		if r.takeOrWait() {
			c.leading = true
			c.mu.Unlock()
			r.lead(ctx, func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				return ready()
			})
			c.mu.Lock()
			c.leading = false
			continue
		}
		c.receiving++
		c.change.Wait()
		c.receiving--
		r.waited()
	}
	return nil
}

// changed tells those who wait that they should look again. The caller holds mu.
func (c *core) changed() {
	c.change.Broadcast()
	if c.leading {
		c.gateway.reader.disturb()
	}
}

// next takes the oldest item, waiting for it if need be; after the last it returns the channel's
// error or io.EOF.
func (c *core) next(ctx context.Context) (item, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.callback != nil {
		return item{}, ErrHasCallback
	}
	err := c.wait(ctx, func() bool { return c.items.len() > 0 || c.receiveClosed || c.callback != nil }, "execnet: receiving")
	if err != nil {
		return item{}, err
	}
	if c.callback != nil {
		return item{}, ErrHasCallback
	}
	if c.items.len() > 0 {
		return c.items.pop(), nil
	}
	if err := c.takeError(); err != nil {
		return item{}, err
	}
	return item{}, io.EOF
}

// takeError hands out a remote error once, then how the gateway died if it did (execnet's
// Channel._getremoteerror). The caller holds mu.
func (c *core) takeError() error {
	if len(c.remoteErrors) > 0 {
		err := c.remoteErrors[0]
		c.remoteErrors = c.remoteErrors[1:]
		return err
	}
	return c.died
}
