package multi

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/timeout"
)

// ReceiveQueue gathers the items of a MultiChannel's channels in the order in which they come. Its
// methods may be used from any number of goroutines; each item goes to one of them. Until then they
// wait in their channels, whose windows bound how many that are (see Channel.SetWindow).
type ReceiveQueue struct {
	endmarker any

	mu     sync.Mutex // guards what follows; taken while the gateway holds locks of a channel
	change sync.Cond
	came   []arrival
	open   int // channels that may still send
	times  int // how often Receive has been called
	now    int // how many wait in Receive
}

// arrival stands for an item that waits in its channel, or for the channel's endmarker.
type arrival struct {
	channel *gatewaybase.Channel
	end     bool
}

// MakeReceiveQueue returns a queue of the items of all channels, which begins with those that have
// come already. From then on Receive of the channels, and ReceiveEach, return
// [gatewaybase.ErrHasCallback]. The queue gets endmarker once for each channel, after its last
// item, unless endmarker is [gatewaybase.NoEndmarker]. Later calls return the same queue, with the
// endmarker of the first call. It is execnet's MultiChannel.make_receive_queue.
//
// If a channel has a callback already, MakeReceiveQueue returns gatewaybase.ErrHasCallback together
// with the queue of the other channels.
func (m *MultiChannel) MakeReceiveQueue(endmarker any) (*ReceiveQueue, error) {
	m.once.Do(func() {
		q := &ReceiveQueue{endmarker: endmarker, open: len(m.channels)}
		q.change.L = &q.mu
		m.queue = q
		for _, ch := range m.channels {
			if err := gatewaybase.Follow(ch, (*follower)(q)); err != nil {
				m.err = errors.Join(m.err, named(ch, err))
				q.mu.Lock()
				q.ended()
				q.mu.Unlock()
			}
		}
	})
	return m.queue, m.err
}

// follower is a ReceiveQueue as its channels know it.
type follower ReceiveQueue

// Came implements gatewaybase.Follower.
func (f *follower) Came(ch *gatewaybase.Channel, more bool) {
	q := (*ReceiveQueue)(f)
	q.mu.Lock()
	defer q.mu.Unlock()
	if more || q.endmarker != any(gatewaybase.NoEndmarker) {
		q.came = append(q.came, arrival{ch, !more})
		q.change.Broadcast()
	}
	if !more {
		q.ended()
	}
}

// Waits implements gatewaybase.Follower.
func (f *follower) Waits() (times int, now bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.times, f.now > 0
}

// ended counts a channel that sends no more. The caller holds mu.
func (q *ReceiveQueue) ended() {
	q.open--
	q.change.Broadcast()
}

// Len is the number of items and endmarkers that wait to be received.
func (q *ReceiveQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.came)
}

// Receive returns the next item, and waits until there is one. When all channels have ended and
// their items are received, it returns io.EOF (execnet's queue would wait for ever);
// MultiChannel.WaitClose then returns remote errors. If ctx ends first, it returns
// gatewaybase.ErrTimeout or ctx's error.
func (q *ReceiveQueue) Receive(ctx context.Context) (Received, error) {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.change.Broadcast()
	})
	defer stop()
	for {
		next, err := q.next(ctx)
		if err != nil {
			return Received{}, err
		}
		if next.end {
			return Received{next.channel, q.endmarker}, nil
		}
		if item, ok := gatewaybase.TakeFollowed(next.channel); ok {
			return Received{next.channel, item}, nil
		}
	}
}

// next removes the oldest arrival, and waits until there is one.
func (q *ReceiveQueue) next(ctx context.Context) (arrival, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.times++
	for len(q.came) == 0 {
		switch {
		case q.open == 0:
			return arrival{}, io.EOF
		case ctx.Err() != nil:
			return arrival{}, timeout.During(ctx, "receiving")
		}
		q.now++
		q.change.Wait()
		q.now--
	}
	next := q.came[0]
	q.came[0] = arrival{} // so that the rest of the slice does not keep it alive
	q.came = q.came[1:]
	return next, nil
}

// Items iterates over the items that Receive returns until all channels have ended. An error other
// than io.EOF comes last.
func (q *ReceiveQueue) Items(ctx context.Context) iter.Seq2[Received, error] {
	return func(yield func(Received, error) bool) {
		for {
			r, err := q.Receive(ctx)
			if errors.Is(err, io.EOF) || !yield(r, err) || err != nil {
				return
			}
		}
	}
}
