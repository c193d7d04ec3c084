package multi

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// InterruptedError is the cause of the end of a context of NotifyContext that a signal has ended.
// Use errors.As with a *InterruptedError on context.Cause(ctx).
type InterruptedError struct{ Signal os.Signal }

// Error names the signal.
func (e *InterruptedError) Error() string { return fmt.Sprintf("execnet: interrupted (%v)", e.Signal) }

// NotifyContext ends the program's workers when the program is interrupted. It is
// signal.NotifyContext for a group:
//
//	ctx, stop := group.NotifyContext(context.Background())
//	defer stop()
//
// At the first Ctrl-C (os.Interrupt) or SIGTERM, or when parent ends, ctx ends, and with it the
// calls that use ctx; then the group is terminated as by Terminate within Group.Grace. A second
// signal kills at once what is left of it.
//
// stop terminates the group unless that is done, waits until it is, and returns the error of
// Terminate. A signal meanwhile kills what is left, too. After that signals do again what they did
// before. A later call of stop returns the same.
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
		ended <- g.terminateUntil(signals)
	}()
	return ctx, sync.OnceValue(func() error {
		cancel(nil)
		return <-ended
	})
}

// terminateUntil is Terminate that kills what is left when a signal comes.
func (g *Group) terminateUntil(signals <-chan os.Signal) error {
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	ended := make(chan error, 1)
	go func() { ended <- g.Terminate(ctx) }()
	select {
	case <-signals:
		kill()
		return <-ended
	case err := <-ended:
		return err
	}
}
