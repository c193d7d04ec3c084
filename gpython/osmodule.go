package gpython

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
