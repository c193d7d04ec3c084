package gpython

// traceback, which gpython v0.2.0 lacks: the functions that make text of an exception. Programs use
// them to send what has happened.

import (
	"strings"

	"github.com/go-python/gpython/py"
)

// tracebackModule is traceback: the functions that make text of an exception, which is that of
// remote errors.
func (in *interp) tracebackModule() (*py.Module, error) {
	globals := py.StringDict{}
	// An exception is given as itself, or as what sys.exc_info returns; the other parameters are
	// CPython's, and limit and chain change nothing.
	ofException := func(name string, result func(text string, a []py.Object) (py.Object, error), more ...string) {
		parameters := append([]string{"exc", "value", "tb", "limit"}, more...)
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, parameters...)
			if err != nil {
				return nil, err
			}
			h, err := exceptionGiven(a[0], a[1], a[2])
			if err != nil {
				return nil, err
			}
			return result(in.textOf(h), a[4:])
		}}
	}
	ofFrame := func(name string, result func(text string, a []py.Object) (py.Object, error), parameters ...string) {
		parameters = append([]string{"limit"}, parameters...)
		globals[name] = frameFunction{&function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			h := in.takeCaller()
			a, err := arguments(name, args, kwargs, 0, parameters...)
			if err != nil {
				return nil, err
			}
			return result(in.textOf(h), a[1:])
		}}}
	}
	whole := func(text string, _ []py.Object) (py.Object, error) { return py.String(text), nil }
	parts := func(text string, _ []py.Object) (py.Object, error) { return in.partsOf(text), nil }
	printed := func(text string, a []py.Object) (py.Object, error) { return py.None, in.writeTo(a[0], text) }
	ofException("format_exception", parts, "chain")
	ofException("print_exception", printed, "file", "chain")
	ofFrame("format_exc", whole, "chain")
	ofFrame("print_exc", printed, "file", "chain")
	globals["format_exception_only"] = &function{"format_exception_only", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("format_exception_only", args, kwargs, 1, "exc", "value")
		if err != nil {
			return nil, err
		}
		h, err := exceptionGiven(a[0], a[1], nil)
		if err != nil || h.exception == nil {
			return in.partsOf("NoneType: None\n"), err
		}
		return in.partsOf(strings.TrimPrefix(in.oneTraceback(h.exception, nil), tracebackHead)), nil
	}}
	format := func(name string, join func(frames string) (py.Object, error)) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "tb", "limit")
			if err != nil {
				return nil, err
			}
			tb, ok := a[0].(*py.Traceback)
			if !ok && a[0] != py.None {
				return nil, py.ExceptionNewf(py.TypeError, "%s() takes a traceback, not %s", name, a[0].Type().Name)
			}
			var b strings.Builder
			in.frames(&b, tb)
			return join(b.String())
		}}
	}
	format("format_tb", func(frames string) (py.Object, error) { return in.partsOf(frames), nil })
	format("print_tb", func(frames string) (py.Object, error) { return py.None, in.writeTo(nil, frames) })
	return in.newModule("traceback", globals)
}

// exceptionGiven reads the two ways of giving an exception.
func exceptionGiven(exc, value, tb py.Object) (caller, error) {
	if e, ok := exc.(*py.Exception); ok && value == nil {
		own, _ := e.Traceback.(*py.Traceback)
		return caller{nil, e, own}, nil
	}
	if _, isClass := exc.(*py.Type); !isClass && exc != py.None {
		return caller{}, py.ExceptionNewf(py.TypeError, "Exception expected for value, %s found", exc.Type().Name)
	}
	e, _ := value.(*py.Exception)
	own, _ := tb.(*py.Traceback)
	return caller{nil, e, own}, nil
}

// textOf is the traceback of an exception, as CPython words it when there is none.
func (in *interp) textOf(h caller) string {
	if h.exception == nil {
		return "NoneType: None\n"
	}
	text := in.traceback(py.ExceptionInfo{Type: h.exception.Base, Value: h.exception, Traceback: h.traceback})
	if own, _ := h.exception.Traceback.(*py.Traceback); h.traceback == nil && own == nil {
		text = strings.TrimPrefix(text, tracebackHead)
	}
	return text
}

// partsOf cuts a text into the list that CPython gives: a frame with its line of source is one
// part.
func (in *interp) partsOf(text string) *py.List {
	list := py.NewList()
	part := ""
	for line := range strings.Lines(text) {
		if part != "" && !strings.HasPrefix(line, "    ") {
			list.Append(py.String(part))
			part = ""
		}
		part += line
	}
	if part != "" {
		list.Append(py.String(part))
	}
	return list
}

// writeTo writes to a file of the program's, by default its sys.stderr.
func (in *interp) writeTo(file py.Object, text string) error {
	if file == nil || file == py.None {
		file = nullOutput
		if sys, err := in.importOne("sys"); err == nil && sys.Globals["stderr"] != nil {
			file = sys.Globals["stderr"]
		}
	}
	if file == py.None || file == py.Object(nullOutput) {
		return nil
	}
	write, err := py.GetAttrString(file, "write")
	if err == nil {
		_, err = py.Call(write, py.Tuple{py.String(text)}, nil)
	}
	return err
}
