package gpython

// os, without its files: the process, and file descriptors, with tempfile.mkstemp,
// which makes them. Of gpython v0.2.0's os only what is about the process is kept, not what writes
// to the worker's own streams. The environment is a copy for each execution, since executions share
// nothing.

import (
	"crypto/rand"
	"os"
	"runtime"
	"slices"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// osModule is what of gpython's os has to do with processes, but for what writes to the worker's
// own streams, with environ, files and os.path.
func (in *interp) osModule() (*py.Module, error) {
	impl := libraryImpl("os")
	impl.Methods = nil
	for _, method := range py.GetModuleImpl("os").Methods {
		if slices.Contains([]string{"_exit", "getpid"}, method.Name) {
			impl.Methods = append(impl.Methods, method)
		}
	}
	module, err := in.ModuleInit(impl)
	if err != nil {
		return nil, err
	}
	addFileFunctions(module.Globals)
	if err := in.addEnvironment(module.Globals); err != nil {
		return nil, err
	}
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
	in.addStat(module.Globals)
	in.addLinkFunctions(module.Globals)
	in.addDescriptorFunctions(module.Globals)
	in.addProcessFunctions(module.Globals)
	in.addScan(module.Globals)
	if runtime.GOOS != "windows" {
		module.Globals["defpath"] = py.String("/bin:/usr/bin")
	}
	module.Globals["fspath"] = &function{"fspath", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("fspath", args, kwargs, 1, "path")
		if err != nil {
			return nil, err
		}
		return fsPath(a[0])
	}}
	for name, toBytes := range map[string]bool{"fsencode": true, "fsdecode": false} {
		module.Globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "filename")
			if err != nil {
				return nil, err
			}
			text, err := systemPath(a[0])
			if toBytes {
				return py.Bytes(text), err
			}
			return py.String(text), err
		}}
	}
	module.Globals["strerror"] = &function{"strerror", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("strerror", args, kwargs, 1, "code")
		if err != nil {
			return nil, err
		}
		n, err := py.IndexInt(a[0])
		return py.String(errorText(n)), err
	}}
	if module.Globals["path"], err = in.importOne("os.path"); err != nil {
		return nil, err
	}
	return module, nil
}

// tempfileModule is gpython's, with an mkstemp that keeps its file open: gpython's leaves it to the
// collector of garbage.
func (in *interp) tempfileModule() (*py.Module, error) {
	module, err := in.ModuleInit(libraryImpl("tempfile"))
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
	return py.Tuple{in.keep(f), py.String(f.Name())}, nil
}
