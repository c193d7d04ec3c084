package pyvalue

// How methods and builtins are written in this package: with a signature as a line of text, by
// which the arguments are bound, and with CPython's errors for wrong ones. gpython hands the
// arguments over as they come.

import (
	"maps"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
)

// builtins are what Builtins copies; filled while the program starts.
var builtins = py.StringDict{}

// Builtins are the functions and types to put over a context's builtins, in a new dict each time.
func Builtins() py.StringDict { return maps.Clone(builtins) }

// signature says which arguments a method or function of this package takes.
type signature struct {
	class, name string // class is empty for a function
	params      []string
	required    int // how many of params cannot be left out
	positional  int // how many of params may be given by position
	nameless    int // how many of params cannot be given by name
}

// parseSignature reads "name(a, b=, /, c=, *, d=)", where "=" marks what can be left out, "/"
// follows what has no name and "*" precedes what must be named.
func parseSignature(class, text string) signature {
	name, list, ok := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	if !ok {
		panic("pyvalue: no signature: " + text)
	}
	s := signature{class: class, name: name, positional: -1}
	for param := range strings.SplitSeq(list, ", ") {
		switch {
		case param == "":
		case param == "/":
			s.nameless = len(s.params)
		case param == "*":
			s.positional = len(s.params)
		default:
			base, optional := strings.CutSuffix(param, "=")
			s.params = append(s.params, base)
			if !optional {
				s.required = len(s.params)
			}
		}
	}
	if s.positional < 0 {
		s.positional = len(s.params)
	}
	return s
}

// bind puts arguments in the order of the parameters, nil for those left out.
func (s *signature) bind(args py.Tuple, kwargs py.StringDict) ([]py.Object, error) {
	if len(args) > s.positional || len(kwargs) == 0 && len(args) < s.required {
		return nil, s.wrongCount(len(args))
	}
	bound := make([]py.Object, len(s.params))
	copy(bound, args)
	for name, value := range kwargs {
		i := slices.Index(s.params, name)
		switch {
		case s.nameless == len(s.params):
			return nil, py.ExceptionNewf(py.TypeError, "%s() takes no keyword arguments", s.full())
		case i < s.nameless:
			return nil, py.ExceptionNewf(py.TypeError, "'%s' is an invalid keyword argument for %s()", name, s.name)
		case bound[i] != nil:
			return nil, py.ExceptionNewf(py.TypeError, "argument for %s() given by name ('%s') and position (%d)", s.name, name, i+1)
		}
		bound[i] = value
	}
	for i, value := range bound[:s.required] {
		if value == nil {
			return nil, py.ExceptionNewf(py.TypeError, "%s() missing required argument '%s' (pos %d)", s.name, s.params[i], i+1)
		}
	}
	return bound, nil
}

func (s *signature) full() string {
	if s.class == "" {
		return s.name
	}
	return s.class + "." + s.name
}

func (s *signature) wrongCount(given int) error {
	switch most := s.positional; {
	case most == 0 && len(s.params) > 0:
		return py.ExceptionNewf(py.TypeError, "%s() takes no positional arguments", s.name)
	case most == 0:
		return py.ExceptionNewf(py.TypeError, "%s() takes no arguments (%d given)", s.full(), given)
	case most == 1 && s.required == 1:
		return py.ExceptionNewf(py.TypeError, "%s() takes exactly one argument (%d given)", s.full(), given)
	case most == s.required:
		return py.ExceptionNewf(py.TypeError, "%s expected %d arguments, got %d", s.name, most, given)
	case given < s.required:
		return py.ExceptionNewf(py.TypeError, "%s expected at least %d argument%s, got %d", s.name, s.required, plural(s.required), given)
	default:
		return py.ExceptionNewf(py.TypeError, "%s expected at most %d argument%s, got %d", s.name, most, plural(most), given)
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// rawFunc is a method that takes its arguments as they come.
type rawFunc func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error)

// boundFunc is a method whose arguments are bound to a signature.
type boundFunc func(self py.Object, a []py.Object) (py.Object, error)

// addRaw gives a type a method.
func addRaw(t *py.Type, name string, f rawFunc) { t.Dict[name] = newMethod(t, name, f) }

// newMethod makes a method, which may be called on an instance or, with the instance as first
// argument, on the type. It gets the built-in value of an instance whose class is derived from t.
func newMethod(t *py.Type, name string, f rawFunc) *py.Method {
	if t == py.ObjectType {
		return newRawMethod(t, name, f)
	}
	return newRawMethod(t, name, func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return f(plain(self), args, kwargs)
	})
}

// newMethodOfInstance makes a method that gets the instance itself.
func newMethodOfInstance(t *py.Type, text string, f boundFunc) *py.Method {
	s := parseSignature(t.Name, text)
	return newRawMethod(t, s.name, s.method(f))
}

func newRawMethod(t *py.Type, name string, f rawFunc) *py.Method {
	return py.MustNewMethod(name, func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if _, unbound := self.(*py.Module); unbound {
			if len(args) == 0 {
				return nil, py.ExceptionNewf(py.TypeError, "unbound method %s.%s() needs an argument", t.Name, name)
			}
			self, args = args[0], args[1:]
			if !isInstance(self, t) {
				return nil, py.ExceptionNewf(py.TypeError, "descriptor '%s' for '%s' objects doesn't apply to a '%s' object", name, t.Name, typeName(self))
			}
		}
		return f(self, args, kwargs)
	}, ofType, "")
}

// addMethod gives a type a method of this signature.
func addMethod(t *py.Type, text string, f boundFunc) {
	s := parseSignature(t.Name, text)
	addRaw(t, s.name, s.method(f))
}

// method makes f a function that binds its arguments itself.
func (s *signature) method(f boundFunc) rawFunc {
	return func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := s.bind(args, kwargs)
		if err != nil {
			return nil, err
		}
		return f(self, a)
	}
}

// addStatic gives a type a function that needs no instance, such as dict.fromkeys.
func addStatic(t *py.Type, text string, f func(a []py.Object) (py.Object, error)) {
	t.Dict[parseSignature(t.Name, text).name] = newFunction(t.Name, text, f)
}

// addFunction adds a builtin function.
func addFunction(text string, f func(a []py.Object) (py.Object, error)) {
	m := newFunction("", text, f)
	builtins[m.Name] = m
}

// addRawFunction adds a builtin function that takes its arguments as they come.
func addRawFunction(name string, f func(args py.Tuple, kwargs py.StringDict) (py.Object, error)) {
	builtins[name] = py.MustNewMethod(name, func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		return f(args, kwargs)
	}, 0, "")
}

func newFunction(class, text string, f func(a []py.Object) (py.Object, error)) *py.Method {
	s := parseSignature(class, text)
	return py.MustNewMethod(s.name, func(_ py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := s.bind(args, kwargs)
		if err != nil {
			return nil, err
		}
		return f(a)
	}, 0, "")
}

// isInstance is isinstance(o, t) for one class.
func isInstance(o py.Object, t *py.Type) bool {
	class := classOf(o)
	return class == t || class.IsSubtype(t) || class == py.BoolType && t == py.IntType
}

// optional gives an argument, or what stands for one that was left out.
func optional(o, otherwise py.Object) py.Object {
	if o == nil {
		return otherwise
	}
	return o
}

// sizeOr is asSize for an argument that may be left out or None.
func sizeOr(o py.Object, otherwise int) (int, error) {
	if o == nil || o == py.Object(py.None) {
		return otherwise, nil
	}
	return asSize(o)
}

// clampedRange makes start and end, which may be left out, None, negative or beyond the end,
// positions in n items.
func clampedRange(start, end py.Object, n int) (int, int, error) {
	clamp := func(o py.Object, otherwise int) (int, error) {
		if o == nil || o == py.Object(py.None) {
			return otherwise, nil
		}
		big, err := asIndex(o)
		if err != nil {
			return 0, py.ExceptionNewf(py.TypeError, "slice indices must be integers or None or have an __index__ method")
		}
		i := n
		if big.IsInt64() {
			i = int(max(min(big.Int64(), int64(n)), -int64(n)-1))
		} else if big.Sign() < 0 {
			i = -n - 1
		}
		if i < 0 {
			i = max(i+n, 0)
		}
		return i, nil
	}
	from, err := clamp(start, 0)
	if err != nil {
		return 0, 0, err
	}
	to, err := clamp(end, n)
	return from, to, err
}
