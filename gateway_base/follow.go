package gatewaybase

import "runtime"

// Follower is told of the items of channels, and takes them by [TakeFollowed]. Until then they wait
// in their channels, and so count for the windows of these.
type Follower interface {
	// Came is called when an item of a channel has come, in the order in which items come, and at
	// last with more false, when no more come. It must not wait, nor call anything of the channel.
	Came(c *Channel, more bool)
	// Waits reports whether somebody waits for an item, and how many have asked for one so far. It
	// must not wait either.
	Waits() (times int, now bool)
}

// following is who follows a channel. It keeps the Channel alive, as a callback does that uses it.
type following struct {
	follower Follower
	channel  *Channel
}

// Follow makes f follow a channel. It is told at once of the items that have come already. From
// then on Receive returns [ErrHasCallback], and so does Follow if there is a callback or a follower
// already.
func Follow(c *Channel, f Follower) error {
	defer runtime.KeepAlive(c)
	core := c.core
	if core.lender != nil {
		return errLent
	}
	core.mu.Lock()
	defer core.mu.Unlock()
	if core.handsOut() {
		return ErrHasCallback
	}
	core.following = &following{f, c}
	core.gateway.reader.readContinuously()
	core.changed() // a goroutine in Receive has to return
	for range core.items.len() {
		f.Came(c, true)
	}
	if core.receiveClosed {
		f.Came(c, false)
	}
	return nil
}

// TakeFollowed returns the next item of a channel that is followed. ok is false if there is none:
// an item that cannot be loaded closes the channel at both ends, and those behind it are dropped,
// as for a callback.
func TakeFollowed(c *Channel) (v any, ok bool) {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
	if core.items.len() == 0 {
		core.mu.Unlock()
		return nil, false
	}
	it := core.items.pop()
	core.unqueued(len(it.payload))
	core.mu.Unlock()
	v, err := core.load(it)
	if err != nil {
		core.itemFailed(err)
		return nil, false
	}
	return v, true
}

// handsOut reports whether items go to a callback or a follower. The caller holds mu.
func (c *core) handsOut() bool { return c.callback != nil || c.following != nil }
