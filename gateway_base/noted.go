package gatewaybase

import (
	"math"

	"github.com/go-execnet/execnet/serializer"
)

// noted is a channel that items name which wait to be received. It has to be known when such an
// item comes, since the next message may be for it. But it is made no sooner than a message for it
// comes or the item is received: until then it takes little memory, however many an item names.
type noted struct {
	items    int32 // how often waiting items name it
	ended    bool  // the far end has closed it, or, with sendOnly, sends no more
	sendOnly bool
	channel  *Channel // nil before it is made; keeps it alive
}

// note notes a channel that an item of the carrier names.
func (t *channelTable) note(id int32, carrier *core) error {
	if id == carrier.id {
		return nil // a channel that held itself would never be dropped
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.finished {
		return t.gateway.diedOr(ErrClosed)
	}
	n, ok := t.noted[id]
	n.items++
	if c := t.cores[id]; c != nil && n.channel == nil {
		n.channel = c.handle()
	} else if !ok {
		t.unmade++
	}
	t.noted[id] = n
	return nil
}

// makeNoted makes a noted channel. The caller holds mu.
func (t *channelTable) makeNoted(id int32, n noted) *Channel {
	var c *core
	switch {
	case t.finished:
		c = newCore(t.gateway, id)
		c.end(ending{sendOnly: true, died: t.reason})
	case n.ended:
		c = newCore(t.gateway, id)
		c.end(ending{sendOnly: n.sendOnly})
		if n.sendOnly {
			t.sending[id] = c
		}
	default:
		c = t.add(id)
	}
	if !n.ended {
		t.unmade--
	}
	n.channel = c.handle()
	t.noted[id] = n
	return n.channel
}

// endNoted ends a noted channel that is not made yet, and reports whether there is one.
func (t *channelTable) endNoted(id int32, sendOnly bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.noted[id]
	if !ok || n.channel != nil || n.ended || t.cores[id] != nil {
		return false
	}
	n.ended, n.sendOnly = true, sendOnly
	t.noted[id] = n
	t.unmade--
	return true
}

// forget undoes note for an item that nobody will receive any more, or that has been loaded. It
// reports whether the far end waits for the close of a channel that was never made.
func (t *channelTable) forget(id int32, carrier *core) (closes bool) {
	if id == carrier.id {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.noted[id]
	if !ok {
		return false
	}
	n.items--
	if n.items > 0 {
		t.noted[id] = n
		return false
	}
	delete(t.noted, id)
	if n.channel != nil {
		return false
	}
	if !n.ended {
		t.unmade--
	}
	return !n.ended || n.sendOnly
}

// knows reports whether there is a channel with the id, made or noted.
func (t *channelTable) knows(id int32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.noted[id]
	return ok || t.cores[id] != nil
}

// carried are the channels that an item of the carrier names, as they were when the item came. When
// the item is received, they may have ended and left the table, with items of their own still to be
// received.
type carried struct {
	*channelTable
	carrier *core
}

// Channel implements serializer.Channels.
func (c carried) Channel(id int32) (any, error) {
	if id == c.carrier.id {
		return c.carrier.handle(), nil
	}
	c.mu.Lock()
	n, ok := c.noted[id]
	switch {
	case !ok:
		c.mu.Unlock()
		return c.channelTable.Channel(id)
	case n.channel == nil:
		n.channel = c.makeNoted(id, n)
	}
	c.mu.Unlock()
	return n.channel, nil
}

// load loads an item that has been taken out of the queue.
func (c *core) load(it item) (any, error) {
	defer c.forget([]item{it})
	return c.codecOf(it).Load(it.payload)
}

// unmarshal is load into the variable that v points to.
func (c *core) unmarshal(it item, v any) error {
	defer c.forget([]item{it})
	return c.codecOf(it).Unmarshal(it.payload, v)
}

func (c *core) codecOf(it item) *serializer.Codec {
	if !it.carries {
		return it.codec
	}
	codec := *it.codec
	codec.Channels = carried{&c.gateway.table, c}
	return &codec
}

// forget forgets the channels that items name. Those that were never made are closed: whoever waits
// at their other end would wait for ever.
func (c *core) forget(items []item) {
	for _, it := range items {
		if !it.carries {
			continue
		}
		// The payload is sound: it has been read in the same way when it came.
		_ = c.gateway.channelsIn(it.payload, func(id int32) error {
			if c.gateway.table.forget(id, c) {
				return c.gateway.post(codeClose, id, nil)
			}
			return nil
		})
	}
}

// channelsIn calls f with the id of each channel that a payload names, however many they are.
func (g *Gateway) channelsIn(payload []byte, f func(id int32) error) error {
	codec := serializer.Codec{MaxCost: math.MaxInt, Ended: g.killedError}
	return codec.ChannelIDs(payload, f)
}
