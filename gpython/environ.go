package gpython

// os.environ, os.getenv, os.putenv and os.unsetenv. gpython v0.2.0 gives the worker's own
// environment as a dict, and its putenv changes it for all executions. Here each execution has a
// copy of its own, which is also what its child processes get; as in CPython, os.environ is no
// dict, and takes nothing but str.

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// environ is os.environ.
type environ struct {
	in   *interp
	vars *pyvalue.Dict
}

var environType = newType(py.ObjectType, "_Environ", "The environment of the program and its child processes.")

func init() { environType.Dict["__module__"] = py.String("os") }

// environment is what the program's child processes get: "name=value" each.
func (in *interp) environment() []string {
	all := make([]string, 0, len(in.ownVariables()))
	for _, name := range slices.Sorted(maps.Keys(in.variables)) {
		all = append(all, name+"="+in.variables[name])
	}
	return all
}

// ownVariables are the variables of the execution. At first they are those of the worker.
func (in *interp) ownVariables() map[string]string {
	if in.variables == nil {
		in.variables = make(map[string]string)
		for _, variable := range os.Environ() {
			if name, value, ok := strings.Cut(variable, "="); ok && name != "" {
				in.variables[name] = value
			}
		}
	}
	return in.variables
}

// programsVariable is what os.environ has for a name.
func (in *interp) programsVariable(name string) (string, bool) {
	value, ok := in.ownVariables()[name]
	return value, ok
}

// newEnviron makes os.environ of what the system tells, in its order.
func (in *interp) newEnviron() (*environ, error) {
	e := &environ{in, pyvalue.NewDict()}
	own := in.ownVariables()
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if value, ok := own[name]; ok {
			if err := e.vars.Set(py.String(name), py.String(value)); err != nil {
				return nil, err
			}
		}
	}
	return e, nil
}

func (e *environ) Type() *py.Type { return environType }

// variableText is a name or value that a program gives.
func variableText(o py.Object) (string, error) {
	s, ok := pyvalue.Plain(o).(py.String)
	if !ok {
		return "", py.ExceptionNewf(py.TypeError, "str expected, not %s", o.Type().Name)
	}
	if strings.IndexByte(string(s), 0) >= 0 {
		return "", py.ExceptionNewf(py.ValueError, "embedded null byte")
	}
	return string(s), nil
}

// set changes a variable of the execution.
func (e *environ) set(name, value py.Object) error {
	n, err := variableText(name)
	if err != nil {
		return err
	}
	v, err := variableText(value)
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(n, "="):
		return py.ExceptionNewf(py.ValueError, "illegal environment variable name")
	case n == "":
		return numberedError(22, "Invalid argument")
	}
	e.in.ownVariables()[n] = v
	return e.vars.Set(name, value)
}

// remove deletes a variable, which is a KeyError if there is none.
func (e *environ) remove(name py.Object) error {
	n, err := variableText(name)
	if err != nil {
		return err
	}
	delete(e.in.ownVariables(), n)
	_, err = e.vars.M__delitem__(name)
	return err
}

func (e *environ) M__getitem__(name py.Object) (py.Object, error) {
	if _, err := variableText(name); err != nil {
		return nil, err
	}
	return e.vars.M__getitem__(name)
}

func (e *environ) M__setitem__(name, value py.Object) (py.Object, error) {
	return py.None, e.set(name, value)
}

func (e *environ) M__delitem__(name py.Object) (py.Object, error) { return py.None, e.remove(name) }

// Holds is name in os.environ.
func (e *environ) Holds(name py.Object) (bool, error) {
	if _, err := variableText(name); err != nil {
		return false, err
	}
	_, ok, err := e.vars.Get(name)
	return ok, err
}

func (e *environ) M__len__() (py.Object, error)  { return e.vars.M__len__() }
func (e *environ) M__bool__() (py.Object, error) { return e.vars.M__bool__() }
func (e *environ) M__iter__() (py.Object, error) { return pyvalue.Iter(&py.List{Items: e.vars.Keys()}) }
func (e *environ) M__str__() (py.Object, error)  { return e.M__repr__() }

func (e *environ) M__repr__() (py.Object, error) {
	text, err := pyvalue.Repr(e.vars)
	return py.String("environ(" + text + ")"), err
}

func (e *environ) M__eq__(other py.Object) (py.Object, error) {
	if o, ok := other.(*environ); ok {
		other = o.vars
	}
	if _, ok := other.(*pyvalue.Dict); !ok {
		return py.NotImplemented, nil
	}
	same, err := pyvalue.Equal(e.vars, other)
	return py.NewBool(same), err
}

func (e *environ) M__ne__(other py.Object) (py.Object, error) {
	same, err := e.M__eq__(other)
	if err != nil || same == py.NotImplemented {
		return same, err
	}
	return py.NewBool(same == py.False), nil
}

// M__getattr__ gives the methods. Those that only read are dict's own.
func (e *environ) M__getattr__(name string) (py.Object, error) {
	switch name {
	case "keys", "values", "items":
		return pyvalue.GetAttr(e.vars, name)
	case "copy":
		return pyvalue.GetAttr(e.vars, name)
	case "get":
		return &function{name, e.get}, nil
	case "pop":
		return &function{name, e.pop}, nil
	case "popitem":
		return &function{name, e.popItem}, nil
	case "setdefault":
		return &function{name, e.setDefault}, nil
	case "update":
		return &function{name, e.update}, nil
	case "clear":
		return &function{name, e.clear}, nil
	}
	return nil, noAttribute(e, name)
}

func (e *environ) get(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("get", args, kwargs, 1, "key", "default")
	if err != nil {
		return nil, err
	}
	if _, err := variableText(a[0]); err != nil {
		return nil, err
	}
	value, ok, err := e.vars.Get(a[0])
	switch {
	case err != nil || ok:
		return value, err
	case a[1] != nil:
		return a[1], nil
	}
	return py.None, nil
}

func (e *environ) pop(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("pop", args, kwargs, 1, "key", "default")
	if err != nil {
		return nil, err
	}
	value, err := e.M__getitem__(a[0])
	if py.IsException(py.KeyError, err) && a[1] != nil {
		return a[1], nil
	}
	if err != nil {
		return nil, err
	}
	return value, e.remove(a[0])
}

// popItem removes the first variable, as MutableMapping does.
func (e *environ) popItem(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("popitem", args, kwargs, 0); err != nil {
		return nil, err
	}
	keys := e.vars.Keys()
	if len(keys) == 0 {
		return nil, newException(py.KeyError)
	}
	value, err := e.M__getitem__(keys[0])
	if err != nil {
		return nil, err
	}
	return py.Tuple{keys[0], value}, e.remove(keys[0])
}

func (e *environ) setDefault(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("setdefault", args, kwargs, 2, "key", "value")
	if err != nil {
		return nil, err
	}
	if value, ok, err := e.vars.Get(a[0]); ok || err != nil {
		return value, err
	}
	return a[1], e.set(a[0], a[1])
}

func (e *environ) update(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 1 {
		return nil, py.ExceptionNewf(py.TypeError, "update expected at most 1 argument, got %d", len(args))
	}
	changes := pyvalue.NewDict()
	if len(args) == 1 {
		o := args[0]
		if other, ok := o.(*environ); ok {
			o = other.vars
		}
		if err := changes.Update(o); err != nil {
			return nil, err
		}
	}
	if err := changes.Update(kwargs); err != nil {
		return nil, err
	}
	for _, name := range changes.Keys() {
		value, _, err := changes.Get(name)
		if err == nil {
			err = e.set(name, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return py.None, nil
}

func (e *environ) clear(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if _, err := arguments("clear", args, kwargs, 0); err != nil {
		return nil, err
	}
	for _, name := range e.vars.Keys() {
		if err := e.remove(name); err != nil {
			return nil, err
		}
	}
	return py.None, nil
}

// addEnvironment gives os what is about the environment.
func (in *interp) addEnvironment(globals py.StringDict) error {
	e, err := in.newEnviron()
	if err != nil {
		return err
	}
	globals["environ"] = e
	globals["getenv"] = &function{"getenv", e.get}
	globals["putenv"] = &function{"putenv", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("putenv", args, kwargs, 2, "name", "value")
		if err != nil {
			return nil, err
		}
		name, err := fileSystemText(a[0])
		if err != nil {
			return nil, err
		}
		value, err := fileSystemText(a[1])
		if err != nil {
			return nil, err
		}
		if name == "" || strings.Contains(name, "=") {
			return nil, py.ExceptionNewf(py.ValueError, "illegal environment variable name")
		}
		in.ownVariables()[name] = value
		return py.None, nil
	}}
	globals["unsetenv"] = &function{"unsetenv", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("unsetenv", args, kwargs, 1, "name")
		if err != nil {
			return nil, err
		}
		name, err := fileSystemText(a[0])
		if err != nil {
			return nil, err
		}
		if name == "" || strings.Contains(name, "=") {
			return nil, numberedError(22, "Invalid argument")
		}
		delete(in.ownVariables(), name)
		return py.None, nil
	}}
	return nil
}
