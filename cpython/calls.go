package cpython

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
)

// How long calls have when the driver is gone, as programs have (protocol.md section 8.3): to end
// by themselves, and then after their contexts have ended.
const (
	endWait         = 5 * time.Second
	interruptedWait = 10 * time.Second
)

// calls are the calls of Go functions that one interpreter makes.
//
// The goroutine whose turn it is reads a call and runs it. If the function was quick the last time,
// the goroutine reads again afterwards: so question and answer need no switch between goroutines.
// Otherwise another goroutine takes over the reading first (if the function is not quick this time,
// some milliseconds later), so that no call holds up another one. Goroutines whose calls have ended
// wait for such a turn.
type calls struct {
	frameWriter
	gateway   *gatewaybase.Gateway
	functions engine.Functions
	byName    map[string]*function
	theirs    pipes // until the interpreter has them
	ours      pipes
	in        *bufio.Reader // its user is the goroutine whose turn it is
	turn      chan struct{} // gives the turn to a goroutine that waits for it
	keeper    keeper
	ctx       context.Context
	cancel    context.CancelFunc // ends the contexts of all calls

	mu      sync.Mutex // guards what follows
	running map[int32]*call
	broken  bool          // something has come that is no frame: no call begins any more
	ended   bool          // the interpreter is gone: no call begins any more
	idle    chan struct{} // closed when no call runs and none can begin
}

// newCalls makes what the calls of an interpreter need. Without functions there is nothing: then
// there are no pipes, and nobody calls.
func newCalls(g *gatewaybase.Gateway, functions engine.Functions) (*calls, error) {
	c := &calls{
		gateway: g, functions: functions, byName: functionsByName(functions),
		turn: make(chan struct{}), running: map[int32]*call{}, idle: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if len(functions) == 0 {
		return c, nil
	}
	var err error
	if c.theirs, c.ours, err = callPipes(); err != nil {
		return nil, fmt.Errorf("execnet: cannot make the pipes for calls of Go functions: %w", err)
	}
	c.in, c.out = bufio.NewReaderSize(c.ours.read, large), c.ours.write
	return c, nil
}

// discard is for calls that no interpreter will make.
func (c *calls) discard() {
	c.cancel()
	c.theirs.close()
	c.ours.close()
}

// serve serves the calls until the interpreter is gone.
func (c *calls) serve(relay *gatewaybase.Relay) {
	if len(c.functions) == 0 {
		return
	}
	c.keeper.timer = time.AfterFunc(math.MaxInt64, func() { c.look(relay) })
	c.gateway.Go(func() {
		defer c.end()
		select {
		case <-relay.Done():
			return
		case <-c.gateway.Done():
		}
		wait(relay.Done(), endWait)
		c.cancel()
		<-relay.Done()
	})
	c.gateway.Go(func() { c.read(relay) })
}

// end ends the contexts of the calls, and waits for them for a while: a function may go on.
func (c *calls) end() {
	c.cancel()
	c.keeper.timer.Stop()
	c.ours.close()
	c.mu.Lock()
	c.ended = true
	if len(c.running) == 0 {
		close(c.idle)
	}
	c.mu.Unlock()
	wait(c.idle, interruptedWait)
}

// wait waits until done is closed, but no longer than limit.
func wait(done <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// read reads frames, and runs the calls that it reads, as long as it is this goroutine's turn.
func (c *calls) read(relay *gatewaybase.Relay) {
	for {
		f, err := readFrame(c.in)
		var k *call
		if err == nil {
			k, err = c.take(relay, f)
		}
		var wrong *frameError
		switch {
		case errors.As(err, &wrong):
			c.fail(relay, wrong)
			_, _ = io.Copy(io.Discard, c.in) // who writes there need not wait
			return
		case err != nil:
			return // the interpreter is gone
		case k == nil:
			continue
		}
		if k.function != nil && k.function.quick.Load() {
			if c.keepTurn(relay, k) {
				continue
			}
		} else {
			c.passTurn(relay)
			k.run()
		}
		select {
		case <-c.turn:
		case <-c.ctx.Done():
			return
		}
	}
}

// byGateway takes a frame that has come over the gateway's pipe, in order with what the program has
// sent before.
func (c *calls) byGateway(relay *gatewaybase.Relay, payload []byte) {
	f, err := parseFrame(payload)
	var k *call
	if err == nil {
		k, err = c.take(relay, f)
	}
	if err != nil {
		c.fail(relay, err)
	} else if k != nil {
		go k.run()
	}
}

// fail ends the calls for good and does not wait: what has come is no frame, so nobody knows whose
// answers will be missing. Calls under way and later ones raise an exception that says why.
func (c *calls) fail(relay *gatewaybase.Relay, why error) {
	relay.Trace("[calls] finished:", why)
	c.mu.Lock()
	first := !c.broken
	c.broken = true
	c.mu.Unlock()
	if !first {
		return
	}
	c.gateway.Go(func() {
		text := "no Go function can be called any more, because of what has come from this Python: " + errtext.Of(why)
		c.sendBytes(codeBroken, 0, []byte(text))
		c.out.Close()
		c.cancel() // not before: the calls are to raise this, and not that they were interrupted
	})
}

// take takes a frame. It does not wait. It returns a call that has begun with it, or a *frameError.
func (c *calls) take(relay *gatewaybase.Relay, f frame) (*call, error) {
	if int(f.code) >= len(byPython) || !byPython[f.code] {
		return nil, &frameError{fmt.Sprintf("its code is %d", f.code)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.running[f.number]
	switch {
	case f.code == codeCall:
		if c.broken || c.ended {
			return nil, nil
		}
		if k != nil {
			return nil, &frameError{fmt.Sprintf("it begins call %d, which has begun already", f.number)}
		}
		k = &call{calls: c, relay: relay, begun: f, function: c.function(f.payload), ctx: lazyContext{parent: c.ctx}}
		c.running[f.number] = k
		return k, nil
	case f.code == codeWake:
		c.gateway.Go(func() { c.sendBytes(codeWake, 0, nil) })
	case k == nil: // it has returned meanwhile
	case f.code == codeAbandon:
		k.ctx.cancel()
		k.abandon()
	default:
		if r := k.receiving.Load(); r != nil {
			r.take(f)
		}
	}
	return nil, nil
}

// call is one call of a Go function. It is the serializer's table of channels and the lender of
// those that the call names.
type call struct {
	*calls
	relay    *gatewaybase.Relay
	begun    frame
	function *function   // nil if there is none of this name
	ctx      lazyContext // the function's

	abandoned atomic.Bool               // nobody waits for the call any more
	receiving atomic.Pointer[receiving] // nil as long as it lends no channel

	lentMu sync.Mutex                   // guards lent
	lent   map[int]*gatewaybase.Channel // one Channel for each id
}

// run runs the call and answers it, also if the function ends its goroutine.
func (k *call) run() {
	err := errGoexit
	var result any
	defer func() {
		k.ctx.cancel()
		k.giveBack()
		k.answer(result, err)
		k.calls.mu.Lock()
		defer k.calls.mu.Unlock()
		delete(k.running, k.begun.number)
		if k.ended && len(k.running) == 0 {
			close(k.idle)
		}
	}()
	result, err = k.call()
}

// call calls the function.
func (k *call) call() (any, error) {
	r, err := k.load()
	if err != nil {
		return nil, err
	}
	f := k.function
	if f == nil {
		return nil, &engine.Raised{Class: "AttributeError", Message: "there is no Go function " + r.name}
	}
	var own *gatewaybase.Channel
	if r.channel != 0 && f.Channel {
		own = k.lend(r.channel)
	}
	if r.channel != 0 && f.Context {
		defer k.relay.AfterEnd(r.channel, k.ctx.cancel)()
	}
	begun := time.Now()
	result, err := f.Call(&k.ctx, own, r.args, r.kwargs)
	f.quick.Store(time.Since(begun) < quickTime)
	if errors.Is(err, io.EOF) && own != nil && engine.RaisedIn(err) == nil {
		err = &endOf{channel: own.ID(), err: err}
	}
	return result, err
}

// answer sends the result, or the exception that stands for the error.
func (k *call) answer(result any, err error) {
	codec := serializer.Codec{Channels: k}
	if err == nil {
		if err = k.sendResult(&codec, result); err == nil {
			return
		}
	}
	// Texts can always be sent: raises has made them valid.
	_ = k.send(&codec, codeError, k.begun.number, raises(err))
}

// sendResult sends the result. A method of it that serializes it may panic; that is an error of the
// call, as a panic of the function is.
func (k *call) sendResult(codec *serializer.Codec, result any) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = engine.NewPanic(k.function.name, reason)
		}
	}()
	return k.send(codec, codeResult, k.begun.number, result)
}

// lend returns the channel of the interpreter with this id, always the same one.
func (k *call) lend(id int) *gatewaybase.Channel {
	k.lentMu.Lock()
	defer k.lentMu.Unlock()
	ch := k.lent[id]
	if ch == nil {
		ch = k.relay.Lend(id, k)
		if k.lent == nil {
			k.lent = map[int]*gatewaybase.Channel{}
		}
		k.lent[id] = ch
		if k.receiving.CompareAndSwap(nil, newReceiving()) && k.abandoned.Load() {
			k.abandon()
		}
	}
	return ch
}

// abandon notes that nobody waits for the call any more.
func (k *call) abandon() {
	k.abandoned.Store(true)
	if r := k.receiving.Load(); r != nil {
		r.abandonOnce.Do(func() { close(r.abandoned) })
	}
}

// CheckChannel implements serializer.Channels.
func (k *call) CheckChannel(ch serializer.Channel) error {
	c, ok := ch.(*gatewaybase.Channel)
	switch {
	case !ok || c == nil || c.Gateway() != k.gateway:
		return fmt.Errorf("%v is no channel of this worker's gateway", ch)
	case !k.relay.Lends(c):
		return fmt.Errorf("channel %d was made by Go code of this worker, and can be used there and by the driver; "+
			"a program can pass a channel of its own (channel.gateway.newchannel()) to a Go function", c.ID())
	}
	return nil
}

// Channel implements serializer.Channels.
func (k *call) Channel(id int32) (any, error) { return k.lend(int(id)), nil }
