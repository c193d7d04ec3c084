package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"runtime"
	"slices"

	"github.com/go-execnet/execnet/internal/timeout"
)

// Channel carries Python values both ways between this program and code in another interpreter. Its
// methods may be used from any number of goroutines. A channel that nothing refers to any more
// closes itself. It is execnet's Channel.
type Channel struct {
	core *core
	// The runtime keeps weak pointers and cleanups in a list for each page of objects of one size.
	// For objects of the size of a pointer these lists are long, and searching them took most of
	// the time of making a channel.
	_ [31]uintptr
}

// ID is the channel's id in its gateway, as on the wire. Whoever asks for the id of a channel of
// [Gateway.NewChannel] may tell the far end by it, so from then on Send does not wait for that.
func (c *Channel) ID() int {
	defer runtime.KeepAlive(c)
	c.core.met()
	return int(c.core.id)
}

// ExecnetChannelID makes a channel a value that can be sent over another channel of its gateway.
func (c *Channel) ExecnetChannelID() int32 { return c.core.id }

// Gateway is the gateway that the channel belongs to.
func (c *Channel) Gateway() *Gateway { return c.core.gateway }

// String shows the channel as execnet's repr does.
func (c *Channel) String() string {
	state := "open"
	if c.IsClosed() {
		state = "closed"
	}
	return fmt.Sprintf("<Channel id=%d %s>", c.core.id, state)
}

// Send sends one value, as package serializer maps it to Python, and returns when it is written to
// the pipe. That takes as long as the far end does not read; v must not change meanwhile. When ctx
// ends first, Send returns ctx's error ([ErrTimeout] for a deadline); the value is then withdrawn,
// unless writing it had begun.
//
// It returns a [serializer.DumpError] for a value that has no Python form, [ErrClosed] on a closed
// channel, and a [GatewayDiedError] when the far end is gone. It is execnet's Channel.send.
func (c *Channel) Send(ctx context.Context, v any) error {
	defer runtime.KeepAlive(c)
	core := c.core
	if core.cannotSend() {
		return core.closedError()
	}
	f := newFrame()
	var err error
	if item, ok := v.([]byte); ok && len(item) >= largeBytes && len(item) <= math.MaxInt32 {
		f.putBytes(item)
	} else if f.bytes, err = core.codec.Load().Append(f.bytes, v); err != nil {
		f.free()
		return err
	}
	if s := core.stranger.Load(); s != nil {
		if err = core.awaitKnown(ctx, s); err != nil {
			f.free()
			return err
		}
	}
	if err = core.admit(ctx, f.size()-headerSize); err != nil {
		f.free()
		return err
	}
	f.of = core
	return core.gateway.send(ctx, codeData, core.id, f)
}

// Receive returns the next item, and waits until there is one. Items have the Go types of package
// serializer: int64, string, []byte, []any, *serializer.Dict and so on. A channel arrives as a
// *Channel. [GiveBack] lets the memory of large bytes be used again.
//
// After the last item Receive returns, once, the [RemoteError] that ended the remote code, and then
// io.EOF; or a [GatewayDiedError] if the far end has died. It returns [ErrTimeout] or ctx's error
// when ctx ends first, [ErrHasCallback] after SetCallback, and a [serializer.LoadError] for an item
// that cannot be loaded. It is execnet's Channel.receive.
func (c *Channel) Receive(ctx context.Context) (any, error) {
	defer runtime.KeepAlive(c)
	it, err := c.core.next(ctx)
	if err != nil {
		return nil, err
	}
	return c.core.load(it)
}

// ReceiveInto receives the next item into the variable that v points to, as serializer.Unmarshal
// does: a struct, a map, a slice or any other Go type that fits. An item that does not fit is lost.
func (c *Channel) ReceiveInto(ctx context.Context, v any) error {
	defer runtime.KeepAlive(c)
	it, err := c.core.next(ctx)
	if err != nil {
		return err
	}
	return c.core.unmarshal(it, v)
}

// Receive is ReceiveInto for a value of type T.
func Receive[T any](ctx context.Context, c *Channel) (T, error) {
	var v T
	err := c.ReceiveInto(ctx, &v)
	return v, err
}

// Items iterates over the items that Receive returns until the channel ends. An error other than
// io.EOF comes last, with a nil item. When ctx ends, so does the iteration, even if more items have
// come. It is iteration over an execnet channel.
func (c *Channel) Items(ctx context.Context) iter.Seq2[any, error] {
	return iterate(ctx, c, c.Receive)
}

// Items is Channel.Items for items of type T.
func Items[T any](ctx context.Context, c *Channel) iter.Seq2[T, error] {
	return iterate(ctx, c, func(ctx context.Context) (T, error) { return Receive[T](ctx, c) })
}

func iterate[T any](ctx context.Context, c *Channel, receive func(context.Context) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			var v T
			err := ctx.Err()
			if err != nil {
				err = timeout.During(ctx, "receiving")
			} else {
				v, err = receive(ctx)
			}
			if errors.Is(err, io.EOF) {
				c.core.endHandled()
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// CloseSend tells the other end that no more items come, so that a loop over the channel ends
// there. This end still receives. A later Send returns [ErrClosed]. execnet has no such call. Its
// own workers (bootstrap=import) do not say when their source ends after it, so WaitClose then
// waits until the gateway ends.
func (c *Channel) CloseSend() error {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
	defer core.mu.Unlock()
	core.look()
	if core.closed || core.sendClosed {
		return nil
	}
	core.sendClosed = true
	core.gateway.windows.release(core)
	core.notify(codeLastMessage, nil)
	return nil
}

// IsClosed reports whether the channel is closed for sending. Items may still be waiting. It is
// execnet's Channel.isclosed.
func (c *Channel) IsClosed() bool {
	c.core.mu.Lock()
	defer c.core.mu.Unlock()
	c.core.look()
	return c.core.closed
}

// Close closes the channel at both ends, and does not wait. Items that have come can still be
// received. Closing a closed channel does nothing. In a worker, it returns [ErrExecuting] for the
// channel of a running execution. It is execnet's Channel.close.
func (c *Channel) Close() error { return c.CloseWithError(nil) }

// CloseWithError is Close with an error, which receive and waitclose of the other end raise as a
// RemoteError. It is channel.close(error) in execnet.
func (c *Channel) CloseWithError(reason error) error {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
	core.look()
	switch {
	case core.executing:
		core.mu.Unlock()
		return ErrExecuting
	case core.closed:
		core.mu.Unlock()
		return nil
	}
	core.closed = true
	var raised *RemoteError
	// A remote error of one channel may close another one, whose Receive then returns it here, too.
	errors.As(reason, &raised)
	if core.receiveClosed && raised != nil {
		core.remoteErrors = append(core.remoteErrors, raised)
	}
	core.mu.Unlock()

	if reason != nil {
		core.notify(codeCloseError, errorPayload(reason, core.gateway.describe))
	} else {
		core.notify(codeClose, nil)
	}
	core.gateway.table.remove(core)
	if core.relay != nil { // its worker does not know yet
		_ = core.relay.post(codeClose, core.id, nil)
		core.relay.forget(core.id)
	}
	core.end(ending{err: raised})
	return nil
}

// WaitClose waits until the other end sends no more: the remote code has finished, or has closed or
// dropped the channel. Items that came before can still be received. It returns the [RemoteError]
// that ended the remote code, unless Receive has returned that already, a [GatewayDiedError] if the
// far end has died, and [ErrTimeout] or ctx's error when ctx ends first. It is execnet's
// Channel.waitclose.
func (c *Channel) WaitClose(ctx context.Context) error {
	defer runtime.KeepAlive(c)
	core := c.core
	if core.lender != nil {
		return core.lender.WaitClose(ctx, c.ID())
	}
	core.mu.Lock()
	defer core.mu.Unlock()
	core.in.lifted++
	defer func() { core.in.lifted-- }()
	if core.in.said {
		core.tell(true)
	}
	if err := core.gateway.reader.wait(ctx, core, func() bool { return core.receiveClosed }, "waiting for the channel's close"); err != nil {
		return err
	}
	return core.takeError()
}

// AfterClose calls f, in a goroutine of the gateway, when the other end sends no more, which is
// when WaitClose returns. If that is so already it calls f now. stop prevents the call, and reports
// whether it was in time. It is context.AfterFunc for channels; execnet has no such call.
func (c *Channel) AfterClose(f func()) (stop func() bool) {
	defer runtime.KeepAlive(c)
	core := c.core
	if core.relay != nil {
		return core.relay.AfterClose(c.ID(), f)
	}
	core.mu.Lock()
	defer core.mu.Unlock()
	if core.receiveClosed {
		core.gateway.tasks.start(f)
		return func() bool { return false }
	}
	core.afterClose = append(core.afterClose, &f)
	return func() bool {
		core.mu.Lock()
		defer core.mu.Unlock()
		i := slices.Index(core.afterClose, &f)
		if i < 0 {
			return false
		}
		core.afterClose = slices.Delete(core.afterClose, i, i+1)
		return true
	}
}
