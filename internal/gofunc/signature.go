package gofunc

import (
	"fmt"
	"math/big"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/serializer"
)

// Signature is the function's parameters and its result as Python writes them: what stands between
// the name and the colon of a def statement. Go's parameters have no names at run time, and the
// execution's channel, which callers need not pass, is left out.
func (w *Func) Signature() string {
	var params []string
	n := len(w.params)
	if w.keywords || w.variadic {
		n--
	}
	for i, p := range w.params[:n] {
		params = append(params, annotated(fmt.Sprintf("arg%d", i+1), p))
	}
	if n > 0 {
		params = append(params, "/")
	}
	switch {
	case w.variadic:
		params = append(params, "*"+annotated("args", w.params[n]))
	case w.keywords && w.names == nil:
		params = append(params, "**"+annotated("kwargs", w.params[n].Elem()))
	case len(w.names) > 0:
		params = append(params, "*")
		for _, name := range w.names {
			params = append(params, name+"=...")
		}
	}
	return "(" + strings.Join(params, ", ") + ")" + w.resultType()
}

// resultType is Python's annotation of the result.
func (w *Func) resultType() string {
	t := w.f.Type()
	n := t.NumOut()
	if w.fails {
		n--
	}
	switch n {
	case 0:
		return " -> None"
	case 1:
		if isIteratorType(t.Out(0)) {
			return " -> list"
		}
		if name := pythonType(t.Out(0)); name != "" {
			return " -> " + name
		}
		return ""
	}
	return " -> tuple"
}

func annotated(name string, t reflect.Type) string {
	if python := pythonType(t); python != "" {
		return name + ": " + python
	}
	return name
}

var pythonTypes = map[reflect.Type]string{
	reflect.TypeFor[*big.Int]():              "int",
	reflect.TypeFor[serializer.Tuple]():      "tuple",
	reflect.TypeFor[*serializer.Dict]():      "dict",
	reflect.TypeFor[*serializer.Set]():       "set",
	reflect.TypeFor[*serializer.FrozenSet](): "frozenset",
	channelType:                              `"Channel"`,
}

// pythonType is the type that Python has for a Go type, empty if it may be any.
func pythonType(t reflect.Type) string {
	if name := pythonTypes[t]; name != "" {
		return name
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.String:
		return "str"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.Complex64, reflect.Complex128:
		return "complex"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "list"
	case reflect.Map, reflect.Struct:
		return "dict"
	case reflect.Pointer:
		return pythonType(t.Elem())
	}
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr {
		return "int"
	}
	return ""
}

// Doc is the function's documentation: what it is in Go.
func (w *Func) Doc() string {
	what := "A Go function"
	if f := runtime.FuncForPC(w.f.Pointer()); f != nil && !isLiteral(f.Name()) {
		what = "The Go function " + f.Name()
	}
	doc := what + ": " + w.f.Type().String()
	if w.channel {
		doc += "\n\nThe channel is that of the execution that calls, unless the caller passes another one."
	}
	return doc
}

// isLiteral tells whether the runtime has made up the name of a function.
func isLiteral(name string) bool {
	parts := strings.Split(name, ".")
	return slices.ContainsFunc(parts[1:], func(part string) bool {
		return strings.HasPrefix(part, "func") && strings.Trim(part[4:], "0123456789") == "" && part != "func"
	}) || strings.HasSuffix(name, "-fm")
}

// TakesChannel tells whether the function has the execution's channel as a parameter.
func (w *Func) TakesChannel() bool { return w.channel }

// TakesContext tells whether the function has a context as a parameter.
func (w *Func) TakesContext() bool { return w.context }
