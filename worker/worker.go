// Package worker makes a Go program the remote side of execnet: what runs when a driver, in Go or
// in Python, sends a CHANNEL_EXEC ([protocol.md section 6]).
//
// A program registers the Go functions that drivers may call, and becomes a worker when it was
// started as one:
//
//	func main() {
//		worker.Register("textstats", worker.Funcs{"count": Count})
//		worker.ServeIfWorker()
//		... // the program's ordinary life
//	}
//
// A driver in Go then calls them by name (Gateway.RemoteCall), and any driver sends Python source
// that imports them:
//
//	import textstats
//	for doc in channel:
//		channel.send(textstats.count(doc))
//
// That source is run by an engine, which a program adds by importing it for its side effect, as
// database/sql's drivers are added:
//
//	import _ "github.com/go-execnet/execnet/gpython" // Python 3.4, in Go: docs/gpython.md
//
// Without an engine the program links no interpreter; its worker answers Python source with an
// error that names this import. Calls by RemoteCall, and what drivers execute for purposes of their
// own (rinfo, chdir, proxies, socket servers, rsync), are served by Go code in either case.
//
// [protocol.md section 6]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#6-remote-execution
package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/worker/internal/native"
	"github.com/go-execnet/execnet/xspec"
)

// config says how serve serves.
type config struct {
	id        string // what the driver calls this worker, as a rule with "-worker" behind it
	execModel string // one of xspec.ExecModels(); empty means "thread"
	// Under "thread", executions run side by side, each in a goroutine; "gevent" and "eventlet"
	// mean the same here. Under "main_thread_only" they run one after another in the goroutine that
	// called serve.
	engine engine.Engine // nil means engine.Default
	limits *limits       // nil means standardLimits
}

// serve is the worker's end of a gateway on pipe, whose bootstrap has been answered: execnet's
// gateway_base.serve. It returns when the driver has terminated it or is gone, or when ctx has
// ended, and the executions have ended, for which the limits say how long they have. It returns
// errStuck if they did not end; other errors mean that the driver does not speak the protocol.
func serve(ctx context.Context, pipe gatewaybase.IO, c config) error {
	if c.execModel == "" {
		c.execModel = xspec.ExecModelThread
	}
	if c.engine == nil {
		c.engine = engine.Default()
	}
	w := &worker{engine: c.engine, functions: registered.modules(), natives: native.Natives{Worker: Command()}}
	p := newPool(c.execModel, w.run)
	if c.limits != nil {
		p.limits = *c.limits
	}
	gw := gatewaybase.New(pipe, gatewaybase.Config{Spec: &xspec.Spec{ID: c.id}, Executor: p})
	stop := context.AfterFunc(ctx, func() { pipe.CloseRead() })
	defer stop()

	joined := make(chan struct{})
	go func() {
		defer close(joined)
		<-gw.Done()
		limit, cancel := context.WithTimeout(context.Background(), p.limits.end+p.limits.interrupted+p.limits.read)
		defer cancel()
		if gw.Join(limit) == nil {
			return
		}
		// The driver holds its end and does not read. Without the pipe nothing keeps the gateway's
		// goroutines.
		_ = gw.Kill()
		_ = gw.Join(context.Background())
	}()
	for {
		select {
		case e := <-p.main:
			p.execute(e)
		case <-joined:
			switch err := gw.Err(); {
			case p.isStuck():
				return errStuck
			case ctx.Err() != nil:
				return context.Cause(ctx)
			default:
				return err
			}
		}
	}
}

// worker is what all executions of one gateway share.
type worker struct {
	engine    engine.Engine
	functions functions
	natives   native.Natives
}

// run executes one program and ends it.
func (w *worker) run(ctx context.Context, e *gatewaybase.Execution) {
	e.End(closingText(ctx, w.execute(ctx, e)))
}

// execute runs one program: a registered function, one of the programs that are served by Go code,
// or Python source.
func (w *worker) execute(ctx context.Context, e *gatewaybase.Execution) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("SystemError: panic: %v\n%s", reason, debug.Stack())
		}
	}()
	if function, args, kwargs, ok := e.RemoteCall(); ok {
		return w.call(ctx, e.Channel, function, args, kwargs)
	}
	if serve, ok := w.natives.Find(e.Program); ok {
		return serve(ctx, e.Channel, e.Program)
	}
	return w.engine.Execute(ctx, e.Channel, e.Program, w.functions.engine)
}

// closingText is what a channel is closed with when its execution ended with err (protocol.md
// section 6.6).
func closingText(ctx context.Context, err error) string {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return ""
	case errors.Is(err, engine.ErrInterrupted), ctx.Err() != nil && errors.Is(err, context.Canceled):
		return engine.ErrInterrupted.Error()
	}
	return err.Error()
}
