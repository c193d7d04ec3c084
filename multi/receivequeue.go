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

// ReceiveQueue gathers the items of a MultiChannel's channels in the order they come. Its methods
// may be used from any number of goroutines; each item goes to one of them.
type ReceiveQueue struct {
	mu     sync.Mutex // guards what follows
	change sync.Cond
	items  []Received
	open   int // channels that may still send
}

// MakeReceiveQueue has the items of all channels, first those that wait already, go into one queue;
// from then on the channels' own Receive, and ReceiveEach, report gatewaybase.ErrHasCallback. With
// an endmarker, the queue gets it once for each channel, after the channel's last item. Later calls
// return the same queue, whose endmarker is the first call's. It is execnet's
// MultiChannel.make_receive_queue.
//
// When a channel has a callback already, it reports gatewaybase.ErrHasCallback together with the
// queue of the others.
func (m *MultiChannel) MakeReceiveQueue(endmarker any) (*ReceiveQueue, error) {
	m.once.Do(func() {
		q := &ReceiveQueue{open: len(m.channels)}
		q.change.L = &q.mu
		m.queue = q
		for _, ch := range m.channels {
			if err := q.follow(ch, endmarker); err != nil {
				m.err = errors.Join(m.err, named(ch, err))
				q.ended()
			}
		}
	})
	return m.queue, m.err
}

// channelEnd is the endmarker the queue itself asks channels for.
type channelEnd struct{}

// ended notes that a channel sends no more.
func (q *ReceiveQueue) ended() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open--
	q.change.Broadcast()
}

// follow has a channel's items put into the queue.
func (q *ReceiveQueue) follow(ch *gatewaybase.Channel, endmarker any) error {
	return ch.SetCallback(func(item any) error {
		if item != any(channelEnd{}) {
			q.put(Received{ch, item})
			return nil
		}
		if endmarker != any(gatewaybase.NoEndmarker) {
			q.put(Received{ch, endmarker})
		}
		q.ended()
		return nil
	}, channelEnd{})
}

func (q *ReceiveQueue) put(r Received) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, r)
	q.change.Broadcast()
}

// Len is the number of items that wait to be received.
func (q *ReceiveQueue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Receive returns the next item, waiting for it if need be. When all channels have ended and their
// items are received, it reports io.EOF (execnet's queue would wait for ever);
// MultiChannel.WaitClose tells of remote errors then. It reports gatewaybase.ErrTimeout or ctx's
// error when ctx ends first.
func (q *ReceiveQueue) Receive(ctx context.Context) (Received, error) {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.change.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 {
		switch {
		case q.open == 0:
			return Received{}, io.EOF
		case ctx.Err() != nil:
			return Received{}, timeout.During(ctx, "execnet: receiving")
		}
		q.change.Wait()
	}
	r := q.items[0]
	q.items[0] = Received{} // not to be kept alive by the rest
	q.items = q.items[1:]
	return r, nil
}

// Items iterates over what Receive returns until all channels have ended. Any error but io.EOF is
// handed out last.
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
