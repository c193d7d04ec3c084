package gatewaybase

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"time"

	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// The window of an iteration: how far the far end may be ahead of its reader.
const (
	streamItems = 1024
	streamBytes = 4 << 20
)

// streamPatience is how long the end of a loop waits until the far end has closed the generator.
const streamPatience = time.Second

// remoteIterSource does the far end's part of an iteration where that serves no calls on a channel
// of its own: see protocol.md section 6.8. Of the sizes of items it knows only those of strings.
const remoteIterSource = findFunctionSource + `
def remote_iter(channel, function, args, kwargs, most, most_bytes, any_result):
    result = find_function(function)(*args, **kwargs)
    if any_result and not hasattr(type(result), "next" if str is bytes else "__next__"):
        result = [result]
    iterator = iter(result)
    sizes, total, end = [], 0, object()
    try:
        while True:
            full = len(sizes) >= most or total >= most_bytes
            try:
                n = channel.receive(None if full else 0)
            except channel.TimeoutError:
                pass
            except EOFError:
                return
            else:
                if n < 1:
                    return
                total -= sum(sizes[:n])
                del sizes[:n]
                continue
            item = next(iterator, end)
            if item is end:
                return
            channel.send(item)
            sizes.append(len(item) if isinstance(item, (type(b""), type(u""))) else 0)
            total += sizes[-1]
    finally:
        if hasattr(iterator, "throw"):
            iterator.close()
`

// RemoteIter calls a function of the far end by its name, as RemoteCall does, and iterates over
// what it returns: the items that a generator yields, or those of any other iterable. In a Go
// worker the function returns an iter.Seq, an iter.Seq2 whose second values are errors, a channel
// to receive from, or a slice. Items are filled as by Channel.ReceiveInto; they and the arguments
// are what they are in RemoteCall.
//
//	for row, err := range execnet.RemoteIter[Row](ctx, gw, "analysis.rows", "2024.csv") {
//
// The function is called when the loop begins, and once more for each further loop. It runs ahead
// of the loop by at most 1,024 items, and at most 4 MiB and one item: then it waits. Any number of
// iterations and calls may be under way. Each iteration has a thread as an execution would have
// one. Under main_thread_only it has the main thread, and leaves it to others while it waits for
// its reader.
//
// What a generator reads from this end while it yields comes over a channel among its arguments,
// one of [Gateway.NewChannel], on which another goroutine sends.
//
// An error comes after the items before it and ends the loop. An exception is a [RemoteError]; the
// other errors are those of RemoteCall, and a [serializer.LoadError] for an item that is no T.
// Breaking out of the loop closes the generator: GeneratorExit is raised where it has yielded, so
// its finally blocks run, and the loop ends when they have run. What they raise is printed as a
// warning. In a Go function yield returns false, and its context ends. If it does not come to that
// within a second it is interrupted, as it is when ctx ends: what RemoteCall says about that holds
// here, too.
//
// With pip's execnet an iteration is an execution: it does not leave the main thread to others, and
// it is not interrupted but ends when it yields. Of the window's bytes only those of str and bytes
// are counted there. The protocol is in [protocol.md section 6.8].
//
// [protocol.md section 6.8]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#68-calls
func RemoteIter[T any](ctx context.Context, g *Gateway, function string, args ...any) iter.Seq2[T, error] {
	return remoteIter[T](ctx, g, function, args, false)
}

// RemoteResults is RemoteIter over what the function returns if that is an iterator: a generator, a
// file, the result of map; in a Go worker an iter.Seq, an iter.Seq2 or a channel. Anything else,
// such as a list, is the one item, as if RemoteCall had returned it.
func RemoteResults[T any](ctx context.Context, g *Gateway, function string, args ...any) iter.Seq2[T, error] {
	return remoteIter[T](ctx, g, function, args, true)
}

// remoteIter iterates over what a function returns. anyResult says that what is no iterator is the
// one item.
func remoteIter[T any](ctx context.Context, g *Gateway, function string, args []any, anyResult bool) iter.Seq2[T, error] {
	return iterateOver[T](ctx, func() (*stream, error) {
		if !isDottedName(function) {
			return nil, badSource("%q is not the name of a function in a module", function)
		}
		args, kwargs := splitKwargs(args)
		r := &callRequest{function: function, args: args, kwargs: kwargs}
		s, err := g.stream(ctx, r, anyResult)
		if err == errNotServed {
			s, err = g.streamByExecution(ctx, r, anyResult)
		}
		return s, err
	})
}

// IterMethod is [RemoteIter] over what a method of a handle's object returns. See [CallMethod] for
// the names of methods.
func IterMethod[T any](ctx context.Context, h *Handle, method string, args ...any) iter.Seq2[T, error] {
	return iterateOver[T](ctx, func() (*stream, error) {
		r, err := h.request(method, args)
		if err != nil {
			return nil, err
		}
		s, err := h.Gateway().stream(ctx, r, false)
		return s, h.explain(err)
	})
}

// iterateOver iterates over a stream, which begin begins.
func iterateOver[T any](ctx context.Context, begin func() (*stream, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		s, err := begin()
		if err != nil {
			yield(none, err)
			return
		}
		defer s.end(ctx)
		for {
			var v T
			it, err := s.next(ctx)
			if err == io.EOF {
				return
			}
			if err == nil {
				err = s.channel.core.unmarshal(it, &v)
			}
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// stream is an iteration under way, at the driver.
type stream struct {
	channel *Channel
	line    *callLine // nil if it is an execution
	items   int       // taken since the far end was told
	bytes   int       // of these items
	over    bool      // nothing more comes
}

// stream begins an iteration. It returns errNotServed if that has to be done in another way.
func (g *Gateway) stream(ctx context.Context, r *callRequest, anyResult bool) (*stream, error) {
	r.more = []any{streamItems, streamBytes}
	if anyResult {
		r.more = append(r.more, nil)
	}
	var none any
	ch, line, err := g.calls.call(ctx, r, &none)
	if err != nil {
		return nil, err
	}
	return &stream{channel: ch, line: line}, nil
}

// streamByExecution begins an iteration at a far end that does not serve it on a channel for calls.
// A Go function is not served there if it has the channel of its execution as a parameter.
func (g *Gateway) streamByExecution(ctx context.Context, r *callRequest, anyResult bool) (*stream, error) {
	t := &task{source: remoteIterSource, file: "execnet/remoteiter.py", call: "remote_iter", streams: true,
		kwargs: map[string]any{"most": streamItems, "most_bytes": streamBytes, "any_result": anyResult}}
	if anyResult && g.calls.servesGo(r.function) {
		t = &task{source: remoteCallSource, file: remoteCallFile, call: remoteCallName, kwargs: map[string]any{}}
	}
	ch, err := g.startByExecution(ctx, t, r.function, r.args, r.kwargs)
	if err != nil {
		return nil, err
	}
	return &stream{channel: ch}, nil
}

// forStream makes c the channel of an iteration. The far end does not know it yet: what it sends
// counts from the first item on.
func (c *Channel) forStream() {
	c.core.mu.Lock()
	defer c.core.mu.Unlock()
	c.core.most = streamItems
	c.core.in.window = 0 // it has one of its own
}

// next returns the next item, and tells the far end from time to time how many have been taken.
func (s *stream) next(ctx context.Context) (item, error) {
	if ctx.Err() != nil {
		return item{}, timeout.During(ctx, "receiving")
	}
	if s.items >= streamItems/4 || s.bytes >= streamBytes/4 {
		s.say(s.items)
		s.items, s.bytes = 0, 0
	}
	it, err := s.channel.core.next(ctx)
	switch {
	case err == nil:
		s.items++
		s.bytes += len(it.payload)
	case ctx.Err() == nil:
		s.over = true
	}
	return it, err
}

// say sends an int.
func (s *stream) say(n int) {
	if payload, err := new(serializer.Codec).Append(nil, n); err == nil {
		s.channel.core.notify(codeData, payload)
	}
}

// end ends the iteration, and waits for a while until the far end has done that.
func (s *stream) end(ctx context.Context) {
	defer runtime.KeepAlive(s.channel)
	defer func() { _ = s.channel.Close() }() // this end executes nothing on it
	if s.over {
		return
	}
	interrupt := ctx.Err() != nil
	if !interrupt {
		s.say(0)
		interrupt = !s.drain(ctx)
	}
	if interrupt && s.line != nil {
		s.line.post(s.line.callers.numbers(1), s.channel.core.id)
	}
	if ctx.Err() != nil {
		s.say(0)
	}
}

// drain drops what still comes, and reports whether the end has come.
func (s *stream) drain(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, streamPatience)
	defer cancel()
	core := s.channel.core
	for {
		it, err := core.next(ctx)
		var raised *RemoteError
		switch {
		case err == nil:
			core.forget([]item{it})
		case errors.As(err, &raised):
			core.gateway.warn(raised) // of a finally block
			return true
		default:
			return ctx.Err() == nil
		}
	}
}
