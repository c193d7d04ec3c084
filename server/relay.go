package server

import (
	"context"
	"errors"
	"io"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/process"
)

// relay is a worker whose bytes pass through this process. Each direction ends by itself, so that
// half-closes are passed on.
type relay struct {
	process *process.Process
	in, out chan struct{} // closed when nothing more is copied to, or from, the worker
}

// relay starts a worker and copies between it and far, from which ahead was read already. If the
// worker is gone within hold of the end of its output, far is not told that end: the caller has
// something to say first.
func (c Command) relay(ahead []byte, far io.ReadWriter, stderr io.Writer, hold time.Duration) (*relay, error) {
	worker, err := process.Start(c.Args, c.Env, stderr)
	if err != nil {
		return nil, err
	}
	r := &relay{process: worker, in: make(chan struct{}), out: make(chan struct{})}
	go func() {
		defer close(r.in)
		// Whatever ends it, a far end that is done or lost, or a worker that is gone: the worker
		// gets no more.
		if _, err := worker.Write(ahead); err == nil {
			_, _ = io.Copy(worker, reader{far})
		}
		_ = worker.CloseWrite()
	}()
	go func() {
		defer close(r.out)
		_, _ = io.Copy(writer{far}, worker)
		// A far end that takes no more ends the worker's output, and the other way round.
		_ = worker.CloseRead()
		if hold > 0 {
			patience, cancel := context.WithTimeout(context.Background(), hold)
			defer cancel()
			if worker.Wait(patience) == nil {
				return
			}
		}
		closeWrite(far)
	}()
	return r, nil
}

// reader and writer hide methods with which io.Copy would go other ways than through plain reads
// and writes.
type (
	reader struct{ io.Reader }
	writer struct{ io.Writer }
)

// closeWrite tells the far end that nothing more comes.
func closeWrite(far io.ReadWriter) {
	switch far := far.(type) {
	case interface{ CloseWrite() error }:
		_ = far.CloseWrite()
	case io.Closer:
		_ = far.Close()
	}
}

// errKill is the cause of a context that ends a worker without giving it time.
var errKill = errors.New("the worker is to be killed")

// wait returns when the worker is reaped and its stderr delivered. When ctx ends, it ends the
// worker first.
func (r *relay) wait(ctx context.Context) gatewaybase.Exit {
	if r.process.Wait(ctx) != nil {
		_ = r.process.CloseWrite()
		_ = r.process.CloseRead()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if context.Cause(ctx) == errKill || r.process.Wait(patience) != nil {
			// It fails for a process that is gone only.
			_ = r.process.Kill()
			_ = r.process.Wait(context.WithoutCancel(ctx))
		}
	}
	return r.process.Exit()
}

// drain waits until the worker's output is delivered; finish until nothing at all is copied, for
// which the far end has to be closed.
func (r *relay) drain()  { <-r.out }
func (r *relay) finish() { <-r.in; <-r.out }
