package gatewaybase

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// callLine is one channel for calls, at the driver. Of the callers that wait for answers one
// receives: it hands the answers of the others over. So a caller that is alone needs no switch
// between goroutines.
type callLine struct {
	callers *callers
	channel *Channel
	behind  bool // it is for functions of the Python behind a Go worker

	mu        sync.Mutex // guards what follows
	waiting   map[int32]*waitingCall
	receiving bool     // a caller receives
	opened    bool     // the first item has come
	refuses   bool     // the far end serves no calls
	modules   []string // those that this channel is for; nil means all
	ended     error    // why it serves no more calls
}

// waitingCall is a call without an answer.
type waitingCall struct {
	id        int32
	caller    *caller
	opening   bool // it is no call: it waits for the first item
	abandoned bool // the caller has gone
	answered  bool
	answer    item
	err       error // why there is no answer
}

// caller is who waits for the answer of a call, or for those of several.
type caller struct {
	news int           // answers that it has not looked at
	wake chan struct{} // holds one element if the caller has to look; nil while it need not
}

// serves tells whether the channel is for the functions of a module, and whether there may be
// another channel for those that it is not for. Before the first item it may be for all.
func (l *callLine) serves(module string) (serves, other bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opened || l.modules == nil {
		return !l.refuses, false
	}
	return slices.Contains(l.modules, module), true
}

// over reports whether the channel has ended although the far end serves calls.
func (l *callLine) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended != nil && !l.refuses
}

// ask sends a request, whose first element is its number to be, and puts the answer into result. If
// ctx ends first, the far end is told so. It returns errNotServed if the far end has not accepted
// the request.
func (l *callLine) ask(ctx context.Context, request serializer.Tuple, result any) error {
	core := l.channel.core
	call := &waitingCall{id: l.callers.numbers(1), caller: &caller{}}
	request[0] = int64(call.id)
	f, err := core.requestFrame(request)
	if err != nil {
		return amongArguments(err, "[2]", "[3]")
	}
	l.mu.Lock()
	if l.ended != nil {
		defer l.mu.Unlock()
		f.free()
		return l.ended
	}
	l.waiting[call.id] = call
	l.mu.Unlock()

	if err = core.gateway.send(ctx, codeData, core.id, f); err == nil {
		err = l.await(ctx, call.caller)
	}
	if err == nil {
		err = call.err
	}
	if err != nil {
		l.abandon(call, ctx.Err() != nil)
		return err
	}
	return l.read(call, result)
}

// requestFrame is the frame of a request on a channel for calls.
func (c *core) requestFrame(request serializer.Tuple) (*frame, error) {
	f := newFrame()
	var arrays bool
	var err error
	if f.bytes, arrays, err = c.codec.Load().AppendNoting(f.bytes, request); err != nil {
		f.free()
		return nil, err
	}
	if arrays {
		f.bytes = noteArrays(f.bytes, len(request))
	}
	return f, nil
}

// noteArrays adds True to a request of a call of so many elements: among its arguments are arrays.
func noteArrays(request []byte, size int) []byte {
	request = request[:len(request)-answerTail]
	if size == 3 {
		request = append(request, 'J') // no kwargs
		size++
	}
	return append(request, 'R', '@', 0, 0, 0, byte(size+1), 'Q')
}

// await waits until a caller has an answer that it has not looked at.
func (l *callLine) await(ctx context.Context, own *caller) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for own.news == 0 {
		if !l.receiving {
			if err := l.receive(ctx, own); err != nil && own.news == 0 {
				if ctx.Err() != nil {
					return timeout.During(ctx, "calling")
				}
				return err
			}
			continue
		}
		if own.wake == nil {
			own.wake = make(chan struct{}, 1)
		}
		l.mu.Unlock()
		select {
		case <-own.wake:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if ctx.Err() != nil && own.news == 0 {
			l.pass()
			return timeout.During(ctx, "calling")
		}
	}
	own.news = 0
	return nil
}

// receive takes what comes on the channel until own has an answer or ctx ends. The caller holds mu,
// which is unlocked while this waits.
func (l *callLine) receive(ctx context.Context, own *caller) (err error) {
	l.receiving = true
	for err == nil && own.news == 0 {
		l.mu.Unlock()
		var it item
		it, err = l.channel.core.next(ctx)
		l.mu.Lock()
		switch {
		case err == nil && !l.opened:
			l.open(it)
		case err == nil:
			l.answered(it)
		case ctx.Err() == nil:
			l.end(err)
		}
	}
	l.receiving = false
	l.pass()
	return err
}

// pass lets another caller receive. The caller holds mu.
func (l *callLine) pass() {
	if l.receiving {
		return
	}
	for _, call := range l.waiting {
		if call.caller.wake != nil && !call.abandoned {
			call.caller.look()
			return
		}
	}
}

// look wakes the caller.
func (c *caller) look() {
	if c.wake != nil {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// done notes that a call has its answer, or why it gets none. The caller holds mu.
func (l *callLine) done(call *waitingCall, answer item, err error) {
	delete(l.waiting, call.id)
	call.answered, call.answer, call.err = true, answer, err
	call.caller.news++
	call.caller.look()
}

// open reads the first item: True if all functions are served here, a list of the modules whose
// functions are, or None. The caller holds mu.
func (l *callLine) open(it item) {
	l.opened = true
	defer l.tellOpened()
	v, err := l.channel.core.load(it)
	if served, ok := v.(bool); ok && served {
		return
	}
	modules, ok := v.([]any)
	l.modules = make([]string, 0, len(modules))
	for _, m := range modules {
		switch m := m.(type) {
		case string:
			l.modules = append(l.modules, m)
		case []byte:
			l.modules = append(l.modules, string(m))
		}
	}
	if err != nil || !ok {
		l.modules = nil
		l.refuse()
	}
}

// tellOpened wakes those that wait for the first item. The caller holds mu.
func (l *callLine) tellOpened() {
	for _, call := range l.waiting {
		if call.opening {
			l.done(call, item{}, nil)
		}
	}
}

// refuse notes that the far end serves no calls. The caller holds mu.
func (l *callLine) refuse() {
	l.refuses, l.ended = true, errNotServed
	l.failAll(errNotServed)
}

// end notes that nothing more comes. The caller holds mu.
func (l *callLine) end(err error) {
	gateway := l.callers.gateway
	var raised *RemoteError
	switch {
	case l.refuses:
		return
	case !l.opened && gateway.HasReceiver() && (errors.Is(err, io.EOF) || errors.As(err, &raised)):
		// It could not even execute the program.
		l.opened = true
		l.refuse()
		return
	case errors.Is(err, io.EOF):
		err = gateway.diedOr(fmt.Errorf("execnet: gateway %s serves no more calls: %w", gateway.id, io.ErrUnexpectedEOF))
	}
	l.ended = err
	l.failAll(err)
}

// failAll ends all calls that wait. The caller holds mu.
func (l *callLine) failAll(err error) {
	for _, call := range l.waiting {
		l.done(call, item{}, err)
	}
}

// answered gives an answer to the call that it is for. The caller holds mu.
func (l *callLine) answered(it item) {
	id, ok := answerID(it.payload)
	call := l.waiting[id]
	if !ok || call == nil || call.abandoned {
		if ok {
			delete(l.waiting, id)
		}
		l.channel.core.forget([]item{it}) // nobody waits for the channels in it
		return
	}
	l.done(call, it, nil)
}

// abandon gives up a call. tell says that the far end may be executing it.
func (l *callLine) abandon(call *waitingCall, tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if call.answered {
		if call.err == nil {
			l.channel.core.forget([]item{call.answer})
		}
		return
	}
	call.abandoned = true
	if !tell {
		delete(l.waiting, call.id)
		return
	}
	l.post(call.id) // it answers, whatever has become of the call
}

// post sends a request of numbers, and does not wait for an answer.
func (l *callLine) post(numbers ...any) {
	payload, err := new(serializer.Codec).Append(nil, serializer.Tuple(numbers))
	if err == nil {
		l.channel.core.notify(codeData, payload)
	}
}

// An answer is the tuple (number, result), (number, text, about) for an exception, or (number,) for
// a request that is not served here. Its bytes are F and the number, the other elements, @ and how
// many there are, and Q.
const (
	answerHead = 5
	answerTail = 6
)

// answerID is the number of the request that an answer is for.
func answerID(payload []byte) (id int32, ok bool) {
	if len(payload) < answerHead+answerTail || payload[0] != 'F' {
		return 0, false
	}
	return int32(binary.BigEndian.Uint32(payload[1:])), true
}

// read puts the result that an answer holds into the variable that result points to. The result is
// loaded where it stands: the end of the tuple becomes the end of the value.
func (l *callLine) read(call *waitingCall, result any) error {
	core, it := l.channel.core, call.answer
	size := len(it.payload)
	switch it.payload[size-2] {
	case 2:
		it.payload = it.payload[answerHead : size-answerTail+1]
		it.payload[len(it.payload)-1] = 'Q'
		return core.unmarshal(it, result)
	case 1:
		return errNotServed
	}
	v, err := core.load(it)
	if err != nil {
		return errtext.Wrap("cannot read the error of a call", err)
	}
	if parts, ok := v.(serializer.Tuple); ok && len(parts) == 3 {
		return callError(parts[1], parts[2])
	}
	return fmt.Errorf("execnet: gateway %s has answered a call with %T instead of a tuple", l.callers.gateway.id, v)
}

// callError is the exception of a call: its text, and the dict of protocol.md section 6.7 or None.
func callError(text, about any) error {
	if raised, ok := describedError(serializer.Tuple{text, about}); ok {
		return raised
	}
	if b, ok := text.([]byte); ok {
		text = string(b)
	}
	return &RemoteError{Formatted: fmt.Sprint(text)}
}
