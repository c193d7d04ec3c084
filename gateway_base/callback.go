package gatewaybase

import (
	"errors"
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
// If f returns an error, panics or calls runtime.Goexit, the channel closes with that error at both
// ends, as it does for an exception in a Python callback. f may block: other channels go on. (In
// execnet they do not.) It is execnet's Channel.setcallback.
func (c *Channel) SetCallback(f func(item any) error, endmarker any) error {
	return setCallback(c, f, endmarker, (*reader).readContinuously)
}

// SetRareCallback is SetCallback, without endmarker, for items that may come a few milliseconds
// late. It does not make the gateway's own goroutine read all the time, so that the other channels
// of the gateway are as fast as without it.
func SetRareCallback(c *Channel, f func(item any) error) error {
	return setCallback(c, f, NoEndmarker, (*reader).wake)
}

// setCallback is SetCallback; begin sees to it that somebody reads.
func setCallback(c *Channel, f func(item any) error, endmarker any, begin func(*reader)) error {
	defer runtime.KeepAlive(c)
	core := c.core
	if core.lender != nil {
		return errLent
	}
	core.mu.Lock()
	if core.handsOut() {
		core.mu.Unlock()
		return ErrHasCallback
	}
	core.callback = &callback{f: f, endmarker: endmarker}
	begin(core.gateway.reader)
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

// errGoexit is the error of a callback that has ended its goroutine.
var errGoexit = errors.New("the callback has called runtime.Goexit, as FailNow of package testing does")

// drain calls the callback until the queue is empty.
func (c *core) drain() {
	returns := false
	defer func() {
		if !returns { // the callback has called runtime.Goexit
			c.gateway.tasks.start(c.drain)
		}
	}()
	for {
		c.mu.Lock()
		if c.items.len() == 0 {
			c.draining = false
			c.mu.Unlock()
			returns = true
			return
		}
		it := c.items.pop()
		c.unqueued(len(it.payload))
		c.mu.Unlock()
		if it.last != nil {
			c.finishCallback(*it.last)
		} else {
			c.feed(it)
		}
	}
}

// feed loads one item and calls the callback with it.
func (c *core) feed(it item) {
	v, err := c.load(it)
	if err != nil {
		c.itemFailed(err)
		return
	}
	c.call(v, c.itemFailed)
}

// finishCallback calls the callback with the endmarker, and then ends the channel.
func (c *core) finishCallback(e ending) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.apply(e)
	}()
	c.callEndmarker()
}

// call calls the user's function, and failed with its error. A panic is an error, and so is
// runtime.Goexit; after that only deferred functions run.
func (c *core) call(v any, failed func(error)) {
	err := errGoexit
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in channel callback: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			failed(err)
		}
	}()
	err = c.callback.f(v)
}

func (c *core) callEndmarker() {
	if c.callback.endmarker == any(NoEndmarker) {
		return
	}
	c.call(c.callback.endmarker, func(err error) {
		// The channel has ended, so the error cannot be sent to the far end.
		c.gateway.warn(&RemoteError{Formatted: "in the callback's endmarker call: " + err.Error()})
	})
}

// itemFailed closes the channel at both ends, because an item cannot be loaded or its callback has
// failed. Items behind it are dropped.
func (c *core) itemFailed(err error) {
	c.gateway.trace("channel", c.id, "error with an item:", err)
	raised, ok := err.(*RemoteError)
	if !ok {
		raised = &RemoteError{Formatted: err.Error()}
	}
	payload := errorPayload(err, c.gateway.describe)
	c.gateway.table.remove(c)
	c.mu.Lock()
	unread := c.items.takeAll()
	if !c.closed {
		c.closed = true // before the far end knows, and asks
		c.notify(codeCloseError, payload)
	}
	if c.receiveClosed {
		c.remoteErrors = append(c.remoteErrors, raised)
	} else {
		c.finish(ending{err: raised})
	}
	c.mu.Unlock()
	c.forget(unread)
}
