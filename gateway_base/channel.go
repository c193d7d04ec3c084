package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"github.com/go-execnet/execnet/internal/timeout"
)

// Channel carries Python values both ways between this program and code in another interpreter. Its
// methods may be used from any number of goroutines. A channel that is no longer referenced closes
// itself. It is execnet's Channel.
type Channel struct {
	core *core
	// The runtime keeps what it knows of weak pointers and cleanups in a list for each page of
	// objects of one size: with objects as small as one pointer the lists are long, and searching
	// them took most of the time of making a channel.
	_ [31]uintptr
}

// ID is the channel's number in its gateway, as the wire has it.
func (c *Channel) ID() int { return int(c.core.id) }

// ExecnetChannelID implements serializer.Channel: a channel may be sent over another one of its
// gateway.
func (c *Channel) ExecnetChannelID() int32 { return c.core.id }

// Gateway is the gateway the channel belongs to.
func (c *Channel) Gateway() *Gateway { return c.core.gateway }

// String shows the channel as execnet's repr does.
func (c *Channel) String() string {
	state := "open"
	if c.IsClosed() {
		state = "closed"
	}
	return fmt.Sprintf("<Channel id=%d %s>", c.core.id, state)
}

// Send sends one value, in the mapping of package serializer, and returns when it is written to the
// pipe; that takes as long as the far end does not read. When ctx ends first, Send returns ctx's
// error (ErrTimeout for a deadline); the value is then withdrawn, unless writing it had begun.
//
// It reports a serializer.DumpError for a value that has no Python form, ErrClosed on a closed
// channel and a GatewayDiedError when the far end is gone. It is execnet's Channel.send.
func (c *Channel) Send(ctx context.Context, v any) error {
	defer runtime.KeepAlive(c)
	core := c.core
	if core.cannotSend() {
		return core.gateway.diedOr(fmt.Errorf("cannot send to %v: %w", c, ErrClosed))
	}
	f := newFrame()
	var err error
	if f.bytes, err = core.codec.Load().Append(f.bytes, v); err != nil {
		f.free()
		return err
	}
	return core.gateway.send(ctx, codeData, core.id, f)
}

// Receive returns the next item, waiting for it if need be. Values have the shapes of package
// serializer: int64, string, []byte, []any, *serializer.Dict and so on; a channel arrives as
// *Channel.
//
// After the last item it reports, once, the RemoteError that ended the remote code, and io.EOF from
// then on; a GatewayDiedError if the far end died; ErrTimeout or ctx's error when ctx ends first;
// ErrHasCallback after SetCallback; a serializer.LoadError for an item that is no value. It is
// execnet's Channel.receive.
func (c *Channel) Receive(ctx context.Context) (any, error) {
	defer runtime.KeepAlive(c)
	it, err := c.core.next(ctx)
	if err != nil {
		return nil, err
	}
	return it.codec.Load(it.payload)
}

// ReceiveInto receives the next item into what v points to, as serializer.Unmarshal does: a struct,
// a map, a slice or any other Go type that fits. The item is gone even if it does not fit.
func (c *Channel) ReceiveInto(ctx context.Context, v any) error {
	defer runtime.KeepAlive(c)
	it, err := c.core.next(ctx)
	if err != nil {
		return err
	}
	return it.codec.Unmarshal(it.payload, v)
}

// Receive is ReceiveInto for a value of type T.
func Receive[T any](ctx context.Context, c *Channel) (T, error) {
	var v T
	err := c.ReceiveInto(ctx, &v)
	return v, err
}

// Items iterates over what Receive returns until the channel ends. Any error but io.EOF is handed
// out last, with a nil item; an ended ctx stops it even if more items wait. It is iteration over an
// execnet channel.
func (c *Channel) Items(ctx context.Context) iter.Seq2[any, error] {
	return iterate(ctx, c.Receive)
}

// Items is Channel.Items for items of type T.
func Items[T any](ctx context.Context, c *Channel) iter.Seq2[T, error] {
	return iterate(ctx, func(ctx context.Context) (T, error) { return Receive[T](ctx, c) })
}

func iterate[T any](ctx context.Context, receive func(context.Context) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			var v T
			err := ctx.Err()
			if err != nil {
				err = timeout.During(ctx, "execnet: receiving")
			} else {
				v, err = receive(ctx)
			}
			if errors.Is(err, io.EOF) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// CloseSend tells the other end that no more items come, so that its iteration over the channel
// ends; this end still receives. Sending again reports ErrClosed. execnet has no such call, and its
// own workers (bootstrap=import) do not tell when their source ends after it: WaitClose then waits
// for the gateway's end.
func (c *Channel) CloseSend() error {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
	defer core.mu.Unlock()
	if core.closed || core.sendClosed {
		return nil
	}
	core.sendClosed = true
	core.notify(codeLastMessage, nil)
	return nil
}

// IsClosed reports whether the channel is closed for sending; items may still be waiting. It is
// execnet's Channel.isclosed.
func (c *Channel) IsClosed() bool {
	c.core.mu.Lock()
	defer c.core.mu.Unlock()
	return c.core.closed
}

// Close closes the channel at both ends; it does not wait. Items that have come can still be
// received. Closing twice does nothing. At a worker, the channel of a running execution reports
// ErrExecuting. It is execnet's Channel.close.
func (c *Channel) Close() error { return c.CloseWithError(nil) }

// CloseWithError is Close, with an error that the other end's receive and waitclose raise as a
// RemoteError. It is channel.close(error) in execnet.
func (c *Channel) CloseWithError(reason error) error {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
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
	// What came from one channel may be handed to another, which then raises it here as well.
	errors.As(reason, &raised)
	if core.receiveClosed && raised != nil {
		core.remoteErrors = append(core.remoteErrors, raised)
	}
	core.mu.Unlock()

	if reason != nil {
		core.notify(codeCloseError, errorPayload(reason.Error()))
	} else {
		core.notify(codeClose, nil)
	}
	core.gateway.table.remove(core)
	core.end(ending{err: raised})
	return nil
}

// WaitClose waits until the other end sends no more: the remote code has finished, or has closed or
// dropped the channel. Items that came before can still be received afterwards. It reports the
// RemoteError that ended the remote code unless that was received already, a GatewayDiedError if
// the far end died, and ErrTimeout or ctx's error. It is execnet's Channel.waitclose.
func (c *Channel) WaitClose(ctx context.Context) error {
	defer runtime.KeepAlive(c)
	core := c.core
	core.mu.Lock()
	defer core.mu.Unlock()
	if err := core.gateway.reader.wait(ctx, core, func() bool { return core.receiveClosed }, "execnet: waiting for the channel's close"); err != nil {
		return err
	}
	return core.takeError()
}

// AfterClose has f called, in a goroutine of the gateway, once the other end sends no more: when
// WaitClose would return. If that is so already it is called now. stop keeps f from being called,
// and reports whether it came in time. It is context.AfterFunc for channels, and execnet has no
// such call.
func (c *Channel) AfterClose(f func()) (stop func() bool) {
	defer runtime.KeepAlive(c)
	core := c.core
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
