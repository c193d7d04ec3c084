package gpython

import (
	"maps"
	"slices"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// namespaceFunctions are dir and vars, which without an argument are about their caller.
func (in *interp) namespaceFunctions() py.StringDict {
	functions := make(py.StringDict)
	add := func(name string, ofCaller func(names py.StringDict) py.Object, of func(o py.Object) (py.Object, error)) {
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
			caller.FastToLocals()
			return ofCaller(caller.Locals), nil
		}}}
	}
	add("dir", pyvalue.NamesOf, pyvalue.Dir)
	add("vars", func(names py.StringDict) py.Object { return names }, func(o py.Object) (py.Object, error) {
		if d := pyvalue.DictOf(o); d != nil {
			return d, nil
		}
		return nil, py.ExceptionNewf(py.TypeError, "vars() argument must have __dict__ attribute")
	})
	return functions
}

// GetDict is what a program has set.
func (c *channel) GetDict() py.StringDict {
	if c.attributes == nil {
		c.attributes = make(py.StringDict)
	}
	return c.attributes
}

// AttributeNames is for dir.
func (c *channel) AttributeNames() []string {
	return append(slices.Collect(maps.Keys(channelMethods)), "gateway", "id", "RemoteError", "TimeoutError")
}

// AttributeNames is for dir.
func (f *file) AttributeNames() []string {
	return append(slices.Collect(maps.Keys(f.methods)), "name", "mode", "closed")
}
