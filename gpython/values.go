package gpython

// How values cross between Python and Go: what channels send and receive, and Go functions as
// objects that programs call. A channel is always the same object to its program, as in execnet.

import (
	"maps"
	"runtime"
	"weak"

	"github.com/go-python/gpython/py"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/serializer"
)

// interp makes the objects for channels, as pyvalue.Channels.
var _ pyvalue.Channels = (*interp)(nil)

// Wrap gives the object by which the program knows a channel: the same one for as long as the
// program has it. It does not keep the channel, which closes when the program has dropped it.
func (in *interp) Wrap(ch serializer.Channel) py.Object {
	c := ch.(*gatewaybase.Channel)
	if o := in.wrapped[c.ID()].Value(); o != nil && o.ch == c {
		return o
	}
	if len(in.wrapped) >= in.sweep {
		maps.DeleteFunc(in.wrapped, func(_ int, p weak.Pointer[channel]) bool { return p.Value() == nil })
		in.sweep = max(2*len(in.wrapped), 64)
	}
	o := &channel{in: in, ch: c}
	in.wrapped[c.ID()] = weak.Make(o)
	return o
}

// Unwrap is the reverse of Wrap.
func (in *interp) Unwrap(o py.Object) (serializer.Channel, bool) {
	c, ok := o.(*channel)
	if !ok {
		return nil, false
	}
	return c.ch, true
}

// fromGo makes the Python object for a value that was received, and that nobody else has: bytes are
// not copied.
func (in *interp) fromGo(v any) (py.Object, error) {
	if b, ok := v.([]byte); ok {
		return py.Bytes(b), nil
	}
	o, err := pyvalue.FromGo(v, in)
	if err != nil {
		return nil, in.pythonError(err)
	}
	return o, nil
}

// toGo makes the value that is sent for an object. Bytes are not copied: nothing changes them.
func (in *interp) toGo(o py.Object) (any, error) {
	if b, ok := o.(py.Bytes); ok {
		return []byte(b), nil
	}
	v, err := pyvalue.ToGo(o, in)
	if err != nil {
		return nil, in.pythonError(err)
	}
	return v, nil
}

// function is a Go function that Python calls. The arguments are valid only during the call.
type function struct {
	name string
	call func(args py.Tuple, kwargs py.StringDict) (py.Object, error)
}

var functionType = newType(py.ObjectType, "builtin_function_or_method", "A function of the worker.")

func (f *function) Type() *py.Type { return functionType }

func (f *function) M__call__(args py.Tuple, kwargs py.StringDict) (res py.Object, err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(runtime.Error); ok {
				err = py.ExceptionNewf(py.SystemError, "%v", e)
				return
			}
			err = panicError(p)
		}
	}()
	return f.call(args, kwargs)
}

func (f *function) M__repr__() (py.Object, error) {
	return py.String("<built-in function " + f.name + ">"), nil
}

func (f *function) M__getattribute__(name string) (py.Object, error) {
	switch name {
	case "__name__", "__qualname__":
		return py.String(f.name), nil
	case "__class__":
		return functionType, nil
	case "__doc__", "__module__":
		return py.None, nil
	}
	return nil, noAttribute(f, name)
}

// goFunction is a registered function of a module.
type goFunction struct {
	*function
	module string
}

func (f goFunction) M__repr__() (py.Object, error) {
	return py.String("<Go function " + f.module + "." + f.name + ">"), nil
}

func (f goFunction) M__getattribute__(name string) (py.Object, error) {
	if name == "__module__" {
		return py.String(f.module), nil
	}
	return f.function.M__getattribute__(name)
}

func noAttribute(o py.Object, name string) error {
	return py.ExceptionNewf(py.AttributeError, "'%s' object has no attribute '%s'", o.Type().Name, name)
}

// arguments fits a call to the parameters of a function, each of which gets nil when it is left
// out.
func arguments(name string, args py.Tuple, kwargs py.StringDict, required int, parameters ...string) ([]py.Object, error) {
	if len(args) > len(parameters) {
		return nil, py.ExceptionNewf(py.TypeError, "%s() takes at most %d arguments (%d given)", name, len(parameters),
			len(args)+len(kwargs))
	}
	out := make([]py.Object, len(parameters))
	copy(out, args)
	used := 0
	for i, parameter := range parameters {
		v, ok := kwargs[parameter]
		if !ok {
			continue
		}
		if out[i] != nil {
			return nil, py.ExceptionNewf(py.TypeError, "%s() got multiple values for argument '%s'", name, parameter)
		}
		out[i] = v
		used++
	}
	if used < len(kwargs) {
		for key := range kwargs {
			known := false
			for _, parameter := range parameters {
				known = known || key == parameter
			}
			if !known {
				return nil, py.ExceptionNewf(py.TypeError, "%s() got an unexpected keyword argument '%s'", name, key)
			}
		}
	}
	for i := range required {
		if out[i] == nil {
			return nil, py.ExceptionNewf(py.TypeError, "%s() missing required argument: '%s'", name, parameters[i])
		}
	}
	return out, nil
}

// truth is bool(o) for an optional parameter.
func truth(o py.Object, otherwise bool) (bool, error) {
	if o == nil {
		return otherwise, nil
	}
	b, err := py.MakeBool(o)
	return b == py.True, err
}
