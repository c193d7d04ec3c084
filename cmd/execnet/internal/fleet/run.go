package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// Task is what every gateway is to do.
type Task struct {
	Source  string
	Options []gatewaybase.ExecOption
	Send    []any // what the source finds in its channel
}

// Run has all gateways do the task at the same time, and returns when they have, or soon after ctx
// has ended. It calls item with each item that comes and failed with the error, if any, that ended
// a gateway's part; for one gateway these calls come one after the other, for several they come at
// the same time. What ends because of ctx is no failure.
func Run(ctx context.Context, members []Member, task Task, item func(gateway string, v any), failed func(gateway string, err error)) {
	var wg sync.WaitGroup
	for _, m := range members {
		wg.Go(func() {
			err := runOne(ctx, m.Gateway, task, item)
			if err != nil && !Settled(ctx, err) {
				failed(m.Spec.ID, err)
			}
		})
	}
	wg.Wait()
}

func runOne(ctx context.Context, gw *gatewaybase.Gateway, task Task, item func(gateway string, v any)) error {
	ch, err := gw.RemoteExec(ctx, task.Source, task.Options...)
	if err != nil {
		return err
	}
	for _, v := range task.Send {
		err := ch.Send(ctx, v)
		if errors.Is(err, gatewaybase.ErrClosed) {
			break // the source ended without having wanted it, or failed: Receive tells
		}
		if err != nil {
			return err
		}
	}
	// The worker of an installed execnet would not tell when the source ends after this.
	if gw.Spec().Bootstrap != "import" {
		if err := ch.CloseSend(); err != nil {
			return err
		}
	}
	for v, err := range ch.Items(ctx) {
		if err != nil {
			return err
		}
		item(gw.ID(), v)
	}
	return nil
}

// signalDelay is by how much a worker's end may be known before a signal that both it and this
// process got.
const signalDelay = 100 * time.Millisecond

// Settled reports whether err comes of ctx's end and not of a failure. Ctrl-C at a terminal goes to
// the workers as well, and what becomes of them can be known here before the signal is: an end that
// looks like that is given a moment.
func Settled(ctx context.Context, err error) bool {
	if interrupted(err) {
		select {
		case <-ctx.Done():
		case <-time.After(signalDelay):
		}
	}
	return ctx.Err() != nil
}

// interrupted reports whether a signal may be the reason of err.
func interrupted(err error) bool {
	var remote *gatewaybase.RemoteError
	if errors.As(err, &remote) {
		// what workers say of one that Ctrl-C has ended
		return remote.Formatted == "keyboard-interrupted"
	}
	var died *gatewaybase.GatewayDiedError
	var unborn *bootstrap.Error
	return errors.As(err, &died) || errors.As(err, &unborn)
}
