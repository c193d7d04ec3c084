package gatewaybase

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// callback is the function that gets a channel's items, which Receive then does not.
type callback struct {
	f         func(item any) error
	endmarker any // NoEndmarker if f is not to be called at the end
}

// NoEndmarker is the endmarker of a callback that is not told when no more items come. It is
// execnet's NO_ENDMARKER_WANTED.
const NoEndmarker noEndmarker = 0

type noEndmarker int

// SetCallback makes the gateway call f with each item: first with those that have come already, one
// call at a time and in order, in a goroutine of the gateway. After the last item it calls f with
// endmarker, unless that is [NoEndmarker]; WaitClose returns after that. A channel has one
// callback. From then on Receive returns ErrHasCallback.
//
// If f returns an error or panics, the channel closes with that error at both ends, as it does for
// an exception in a Python callback. f may block: other channels go on. (In execnet they do not.)
// It is execnet's Channel.setcallback.
func (c *Channel) SetCallback(f func(item any) error, endmarker any) error {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
	if core.callback != nil {
		core.mu.Unlock()
		return ErrHasCallback
	}
	core.callback = &callback{f: f, endmarker: endmarker}
	core.gateway.reader.readContinuously()
	core.changed() // a goroutine in Receive has to return
	if !core.receiveClosed {
		defer core.mu.Unlock()
		if core.items.len() > 0 {
			core.wake()
		}
		return nil
	}
	// Nothing more comes: f gets what is left in this call.
	core.draining = true
	core.mu.Unlock()
	core.drain()
	core.callEndmarker()
	return nil
}

// drain calls the callback until the queue is empty.
func (c *core) drain() {
	for {
		c.mu.Lock()
		if c.items.len() == 0 {
			c.draining = false
			c.mu.Unlock()
			return
		}
		it := c.items.pop()
		c.mu.Unlock()
		if it.last != nil {
			c.callEndmarker()
			c.mu.Lock()
			c.apply(*it.last)
			c.mu.Unlock()
			continue
		}
		if err := c.feed(it); err != nil {
			c.callbackFailed(err)
		}
	}
}

// feed loads one item and calls the callback with it.
func (c *core) feed(it item) error {
	v, err := it.codec.Load(it.payload)
	if err != nil {
		return err
	}
	return c.call(v)
}

// call calls the user's function. A panic becomes an error.
func (c *core) call(v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in channel callback: %v\n%s", p, debug.Stack())
		}
	}()
	return c.callback.f(v)
}

func (c *core) callEndmarker() {
	if c.callback.endmarker == any(NoEndmarker) {
		return
	}
	if err := c.call(c.callback.endmarker); err != nil {
		// The channel has ended, so the error cannot be sent to the far end.
		c.gateway.warn(&RemoteError{Formatted: "in the callback's endmarker call: " + err.Error()})
	}
}

// callbackFailed closes the channel at both ends with the callback's error. Items that came after
// the one that failed are dropped.
func (c *core) callbackFailed(err error) {
	c.gateway.trace("channel", c.id, "error in callback:", err)
	c.notify(codeCloseError, errorPayload(err.Error()))
	c.gateway.table.remove(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items.takeAll()
	c.ending = true
	c.items.push(item{last: &ending{err: &RemoteError{Formatted: err.Error()}}})
}
