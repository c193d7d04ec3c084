package gatewaybase

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// killedWait is how long a killed process may take to be gone. One that hangs in the kernel must
// not keep this one.
const killedWait = 5 * time.Second

// Done is closed when the relay's worker has ended or died and its channels are closed. Then
// another relay can be made.
func (r *Relay) Done() <-chan struct{} { return r.over }

// Exit asks the relay's worker to end, and returns at once. The gateway calls it at its own end.
// The pipe to that worker stays open until it is gone: its end says that this process has died.
func (r *Relay) Exit() {
	if !r.exiting.Swap(true) {
		_ = r.post(codeTerminate, 0, nil)
	}
}

// Trace writes a line to the gateway's trace, if there is one (EXECNET_DEBUG).
func (r *Relay) Trace(words ...any) { r.gateway.trace(words...) }

// Kill ends the relay's worker by force and at once.
func (r *Relay) Kill() {
	r.exiting.Store(true)
	// If the process cannot be killed, there is nothing else that could end it.
	_ = r.io.Kill()
	r.out.fail(ErrClosed)
	r.io.CloseRead()
	time.AfterFunc(killedWait, r.giveUp)
}

// run passes the far end's messages on until its stream ends, closes its channels and waits until
// it is gone.
func (r *Relay) run() {
	defer close(r.gone)
	defer r.giveUp()
	err := r.receive()
	r.gateway.trace("[relay] finished:", err)
	var died error
	switch {
	case errors.Is(err, errDriverGone):
		// From now on the far end cannot write, as a worker whose driver is gone. The gateway calls
		// Exit when it has read that, and Kill if the far end does not end.
		r.io.CloseRead()
		_ = r.io.Wait(r.waiting)
	case r.exiting.Load():
		_ = r.io.Wait(r.waiting)
	default:
		died = deathOf(r.gateway.id, r.io, err)
	}
	r.close(r.endText(died))
	r.Kill()
	_ = r.io.Wait(r.waiting)
}

// receive passes the far end's messages on until its stream ends or the driver is gone, and returns
// which of them it was.
func (r *Relay) receive() error {
	in := bufio.NewReaderSize(r.io, 64<<10)
	messages := messageReader{}
	for {
		m, err := messages.next(in)
		if err == nil {
			err = r.back(m)
		}
		if err != nil && !errors.Is(err, farend.ErrReadInterrupted) {
			return err
		}
	}
}

// endText is the error with which the channels are closed that the far end has left open. died is
// nil if it was asked to end.
func (r *Relay) endText(died error) error {
	who := pythonBehind + r.gateway.id
	var gone *GatewayDiedError
	switch {
	case died == nil:
		return fmt.Errorf("execnet: %s was ended", who)
	case errors.As(died, &gone):
		return errors.New(gone.told(who))
	}
	return died // it did not start
}

// close closes the channels that the far end has left open, behind all that it has sent. What comes
// for it after that is for another relay.
func (r *Relay) close(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	told := r.gateway.HasReceiver() // otherwise the driver knows of the end
	for _, id := range slices.Collect(maps.Keys(r.programs)) {
		r.programEnded(id)
	}
	for _, id := range slices.Collect(maps.Keys(r.channels)) {
		r.closed(id)
		if told {
			_ = r.gateway.post(codeCloseError, id, errorPayload(reason, false))
		}
	}
	if told {
		for id := range r.statuses {
			// The posts fail only when the driver is gone.
			_ = r.gateway.answerOwnStatus(id)
		}
	}
	close(r.over)
}
