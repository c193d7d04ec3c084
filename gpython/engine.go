package gpython

// The engine that worker/engine knows by the name gpython: what one execution does, from the source
// to the error that the driver gets.

import (
	"context"
	"errors"
	"io"

	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
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
	err := in.execute(p)
	in.end()
	in.collectSoon()
	return in.result(err)
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

// result is what Execute returns for a program that ended with err.
func (in *interp) result(err error) error {
	if err == nil {
		return nil
	}
	info := exceptionInfo(err)
	switch {
	case info.Type.IsSubtype(py.EOFError):
		return io.EOF
	case info.Type.IsSubtype(py.KeyboardInterrupt):
		return engine.ErrInterrupted
	}
	return errors.New(in.traceback(info))
}
