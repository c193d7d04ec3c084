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
	"os"
	"runtime/debug"
	"strconv"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/gofunc"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/worker/internal/native"
	"github.com/go-execnet/execnet/xspec"
)

// config says how serve serves.
type config struct {
	id        string // what the driver calls this worker, as a rule with "-worker" behind it
	execModel string // one of xspec.ExecModels(); empty means "thread"
	// describeErrors says that the driver understands errors with their class.
	describeErrors bool
	output         *output // of this process; nil if the driver does not want to see it
	settings       Config
	engineKey      string // the spec key engine
	// Under "thread", executions run side by side, each in a goroutine; "gevent" and "eventlet"
	// mean the same here. Under "main_thread_only" they run one after another in the goroutine that
	// called serve.
	engine engine.Engine // nil means engine.Default
	limits *limits       // nil means standardLimits
	// goexit is called with the result of serve if an execution in serve's goroutine has called
	// runtime.Goexit, after which no function of this goroutine returns. Nil means nothing.
	goexit func(error)
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
	w := &worker{engine: c.engine, functions: registered.modules(), natives: native.Natives{Worker: c.settings.Command()},
		describeErrors: c.describeErrors}
	w.beside = &beside{worker: w, process: engine.Beside(), settings: c.settings, engineKey: c.engineKey, judged: map[string]string{},
		setup: engine.Setup{ID: c.id, ExecModel: c.execModel, Functions: w.functions.beside, DescribeErrors: c.describeErrors,
			Output: c.output.besideWants()}}
	w.natives.Engine = w.beside.describe
	w.natives.Beside = w.beside.run
	p := newPool(c.execModel, w.run)
	if c.limits != nil {
		p.limits = *c.limits
	}
	maxCost, err := maxCost()
	if err != nil {
		return err
	}
	gw := gatewaybase.New(pipe, c.output.configure(gatewaybase.Config{
		Spec: &xspec.Spec{ID: c.id}, Executor: &calling{p, w}, MaxCost: maxCost, DescribeErrors: c.describeErrors,
		Windows: c.describeErrors, Route: w.beside.route}))
	c.output.start(gw)

	stop := context.AfterFunc(ctx, func() { pipe.CloseRead() })
	defer stop()

	joined := make(chan struct{})
	callsStuck := false // set before joined is closed
	go func() {
		defer close(joined)
		<-gw.Done()
		if connected, ok := pipe.(*connection); ok {
			connected.watch()
		}
		limit, cancel := context.WithTimeout(context.Background(), p.limits.end+p.limits.interrupted+p.limits.read)
		defer cancel()
		if gw.Join(limit) == nil {
			return
		}
		// The driver holds its end and does not read, or the process beside this one does not end.
		// Without them nothing keeps the gateway's goroutines but Go functions that have been
		// called from there and do not heed their contexts.
		_ = gw.Kill()
		rest, cancel := context.WithTimeout(context.Background(), p.limits.read)
		defer cancel()
		callsStuck = gw.Join(rest) != nil
	}()
	ended := func() error {
		switch err := gw.Err(); {
		case p.isStuck() || callsStuck:
			return errStuck
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return err
		}
	}
	returns := false
	defer func() {
		if !returns && c.goexit != nil {
			c.goexit(ended())
		}
	}()
	p.runHere(joined)
	returns = true
	return ended()
}

// maxCost is what the environment variable EXECNET_MAX_COST says, as for Python workers: how many
// times its size an item may take in memory.
func maxCost() (int, error) {
	text := os.Getenv("EXECNET_MAX_COST")
	if text == "" {
		return 0, nil
	}
	times, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("execnet: EXECNET_MAX_COST must be a number, not %q", text)
	}
	return times, nil
}

// worker is what all executions of one gateway share.
type worker struct {
	engine    engine.Engine
	functions functions
	natives   native.Natives
	beside    *beside
	// describeErrors says that the driver is this module's, for which sys.exit() is no error.
	describeErrors bool
}

// run executes one program and ends it. A program that calls runtime.Goexit ends its goroutine, in
// which only deferred functions run then.
func (w *worker) run(ctx context.Context, e *gatewaybase.Execution) {
	var err error = errGoexit
	defer func() { e.End(w.closingError(ctx, err)) }()
	err = w.execute(ctx, e)
}

// execute runs one program: a registered function, one of the programs that are served by Go code,
// or Python source.
func (w *worker) execute(ctx context.Context, e *gatewaybase.Execution) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = gofunc.Traceback("", "SystemError", fmt.Sprintf("panic: %v\n%s", reason, debug.Stack()))
		}
	}()
	if function, args, kwargs, ok := e.RemoteCall(); ok {
		if _, ours := w.functions.engine[moduleOf(function)]; ours {
			return w.call(ctx, e.Channel, function, args, kwargs)
		}
		if _, none := w.engine.(engine.None); none { // call says which functions there are
			return w.beside.explain(e.Program, w.call(ctx, e.Channel, function, args, kwargs))
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer e.Channel.AfterClose(cancel)() // the caller has given up
	}
	if serve, ok := w.natives.Find(e.Program); ok {
		return serve(ctx, e.Channel, e.Program)
	}
	return w.beside.explain(e.Program, w.engine.Execute(ctx, e.Channel, e.Program, w.functions.engine))
}

// closingError is what a channel is closed with when its execution ended with err (protocol.md
// section 6.6).
func (w *worker) closingError(ctx context.Context, err error) error {
	var exit *engine.Exit
	switch {
	case errors.As(err, &exit) && !w.describeErrors:
		return exit.Err
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, engine.ErrInterrupted), ctx.Err() != nil && errors.Is(err, context.Canceled):
		return engine.ErrInterrupted
	}
	return err
}
