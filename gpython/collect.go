package gpython

// Channels that a program has dropped are closed soon. CPython counts references and so closes such
// a channel at once, and the other end sees the end of the items. Go's collector would look when
// there is memory to gain, on an idle worker minutes later.

import (
	"runtime"
	"sync/atomic"
	"time"
)

// collectAfter is how soon after the end of a program the channels that it has dropped are looked
// for. CPython knows at once when an object is dropped; our collector would look when there is
// memory to gain, on an idle worker minutes later.
const collectAfter = 20 * time.Millisecond

// collecting is true from when a collection has been asked for until it begins.
var collecting atomic.Bool

// collectSoon starts a garbage collection if the program still has open channels, because it may
// have dropped them. It is called when the program or a thread of it has ended.
func (in *interp) collectSoon() {
	for id, p := range in.wrapped {
		if c := p.Value(); id != in.channel.ID() && c != nil && !c.ch.IsClosed() {
			if collecting.CompareAndSwap(false, true) {
				gw := in.channel.Gateway()
				gw.Go(func() { collect(gw.Done()) })
			}
			return
		}
	}
}

// collect collects a little later: what has just ended still holds its objects.
func collect(gone <-chan struct{}) {
	soon := time.NewTimer(collectAfter)
	defer soon.Stop()
	select {
	case <-soon.C:
		collecting.Store(false) // what ends from now on is too late for this one
		runtime.GC()
	case <-gone:
		collecting.Store(false)
	}
}
