package dialback

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/netpipe"
)

// Worker is the pipe to a worker that has connected. It implements gatewaybase.IO.
type Worker struct {
	*netpipe.Pipe
	launch *Launch
	node   string // Slurm's name of where it runs

	mu       sync.Mutex    // guards what follows
	over     bool          // Read has told the end
	killed   bool          // Kill was called
	lost     string        // why its connection was given up, "" if it was not
	last     bool          // it was the last of its launch
	released chan struct{} // closed when the launch knows of its end
}

// follow waits for the end of a claimed worker's connection.
func (w *Worker) follow() {
	<-w.Pipe.Done()
	w.mu.Lock()
	hurry := w.killed || w.lost != ""
	w.mu.Unlock()
	last := w.launch.release(hurry)
	w.mu.Lock()
	w.last = last
	hurry = last && w.killed
	w.mu.Unlock()
	if hurry {
		w.launch.hurryUp()
	}
	close(w.released)
}

// hurryUp ends the launcher's time to end by itself.
func (l *Launch) hurryUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close(l.hurry)
}

// lose ends the connection of a worker that will say nothing more, although nobody has closed it.
func (w *Worker) lose(why string) {
	w.mu.Lock()
	w.lost = why
	w.mu.Unlock()
	_ = w.Pipe.Kill() // it fails where the connection has ended
}

// Read implements gatewaybase.IO. A worker that has died may not have read everything; then its
// system resets the connection, which is no other end than io.EOF.
func (w *Worker) Read(b []byte) (int, error) {
	n, err := w.Pipe.Read(b)
	if err == nil {
		return n, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if errors.Is(err, syscall.ECONNRESET) || w.lost != "" {
		err = io.EOF
	}
	return n, err
}

// Wait implements gatewaybase.IO. For the last worker of a launch it also waits for the launcher.
func (w *Worker) Wait(ctx context.Context) error {
	if err := farend.Await(ctx, w.released); err != nil {
		return err
	}
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	if !last {
		return nil
	}
	return farend.Await(ctx, w.launch.done)
}

// Kill implements gatewaybase.IO. It ends the launcher, too, if no other worker of it is left.
func (w *Worker) Kill() error {
	w.mu.Lock()
	w.killed = true
	last := w.last
	w.mu.Unlock()
	if last {
		w.launch.hurryUp()
	}
	return w.Pipe.Kill()
}

// Exit implements gatewaybase.IO. When the connection has ended it is how the launcher has ended,
// if it has. Its Stderr is that of the launcher and of all workers.
func (w *Worker) Exit() farend.Exit {
	exit := w.launch.process.Exit()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		return farend.Exit{Stderr: exit.Stderr}
	}
	return exit
}

// TellEnd implements farend.EndTeller.
func (w *Worker) TellEnd(ctx context.Context) string {
	w.mu.Lock()
	lost := w.lost
	w.mu.Unlock()
	if lost != "" {
		return lost
	}
	says := "the worker closed the connection"
	select {
	case <-w.launch.launcher.ended:
	case <-ctx.Done():
		return says + "; its launcher still runs"
	}
	_ = w.launch.process.Wait(ctx)
	return says + ", and its launcher has ended"
}
