package gpython

// Calls that CPython treats like any other, and gpython cannot: super() and eval() are about the
// frame that calls them, and dict(b=1, a=2) has an order. Only the instruction that calls knows
// these things.

import (
	"maps"
	"slices"

	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// callFunction calls what is on the stack below its arguments: argc has the number of positional
// ones in its low byte, and in the next one that of the keywords, each with its value behind it.
func callFunction(v *vm.Vm, argc int32) error {
	args, keywords := int(argc&0xff), int(argc>>8&0xff)
	switch f := v.PEEK(args + 2*keywords + 1).(type) {
	case *py.Type:
		if f == superType && argc == 0 {
			return callSuper(v)
		}
		if f == py.StringDictType && keywords > 1 && args <= 1 {
			d := pyvalue.NewDict()
			return updateInOrder(v, d, d, args, keywords)
		}
	case *py.BoundMethod:
		if d, ok := f.Self.(*pyvalue.Dict); ok && keywords > 1 && args <= 1 && f.Method == py.StringDictType.Dict["update"] {
			return updateInOrder(v, d, py.None, args, keywords)
		}
	case *py.Method:
		evaluates := f.Internal() == py.InternalMethodEval || f.Internal() == py.InternalMethodExec
		if evaluates && args >= 2 && keywords == 0 {
			return callEval(v, argc)
		}
	case frameFunction:
		m := machineOf(v)
		if in, ok := m.context.(*interp); ok {
			in.caller = caller{m.frame, m.handled(), m.exc.Traceback}
		}
	}
	return v.Call(argc, nil, nil)
}

// callWithDict is a call with **kwargs, which are on top of the stack: gpython takes only its own
// kind of dict there.
func callWithDict(op vm.OpCode) instruction {
	call := original[op]
	return func(v *vm.Vm, argc int32) error {
		if d, ok := v.TOP().(*pyvalue.Dict); ok {
			kwargs, err := d.StringDict()
			if err != nil {
				return err
			}
			v.SET_TOP(kwargs)
		}
		return call(v, argc)
	}
}

// updateInOrder is dict(x, a=1, b=2) or d.update(x, a=1, b=2), with the result that the call has.
// gpython passes keywords in a dict without order.
func updateInOrder(v *vm.Vm, d *pyvalue.Dict, result py.Object, args, keywords int) error {
	if args == 1 {
		if err := d.Update(v.PEEK(2*keywords + 1)); err != nil {
			return err
		}
	}
	for i := 2 * keywords; i > 0; i -= 2 {
		if err := d.Set(v.PEEK(i), v.PEEK(i-1)); err != nil {
			return err
		}
	}
	v.DROPN(args + 2*keywords)
	v.SET_TOP(result)
	return nil
}

// callEval lets eval and exec take the program's dicts for their namespaces. gpython knows only its
// own kind, so they work on copies, which are copied back.
func callEval(v *vm.Vm, argc int32) error {
	copies := make(map[*pyvalue.Dict]py.StringDict)
	for i := 1; i < int(argc&0xff); i++ {
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
	err := v.Call(argc, nil, nil)
	for d, names := range copies {
		if err := copyBack(d, names); err != nil {
			return err
		}
	}
	return err
}

// copyBack makes d have the names that an execution has left.
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

// caller is a frame that calls, and the exception that it handles, which is nil if there is none.
type caller struct {
	frame     *py.Frame
	exception *py.Exception
	traceback *py.Traceback
}

// frameFunction is a function about its caller, such as sys.exc_info: it finds it by takeCaller.
type frameFunction struct{ *function }

// takeCaller returns the caller of a frameFunction, once: a call that does not tell, as f(*args),
// must not find what an earlier one has left.
func (in *interp) takeCaller() caller {
	c := in.caller
	in.caller = caller{}
	return c
}
