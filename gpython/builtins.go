package gpython

// The builtins of a program. gpython v0.2.0 lacks many (property, super, hash, dir, format,
// reversed); package pyvalue adds what is about values, and this file what needs the interpreter or
// the caller: print, dir, vars, input, exit. It also has what stands for sys.stdin and sys.stdout,
// which execnet's workers connect to the null device, because the process's own are the pipe to the
// driver, and for sys.stderr, which is the process's own.

import (
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/go-python/gpython/py"

	// The modules that programs may import, and the builtins.
	_ "github.com/go-python/gpython/stdlib/builtin"
	_ "github.com/go-python/gpython/stdlib/glob"
	_ "github.com/go-python/gpython/stdlib/math"
	_ "github.com/go-python/gpython/stdlib/os"
	_ "github.com/go-python/gpython/stdlib/string"
	_ "github.com/go-python/gpython/stdlib/tempfile"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// commonBuiltins is what all executions share of their builtins: gpython's, pyvalue's over them,
// and ours.
var commonBuiltins = sync.OnceValue(func() py.StringDict {
	impl := py.GetModuleImpl("builtins")
	all := impl.Globals.Copy()
	for _, method := range impl.Methods {
		all[method.Name] = method
	}
	maps.Copy(all, pyvalue.Builtins())
	all["RecursionError"] = pyvalue.RecursionError
	all["ModuleNotFoundError"] = moduleNotFoundError
	if all["property"] == nil {
		all["property"] = &function{"property", newProperty}
	}
	all["super"] = superType
	all["compile"] = &function{"compile", compileBuiltin}
	all["__build_class__"] = &function{"__build_class__", buildClass}
	for _, name := range []string{"exit", "quit"} {
		all[name] = &function{name, exit}
	}
	all["input"] = &function{"input", func(py.Tuple, py.StringDict) (py.Object, error) {
		return nil, newException(py.EOFError, py.String("EOF when reading a line"))
	}}
	return all
})

// addBuiltins gives the interpreter its builtins: the common ones, and those that are its own.
func (in *interp) addBuiltins() {
	// It fails for code only, and there is none.
	_, _ = in.store.NewModule(in, &py.ModuleImpl{Info: py.ModuleInfo{Name: "builtins"}, Globals: commonBuiltins()})
	_ = in.loaded.Set(py.String("builtins"), in.store.Builtins) // a str is hashable
	globals := in.store.Builtins.Globals
	globals["__import__"] = &function{"__import__", in.importName}
	globals["print"] = &function{"print", in.print}
	maps.Copy(globals, in.namespaceFunctions())
	globals["open"] = &function{"open", in.open}
}

// namespaceFunctions are dir and vars, which without an argument are about their caller.
func (in *interp) namespaceFunctions() py.StringDict {
	functions := make(py.StringDict)
	add := func(name string, ofCaller func(names *pyvalue.Dict) py.Object, of func(o py.Object) (py.Object, error)) {
		functions[name] = frameFunction{&function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			caller := in.takeCaller().frame
			if len(args) > 1 || len(kwargs) > 0 {
				return nil, py.ExceptionNewf(py.TypeError, "%s expected at most 1 argument, got %d", name, len(args)+len(kwargs))
			}
			if len(args) == 1 {
				return of(args[0])
			}
			if caller == nil {
				return nil, py.ExceptionNewf(py.SystemError, "%s() does not know its caller", name)
			}
			return ofCaller(localsOf(caller)), nil
		}}}
	}
	add("dir", func(names *pyvalue.Dict) py.Object { return pyvalue.NamesOf(names.Names()) }, pyvalue.Dir)
	add("vars", func(names *pyvalue.Dict) py.Object { return names }, func(o py.Object) (py.Object, error) {
		d, err := pyvalue.GetAttr(o, "__dict__")
		if !py.IsException(py.AttributeError, err) {
			return d, err
		}
		return nil, py.ExceptionNewf(py.TypeError, "vars() argument must have __dict__ attribute")
	})
	return functions
}

// exit is exit() and sys.exit(): SystemExit, with what it is called with.
func exit(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 1 || len(kwargs) > 0 {
		return nil, py.ExceptionNewf(py.TypeError, "exit() takes at most 1 argument (%d given)", len(args)+len(kwargs))
	}
	if len(args) == 1 && args[0] != py.None {
		return nil, newException(py.SystemExit, args[0])
	}
	return nil, newException(py.SystemExit)
}

// print writes to its file, or to what the program has put into sys.stdout. At first that is the
// null device, as in execnet's workers, unless the driver wants to see what is printed.
func (in *interp) print(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	args = append(py.Tuple(nil), args...)
	a, err := arguments("print", nil, kwargs, 0, "sep", "end", "file", "flush")
	if err != nil {
		return nil, err
	}
	file := a[2]
	if file == nil || file == py.None {
		file = nullOutput
		if sys, err := in.store.GetModule("sys"); err == nil {
			file = sys.Globals["stdout"]
		}
	}
	sep, end := " ", "\n"
	for i, to := range []*string{&sep, &end} {
		var given py.Object
		if a[i] != nil {
			given = pyvalue.Plain(a[i])
		}
		switch x := given.(type) {
		case nil, py.NoneType:
		case py.String:
			*to = string(x)
		default:
			return nil, py.ExceptionNewf(py.TypeError, "%s must be None or a string, not %s", [...]string{"sep", "end"}[i], x.Type().Name)
		}
	}
	words := make([]string, len(args))
	text, failure := "", error(nil)
	for i, o := range args {
		if words[i], failure = pyvalue.Str(o); failure != nil {
			text = strings.Join(append(words[:i:i], ""), sep) // CPython has written this already
			break
		}
	}
	if failure == nil {
		text = strings.Join(words, sep) + end
	} else if text == "" {
		return nil, failure
	}
	if file == nil || file == py.None || file == py.Object(nullOutput) {
		return py.None, failure
	}
	write, err := py.GetAttrString(file, "write")
	if err != nil {
		return nil, err
	}
	if _, err = py.Call(write, py.Tuple{py.String(text)}, nil); err != nil {
		return nil, err
	}
	return py.None, failure
}

// stream is sys.stdin, sys.stdout or sys.stderr.
type stream struct{ methods map[string]*function }

var (
	streamType = newType(py.ObjectType, "file", "A standard stream.")
	nullInput  = newInput()
	nullOutput = newOutput(func(string) error { return nil })
)

// newInput makes a stream that is empty.
func newInput() *stream {
	f := newStream()
	for _, name := range []string{"read", "readline"} {
		f.add(name, func(py.Tuple) (py.Object, error) { return py.String(""), nil })
	}
	f.add("readlines", func(py.Tuple) (py.Object, error) { return py.NewList(), nil })
	return f
}

// newOutput makes a stream that calls write with what is written to it.
func newOutput(write func(text string) error) *stream {
	f := newStream()
	f.add("write", func(args py.Tuple) (py.Object, error) {
		if len(args) != 1 {
			return nil, py.ExceptionNewf(py.TypeError, "write() takes exactly one argument (%d given)", len(args))
		}
		s, ok := pyvalue.Plain(args[0]).(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "write() argument must be str, not %s", args[0].Type().Name)
		}
		if err := write(string(s)); err != nil {
			return nil, err
		}
		return s.M__len__()
	})
	return f
}

// newFile makes the stream that leads to a file of this process.
func (in *interp) newFile(file *os.File) *stream {
	return newOutput(func(text string) (err error) {
		in.blocking(func() { _, err = file.WriteString(text) })
		return err
	})
}

// newStream makes a stream with the methods that all have.
func newStream() *stream {
	f := &stream{make(map[string]*function)}
	f.add("isatty", func(py.Tuple) (py.Object, error) { return py.False, nil })
	for _, name := range []string{"flush", "close"} {
		f.add(name, func(py.Tuple) (py.Object, error) { return py.None, nil })
	}
	return f
}

func (f *stream) add(name string, call func(args py.Tuple) (py.Object, error)) {
	f.methods[name] = &function{name, func(args py.Tuple, _ py.StringDict) (py.Object, error) { return call(args) }}
}

func (f *stream) Type() *py.Type { return streamType }

func (f *stream) M__iter__() (py.Object, error) { return py.NewIterator(py.Tuple{}), nil }

func (f *stream) M__getattr__(name string) (py.Object, error) {
	if method, ok := f.methods[name]; ok {
		return method, nil
	}
	return nil, noAttribute(f, name)
}
