package gatewaybase

import (
	"sync/atomic"
	"time"
)

// Stats tell what a gateway has transported and what waits, at this end. It is for metrics and for
// finding who does not read.
type Stats struct {
	// MessagesSent and BytesSent have been written to the pipe, MessagesReceived and BytesReceived
	// read from it: items and everything else that the protocol sends, each with nine bytes of
	// header. Messages count when they are complete, sent bytes as they go.
	MessagesSent, BytesSent         int64
	MessagesReceived, BytesReceived int64
	// Unsent messages wait to be written, because the far end does not read as fast.
	Unsent, UnsentBytes int
	// Unread items have come on channels of this gateway and wait to be received. UnreadBytes are
	// those of their serialized forms.
	Unread, UnreadBytes int
	// UnreadFor is for how long there have been unread items at all times.
	UnreadFor time.Duration
}

// Stats counts what the gateway has transported, and what waits.
func (g *Gateway) Stats() Stats {
	s := Stats{BytesSent: g.out.bytes.Load(), MessagesReceived: g.reader.messages.Load(), BytesReceived: g.reader.bytes.Load()}
	g.out.mu.Lock()
	s.MessagesSent = int64(g.out.written)
	s.Unsent = len(g.out.queue)
	for _, f := range g.out.queue {
		s.UnsentBytes += len(f.bytes) - f.sent
	}
	g.out.mu.Unlock()
	s.Unread, s.UnreadBytes = int(g.unread.items.Load()), int(g.unread.bytes.Load())
	if s.Unread > 0 {
		s.UnreadFor = max(0, time.Since(time.Unix(0, g.unread.since.Load())))
	}
	return s
}

// unread counts the items that wait to be received, on all channels of a gateway.
type unread struct{ items, bytes, since atomic.Int64 }

// count adds an item, or takes it away with sign -1. The mark of the end is none.
func (u *unread) count(it item, sign int64) {
	if it.last != nil {
		return
	}
	if u.items.Add(sign) == 1 && sign > 0 {
		u.since.Store(time.Now().UnixNano())
	}
	u.bytes.Add(sign * int64(len(it.payload)))
}

// Len returns how many items have come and wait to be received, or for the channel's callback.
func (c *Channel) Len() int {
	c.core.mu.Lock()
	defer c.core.mu.Unlock()
	n := c.core.items.len()
	if n > 0 && c.core.items.items[len(c.core.items.items)-1].last != nil {
		n--
	}
	return n
}
