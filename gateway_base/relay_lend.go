package gatewaybase

import (
	"context"
	"errors"
	"slices"
)

// Lender is a thread of a relay's worker that has called a Go function, and meanwhile receives for
// it on a channel of that worker.
type Lender interface {
	// Receive returns the payload of the channel's next item, or the error that Channel.Receive
	// returns.
	Receive(ctx context.Context, id int) (payload []byte, err error)
	// WaitClose is Channel.WaitClose.
	WaitClose(ctx context.Context, id int) error
}

var errLent = errors.New("execnet: a Go function that Python has called cannot set a callback on a channel; use Items")

// Lend returns the channel with an id that belongs to the relay's worker, for a Go function that
// this worker calls. Items for it go on arriving there, and the function gets them from the lender.
// What the function sends goes to the driver. The channel is not closed when nobody refers to it. A
// channel with this id that belongs to this end is returned as it is.
func (r *Relay) Lend(id int, from Lender) *Channel {
	if own := r.gateway.table.get(int32(id)); own != nil {
		return own.handle()
	}
	c := newCore(r.gateway, int32(id))
	c.lender, c.relay = from, r
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.id >= r.first && c.id%2 == 0 && !r.channels[c.id] { // the worker has made it just now
		r.channels[c.id] = true
		r.made(c.id)
	}
	return &Channel{core: c}
}

// Lends reports whether ch is a channel that Lend has returned for this relay's worker.
func (r *Relay) Lends(ch *Channel) bool { return ch.core.relay == r }

// look brings the state of a lent channel up to date: the channel itself is the relay's worker's.
// The caller holds c.mu.
func (c *core) look() {
	if c.relay == nil {
		return
	}
	c.relay.mu.Lock()
	defer c.relay.mu.Unlock()
	c.executing = c.relay.programs[c.id]
	if !c.relay.channels[c.id] {
		c.closed, c.receiveClosed = true, true
	}
}

// AfterClose calls f, in a goroutine of the gateway, when a channel of the relay's worker is closed
// by either end or its worker is gone; at once if it is none of that worker's channels. stop
// prevents the call, and reports whether it was in time.
func (r *Relay) AfterClose(id int, f func()) (stop func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	channel := int32(id)
	if !r.channels[channel] {
		r.gateway.tasks.start(f)
		return func() bool { return false }
	}
	return r.register(r.afterClose, channel, f)
}

// AfterEnd calls f, in a goroutine of the gateway, when the program with this channel ends, which
// the driver's closing the channel does not do; at once if no such program runs. stop prevents the
// call, and reports whether it was in time.
func (r *Relay) AfterEnd(id int, f func()) (stop func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.programs[int32(id)] {
		r.gateway.tasks.start(f)
		return func() bool { return false }
	}
	return r.register(r.afterEnd, int32(id), f)
}

// register adds f to a table. The caller holds mu.
func (r *Relay) register(table map[int32][]*func(), channel int32, f func()) (stop func() bool) {
	table[channel] = append(table[channel], &f)
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		i := slices.Index(table[channel], &f)
		if i < 0 {
			return false
		}
		if table[channel] = slices.Delete(table[channel], i, i+1); len(table[channel]) == 0 {
			delete(table, channel)
		}
		return true
	}
}

// fire calls what a table has for a channel. The caller holds mu.
func (r *Relay) fire(table map[int32][]*func(), channel int32) {
	for _, f := range table[channel] {
		r.gateway.tasks.start(*f)
	}
	delete(table, channel)
}

// closed notes that a channel is closed by either end. The caller holds mu.
func (r *Relay) closed(channel int32) {
	r.fire(r.afterClose, channel)
	delete(r.channels, channel)
}

// programEnded notes that the program with this channel, if there is one, has ended. The caller
// holds mu.
func (r *Relay) programEnded(channel int32) {
	r.fire(r.afterEnd, channel)
	delete(r.programs, channel)
}

// forget is closed for a channel that this end has closed.
func (r *Relay) forget(channel int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed(channel)
}
