package multi

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// InterruptedError is the cause of the end of a context that NotifyContext made, when a signal
// ended it.
type InterruptedError struct{ Signal os.Signal }

// Error names the signal.
func (e *InterruptedError) Error() string { return fmt.Sprintf("execnet: interrupted (%v)", e.Signal) }

// NotifyContext makes a program end its workers when it is interrupted. It is signal.NotifyContext
// for a group:
//
//	ctx, stop := group.NotifyContext(context.Background())
//	defer stop()
//
// At the first Ctrl-C (os.Interrupt) or SIGTERM, or when parent ends, ctx ends, and with it the
// calls that were given it, and the group is terminated as Terminate does within Group.Grace. A second signal
// kills what is left of it at once.
//
// stop terminates the group if that was not done yet, waits until it is done, and returns what
// Terminate reports; a signal meanwhile makes it quick as well. From then on signals do again what
// they did before. Calling it once more returns the same.
func (g *Group) NotifyContext(parent context.Context) (ctx context.Context, stop func() error) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			cancel(&InterruptedError{s})
		case <-ctx.Done():
		}
		ended <- g.terminateUnless(signals)
	}()
	return ctx, sync.OnceValue(func() error {
		cancel(nil)
		return <-ended
	})
}

// terminateUnless is Terminate that stops waiting at a signal.
func (g *Group) terminateUnless(signals <-chan os.Signal) error {
	ctx, hurry := context.WithCancel(context.Background())
	defer hurry()
	ended := make(chan error, 1)
	go func() { ended <- g.Terminate(ctx) }()
	select {
	case <-signals:
		hurry()
		return <-ended
	case err := <-ended:
		return err
	}
}
