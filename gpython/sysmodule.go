package gpython

// sys. gpython v0.2.0's module has no version_info and no platform, and most of its functions raise
// NotImplementedError. This one describes the worker, and is what programs ask to find out where
// they run.

import (
	byteorder "encoding/binary"
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/worker/engine"
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

// byteOrder is sys.byteorder.
func byteOrder() py.Object {
	if byteorder.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return py.String("little")
	}
	return py.String("big")
}

// excInfo is sys.exc_info.
func (in *interp) excInfo(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("exc_info", args, kwargs, 0); err != nil {
		return nil, err
	}
	c := in.takeCaller()
	info := py.Tuple{py.None, py.None, py.None}
	if c.exception != nil {
		info = py.Tuple{c.exception.Base, c.exception, py.None}
	}
	if c.exception != nil && c.traceback != nil {
		info[2] = c.traceback
	}
	return info, nil
}

// sysModule makes the module.
func (in *interp) sysModule() (*py.Module, error) {
	executable, err := os.Executable()
	if err != nil {
		executable = ""
	}
	platform := runtime.GOOS
	if platform == "windows" {
		platform = "win32"
	}
	stderr := in.newFile(os.Stderr)
	stdout := nullOutput
	if file := engine.Stdout(); file != nil {
		stdout = in.newFile(file)
	}
	argv := py.NewList()
	for _, arg := range engine.Arguments() {
		argv.Append(py.String(arg))
	}
	globals := py.StringDict{
		"argv":                argv,
		"byteorder":           byteOrder(),
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
		"stdout": stdout, "__stdout__": stdout,
		"stderr": stderr, "__stderr__": stderr,
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

// setRecursionLimit is sys.setrecursionlimit: at most deepest, and not below the depth that calls
// have.
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
