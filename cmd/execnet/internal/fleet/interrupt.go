package fleet

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Interrupted is the cause of a context that the user has ended.
type Interrupted struct{ Signal syscall.Signal }

func (e *Interrupted) Error() string { return fmt.Sprintf("interrupted (%v)", e.Signal) }

// WatchSignals returns a context that ends, with an Interrupted as its cause, at the first
// interrupt or termination signal, and a channel that is closed at the second one. stop ends
// watching.
//
// While it watches, writing to a broken pipe is an error as any other and not the end of the
// process.
func WatchSignals(ctx context.Context) (watched context.Context, second <-chan struct{}, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		// A shell's background jobs ignore interrupts, which are meant for others.
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
				number, _ := s.(syscall.Signal) // both are
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
