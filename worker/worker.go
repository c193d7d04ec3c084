// Package worker makes a Go program the remote side of execnet: what runs when a driver, in Go or
// in Python, sends a CHANNEL_EXEC (docs/protocol.md section 6).
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
// That source is run by gpython, an interpreter in Go; docs/gpython.md says what it knows of
// Python. What drivers execute for purposes of their own (rinfo, chdir, proxies, socket servers,
// rsync) is served by Go code.
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

// Config says how Serve serves.
type Config struct {
	// ID is what the driver calls this worker, with "-worker" behind it as a rule.
	ID string
	// ExecModel is one of xspec.ExecModels(); empty means "thread". Under "thread", executions run
	// side by side, each in a goroutine; "gevent" and "eventlet" mean the same here. Under
	// "main_thread_only" they run one after another in the goroutine that called Serve.
	ExecModel string
	// Warnings takes a line for each remote error that nobody received; nil means os.Stderr.
	Warnings io.Writer

	// For tests, which are less patient and try a worker without an engine.
	patience *patience
	engine   engine.Engine
}

// Serve is the worker's end of a gateway on pipe, whose bootstrap has been answered. It returns
// when the driver has terminated it or is gone, or when ctx has ended, and the executions have
// ended: they have 5 seconds, then their contexts end, then they have 10 more before Serve gives up
// on them with ErrStuck. What they sent last has 5 to be read. Other errors mean that the driver
// does not speak the protocol. It is execnet's gateway_base.serve.
func Serve(ctx context.Context, pipe gatewaybase.IO, config Config) error {
	if config.ExecModel == "" {
		config.ExecModel = xspec.ExecModelThread
	}
	if config.engine == nil {
		config.engine = engine.Default()
	}
	w := &worker{engine: config.engine, functions: registered.modules(), natives: native.Natives{Worker: ownCommand()}}
	p := newPool(config.ExecModel, w.run)
	if config.patience != nil {
		p.patience = *config.patience
	}
	gw := gatewaybase.New(pipe, gatewaybase.Config{Spec: &xspec.Spec{ID: config.ID}, Executor: p, Warnings: config.Warnings})
	stop := context.AfterFunc(ctx, func() { pipe.CloseRead() })
	defer stop()

	joined := make(chan struct{})
	go func() {
		defer close(joined)
		<-gw.Done()
		limit, cancel := context.WithTimeout(context.Background(), p.patience.toEnd+p.patience.whenInterrupted+p.patience.toBeRead)
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
				return ErrStuck
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
