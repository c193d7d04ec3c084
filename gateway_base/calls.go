package gatewaybase

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"

	"github.com/go-execnet/execnet/serializer"
)

// A far end of this module serves calls on a channel (protocol.md section 6.8). The driver opens it
// with a program that such a far end recognises and does not execute. Other workers execute it, and
// say by it that they do not serve calls.
const (
	serveCallsSource = `
def serve_calls(channel, python):
    channel.send(None)
`
	serveCallsFile = "execnet/calls.py"
	serveCallsName = "serve_calls"
)

// ServeCalls reports whether p opens a channel for calls, and whether for those of Python functions
// only.
func (p *Program) ServeCalls() (python, ok bool) {
	if p.Call != serveCallsName || p.File != serveCallsFile || p.Source != serveCallsSource {
		return false, false
	}
	v, _ := p.Kwargs.Get("python")
	python, ok = v.(bool)
	return python, ok
}

// errNotServed says that a call has not been made, because its channel does not serve it.
var errNotServed = errors.New("execnet: the far end does not serve this call on its channel for calls")

// callers makes a gateway's calls: those that wait for answers share a channel or two.
type callers struct {
	gateway *Gateway

	mu     sync.Mutex // guards what follows
	lastID int32
	main   *callLine // for all functions, or, in a Go worker, for Go functions
	python *callLine // in a Go worker, for the functions of the Python that belongs to it
}

// reset makes later calls use new channels, which have the string configuration of that time.
func (c *callers) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.main, c.python = nil, nil
}

// callRequest is a call, an iteration or the making of an object.
type callRequest struct {
	object   *Handle // whose method it is; nil for a function
	function string  // the path of a function, or from the object
	args     serializer.Tuple
	kwargs   Kwargs
	// more are the elements of the request behind the channel that is made for it, of an iteration
	// if there are any; nil means that there is no channel.
	more []any
}

// call makes a call, and puts what it returns into result. It returns the channel that was made for
// it, if there was to be one, and the line. It returns errNotServed if it has to be made in another
// way.
func (c *callers) call(ctx context.Context, r *callRequest, result any) (*Channel, *callLine, error) {
	var refused *callLine
	for {
		line, err := c.line(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		if line == nil || line == refused {
			return nil, nil, errNotServed
		}
		ch, err := line.call(ctx, r, result)
		if err != errNotServed {
			return ch, line, err
		}
		refused = line
	}
}

// call is callers.call on this line.
func (l *callLine) call(ctx context.Context, r *callRequest, result any) (*Channel, error) {
	request := serializer.Tuple{nil, r.function, r.args}
	if r.object != nil {
		defer runtime.KeepAlive(r.object)
		request[1] = serializer.Tuple{r.object, r.function}
	}
	if len(r.kwargs) > 0 || r.more != nil {
		kwargs := map[string]any(r.kwargs)
		if kwargs == nil {
			kwargs = map[string]any{}
		}
		request = append(request, kwargs)
	}
	if r.more == nil {
		return nil, l.ask(ctx, request, result)
	}
	ch, err := l.callers.gateway.newChannel()
	if err != nil {
		return nil, err
	}
	if len(r.more) > 0 {
		ch.forStream()
	}
	if err := l.ask(ctx, append(append(request, ch), r.more...), result); err != nil {
		if ctx.Err() != nil {
			l.post(l.callers.numbers(1), ch.core.id) // an iteration may have begun
		}
		_ = ch.Close() // it is no execution's
		return nil, err
	}
	return ch, nil
}

// line returns the channel for a call, and opens it if there is none; nil means that the far end
// has no such channel.
func (c *callers) line(ctx context.Context, r *callRequest) (*callLine, error) {
	if r.object != nil {
		return c.lineOf(ctx, r.object.behind)
	}
	module := moduleOf(r.function)
	for _, behind := range []bool{false, true} {
		line, err := c.lineOf(ctx, behind)
		if err != nil {
			return nil, err
		}
		serves, other := line.serves(module)
		if serves {
			return line, nil
		}
		if !other {
			break
		}
	}
	return nil, nil
}

// servesGo reports whether a function is one of a Go worker.
func (c *callers) servesGo(function string) bool {
	c.mu.Lock()
	line := c.main
	c.mu.Unlock()
	if line == nil {
		return false
	}
	serves, ofGo := line.serves(moduleOf(function))
	return serves && ofGo
}

// lineOf returns the main channel for calls or, behind a Go worker, that for Python functions, and
// opens it if there is none.
func (c *callers) lineOf(ctx context.Context, behind bool) (*callLine, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := &c.main
	if behind {
		line = &c.python
	}
	if *line == nil || (*line).over() {
		if err := c.open(ctx, line, behind); err != nil {
			return nil, err
		}
	}
	return *line, nil
}

// open opens a channel for calls, and does not wait for its first item. The caller holds mu.
func (c *callers) open(ctx context.Context, to **callLine, python bool) error {
	ch, err := c.gateway.start(ctx, &task{source: serveCallsSource, file: serveCallsFile, call: serveCallsName,
		kwargs: map[string]any{"python": python}})
	if err != nil {
		return err
	}
	c.gateway.table.hide(ch.core)
	*to = &callLine{callers: c, channel: ch, behind: python, waiting: map[int32]*waitingCall{}}
	return nil
}

// numbers returns the first of so many numbers of new calls, which follow each other and are above
// 0.
func (c *callers) numbers(n int) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(c.lastID) > math.MaxInt32-n {
		c.lastID = 0
	}
	first := c.lastID + 1
	c.lastID += int32(n)
	return first
}
