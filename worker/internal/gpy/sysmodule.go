package gpy

import (
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/worker/internal/gpy/pyvalue"
)

// pythonVersion is the Python that gpython follows.
var pythonVersion = py.Tuple{py.Int(3), py.Int(4), py.Int(0), py.String("final"), py.Int(0)}

var (
	flags = &record{newType(py.ObjectType, "sys.flags", "Flags of the interpreter."), "sys.flags(...)", py.StringDict{
		"debug": py.Int(0), "inspect": py.Int(0), "interactive": py.Int(0), "optimize": py.Int(0),
		"dont_write_bytecode": py.Int(1), "no_user_site": py.Int(0), "no_site": py.Int(0), "ignore_environment": py.Int(0),
		"verbose": py.Int(0), "bytes_warning": py.Int(0), "quiet": py.Int(0), "hash_randomization": py.Int(1),
		"isolated": py.Int(0),
	}}
	implementation = &record{newType(py.ObjectType, "types.SimpleNamespace", "What runs the program."),
		"namespace(name='gpython')", py.StringDict{"name": py.String("gpython"), "hexversion": py.Int(0x030400f0),
			"cache_tag": py.None, "version": versionInfo{pythonVersion}}}
)

// handling is an exception that a frame handles; its exception is nil if there is none.
type handling struct {
	exception *py.Exception
	traceback *py.Traceback
}

// frameFunction is a function that wants to know what its caller is handling.
type frameFunction struct{ *function }

// exceptionOfFrame tells frameFunctions, which only the opcode that calls them can.
func exceptionOfFrame() {
	call := jumpTable[vm.CALL_FUNCTION]
	jumpTable[vm.CALL_FUNCTION] = func(v *vm.Vm, argc int32) error {
		args, kwargs := int(argc&0xff), int(argc>>8&0xff)
		if _, ok := v.PEEK(args + 2*kwargs + 1).(frameFunction); ok {
			m := machineOf(v)
			if in, ok := m.context.(*interp); ok {
				in.handling = handling{m.handled(), m.exc.Traceback}
			}
		}
		return call(v, argc)
	}
}

// takeHandling gives what the caller of a frameFunction handles, once: a call in a way that tells nothing, as f(*args), must not
// find what an earlier one has left.
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
		"version_info":        versionInfo{pythonVersion},
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

// versionInfo is sys.version_info: a tuple with names.
type versionInfo struct{ py.Tuple }

var versionInfoType = newType(py.TupleType, "sys.version_info", "Version information as a named tuple.")

func (v versionInfo) Type() *py.Type { return versionInfoType }

func (v versionInfo) M__getattr__(name string) (py.Object, error) {
	for i, field := range []string{"major", "minor", "micro", "releaselevel", "serial"} {
		if name == field {
			return v.Tuple[i], nil
		}
	}
	return nil, noAttribute(v, name)
}

func (v versionInfo) M__repr__() (py.Object, error) {
	return py.String("sys.version_info(major=3, minor=4, micro=0, releaselevel='final', serial=0)"), nil
}

func (v versionInfo) M__str__() (py.Object, error) { return v.M__repr__() }

// compare orders the tuple and another one by their first items that differ.
func (v versionInfo) compare(other py.Object) (int, bool, error) {
	b, ok := other.(py.Tuple)
	if o, is := other.(versionInfo); is {
		b, ok = o.Tuple, true
	}
	if !ok {
		return 0, false, nil
	}
	for i := 0; i < len(v.Tuple) && i < len(b); i++ {
		same, err := pyvalue.Equal(v.Tuple[i], b[i])
		if err != nil {
			return 0, true, err
		}
		if same {
			continue
		}
		less, err := py.Lt(v.Tuple[i], b[i])
		if less == py.True {
			return -1, true, err
		}
		return 1, true, err
	}
	return len(v.Tuple) - len(b), true, nil
}

func (v versionInfo) is(other py.Object, holds func(c int) bool) (py.Object, error) {
	c, ok, err := v.compare(other)
	if !ok || err != nil {
		return py.NotImplemented, err
	}
	return py.NewBool(holds(c)), nil
}

func (v versionInfo) M__lt__(o py.Object) (py.Object, error) {
	return v.is(o, func(c int) bool { return c < 0 })
}
func (v versionInfo) M__le__(o py.Object) (py.Object, error) {
	return v.is(o, func(c int) bool { return c <= 0 })
}
func (v versionInfo) M__eq__(o py.Object) (py.Object, error) {
	return v.is(o, func(c int) bool { return c == 0 })
}
func (v versionInfo) M__ne__(o py.Object) (py.Object, error) {
	return v.is(o, func(c int) bool { return c != 0 })
}
func (v versionInfo) M__ge__(o py.Object) (py.Object, error) {
	return v.is(o, func(c int) bool { return c >= 0 })
}
func (v versionInfo) M__gt__(o py.Object) (py.Object, error) {
	return v.is(o, func(c int) bool { return c > 0 })
}
