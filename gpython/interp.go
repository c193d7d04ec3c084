package gpython

// The interpreter of one execution: its lock, its depth of calls, how it is interrupted and how it
// waits. gpython v0.2.0 has none of these: endless recursion ends the whole process with Go's
// stack, a running program cannot be interrupted, and its objects are not safe for two goroutines.
// CPython has a recursion limit, signals and the GIL.

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/worker/engine"
)

// interp is the interpreter of one execution: the py.Context of its code, and what its objects
// share.
type interp struct {
	channel *gatewaybase.Channel
	modules engine.Modules
	store   *py.ModuleStore
	sources map[string]string // what has been compiled, by file name, for tracebacks

	// mu is held by whoever runs Python. It guards gpython's objects, and what follows.
	mu            sync.Mutex
	ctx           context.Context
	loaded        *pyvalue.Dict // sys.modules
	depth         int           // of calls
	thread        int64         // who runs: one of the threads' identities
	threads       int64         // how many there have been
	calling       int           // how many callbacks have begun and not ended
	caller        caller        // of the frameFunction that is being called
	keywords      keywords      // of the function that is being called
	outer         *py.Exception // that the callers of the running function handle, or nil
	limit         int           // of depth
	ended         bool          // the program has; its callbacks and threads may still run
	interruptedAt time.Time     // when the program got its last KeyboardInterrupt
	gatewayEnded  time.Time     // when a callback first found the gateway ended
	checks        int           // how many loops and calls have found attention set
	gatewayObject *gateway
	descriptors   map[int]*os.File              // what mkstemp and os.open have opened
	numbered      map[int]weak.Pointer[file]    // files whose number is known
	variables     map[string]string             // the environment, once it is needed; environ.go
	waiting       map[*py.Frame]struct{}        // generators with try or with that wait; dropped.go
	shared        bool                          // the program has set callbacks, or started threads
	wrapped       map[int]weak.Pointer[channel] // the program's channels by their numbers
	sweep         int                           // the length at which dead entries of wrapped go

	// attention is not zero when running code has something to check at its loops and calls: the
	// number of goroutines that wait for mu, plus interrupted or polling.
	attention atomic.Int64
}

const (
	interrupted = 1 << 40 // the execution's context has ended
	polling     = 1 << 32 // the program has ended: callbacks check whether the gateway has

	defaultDepth = 1000  // how deep calls go at first, as in CPython
	deepest      = 20000 // how deep sys.setrecursionlimit lets them go; Go's stack allows for more

	callbackGrace  = 5 * time.Second // how long callbacks may run after the gateway's end
	interruptAgain = time.Second     // after it a busy program is interrupted again
	cleanUpSend    = 2 * time.Second // how long a send may take in a program that was interrupted
)

// newInterp makes the interpreter of one execution.
func newInterp(ctx context.Context, ch *gatewaybase.Channel, modules engine.Modules) *interp {
	in := &interp{channel: ch, modules: modules, ctx: ctx, store: py.NewModuleStore(), limit: defaultDepth, loaded: pyvalue.NewDict(),
		thread: mainThread, threads: callbackThread, sources: make(map[string]string), descriptors: make(map[int]*os.File),
		numbered: make(map[int]weak.Pointer[file]),
		wrapped:  make(map[int]weak.Pointer[channel])}
	in.addBuiltins()
	return in
}

// lock waits for the interpreter; attention makes whoever runs hand it over.
func (in *interp) lock() {
	if in.mu.TryLock() {
		return
	}
	in.attention.Add(1)
	in.mu.Lock()
	in.attention.Add(-1)
}

func (in *interp) unlock() { in.mu.Unlock() }

// blocking runs f without the lock: f waits for something outside and touches no Python object.
func (in *interp) blocking(f func()) {
	depth, thread, keywords, outer := in.depth, in.thread, in.keywords, in.outer
	in.unlock()
	defer func() {
		in.lock()
		in.depth, in.thread, in.keywords, in.outer = depth, thread, keywords, outer
	}()
	f()
}

// interrupt makes running code raise KeyboardInterrupt at its next loop or call. So that handlers
// can clean up, it comes again only after a while.
func (in *interp) interrupt() { in.attention.Add(interrupted) }

// interruption returns the KeyboardInterrupt for the end of the execution's context.
func (in *interp) interruption() error {
	in.interruptedAt = time.Now()
	return newException(py.KeyboardInterrupt)
}

// sendContext is the context for sending: the execution's or, for the exception handlers of a
// program that was interrupted, one with a time limit.
func (in *interp) sendContext() (context.Context, context.CancelFunc) {
	if in.ctx.Err() == nil || in.interruptedAt.IsZero() {
		return in.ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(in.ctx), cleanUpSend)
}

// end is called when the program has ended. Callbacks that run from now on are not interrupted by
// the execution's context any more, but some time after the gateway's end.
func (in *interp) end() {
	in.ctx = context.WithoutCancel(in.ctx)
	in.ended = true
	if in.attention.Load() < interrupted {
		in.attention.Add(polling)
	}
}

// check is called at each loop and each call. It is where a program is interrupted and where it
// hands over the lock.
func (in *interp) check() error {
	if in.attention.Load() == 0 {
		return nil
	}
	return in.attend()
}

// attend does what attention asks for.
func (in *interp) attend() error {
	now := in.attention.Load()
	if now >= interrupted {
		if time.Since(in.interruptedAt) >= interruptAgain {
			return in.interruption()
		}
		now -= interrupted
	}
	in.checks++
	if in.checks%256 != 0 {
		return nil
	}
	if now >= polling {
		if err := in.checkGateway(); err != nil {
			return err
		}
		now -= polling
	}
	if now > 0 {
		in.blocking(runtime.Gosched)
	}
	return nil
}

// checkGateway ends callbacks that are busy for long after their gateway's end.
func (in *interp) checkGateway() error {
	select {
	case <-in.channel.Gateway().Done():
	default:
		return nil
	}
	if in.gatewayEnded.IsZero() {
		in.gatewayEnded = time.Now()
	}
	if time.Since(in.gatewayEnded) < callbackGrace {
		return nil
	}
	return newException(py.KeyboardInterrupt)
}

// enter counts a call, which leave ends.
func (in *interp) enter() error {
	if in.depth >= in.limit {
		return py.ExceptionNewf(pyvalue.RecursionError, "maximum recursion depth exceeded")
	}
	if err := in.check(); err != nil {
		return err
	}
	in.depth++
	return nil
}

// The rest makes interp a py.Context.

func (in *interp) RunCode(code *py.Code, globals, locals py.StringDict, closure py.Tuple) (py.Object, error) {
	return py.VmEvalCode(in, code, globals, locals, nil, nil, nil, nil, closure)
}

func (in *interp) GetModule(name string) (*py.Module, error) { return in.store.GetModule(name) }

func (in *interp) Store() *py.ModuleStore { return in.store }

func (in *interp) ModuleInit(impl *py.ModuleImpl) (*py.Module, error) {
	return in.store.NewModule(in, impl)
}

// ResolveAndCompile finds nothing: no code comes from files.
func (in *interp) ResolveAndCompile(path string, _ py.CompileOpts) (py.CompileOut, error) {
	return py.CompileOut{}, py.ExceptionNewf(py.ImportError, "No module named '%s'", path)
}

func (in *interp) Close() error { return nil }

// Done is never closed: an interpreter has nothing that needs closing.
func (in *interp) Done() <-chan struct{} { return nil }

var _ py.Context = (*interp)(nil)

// evalCode calls a function, or runs a module.
func evalCode(ctx py.Context, co *py.Code, globals, locals py.StringDict, args []py.Object, kws py.StringDict,
	defs []py.Object, kwdefs py.StringDict, closure py.Tuple) (res py.Object, err error) {
	in, ok := ctx.(*interp)
	if !ok {
		return runCode(ctx, co, globals, locals, args, kws, defs, kwdefs, closure)
	}
	if err := in.enter(); err != nil {
		return nil, err
	}
	defer in.leave(in.depth, &err)
	return runCode(ctx, co, globals, locals, args, kws, defs, kwdefs, closure)
}

// runFrame continues a generator.
func runFrame(frame *py.Frame) (res py.Object, err error) {
	in, ok := frame.Context.(*interp)
	if !ok {
		return vm.RunFrame(frame)
	}
	if err := in.enter(); err != nil {
		return generatorEnd(frame, nil, err)
	}
	defer in.leave(in.depth, &err)
	prepare(frame)
	res, err = vm.RunFrame(frame)
	res, err = generatorEnd(frame, res, err)
	if tooMany := in.noteWaiting(frame); tooMany != nil {
		return nil, tooMany
	}
	return res, err
}

// leave ends a call that enter has counted. A panic in it, which is an error in gpython, becomes
// the call's exception.
func (in *interp) leave(depth int, err *error) {
	in.depth = depth - 1
	if p := recover(); p != nil {
		*err = panicError(p)
	}
}

// forever is the limit of a wait that has none.
const forever time.Duration = -1

// wait waits until done is closed, if it is not nil, and at most for the time limit; it reports
// whether done was closed. Callbacks and threads run Python meanwhile. The error is a
// KeyboardInterrupt when the execution's context ends or, after the program's end, callbackGrace
// after the gateway's end.
func (in *interp) wait(done <-chan struct{}, limit time.Duration) (came bool, err error) {
	ctx := in.ctx
	var gone <-chan struct{}
	if in.ended {
		gone = in.channel.Gateway().Done()
	}
	interrupted := false
	in.blocking(func() {
		var over, tooLate <-chan time.Time
		if limit >= 0 {
			timer := time.NewTimer(limit)
			defer timer.Stop()
			over = timer.C
		}
		for {
			select {
			case <-done:
				came = true
				return
			case <-over:
				return
			case <-ctx.Done():
				interrupted = true
				return
			case <-gone:
				gone = nil
				grace := time.NewTimer(callbackGrace)
				defer grace.Stop()
				tooLate = grace.C
			case <-tooLate:
				interrupted = true
				return
			}
		}
	})
	if interrupted {
		return false, in.interruption()
	}
	return came, nil
}
