// Package fleet does for the commands what multi.Group does not: it starts gateways of which some
// may fail while the others are used, has all of them run the same source, and ends them with less
// time when the user interrupts.
package fleet

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

// ErrOtherFailed is the error of a start that was cancelled because another one failed.
var ErrOtherFailed = errors.New("another gateway did not start")

// Member is a gateway, or the error of its start.
type Member struct {
	Spec    *xspec.Spec
	Gateway *gatewaybase.Gateway // nil if Err is set
	Err     error
}

// Start makes a gateway for each of specs, with a group's MakeGatewaySpec. They start at the same
// time, up to startsPerCPU for each processor, except that one which is reached through the gateway
// of an earlier spec (via, installvia) waits for that. With together, the first failure cancels the
// starts still under way, with ErrOtherFailed. (Group.MakeGateways would end all gateways instead
// if one fails.) Start returns when all starts have ended, members in the order of specs.
func Start(ctx context.Context, makeGateway func(context.Context, *xspec.Spec) (*gatewaybase.Gateway, error), specs []*xspec.Spec, together bool) []Member {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	members := make([]Member, len(specs))
	started := map[string]<-chan struct{}{}
	slots := make(chan struct{}, startsPerCPU*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, spec := range specs {
		before := []<-chan struct{}{started[spec.Via], started[spec.InstallVia]}
		done := make(chan struct{})
		wg.Go(func() {
			defer close(done)
			for _, other := range before {
				if other != nil {
					<-other
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			members[i] = Member{Spec: spec}
			if members[i].Err = context.Cause(ctx); members[i].Err != nil {
				return
			}
			members[i].Gateway, members[i].Err = makeGateway(ctx, spec)
			if members[i].Err != nil && together {
				cancel(ErrOtherFailed)
			}
		})
		started[spec.ID] = done
	}
	wg.Wait()
	return members
}

// startsPerCPU is how many interpreters may be starting for each processor. A start waits for much
// of its time.
const startsPerCPU = 4

// Task is what every gateway executes.
type Task struct {
	Source  string
	Options []gatewaybase.ExecOption
	Send    []any    // items that are sent to the source's channel
	Argv    []string // what the source finds in sys.argv; nil leaves that alone
}

// setArgv is executed before a source whose Argv is given. Go workers know it by its words.
const setArgv = `
import sys
argv = channel.receive()
sys.argv[:] = argv if str is not bytes else [arg.encode("utf-8") for arg in argv]
`

// Run executes the task on all gateways at the same time. It returns when all have finished, or
// soon after ctx has ended. It calls item with each item that arrives, and failed with the error of
// each gateway that fails, unless ctx's end is the reason. The calls for one gateway come one after
// the other, those for several at the same time.
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

// itemsWindow is how many bytes of items wait here when they are not printed as fast as they come.
const itemsWindow = 4 << 20

func runOne(ctx context.Context, gw *gatewaybase.Gateway, task Task, item func(gateway string, v any)) error {
	if task.Argv != nil {
		if err := sendArgv(ctx, gw, task.Argv); err != nil {
			return err
		}
	}
	ch, err := gw.RemoteExec(ctx, task.Source, task.Options...)
	if err != nil {
		return err
	}
	// It fails where the worker is an installed execnet, which knows no windows.
	_ = ch.SetWindow(itemsWindow)
	for _, v := range task.Send {
		err := ch.Send(ctx, v)
		if errors.Is(err, gatewaybase.ErrClosed) {
			break // the source has ended, with or without an error, which Items returns
		}
		if err != nil {
			return err
		}
	}
	// After CloseSend the worker of an installed execnet would not send the end of the source.
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

// sendArgv sets the worker's sys.argv. When it returns, the worker's main thread is free again.
func sendArgv(ctx context.Context, gw *gatewaybase.Gateway, argv []string) error {
	ch, err := gw.RemoteExec(ctx, setArgv)
	if err == nil {
		err = ch.Send(ctx, argv)
	}
	if err == nil {
		err = ch.WaitClose(ctx)
	}
	return err
}

// signalDelay is how long after a worker's end a signal can arrive here that ended the worker, too.
const signalDelay = 100 * time.Millisecond

// Settled reports whether the reason of err is the end of ctx and not a failure. Ctrl-C at a
// terminal also goes to the workers, and their end can become known here before the signal arrives.
// So, if err can be of that kind, Settled waits signalDelay for ctx to end.
func Settled(ctx context.Context, err error) bool {
	if interrupted(err) {
		select {
		case <-ctx.Done():
		case <-time.After(signalDelay):
		}
	}
	return ctx.Err() != nil
}

// interrupted reports whether a signal to the worker can be the reason of err.
func interrupted(err error) bool {
	var remote *gatewaybase.RemoteError
	if errors.As(err, &remote) {
		// This is what workers send if Ctrl-C has ended the source.
		return remote.Formatted == "keyboard-interrupted"
	}
	var died *gatewaybase.GatewayDiedError
	var notStarted *bootstrap.Error
	return errors.As(err, &died) || errors.As(err, &notStarted)
}
