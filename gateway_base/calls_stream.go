package gatewaybase

import (
	"context"
	"errors"
	"iter"

	"github.com/go-execnet/execnet/serializer"
)

// serving is an iteration under way, at a worker (protocol.md section 6.8).
type serving struct {
	service  *callService
	channel  *Channel
	most     int // the window: items that the driver has not taken
	mostSize int // and their bytes
	sizes    []int
	size     int  // their sum
	unwanted bool // the driver wants no more
	result   bool // one that is no iterator is the one item

	function  string
	ctx       context.Context // of the function; interrupt ends it
	interrupt func()
	next      func() (item any, err error, ok bool)
	stop      func()
}

// newStream reads the channel and the window of a request, and the nil that may stand behind them.
func (s *callService) newStream(request serializer.Tuple) (*serving, bool) {
	ch, ok1 := request[0].(*Channel)
	most, ok2 := request[1].(int64)
	mostSize, ok3 := request[2].(int64)
	result := len(request) > 3
	if !ok1 || !ok2 || !ok3 || most < 1 || mostSize < 1 || ch == s.channel || result && request[3] != nil {
		return nil, false
	}
	return &serving{service: s, channel: ch, most: int(most), mostSize: int(mostSize), result: result, interrupt: func() {}}, true
}

// interruptStream ends the context of the iteration on a channel, and reports whether there is one.
func (s *callService) interruptStream(channel int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.streams[channel]
	if end != nil {
		end()
	}
	return end != nil
}

// serve serves the iteration. Whenever it may send something it waits for a turn, as a call does.
func (v *serving) serve(id int32, function string, args []any, kwargs *serializer.Dict) {
	var reason error = errGoroutineEnded
	defer func() {
		v.interrupt()
		_ = v.channel.CloseWithError(reason) // it is no execution's channel
		// The driver's RemoteError would also be one of this end's channel, which nobody has.
		_ = v.channel.WaitClose(context.Background())
	}()
	for more := true; more; {
		returned := false
		v.service.server.InTurn(func(turn context.Context) {
			more = (v.next != nil || v.begin(turn, id, function, args, kwargs)) && v.send()
			returned = true
		})
		if !returned {
			return
		}
		if more && !v.taken() {
			v.unwanted = true
		}
	}
	reason = nil
}

var errGoroutineEnded = errors.New("execnet: the Go function has ended its goroutine, or its worker ends")

// begin answers the request, and prepares the iteration unless that is not possible.
func (v *serving) begin(turn context.Context, id int32, function string, args []any, kwargs *serializer.Dict) bool {
	s, channel := v.service, v.channel.core.id
	ctx, end := context.WithCancel(turn)
	s.mu.Lock()
	s.streams[channel] = end
	if s.ended {
		end()
	}
	s.mu.Unlock()
	unwatch := v.channel.AfterClose(end)
	v.function, v.ctx, v.interrupt = function, ctx, func() {
		unwatch()
		s.mu.Lock()
		delete(s.streams, channel)
		s.mu.Unlock()
		end()
	}
	seq, err := s.server.Iterate(ctx, function, args, kwargs, v.result)
	switch {
	case errors.Is(err, ErrNotHere):
		s.refuse(id)
		return false
	case err != nil:
		s.fail(id, s.server.Failure(ctx, function, err))
		return false
	}
	_ = s.answer(id, nil) // None can be sent
	v.next, v.stop = iter.Pull2(seq)
	return true
}

// send sends items as far as the window allows, and reports whether there may be more. Otherwise it
// closes the channel.
func (v *serving) send() (more bool) {
	var failed error
	defer func() {
		if !more {
			v.stop()
			_ = v.channel.CloseWithError(failed)
		}
	}()
	for !v.unwanted {
		if v.channel.core.waits() {
			v.unwanted = !v.taken()
			continue
		}
		if len(v.sizes) >= v.most || v.size >= v.mostSize {
			return true
		}
		item, err, ok := v.next()
		if !ok {
			return false
		}
		if err == nil {
			err = v.sendItem(item)
		}
		if err != nil {
			failed = v.service.server.Failure(v.ctx, v.function, err)
			return false
		}
	}
	return false
}

func (v *serving) sendItem(value any) (err error) {
	defer v.service.server.Recover(v.function, &err)
	core := v.channel.core
	f := newFrame()
	if f.bytes, err = core.codec.Load().Append(f.bytes, value); err != nil {
		f.free()
		return err
	}
	size := len(f.bytes) - headerSize
	v.sizes = append(v.sizes, size)
	v.size += size
	return core.gateway.send(v.ctx, codeData, core.id, f)
}

// taken waits until the driver says how many items it has taken, and reports whether it wants more.
func (v *serving) taken() bool {
	it, err := v.channel.core.next(context.Background())
	if err != nil {
		return false
	}
	said, err := v.channel.core.load(it)
	n, _ := said.(int64)
	if err != nil || n < 1 || n > int64(len(v.sizes)) {
		return false
	}
	for _, size := range v.sizes[:n] {
		v.size -= size
	}
	v.sizes = v.sizes[n:]
	return true
}

// waits reports whether something that can be received has come, or nothing more comes.
func (c *core) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.items.len() > 0 || c.receiveClosed
}
