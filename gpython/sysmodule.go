package gpython

import (
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// versionInfo is the Python that gpython follows.
var versionInfo = &namedTuple{py.Tuple{py.Int(3), py.Int(4), py.Int(0), py.String("final"), py.Int(0)},
	newType(py.TupleType, "sys.version_info", "Version information as a named tuple."),
	[]string{"major", "minor", "micro", "releaselevel", "serial"}, nil}

var (
	flags = &record{newType(py.ObjectType, "sys.flags", "Flags of the interpreter."), "sys.flags(...)", py.StringDict{
		"debug": py.Int(0), "inspect": py.Int(0), "interactive": py.Int(0), "optimize": py.Int(0),
		"dont_write_bytecode": py.Int(1), "no_user_site": py.Int(0), "no_site": py.Int(0), "ignore_environment": py.Int(0),
		"verbose": py.Int(0), "bytes_warning": py.Int(0), "quiet": py.Int(0), "hash_randomization": py.Int(1),
		"isolated": py.Int(0),
	}}
	implementation = &record{newType(py.ObjectType, "types.SimpleNamespace", "What runs the program."),
		"namespace(name='gpython')", py.StringDict{"name": py.String("gpython"), "hexversion": py.Int(0x030400f0),
			"cache_tag": py.None, "version": versionInfo}}
)

// handling is a frame that calls, and the exception that it handles, which is nil if there is none.
type handling struct {
	frame     *py.Frame
	exception *py.Exception
	traceback *py.Traceback
}

// frameFunction is a function that wants to know who calls it, and what that is handling.
type frameFunction struct{ *function }

// exceptionOfFrame tells frameFunctions, which only the opcode that calls them can.
func exceptionOfFrame() {
	call := jumpTable[vm.CALL_FUNCTION]
	jumpTable[vm.CALL_FUNCTION] = func(v *vm.Vm, argc int32) error {
		args, kwargs := int(argc&0xff), int(argc>>8&0xff)
		if _, ok := v.PEEK(args + 2*kwargs + 1).(frameFunction); ok {
			m := machineOf(v)
			if in, ok := m.context.(*interp); ok {
				in.handling = handling{m.frame, m.handled(), m.exc.Traceback}
			}
		}
		return call(v, argc)
	}
}

// takeHandling gives what the caller of a frameFunction handles, once: a call in a way that tells
// nothing, as f(*args), must not find what an earlier one has left.
func (in *interp) takeHandling() handling {
	h := in.handling
	in.handling = handling{}
	return h
}

// excInfo is sys.exc_info.
func (in *interp) excInfo(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("exc_info", args, kwargs, 0); err != nil {
		return nil, err
	}
	h := in.takeHandling()
	info := py.Tuple{py.None, py.None, py.None}
	if h.exception != nil {
		info = py.Tuple{h.exception.Base, h.exception, py.None}
	}
	if h.exception != nil && h.traceback != nil {
		info[2] = h.traceback
	}
	return info, nil
}

func (in *interp) sysModule() (*py.Module, error) {
	executable, err := os.Executable()
	if err != nil {
		executable = ""
	}
	platform := runtime.GOOS
	if platform == "windows" {
		platform = "win32"
	}
	globals := py.StringDict{
		"argv":                py.NewListFromItems([]py.Object{py.String("")}),
		"byteorder":           py.String("little"),
		"dont_write_bytecode": py.True,
		"exc_info":            frameFunction{&function{"exc_info", in.excInfo}},
		"exec_prefix":         py.String(""),
		"executable":          py.String(executable),
		"flags":               flags,
		"implementation":      implementation,
		"modules":             in.loaded,
		"prefix":              py.String(""),
		"hexversion":          py.Int(0x030400f0),
		"maxsize":             py.Int(math.MaxInt64),
		"maxunicode":          py.Int(0x10ffff),
		"path":                py.NewList(),
		"platform":            py.String(platform),
		"version":             py.String(fmt.Sprintf("3.4.0 (gpython 0.2.0)\n[%s]", runtime.Version())),
		"version_info":        versionInfo,
		"stdin":               nullInput, "__stdin__": nullInput,
		"stdout": nullOutput, "__stdout__": nullOutput,
		"stderr": nullOutput, "__stderr__": nullOutput,
	}
	add := func(name string, call func(args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
		globals[name] = &function{name, call}
	}
	add("exit", exit)
	for _, name := range []string{"getdefaultencoding", "getfilesystemencoding"} {
		add(name, func(py.Tuple, py.StringDict) (py.Object, error) { return py.String("utf-8"), nil })
	}
	add("intern", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("intern", args, kwargs, 1, "string")
		if err != nil {
			return nil, err
		}
		return a[0], nil
	})
	add("getrecursionlimit", func(py.Tuple, py.StringDict) (py.Object, error) { return py.Int(in.limit), nil })
	add("setrecursionlimit", in.setRecursionLimit)
	return in.newModule("sys", globals)
}

func (in *interp) setRecursionLimit(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("setrecursionlimit", args, kwargs, 1, "limit")
	if err != nil {
		return nil, err
	}
	limit, err := py.IndexInt(a[0])
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, py.ExceptionNewf(py.ValueError, "recursion limit must be greater or equal than 1")
	}
	if limit <= in.depth {
		return nil, py.ExceptionNewf(pyvalue.RecursionError,
			"cannot set the recursion limit to %d at the recursion depth %d: the limit is too low", limit, in.depth)
	}
	in.limit = min(limit, deepest)
	return py.None, nil
}
