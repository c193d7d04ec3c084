package gatewaybase

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/go-execnet/execnet/serializer"
)

// channelTable holds a gateway's open channels by id (execnet's ChannelFactory). The serializer
// asks it about the channels inside values.
type channelTable struct {
	gateway *Gateway

	mu        sync.Mutex // guards what follows; taken before a core's own mutex, never after
	cores     map[int32]*core
	next      int32           // the next id of our own: odd at the driver, even at the worker
	sending   map[int32]*core // those whose far end sends no more, and still receives
	noted     map[int32]noted // channels that items name which are still to be received
	unmade    int             // how many of them there is no Channel for
	strangers map[int32]*core // channels that the far end does not know yet
	finished  bool
	reason    error // what finish was given

	strange atomic.Int32 // how many strangers there are
}

func (t *channelTable) init(g *Gateway, first int32) {
	t.gateway = g
	t.cores = make(map[int32]*core)
	t.sending = make(map[int32]*core)
	t.noted = make(map[int32]noted)
	t.strangers = make(map[int32]*core)
	t.next = first
}

// allocate makes a channel with a new id of our own.
func (t *channelTable) allocate() (*core, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.finished {
		return nil, t.gateway.diedOr(ErrClosed)
	}
	if t.next > math.MaxInt32-2 {
		return nil, fmt.Errorf("execnet: gateway %s has used up its channel ids", t.gateway.id)
	}
	id := t.next
	t.next += 2
	return t.add(id), nil
}

// ensure returns the channel with the id, and makes it if there is none: the far end has named it.
func (t *channelTable) ensure(id int32) (*core, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.find(id); c != nil {
		return c, nil
	}
	if t.finished {
		return nil, t.gateway.diedOr(ErrClosed)
	}
	return t.add(id), nil
}

// add makes a channel. The caller holds mu.
func (t *channelTable) add(id int32) *core {
	c := newCore(t.gateway, id)
	t.cores[id] = c
	return c
}

// get returns the channel with the id, or nil.
func (t *channelTable) get(id int32) *core {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.find(id)
}

// find is get. The caller holds mu.
func (t *channelTable) find(id int32) *core {
	if c := t.cores[id]; c != nil {
		return c
	}
	if n, ok := t.noted[id]; ok && n.channel == nil && !n.ended && !t.finished {
		return t.makeNoted(id, n).core
	}
	return nil
}

// open is how many channels of users there are.
func (t *channelTable) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.unmade
	for _, c := range t.cores {
		if !c.hidden && c.isMade() {
			n++
		}
	}
	return n
}

// waits returns the channels on which goroutines of this program's user wait, and which wait of the
// channel that is.
func (t *channelTable) waits() map[*core]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	waits := map[*core]int{}
	for _, c := range t.cores {
		c.mu.Lock()
		// A server waits for requests, and with SetWindow(0) a channel is none of those that could
		// hold up another one.
		if (c.receiving > 0 || c.reading) && c.serve == nil && !(c.in.firm && c.in.window == 0) {
			waits[c] = c.waited
		}
		if c.following != nil {
			if times, now := c.following.follower.Waits(); now {
				waits[c] = times
			}
		}
		c.mu.Unlock()
	}
	return waits
}

// hide makes open leave c out: it is there for this module's own purposes, for the gateway's whole
// life.
func (t *channelTable) hide(c *core) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.hidden = true
	c.withoutWindow()
}

// sender returns the channel with the id that this end may send on, or nil.
func (t *channelTable) sender(id int32) *core {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.find(id); c != nil {
		return c
	}
	return t.sending[id]
}

// remove forgets c, unless another channel has its id by now.
func (t *channelTable) remove(c *core) {
	t.gateway.windows.forget(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sending[c.id] == c {
		delete(t.sending, c.id)
	}
	if t.cores[c.id] == c {
		delete(t.cores, c.id)
	}
}

// remoteClose ends the channel with the id because the far end has closed it. It reports whether a
// goroutine waits for that.
func (t *channelTable) remoteClose(id int32, err *RemoteError, sendOnly bool) (awaited bool) {
	if err == nil && t.endNoted(id, sendOnly) {
		return false
	}
	c := t.get(id)
	if c == nil {
		t.gateway.warn(err)
		return false
	}
	t.remove(c)
	if sendOnly {
		t.keepSending(c)
	}
	awaited = c.end(ending{err: err, sendOnly: sendOnly})
	c.mu.Lock()
	reconfigured := c.reconfigured && !sendOnly
	c.mu.Unlock()
	if reconfigured {
		c.forgetThere()
	}
	return awaited
}

// keepSending notes a channel whose far end sends no more, and still says what it takes.
func (t *channelTable) keepSending(c *core) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.finished && !c.cannotSend() {
		t.sending[c.id] = c
	}
}

// finish ends every channel, because nothing more will be received. reason is what their users get:
// how the gateway died, ErrTerminated, or nil for the end of the items.
func (t *channelTable) finish(reason error) {
	t.mu.Lock()
	t.finished, t.reason = true, reason
	cores := t.cores
	t.cores, t.sending = make(map[int32]*core), make(map[int32]*core)
	t.strangers = make(map[int32]*core)
	t.strange.Store(0)
	t.mu.Unlock()
	t.gateway.windows.end()
	for _, c := range cores {
		c.end(ending{sendOnly: true, died: reason})
	}
}

// CheckChannel implements serializer.Channels: only this gateway's own channels mean something at
// its other end.
func (t *channelTable) CheckChannel(ch serializer.Channel) error {
	if h, ok := ch.(*Handle); ok && h != nil {
		switch {
		case h.Gateway() != t.gateway:
			return fmt.Errorf("the handle of %s belongs to gateway %s, not to %s", h.what, h.Gateway().id, t.gateway.id)
		case h.channel.IsClosed():
			return h.closedError()
		}
		ch = h.channel
	}
	c, ok := ch.(*Channel)
	switch {
	case !ok:
		return fmt.Errorf("%T is no channel of a gateway", ch)
	case c == nil:
		return fmt.Errorf("the channel is nil")
	case c.core.gateway != t.gateway:
		return fmt.Errorf("channel %d belongs to gateway %s, not to %s", c.core.id, c.core.gateway.id, t.gateway.id)
	}
	return nil
}

// Channel implements serializer.Channels.
func (t *channelTable) Channel(id int32) (any, error) {
	c, err := t.ensure(id)
	if err != nil {
		return nil, err
	}
	return c.handle(), nil
}

// warn prints a remote error that nobody will receive, as execnet's RemoteError.warn does.
func (g *Gateway) warn(err *RemoteError) {
	if err == nil || err.Formatted == interruptText {
		return
	}
	g.warnings.Offer([]byte(err.unhandled(g.id)))
}
