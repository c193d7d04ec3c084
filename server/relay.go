package server

import (
	"context"
	"errors"
	"io"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/process"
)

// relay is a worker whose bytes this process copies. The two directions end independently, so that
// a half-closed connection stays half-closed.
type relay struct {
	process *process.Process
	in, out chan struct{} // closed when nothing more is copied to, or from, the worker
}

// relay starts a worker and copies between it and far, from which ahead was read already. At the
// end of the worker's output it closes far for writing, unless the worker itself ends within the
// time hold: then the caller has something to send first.
func (c Command) relay(ahead []byte, far io.ReadWriter, stderr io.Writer, hold time.Duration) (*relay, error) {
	worker, err := process.Start(c.Args, c.Env, stderr)
	if err != nil {
		return nil, err
	}
	r := &relay{process: worker, in: make(chan struct{}), out: make(chan struct{})}
	go func() {
		defer close(r.in)
		// Copying ends when far is closed or fails, or when the worker has ended.
		if _, err := worker.Write(ahead); err == nil {
			_, _ = io.Copy(worker, reader{far})
		}
		_ = worker.CloseWrite()
	}()
	go func() {
		defer close(r.out)
		_, _ = io.Copy(writer{far}, worker)
		// If writing to far has failed, the worker's next write fails.
		_ = worker.CloseRead()
		if hold > 0 {
			holding, cancel := context.WithTimeout(context.Background(), hold)
			defer cancel()
			if worker.Wait(holding) == nil {
				return
			}
		}
		closeWrite(far)
	}()
	return r, nil
}

// reader and writer hide methods that io.Copy would call instead of Read and Write.
type (
	reader struct{ io.Reader }
	writer struct{ io.Writer }
)

// closeWrite closes far for writing, or altogether if it cannot be closed in one direction.
func closeWrite(far io.ReadWriter) {
	switch far := far.(type) {
	case interface{ CloseWrite() error }:
		_ = far.CloseWrite()
	case io.Closer:
		_ = far.Close()
	}
}

// errKill is the cause of a context at whose end the worker is killed at once.
var errKill = errors.New("the worker is to be killed")

// wait returns when the worker is reaped and its stderr is delivered. When ctx ends, it ends the
// worker.
func (r *relay) wait(ctx context.Context) gatewaybase.Exit {
	if r.process.Wait(ctx) != nil {
		_ = r.process.CloseWrite()
		_ = r.process.CloseRead()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), gracePeriod)
		defer cancel()
		if context.Cause(ctx) == errKill || r.process.Wait(grace) != nil {
			// It fails only for a process that has ended.
			_ = r.process.Kill()
			_ = r.process.Wait(context.WithoutCancel(ctx))
		}
	}
	return r.process.Exit()
}

// drain waits until the worker's output is delivered. finish waits until both directions have
// ended; for that, far must be closed.
func (r *relay) drain()  { <-r.out }
func (r *relay) finish() { <-r.in; <-r.out }
