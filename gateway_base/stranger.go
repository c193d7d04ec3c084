package gatewaybase

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// The far end learns of a channel that NewChannel has made when a value comes that names it. What
// is sent on the channel before is dropped there. So Send waits until the value is sent, and what
// says that nothing more comes is said behind it. Otherwise a program whose goroutine feeds the
// channel that another one gives to a call would lose items, or the end.

// strangerPatience is how long a Send waits for its channel to be named.
const strangerPatience = 5 * time.Second

var errStranger = errors.New("the far end does not know it yet; first give it to a call, or send it over another channel")

// stranger is what waits until the far end knows a channel.
type stranger struct {
	look chan struct{} // closed when a Send that waits has to look again

	mu    sync.Mutex // guards what follows; nothing is locked under it but the outbox
	told  bool       // look is closed
	known bool
	words []message // says that nothing more comes
}

// tell makes a Send that waits look again. The caller holds mu.
func (s *stranger) tell() {
	if !s.told {
		s.told = true
		close(s.look)
	}
}

// awaitKnown waits until the far end knows the channel. A program that sends first and names the
// channel later would wait for ever, so that is an error after some seconds.
func (c *core) awaitKnown(ctx context.Context, s *stranger) error {
	timer := time.NewTimer(strangerPatience)
	defer timer.Stop()
	select {
	case <-s.look:
	case <-c.gateway.finished:
	case <-ctx.Done():
		return timeout.During(ctx, "sending")
	case <-timer.C:
		return errtext.Wrap("cannot send to "+(&Channel{core: c}).String(), errStranger)
	}
	if c.cannotSend() {
		return c.closedError()
	}
	return nil
}

// keeps reports whether a message says that nothing more comes on a channel that the far end does
// not know yet. Then it is sent when that knows it.
func (c *core) keeps(what code, payload []byte) bool {
	s := c.stranger.Load()
	if s == nil || what != codeLastMessage && what != codeClose && what != codeCloseError {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return false
	}
	s.words = append(s.words, message{code: what, payload: payload})
	s.tell()
	return true
}

// met notes that the far end knows the channel.
func (c *core) met() {
	s := c.stranger.Load()
	if s == nil {
		return
	}
	c.gateway.table.forgetStranger(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return
	}
	s.known = true
	for _, w := range s.words {
		_ = c.gateway.post(w.code, c.id, w.payload) // an error means that the far end is gone
	}
	c.stranger.Store(nil)
	s.tell()
}

// addStranger notes that the far end does not know c.
func (t *channelTable) addStranger(c *core) {
	c.stranger.Store(&stranger{look: make(chan struct{})})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.strangers[c.id] = c
	t.strange.Store(int32(len(t.strangers)))
}

func (t *channelTable) forgetStranger(c *core) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.strangers, c.id)
	t.strange.Store(int32(len(t.strangers)))
}

// strangersIn returns the channels that a message names and the far end does not know yet.
func (t *channelTable) strangersIn(what code, payload []byte) (named []*core) {
	if what != codeData && what != codeExec {
		return nil
	}
	codec := serializer.Codec{MaxCost: math.MaxInt}
	// An error means that there are none: what is sent here has been dumped here.
	_ = codec.ChannelIDs(payload, func(id int32) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if c := t.strangers[id]; c != nil {
			named = append(named, c)
		}
		return nil
	})
	return named
}
