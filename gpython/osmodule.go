package gpython

// os, without its files: environment and process, and file descriptors, with tempfile.mkstemp,
// which makes them. Of gpython v0.2.0's os only what is about the process is kept, not what writes
// to the worker's own streams. The environment is a copy for each execution, since executions share
// nothing.

import (
	"crypto/rand"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// osModule is what of gpython's os has to do with processes, but for what writes to the worker's
// own streams, with environ, files and os.path.
func (in *interp) osModule() (*py.Module, error) {
	impl := *py.GetModuleImpl("os")
	impl.Methods = nil
	for _, method := range py.GetModuleImpl("os").Methods {
		if slices.Contains([]string{"_exit", "getpid", "putenv", "unsetenv"}, method.Name) {
			impl.Methods = append(impl.Methods, method)
		}
	}
	module, err := in.ModuleInit(&impl)
	if err != nil {
		return nil, err
	}
	addFileFunctions(module.Globals)
	environ := pyvalue.NewDict()
	for _, variable := range os.Environ() {
		if name, value, ok := strings.Cut(variable, "="); ok && name != "" {
			if err := environ.Set(py.String(name), py.String(value)); err != nil {
				return nil, err
			}
		}
	}
	module.Globals["environ"] = environ
	module.Globals["getenv"] = &function{"getenv", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("getenv", args, kwargs, 1, "key", "default")
		if err != nil {
			return nil, err
		}
		value, ok, err := environ.Get(a[0])
		switch {
		case err != nil || ok:
			return value, err
		case a[1] != nil:
			return a[1], nil
		}
		return py.None, nil
	}}
	module.Globals["urandom"] = &function{"urandom", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("urandom", args, kwargs, 1, "size")
		if err != nil {
			return nil, err
		}
		n, err := py.IndexInt(a[0])
		if err != nil {
			return nil, err
		}
		if n < 0 || n > pyvalue.MostBytes {
			return nil, py.ExceptionNewf(py.ValueError, "argument out of range")
		}
		b := make([]byte, n)
		rand.Read(b) // never fails
		return py.Bytes(b), nil
	}}
	module.Globals["write"] = &function{"write", in.writeDescriptor}
	module.Globals["close"] = &function{"close", in.closeDescriptor}
	module.Globals["fdopen"] = &function{"fdopen", in.openDescriptor}
	for name, number := range map[string]func() int{"cpu_count": runtime.NumCPU, "getppid": os.Getppid} {
		module.Globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			return py.Int(number()), err
		}}
	}
	if module.Globals["path"], err = in.importOne("os.path"); err != nil {
		return nil, err
	}
	return module, nil
}

// tempfileModule is gpython's, with an mkstemp that keeps its file open: gpython's leaves it to the
// collector of garbage.
func (in *interp) tempfileModule() (*py.Module, error) {
	module, err := in.ModuleInit(py.GetModuleImpl("tempfile"))
	if err != nil {
		return nil, err
	}
	module.Globals["mkstemp"] = &function{"mkstemp", in.makeTemp}
	return module, nil
}

// makeTemp is tempfile.mkstemp: the file stays open, and the program gets its descriptor.
func (in *interp) makeTemp(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("mkstemp", args, kwargs, 0, "suffix", "prefix", "dir", "text")
	if err != nil {
		return nil, err
	}
	parts := [3]string{"", "tmp", ""}
	for i, o := range a[:3] {
		if o != nil && o != py.None {
			if parts[i], err = pathOf("mkstemp", o); err != nil {
				return nil, err
			}
		}
	}
	f, err := os.CreateTemp(parts[2], parts[1]+"*"+parts[0])
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	in.descriptors[fd] = f
	return py.Tuple{py.Int(fd), py.String(f.Name())}, nil
}

// takeDescriptor gives up one of the program's descriptors.
func (in *interp) takeDescriptor(fd int) (*os.File, error) {
	f := in.descriptors[fd]
	if f == nil {
		return nil, badDescriptor()
	}
	delete(in.descriptors, fd)
	return f, nil
}

func badDescriptor() error { return numberedError(eBadFile, "Bad file descriptor") }

// closeDescriptor is os.close, for descriptors of makeTemp.
func (in *interp) closeDescriptor(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("close", args, kwargs, 1, "fd")
	if err != nil {
		return nil, err
	}
	fd, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	f, err := in.takeDescriptor(fd)
	if err != nil {
		return nil, err
	}
	return py.None, f.Close()
}

// openDescriptor is os.fdopen.
func (in *interp) openDescriptor(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 0 {
		if _, ok := args[0].(py.Int); !ok {
			return nil, py.ExceptionNewf(py.TypeError, "invalid fd type (%s, expected integer)", args[0].Type().Name)
		}
	}
	return in.open(args, kwargs)
}

// writeDescriptor is os.write, also for the process's own output.
func (in *interp) writeDescriptor(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("write", args, kwargs, 2, "fd", "data")
	if err != nil {
		return nil, err
	}
	fd, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	data, ok := a[1].(py.Bytes)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", a[1].Type().Name)
	}
	file := map[int]*os.File{1: os.Stdout, 2: os.Stderr}[fd]
	if file == nil {
		file = in.descriptors[fd]
	}
	if file == nil {
		return nil, badDescriptor()
	}
	n, err := file.Write(data)
	return py.Int(n), err
}
