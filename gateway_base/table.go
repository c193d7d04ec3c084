package gatewaybase

import (
	"fmt"
	"math"
	"sync"

	"github.com/go-execnet/execnet/serializer"
)

// channelTable holds a gateway's open channels by id (execnet's ChannelFactory). The serializer
// asks it about the channels inside values.
type channelTable struct {
	gateway *Gateway

	mu       sync.Mutex // guards what follows; taken before a core's own mutex, never after
	cores    map[int32]*core
	next     int32 // the next id of our own: odd at the driver, even at the worker
	finished bool
}

func (t *channelTable) init(g *Gateway, first int32) {
	t.gateway = g
	t.cores = make(map[int32]*core)
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
	if c := t.cores[id]; c != nil {
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
	return t.cores[id]
}

// open is how many channels there are.
func (t *channelTable) open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.cores)
}

// remove forgets c, unless another channel has its id by now.
func (t *channelTable) remove(c *core) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cores[c.id] == c {
		delete(t.cores, c.id)
	}
}

// remoteClose ends the channel with the id because the far end has closed it. It reports whether a
// goroutine waits for that.
func (t *channelTable) remoteClose(id int32, err *RemoteError, sendOnly bool) (awaited bool) {
	c := t.get(id)
	if c == nil {
		t.gateway.warn(err)
		return false
	}
	t.remove(c)
	return c.end(ending{err: err, sendOnly: sendOnly})
}

// finish ends every channel, because nothing more will be received. reason is what their users get:
// how the gateway died, ErrTerminated, or nil for the end of the items.
func (t *channelTable) finish(reason error) {
	t.mu.Lock()
	t.finished = true
	cores := t.cores
	t.cores = make(map[int32]*core)
	t.mu.Unlock()
	for _, c := range cores {
		c.end(ending{sendOnly: true, died: reason})
	}
}

// CheckChannel implements serializer.Channels: only this gateway's own channels mean something at
// its other end.
func (t *channelTable) CheckChannel(ch serializer.Channel) error {
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

// carriedChannels finds the channels that one item names, as they were when the item came. When the
// item is received, they may have ended and left the table, with items of their own still to be
// received.
type carriedChannels struct {
	*channelTable
	carrier *core
	others  map[int32]*Channel
}

// Channel implements serializer.Channels.
func (c carriedChannels) Channel(id int32) (any, error) {
	if ch := c.others[id]; ch != nil {
		return ch, nil
	}
	if id == c.carrier.id {
		return c.carrier.handle(), nil
	}
	return c.channelTable.Channel(id)
}

// warn prints a remote error that nobody will receive, as execnet's RemoteError.warn does.
func (g *Gateway) warn(err *RemoteError) {
	if err == nil || err.Formatted == interruptText {
		return
	}
	// Nothing is left to tell about a failure to warn.
	_, _ = fmt.Fprint(g.warnings, err.unhandled(g.id))
}
