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
// methods may be used from any number of goroutines; each item goes to one of them.
type ReceiveQueue struct {
	mu     sync.Mutex // guards what follows
	change sync.Cond
	items  []Received
	open   int // channels that may still send
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

// channelEnd is the endmarker that the queue uses for its own callbacks.
type channelEnd struct{}

// ended counts a channel that sends no more.
func (q *ReceiveQueue) ended() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open--
	q.change.Broadcast()
}

// follow puts a channel's items into the queue.
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
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 {
		switch {
		case q.open == 0:
			return Received{}, io.EOF
		case ctx.Err() != nil:
			return Received{}, timeout.During(ctx, "receiving")
		}
		q.change.Wait()
	}
	r := q.items[0]
	q.items[0] = Received{} // so that the rest of the slice does not keep it alive
	q.items = q.items[1:]
	return r, nil
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
