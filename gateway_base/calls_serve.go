package gatewaybase

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/go-execnet/execnet/serializer"
)

// CallServer is an [Executor] that also serves calls on channels for calls ([protocol.md section
// 6.8]).
//
// [protocol.md section 6.8]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#68-calls
type CallServer interface {
	Executor
	// CallModules returns the names of the modules whose functions Call calls.
	CallModules() []string
	// InTurn runs f where an execution would run, and returns when f has ended. f counts as an
	// execution, and its context ends when that of an execution would. InTurn returns false, and
	// does not run f, if the worker ends first.
	InTurn(f func(context.Context)) bool
	// Call calls a function, and then answer: with what an execution would send or would end with,
	// or with ErrNotHere if the driver has to call this function by an execution. answer returns an
	// error for a result that cannot be sent, and has to be called once more then, with an error.
	Call(ctx context.Context, function string, args []any, kwargs *serializer.Dict, answer func(result any, err error) error)
	// Iterate returns an iterator that calls a function and then yields what iteration over its
	// result yields; an error comes last. Iterate itself returns ErrNotHere if the function is not
	// called on a channel for calls.
	// anyResult says that a result that is no iterator is the one item.
	Iterate(ctx context.Context, function string, args []any, kwargs *serializer.Dict, anyResult bool) (iter.Seq2[any, error], error)
	// Failure returns the form in which the driver gets an error of an iteration. ctx is that of
	// the function.
	Failure(ctx context.Context, function string, err error) error
	// Recover is deferred where an item of an iteration is serialized: it makes an error of a panic
	// of a method of the item.
	Recover(function string, err *error)
	// Interrupt ends the context of the execution with this channel. It reports whether there is
	// one that has not ended.
	Interrupt(channelID int) bool
}

// ErrNotHere is the error of CallServer.Call for a function that it does not call.
var ErrNotHere = errors.New("execnet: this function is not called on a channel for calls")

// serveCalls takes a program that asks for a channel for calls. It reports whether p was one.
func (g *Gateway) serveCalls(channel int32, p *Program) (bool, error) {
	python, ok := p.ServeCalls()
	server, serves := g.executor.(CallServer)
	if !ok || python || !serves {
		return false, nil
	}
	c, err := g.table.ensure(channel)
	if err != nil {
		return false, err
	}
	modules := []any{}
	for _, name := range server.CallModules() {
		modules = append(modules, name)
	}
	payload, err := g.codec.Load().Append(nil, modules)
	if err != nil {
		return false, err
	}
	g.table.hide(c)
	s := &callService{gateway: g, server: server, channel: c.handle(), ends: map[int32]context.CancelFunc{},
		streams: map[int32]context.CancelFunc{}, wanted: make(chan struct{}), closed: make(chan struct{})}
	s.channel.AfterClose(s.end)
	c.mu.Lock()
	c.serve = s.wake
	c.mu.Unlock()
	return true, g.answer(codeData, channel, payload)
}

// callService serves calls on one channel of a worker. The goroutine that receives a request serves
// it, and then receives again, so that a caller that is alone needs no switch between goroutines.
// When a request comes while no goroutine receives, the one that rests is woken, or another one is
// started, whose stack has to grow first.
type callService struct {
	gateway *Gateway
	server  CallServer
	channel *Channel
	wanted  chan struct{} // wakes the goroutine that rests
	closed  chan struct{} // closed with the channel

	mu        sync.Mutex                   // guards what follows
	receiving bool                         // a goroutine receives
	resting   bool                         // another one waits until it is wanted
	ends      map[int32]context.CancelFunc // of the calls under way
	streams   map[int32]context.CancelFunc // of the iterations, by the ids of their channels
	ended     bool
}

// wake has another goroutine receive. It does not wait.
func (s *callService) wake() {
	select {
	case s.wanted <- struct{}{}:
	default:
		s.gateway.tasks.start(s.work)
	}
}

// work receives requests and serves them, until the channel ends or enough other goroutines do.
func (s *callService) work() {
	core := s.channel.core
	for s.setReceiving(true) || s.rest() {
		it, err := core.next(context.Background())
		s.setReceiving(false)
		if err != nil {
			return
		}
		core.mu.Lock()
		more := core.items.len() > 0 // came while no other goroutine could receive
		core.mu.Unlock()
		if more {
			s.wake()
		}
		s.serve(it)
	}
}

// rest waits until the caller has to receive, and reports whether it has to.
func (s *callService) rest() bool {
	for s.set(&s.resting, true) {
		select {
		case <-s.wanted:
		case <-s.closed:
			return false
		}
		s.set(&s.resting, false)
		if s.setReceiving(true) {
			return true
		}
	}
	return false
}

// setReceiving reports whether it has changed something.
func (s *callService) setReceiving(now bool) bool { return s.set(&s.receiving, now) }

func (s *callService) set(flag *bool, now bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := *flag != now
	*flag = now
	return changed
}

// serve does what a request asks for.
func (s *callService) serve(it item) {
	v, err := s.channel.core.load(it)
	if err != nil {
		if id, ok := answerID(it.payload); ok {
			s.fail(id, err)
		} else {
			_ = s.channel.CloseWithError(err) // nobody can be told what it was about
		}
		return
	}
	request, _ := v.(serializer.Tuple)
	if len(request) > 0 {
		if n, ok := request[0].(int64); ok {
			s.do(int32(n), request[1:])
			return
		}
	}
	_ = s.channel.CloseWithError(fmt.Errorf("execnet: %T is no request for a call", v))
}

func (s *callService) do(id int32, request serializer.Tuple) {
	switch len(request) {
	case 0:
		s.mu.Lock()
		end := s.ends[id]
		s.mu.Unlock()
		if end == nil {
			s.fail(id, errors.New(interruptText)) // it has been answered, or never came
			return
		}
		end()
	case 1:
		channel, _ := request[0].(int64)
		found := any(s.interruptStream(int32(channel)) || s.server.Interrupt(int(channel)))
		if s.gateway.relayFor(int32(channel)) != nil {
			found = nil // it runs elsewhere
		}
		_ = s.answer(id, found) // a bool can be sent
	default:
		s.call(id, request)
	}
}

// call makes a call: (function, args) or (function, args, kwargs). With a channel and two numbers
// behind these it is an iteration, and with nil behind them one over any result. True behind all
// this says that there are arrays, which a Go function takes as they are described.
func (s *callService) call(id int32, request serializer.Tuple) {
	if last := len(request) - 1; last > 2 && request[last] == true {
		request = request[:last]
	}
	function, ok1 := request[0].(string)
	if b, ok := request[0].([]byte); ok {
		function, ok1 = string(b), true
	}
	args, ok2 := request[1].(serializer.Tuple)
	kwargs, ok3 := serializer.NewDict(), true
	if len(request) > 2 {
		kwargs, ok3 = stringKeys(request[2])
	}
	var stream *serving
	if ok := ok1 && ok2 && ok3; ok && len(request) > 5 {
		stream, ok3 = s.newStream(request[3:])
	} else if ok && len(request) == 4 {
		if !slices.Contains(s.server.CallModules(), moduleOf(function)) {
			s.refuse(id)
			return
		}
		s.fail(id, errors.New("execnet: a Go worker keeps no objects, so there are no handles of what its functions return"))
		return
	}
	if !ok1 || !ok2 || !ok3 || len(request) > 7 || len(request) == 5 {
		s.fail(id, errors.New("execnet: a call is (function, args, kwargs)"))
		return
	}
	if stream != nil {
		stream.serve(id, function, args, kwargs)
		return
	}
	s.server.InTurn(func(ctx context.Context) {
		ctx, end := context.WithCancel(ctx)
		s.mu.Lock()
		s.ends[id] = end
		if s.ended {
			end()
		}
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			delete(s.ends, id)
			s.mu.Unlock()
			end()
		}()
		s.server.Call(ctx, function, args, kwargs, func(result any, err error) error {
			switch {
			case err == nil:
				return s.answer(id, result)
			case errors.Is(err, ErrNotHere):
				s.refuse(id)
			default:
				s.fail(id, err)
			}
			return nil
		})
	})
}

// end ends the contexts of all calls: the driver has closed the channel, or is gone.
func (s *callService) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	close(s.closed)
	for _, ends := range []map[int32]context.CancelFunc{s.ends, s.streams} {
		for _, end := range ends {
			end()
		}
	}
}

// answer sends the result of a request, unless it cannot be sent.
func (s *callService) answer(id int32, result any) error {
	f := newFrame()
	var err error
	if f.bytes, err = s.channel.core.codec.Load().Append(appendNumber(f.bytes, 'F', id), result); err != nil {
		f.free()
		return err
	}
	f.bytes = f.bytes[:len(f.bytes)-1]
	s.send(f, 2)
	return nil
}

// refuse answers a request that is not served here.
func (s *callService) refuse(id int32) {
	f := newFrame()
	f.bytes = appendNumber(f.bytes, 'F', id)
	s.send(f, 1)
}

// fail answers a request with an error.
func (s *callService) fail(id int32, reason error) {
	text, about := errorParts(reason, s.gateway.describe)
	payload, err := s.channel.core.codec.Load().Append(nil, serializer.Tuple{text, about})
	if err != nil {
		panic("valid strings cannot be dumped: " + err.Error())
	}
	f := newFrame()
	f.bytes = append(appendNumber(f.bytes, 'F', id), payload[:len(payload)-answerTail]...)
	s.send(f, 3)
}

// send sends a frame whose elements are there as a tuple of so many.
func (s *callService) send(f *frame, elements int32) {
	f.bytes = append(appendNumber(f.bytes, '@', elements), 'Q')
	// An error means that the driver is gone.
	_ = s.gateway.send(context.Background(), codeData, s.channel.core.id, f)
}

// appendNumber appends an opcode and the number that it takes.
func appendNumber(to []byte, op byte, n int32) []byte {
	return binary.BigEndian.AppendUint32(append(to, op), uint32(n))
}
