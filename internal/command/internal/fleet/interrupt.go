package fleet

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-execnet/execnet/multi"
)

const (
	// EndTime is how long workers may take to end after they have finished.
	EndTime = 5 * time.Second
	// InterruptedEndTime is how long they may take after an interruption.
	InterruptedEndTime = time.Second
)

// End ends all gateways of the group and returns when they have ended. Those that are left are
// killed after EndTime, or InterruptedEndTime after ctx has ended, or as soon as atOnce is closed.
func End(ctx context.Context, atOnce <-chan struct{}, group *multi.Group) error {
	ending, kill := context.WithTimeout(context.Background(), EndTime)
	defer kill()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(InterruptedEndTime, kill) })
	defer stop()
	go func() {
		select {
		case <-atOnce:
			kill()
		case <-ending.Done():
		}
	}()
	return group.Terminate(ending)
}

// Await returns what comes from result. It waits for that InterruptedEndTime longer than ctx, and
// not beyond the closing of atOnce; then ok is false.
func Await[T any](ctx context.Context, atOnce <-chan struct{}, result <-chan T) (value T, ok bool) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(InterruptedEndTime, func() { close(over) }) })
	defer stop()
	select {
	case value := <-result:
		return value, true
	case <-atOnce:
	case <-over:
	}
	return value, false
}

// Interrupted is the cause of the end of a context that a signal has ended.
type Interrupted struct{ Signal syscall.Signal }

func (e *Interrupted) Error() string { return fmt.Sprintf("interrupted (%v)", e.Signal) }

// WatchSignals returns a context that ends, with an Interrupted as its cause, at the first
// interrupt or termination signal, and a channel that is closed at the second one. (With
// Group.NotifyContext workers that have finished would have no more time to end than interrupted
// ones.) After stop, signals have the effect again that they had before.
//
// Meanwhile writing to a broken pipe returns an error and does not end the process.
func WatchSignals(ctx context.Context) (watched context.Context, second <-chan struct{}, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		// A shell starts background jobs so that they ignore interrupts.
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)

	again, quit, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			select {
			case <-quit:
				return
			case s := <-signals:
				number, _ := s.(syscall.Signal) // both have that type
				switch n {
				case 1:
					cancel(&Interrupted{Signal: number})
				case 2:
					close(again)
				}
			}
		}
	}()
	return watched, again, func() {
		signal.Stop(signals)
		signal.Stop(pipes)
		close(quit)
		<-done
		cancel(nil)
	}
}
