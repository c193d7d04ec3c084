package gpython

// The engine that worker/engine knows by the name gpython: what one execution does, from the source
// to the error that the driver gets.

import (
	"context"
	"io"
	"sync"

	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/worker/engine"
)

// gpythonEngine is the engine.Engine of this package. Its executions run in parallel.
type gpythonEngine struct{}

func init() { engine.Register("gpython", gpythonEngine{}) }

// defaultFile is what execnet calls a program that came without a file name.
const defaultFile = "<remote exec>"

// moduleName is the __name__ of a program's globals.
const moduleName = "__channelexec__"

// Execute runs a program, as engine.Engine describes. The error's text has the form of CPython's
// traceback.format_exception (protocol.md section 6.7). Callbacks that the program has set still
// run after its end, until their channels end.
func (gpythonEngine) Execute(ctx context.Context, ch *gatewaybase.Channel, p gatewaybase.Program, modules engine.Modules) error {
	in := newInterp(ctx, ch, modules)
	stop := context.AfterFunc(ctx, in.interrupt)
	defer stop()
	in.lock()
	defer in.unlock()
	end := sync.OnceFunc(func() {
		in.end()
		in.collectSoon()
	})
	defer end() // a Go function that calls runtime.Goexit ends this goroutine
	err := in.execute(p)
	unclosed := in.unclosed()
	if unclosed != "" && in.shared { // a callback or a thread may go on with it
		in.complain(unclosed + ", unless a callback or a thread still has it\n")
		unclosed = ""
	}
	end()
	return withUnclosed(in.result(err), unclosed)
}

// execute runs the source, and then the function that the driver asked for.
func (in *interp) execute(p gatewaybase.Program) (err error) {
	defer recoverPanic(&err)
	if p.File == "" {
		p.File = defaultFile
	}
	source, err := readSource(p.Source)
	if err != nil {
		return err
	}
	in.sources[p.File] = source
	code, err := py.Compile(source+"\n", p.File, py.ExecMode, 0, true)
	if err != nil {
		return err
	}
	globals := py.StringDict{
		"channel":      in.Wrap(in.channel),
		"__name__":     py.String(moduleName),
		"__builtins__": in.store.Builtins,
	}
	pyvalue.KeepOrder(globals)
	if _, err = in.RunCode(code, globals, globals, nil); err != nil || p.Call == "" {
		return err
	}
	function, ok := globals[p.Call]
	if !ok {
		return newException(py.KeyError, py.String(p.Call))
	}
	kwargs := py.NewStringDictSized(p.Kwargs.Len())
	for name, value := range p.Kwargs.All() {
		if kwargs[name.(string)], err = in.fromGo(value); err != nil {
			return err
		}
	}
	_, err = py.Call(function, py.Tuple{in.Wrap(in.channel)}, kwargs)
	return err
}

// isOwnEnd tells whether e is the EOFError of receive at the end of the program's own channel.
func (in *interp) isOwnEnd(e *py.Exception) bool {
	return e.Base.IsSubtype(py.EOFError) && e.Dict[endedChannel] == py.Object(py.Int(in.channel.ID()))
}

// isOrderlyExit tells whether e is that of sys.exit(), also with 0.
func isOrderlyExit(e *py.Exception) bool {
	args, _ := e.Args.(py.Tuple)
	return e.Base.IsSubtype(py.SystemExit) &&
		(len(args) == 0 || len(args) == 1 && (args[0] == py.None || args[0] == py.Int(0) || args[0] == py.False))
}

// result is what Execute returns for a program that ended with err.
func (in *interp) result(err error) error {
	if err == nil {
		return nil
	}
	info := exceptionInfo(err)
	switch e := info.Value.(*py.Exception); {
	case in.isOwnEnd(e):
		return io.EOF
	case isOrderlyExit(e):
		return &engine.Exit{Err: in.remoteError(info)}
	case info.Type.IsSubtype(py.KeyboardInterrupt):
		return engine.ErrInterrupted
	}
	return in.remoteError(info)
}

// remoteError is an exception as the driver gets it.
func (in *interp) remoteError(info py.ExceptionInfo) *gatewaybase.RemoteError {
	e := info.Value.(*py.Exception)
	message, err := exceptionText(e)
	if err != nil {
		message = unprintable
	}
	raised := &gatewaybase.RemoteError{Formatted: in.traceback(info), Text: message}
	for _, o := range e.Base.Mro {
		if class, ok := o.(*py.Type); ok {
			raised.MRO = append(raised.MRO, qualifiedName(class))
		}
	}
	return raised
}
