package cpython

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

var (
	errTwoChannels = errors.New("execnet: a Go function that Python has called receives on one channel at a time")
	errReturned    = errors.New("execnet: the Go function that Python has called has returned; until then it can receive")
)

// receiving is what a call needs for the channels that it lends.
type receiving struct {
	returned    chan struct{}          // closed when the function has returned
	abandoned   chan struct{}          // closed when nobody waits for the call any more
	abandonOnce sync.Once              // closes it
	receiver    chan struct{}          // holds something while a goroutine of the function receives
	answers     chan frame             // to what it receives
	wanted      atomic.Pointer[wanted] // who has the receiver changes it
}

// mostAnswers is how many answers Python sends at a time: an item, and the confirmation that it has
// stopped receiving.
const mostAnswers = 2

func newReceiving() *receiving {
	return &receiving{returned: make(chan struct{}), abandoned: make(chan struct{}), receiver: make(chan struct{}, 1), answers: make(chan frame, mostAnswers)}
}

// take takes an answer of Python. It does not wait: the worker sends no more than it was asked for.
func (r *receiving) take(f frame) {
	select {
	case r.answers <- f:
	default:
	}
}

// Receive implements gatewaybase.Lender: the Python thread that waits for the call receives.
func (k *call) Receive(ctx context.Context, id int) ([]byte, error) {
	a, err := k.ask(ctx, codeReceive, id, "receiving")
	if err != nil {
		return nil, err
	}
	if a.code == codeEnded {
		return nil, io.EOF
	}
	return a.payload, nil
}

// WaitClose implements gatewaybase.Lender.
func (k *call) WaitClose(ctx context.Context, id int) error {
	_, err := k.ask(ctx, codeWaitClose, id, "waiting for the channel's close")
	return err
}

// ask has the Python thread receive. One goroutine of a function does so at a time.
func (k *call) ask(ctx context.Context, code byte, id int, doing string) (frame, error) {
	r := k.receiving.Load()
	if err := r.takeReceiver(ctx, id, doing); err != nil {
		return frame{}, err
	}
	defer r.leaveReceiver()
	if wanted := r.wanted.Load(); wanted != nil && (wanted.code != code || wanted.channel != id) {
		k.stopReceiving(r)
	}
	if r.wanted.Load() == nil {
		r.wanted.Store(&wanted{code, id})
		// A lent channel can always be dumped.
		_ = k.send(&serializer.Codec{Channels: k}, code, k.begun.number, k.lend(id))
	}
	select {
	case a := <-r.answers:
		r.wanted.Store(nil)
		if a.code == codeError {
			return frame{}, k.failed(a.payload)
		}
		return a, nil
	case <-ctx.Done():
		return frame{}, timeout.During(ctx, doing)
	case <-r.returned:
		return frame{}, errReturned
	case <-k.calls.ctx.Done():
		return frame{}, context.Canceled
	}
}

// wanted is what Python has been asked to receive, for a function that may have given up meanwhile.
type wanted struct {
	code    byte
	channel int
}

// takeReceiver waits until no other goroutine of the function receives.
func (r *receiving) takeReceiver(ctx context.Context, id int, doing string) error {
	select {
	case <-r.returned:
		return errReturned
	default:
	}
	if ctx.Err() != nil {
		return timeout.During(ctx, doing)
	}
	select {
	case r.receiver <- struct{}{}:
		return nil
	default:
	}
	if other := r.wanted.Load(); other != nil && other.channel != id {
		return errTwoChannels
	}
	select {
	case r.receiver <- struct{}{}:
		return nil
	case <-ctx.Done():
		return timeout.During(ctx, doing)
	case <-r.returned:
		return errReturned
	}
}

func (r *receiving) leaveReceiver() { <-r.receiver }

// failed is the error for the exception that receiving has raised: its class and its text.
func (k *call) failed(payload []byte) error {
	v, err := (&serializer.Codec{}).Load(payload)
	if err != nil {
		return err
	}
	parts, _ := v.(serializer.Tuple)
	if len(parts) != 2 {
		return fmt.Errorf("execnet: receiving failed: %v", v)
	}
	switch parts[0] {
	case "RemoteError":
		return &gatewaybase.RemoteError{Formatted: fmt.Sprint(parts[1])}
	case "callback":
		return gatewaybase.ErrHasCallback
	}
	return fmt.Errorf("execnet: receiving failed: %v: %v", parts...)
}

// giveBack ends a receiving that the function has given up, when it has returned.
func (k *call) giveBack() {
	r := k.receiving.Load()
	if r == nil {
		return
	}
	close(r.returned)
	r.receiver <- struct{}{} // whoever has it leaves it now
	k.stopReceiving(r)
}

// stopReceiving has Python stop receiving. An item that has come meanwhile goes back to it. The
// caller has the receiver.
func (k *call) stopReceiving(r *receiving) {
	if r.wanted.Load() == nil {
		return
	}
	k.sendBytes(codeCancel, k.begun.number, nil)
	abandoned := r.abandoned
	for {
		select {
		case a := <-r.answers:
			if a.code == codeItem && len(a.payload) > 0 {
				k.sendBytes(codeItem, k.begun.number, k.withChannel(r.wanted.Load().channel, a.payload))
			}
			if a.code == codeCancel {
				r.wanted.Store(nil)
				return
			}
		case <-abandoned:
			// Nobody confirms. What Python sent before that has come already.
			abandoned = nil
			if len(r.answers) == 0 {
				return
			}
			continue
		case <-k.calls.ctx.Done():
			return
		}
		if abandoned == nil && len(r.answers) == 0 {
			return
		}
	}
}

// withChannel is the tuple (channel, item).
func (k *call) withChannel(channel int, item []byte) []byte {
	codec := serializer.Codec{Channels: k}
	// A lent channel can always be dumped. The item, without its STOP, is put behind it as it is.
	data, _ := codec.Append(nil, k.lend(channel))
	data = append(data[:len(data)-1], item[:len(item)-1]...)
	return append(data, '@', 0, 0, 0, 2, 'Q')
}
