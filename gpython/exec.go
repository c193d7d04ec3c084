package gpython

import (
	"maps"
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// namespacesOfExec lets eval and exec take the program's dicts for their namespaces. gpython knows
// only its own kind, so they work on copies, which are copied back.
func namespacesOfExec() {
	call := jumpTable[vm.CALL_FUNCTION]
	jumpTable[vm.CALL_FUNCTION] = func(v *vm.Vm, argc int32) error {
		args, kwargs := int(argc&0xff), int(argc>>8&0xff)
		if args < 2 || kwargs > 0 || !evaluates(v.PEEK(args+1)) {
			return call(v, argc)
		}
		copies := make(map[*pyvalue.Dict]py.StringDict)
		for i := 1; i < args; i++ {
			d, ok := v.PEEK(i).(*pyvalue.Dict)
			if !ok {
				continue
			}
			if copies[d] == nil {
				names, err := d.StringDict()
				if err != nil {
					return err
				}
				copies[d] = names
			}
			v.SET_VALUE(i, copies[d])
		}
		err := call(v, argc)
		for d, names := range copies {
			if err := copyBack(d, names); err != nil {
				return err
			}
		}
		return err
	}
}

// evaluates reports whether a function is eval or exec.
func evaluates(f py.Object) bool {
	m, ok := f.(*py.Method)
	return ok && (m.Internal() == py.InternalMethodEval || m.Internal() == py.InternalMethodExec)
}

func copyBack(d *pyvalue.Dict, names py.StringDict) error {
	before, err := d.StringDict()
	if err != nil {
		return err
	}
	for name := range before {
		if _, kept := names[name]; !kept {
			if _, err := d.M__delitem__(py.String(name)); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if err := d.Set(py.String(name), names[name]); err != nil {
			return err
		}
	}
	return nil
}

// compileBuiltin is compile(): gpython's own goes around py.Compile.
func compileBuiltin(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("compile", args, kwargs, 3, "source", "filename", "mode", "flags", "dont_inherit", "optimize")
	if err != nil {
		return nil, err
	}
	var source string
	switch x := a[0].(type) {
	case py.String:
		source = string(x)
	case py.Bytes:
		source = string(x)
	default:
		return nil, py.ExceptionNewf(py.TypeError, "compile() arg 1 must be a string or bytes object")
	}
	file, ok := a[1].(py.String)
	mode, modeOK := a[2].(py.String)
	if !ok || !modeOK {
		return nil, py.ExceptionNewf(py.TypeError, "compile() args 2 and 3 must be strings")
	}
	code, err := compileSource(source, string(file), py.CompileMode(mode), 0, true)
	if err != nil {
		return nil, err
	}
	return code, nil
}
