package multi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// MultiChannel is a list of channels that are used together, usually one to each gateway of a
// group. Its methods may be used from any number of goroutines. It is execnet's MultiChannel.
//
// Errors name the gateway that they come from. errors.Is and errors.As find the channel's error.
type MultiChannel struct {
	channels []*gatewaybase.Channel

	once  sync.Once // makes queue
	queue *ReceiveQueue
	err   error // why queue could not be made
}

// NewMultiChannel makes a MultiChannel of channels, which may belong to any gateways.
func NewMultiChannel(channels ...*gatewaybase.Channel) *MultiChannel {
	return &MultiChannel{channels: slices.Clone(channels)}
}

// RemoteExec executes source in every gateway of the group, as Gateway.RemoteExec does, and returns
// the channels in the order of the gateways. If it fails for one of them, the channels that exist
// by then are closed. It is execnet's Group.remote_exec.
func (g *Group) RemoteExec(ctx context.Context, source string, options ...gatewaybase.ExecOption) (*MultiChannel, error) {
	return g.remoteExec(func(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error) {
		return gw.RemoteExec(ctx, source, options...)
	})
}

// RemoteExecFile is RemoteExec of a Python file, as Gateway.RemoteExecFile.
func (g *Group) RemoteExecFile(ctx context.Context, name string, options ...gatewaybase.ExecOption) (*MultiChannel, error) {
	return g.remoteExec(func(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error) {
		return gw.RemoteExecFile(ctx, name, options...)
	})
}

// RemoteExecFS is RemoteExecFile for a file in fsys.
func (g *Group) RemoteExecFS(ctx context.Context, fsys fs.FS, name string, options ...gatewaybase.ExecOption) (*MultiChannel, error) {
	return g.remoteExec(func(gw *gatewaybase.Gateway) (*gatewaybase.Channel, error) {
		return gw.RemoteExecFS(ctx, fsys, name, options...)
	})
}

func (g *Group) remoteExec(exec func(*gatewaybase.Gateway) (*gatewaybase.Channel, error)) (*MultiChannel, error) {
	m := &MultiChannel{}
	for gw := range g.All() {
		ch, err := exec(gw)
		if err != nil {
			for _, ch := range m.channels {
				_ = ch.Close() // err is what the caller gets
			}
			return nil, fmt.Errorf("gateway %s: %w", gw.ID(), err)
		}
		m.channels = append(m.channels, ch)
	}
	return m, nil
}

// Len is the number of channels.
func (m *MultiChannel) Len() int { return len(m.channels) }

// At returns the i-th channel, or nil. It is multichannel[i] in execnet.
func (m *MultiChannel) At(i int) *gatewaybase.Channel {
	if i < 0 || i >= len(m.channels) {
		return nil
	}
	return m.channels[i]
}

// All iterates over the channels.
func (m *MultiChannel) All() iter.Seq[*gatewaybase.Channel] { return slices.Values(m.channels) }

// Contains reports whether ch is one of the channels.
func (m *MultiChannel) Contains(ch *gatewaybase.Channel) bool {
	return slices.Contains(m.channels, ch)
}

// SendEach sends the item on every channel, on all at once, so that a slow one does not hold up the
// others, each as Channel.Send does. It returns when all are done; the error joins those of the
// channels that could not send. It is execnet's MultiChannel.send_each, which stops at the first.
func (m *MultiChannel) SendEach(ctx context.Context, item any) error {
	errs := make([]error, len(m.channels))
	var wg sync.WaitGroup
	for i, ch := range m.channels {
		wg.Go(func() { errs[i] = named(ch, ch.Send(ctx, item)) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Received is an item and the channel that it came from.
type Received struct {
	Channel *gatewaybase.Channel
	Item    any
}

// ReceiveEach receives one item from every channel, in the order of the channels. If a channel has
// no more items, or fails, ReceiveEach returns that channel's error (io.EOF for its end) and the
// items of the channels before it, and takes nothing from the channels after it. It is execnet's
// MultiChannel.receive_each.
func (m *MultiChannel) ReceiveEach(ctx context.Context) ([]any, error) {
	received, err := m.ReceiveEachWithChannel(ctx)
	items := make([]any, len(received))
	for i, r := range received {
		items[i] = r.Item
	}
	return items, err
}

// ReceiveEachWithChannel is ReceiveEach that also returns the channel of each item. It is
// receive_each(withchannel=True) in execnet.
func (m *MultiChannel) ReceiveEachWithChannel(ctx context.Context) ([]Received, error) {
	received := make([]Received, 0, len(m.channels))
	for _, ch := range m.channels {
		item, err := ch.Receive(ctx)
		if err != nil {
			return received, named(ch, err)
		}
		received = append(received, Received{ch, item})
	}
	return received, nil
}

// Items iterates over the items of all channels, in the order in which they come, until all
// channels have ended. It makes the receive queue for that. The first error, that of ctx or that of
// a channel's WaitClose, comes last.
func (m *MultiChannel) Items(ctx context.Context) iter.Seq2[Received, error] {
	return func(yield func(Received, error) bool) {
		queue, err := m.MakeReceiveQueue(gatewaybase.NoEndmarker)
		if err != nil {
			yield(Received{}, err)
			return
		}
		for r, err := range queue.Items(ctx) {
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := m.WaitClose(ctx); err != nil {
			yield(Received{}, err)
		}
	}
}

// WaitClose waits until the other end of every channel sends no more, as Channel.WaitClose does,
// and returns the error of the first channel in the list that has one, or ctx's error if ctx ends
// first. It is execnet's MultiChannel.waitclose.
func (m *MultiChannel) WaitClose(ctx context.Context) error {
	var first error
	for _, ch := range m.channels {
		if err := ch.WaitClose(ctx); err != nil && first == nil {
			first = named(ch, err)
		}
	}
	return first
}

func named(ch *gatewaybase.Channel, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("gateway %s: %w", ch.Gateway().ID(), err)
}
