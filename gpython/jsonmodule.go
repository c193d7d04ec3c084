package gpython

// json, which gpython v0.2.0 lacks: dumps, dump, loads and load with CPython's output, and its
// errors with line and column. Go's encoding/json would not do: it has no NaN, no ints beyond 64
// bits, no order of keys, and other errors.

import (
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// jsonDecodeError is json.JSONDecodeError.
var jsonDecodeError = newType(py.ValueError, "JSONDecodeError", "A text is no JSON.")

func init() { jsonDecodeError.Dict["__module__"] = py.String("json.decoder") }

// jsonHelper makes the module _json, to which library/json.py adds the classes.
func (in *interp) jsonHelper() (*py.Module, error) {
	return in.newModule("_json", py.StringDict{
		"dumps": &function{"dumps", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			text, err := in.jsonText("dumps", args, kwargs)
			return py.String(text), err
		}},
		"dump":            &function{"dump", in.dumpJSON},
		"loads":           &function{"loads", in.loadsJSON},
		"load":            &function{"load", in.loadJSON},
		"scan":            &function{"scan", scanJSON},
		"JSONDecodeError": jsonDecodeError,
	})
}

// jsonPart makes json.decoder or json.encoder, with what people take from there.
func (in *interp) jsonPart(name string, names ...string) (*py.Module, error) {
	whole, err := in.importOne("json")
	if err != nil {
		return nil, err
	}
	globals := py.StringDict{}
	for _, name := range names {
		globals[name] = whole.Globals[name]
	}
	return in.newModule(name, globals)
}

// dumpJSON is json.dump: the text is written at once.
func (in *interp) dumpJSON(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	rest := kwargs.Copy()
	file := rest["fp"]
	delete(rest, "fp")
	if len(args) > 1 && file == nil {
		file, args = args[1], append(args[:1:1], args[2:]...)
	}
	if file == nil {
		return nil, py.ExceptionNewf(py.TypeError, "dump() missing 1 required positional argument: 'fp'")
	}
	text, err := in.jsonText("dump", args, rest)
	if err != nil {
		return nil, err
	}
	write, err := pyvalue.GetAttr(file, "write")
	if err != nil {
		return nil, err
	}
	_, err = py.Call(write, py.Tuple{py.String(text)}, nil)
	return py.None, err
}

// textOfClass is json.dumps with cls: the class does it.
func (in *interp) textOfClass(a []py.Object) (string, error) {
	options := py.StringDict{"skipkeys": py.False, "ensure_ascii": py.True, "check_circular": py.True, "allow_nan": py.True,
		"indent": py.None, "separators": py.None, "default": py.None, "sort_keys": py.False}
	for i, name := range []string{"skipkeys", "ensure_ascii", "check_circular", "allow_nan", "", "indent", "separators", "default", "sort_keys"} {
		if o := a[1+i]; o != nil && name != "" {
			options[name] = o
		}
	}
	encoder, err := py.Call(a[5], nil, options)
	if err != nil {
		return "", err
	}
	encode, err := pyvalue.GetAttr(encoder, "encode")
	if err != nil {
		return "", err
	}
	text, err := py.Call(encode, py.Tuple{a[0]}, nil)
	if err != nil {
		return "", err
	}
	s, ok := text.(py.String)
	if !ok {
		return "", py.ExceptionNewf(py.TypeError, "encode() of a json encoder must return str, not %s", text.Type().Name)
	}
	return string(s), nil
}

// jsonWriter writes one value.
type jsonWriter struct {
	strings.Builder
	ascii, allowNaN, sorted, skip, circular bool
	indent                                  string
	indented                                bool
	itemSeparator, keySeparator             string
	otherwise                               py.Object // default=, or nil
	around                                  []py.Object
}

// jsonText is json.dumps.
func (in *interp) jsonText(name string, args py.Tuple, kwargs py.StringDict) (string, error) {
	const first = "obj"
	if len(args) > 1 {
		return "", py.ExceptionNewf(py.TypeError, "%s() takes 1 positional argument but %d were given", name, len(args))
	}
	if len(args) == 0 && kwargs[first] == nil {
		return "", py.ExceptionNewf(py.TypeError, "%s() missing 1 required positional argument: '%s'", name, first)
	}
	a, err := arguments(name, args, kwargs, 1, first, "skipkeys", "ensure_ascii", "check_circular", "allow_nan", "cls", "indent",
		"separators", "default", "sort_keys")
	if err != nil {
		return "", err
	}
	if a[5] != nil && a[5] != py.None {
		return in.textOfClass(a)
	}
	w := &jsonWriter{itemSeparator: ", ", keySeparator: ": ", indented: a[6] != nil && a[6] != py.None}
	for _, option := range []struct {
		to        *bool
		o         py.Object
		otherwise bool
	}{{&w.skip, a[1], false}, {&w.ascii, a[2], true}, {&w.circular, a[3], true}, {&w.allowNaN, a[4], true}, {&w.sorted, a[9], false}} {
		if *option.to, err = truth(option.o, option.otherwise); err != nil {
			return "", err
		}
	}
	if w.indented {
		w.itemSeparator = ","
		if text, ok := pyvalue.Plain(a[6]).(py.String); ok {
			w.indent = string(text)
		} else {
			n, err := py.IndexInt(a[6])
			if err != nil {
				return "", py.ExceptionNewf(py.TypeError, "can't multiply sequence by non-int of type '%s'", a[6].Type().Name)
			}
			if n > 1<<16 {
				return "", newException(py.MemoryError)
			}
			w.indent = strings.Repeat(" ", max(n, 0))
		}
	}
	if a[7] != nil && a[7] != py.None {
		pair, err := pyvalue.Unpack(a[7], -1)
		if err != nil {
			return "", err
		}
		if len(pair) != 2 {
			if len(pair) < 2 {
				return "", py.ExceptionNewf(py.ValueError, "not enough values to unpack (expected 2, got %d)", len(pair))
			}
			return "", py.ExceptionNewf(py.ValueError, "too many values to unpack (expected 2)")
		}
		for i, to := range []*string{&w.keySeparator, &w.itemSeparator} {
			text, ok := pyvalue.Plain(pair[1-i]).(py.String)
			if !ok {
				return "", py.ExceptionNewf(py.TypeError, "make_encoder() argument %d must be str, not %s", 5+i, pair[1-i].Type().Name)
			}
			*to = string(text)
		}
	}
	if a[8] != nil && a[8] != py.None {
		w.otherwise = a[8]
	}
	return w.text(a[0])
}

func (w *jsonWriter) text(o py.Object) (string, error) {
	err := w.value(o, 0)
	return w.String(), err
}

// value writes an object.
func (w *jsonWriter) value(o py.Object, depth int) error {
	if err := pyvalue.Fits(w.Len(), 1); err != nil {
		return err
	}
	if depth > defaultDepth {
		return py.ExceptionNewf(pyvalue.RecursionError, "maximum recursion depth exceeded while encoding a JSON object")
	}
	plain, err := jsonPlain(o)
	if err != nil {
		return err
	}
	switch x := plain.(type) {
	case py.String:
		w.string(string(x))
		return nil
	case py.Tuple:
		return w.list(o, x, depth)
	case *namedTuple:
		return w.list(o, x.Tuple, depth)
	case *py.List:
		return w.list(o, x.Items, depth)
	case *pyvalue.Dict:
		return w.dict(o, x, depth)
	case py.StringDict:
		return w.dict(o, pyvalue.FromStringDict(x), depth)
	}
	text, ok, err := w.atom(plain)
	if ok || err != nil {
		w.WriteString(text)
		return err
	}
	if w.otherwise == nil {
		return py.ExceptionNewf(py.TypeError, "Object of type %s is not JSON serializable", o.Type().Name)
	}
	return w.within(o, func() error {
		other, err := py.Call(w.otherwise, py.Tuple{o}, nil)
		if err != nil {
			return err
		}
		return w.value(other, depth+1)
	})
}

// jsonPlain is what is written for an instance of a class derived from dict, list, str or int: the
// items that a list gives, and the value of the others.
func jsonPlain(o py.Object) (py.Object, error) {
	if _, ok := o.(*py.Type); !ok {
		return o, nil
	}
	plain := pyvalue.Plain(o)
	methods := []string{"__len__", "__bool__", "__iter__", "items"}
	switch plain.(type) {
	case *py.List:
		methods = methods[:2]
	case *pyvalue.Dict:
	default:
		return plain, nil
	}
	for _, name := range methods {
		if pyvalue.Overrides(o, name) {
			return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python writes no JSON of a class with its own %s", name)
		}
	}
	if _, ok := plain.(*py.List); !ok || !pyvalue.Overrides(o, "__iter__") {
		return plain, nil
	}
	all, err := pyvalue.Items(o)
	return &py.List{Items: all}, err
}

// atom is the text of a constant or a number.
func (w *jsonWriter) atom(o py.Object) (text string, ok bool, err error) {
	switch x := o.(type) {
	case py.NoneType:
		return "null", true, nil
	case py.Bool:
		if x {
			return "true", true, nil
		}
		return "false", true, nil
	case py.Int, *py.BigInt:
		text, err := pyvalue.Repr(o)
		return text, true, err
	case py.Float:
		text, err := pyvalue.Repr(o)
		switch text {
		case "nan":
			text = "NaN"
		case "inf":
			text = "Infinity"
		case "-inf":
			text = "-Infinity"
		default:
			return text, true, err
		}
		if !w.allowNaN {
			return "", true, py.ExceptionNewf(py.ValueError, "Out of range float values are not JSON compliant")
		}
		return text, true, err
	}
	return "", false, nil
}

// within calls write for a container, unless that is being written already.
func (w *jsonWriter) within(o py.Object, write func() error) error {
	if w.circular {
		for _, other := range w.around {
			if pyvalue.Identical(o, other) {
				return py.ExceptionNewf(py.ValueError, "Circular reference detected")
			}
		}
		w.around = append(w.around, o)
		defer func() { w.around = w.around[:len(w.around)-1] }()
	}
	return write()
}

func (w *jsonWriter) list(o py.Object, items []py.Object, depth int) error {
	if len(items) == 0 {
		w.WriteString("[]")
		return nil
	}
	return w.within(o, func() error {
		w.WriteByte('[')
		for i, item := range items {
			w.between(i, depth+1)
			if err := w.value(item, depth+1); err != nil {
				return err
			}
		}
		w.line(depth)
		w.WriteByte(']')
		return nil
	})
}

// between writes what stands before an item.
func (w *jsonWriter) between(i, depth int) {
	if i > 0 {
		w.WriteString(w.itemSeparator)
	}
	w.line(depth)
}

// line begins a line, if the text is indented.
func (w *jsonWriter) line(depth int) {
	if !w.indented {
		return
	}
	w.WriteByte('\n')
	for range depth {
		w.WriteString(w.indent)
	}
}

func (w *jsonWriter) dict(o py.Object, d *pyvalue.Dict, depth int) error {
	if d.Len() == 0 {
		w.WriteString("{}")
		return nil
	}
	return w.within(o, func() error {
		keys := &py.List{Items: d.Keys()}
		if w.sorted {
			sorted, err := py.Call(pyvalue.Builtins()["sorted"], py.Tuple{keys}, nil)
			if err != nil {
				return err
			}
			keys = sorted.(*py.List)
		}
		w.WriteByte('{')
		w.line(depth + 1)
		written := 0
		for _, key := range keys.Items {
			value, _, err := d.Get(key)
			if err != nil {
				return err
			}
			name, isText := pyvalue.Plain(key).(py.String)
			if !isText {
				text, ok, err := w.atom(pyvalue.Plain(key))
				switch {
				case err != nil:
					return err
				case !ok && w.skip:
					continue
				case !ok:
					return py.ExceptionNewf(py.TypeError, "keys must be str, int, float, bool or None, not %s", key.Type().Name)
				}
				name = py.String(text)
			}
			if written > 0 {
				w.between(written, depth+1)
			}
			written++
			w.string(string(name))
			w.WriteString(w.keySeparator)
			if err := w.value(value, depth+1); err != nil {
				return err
			}
		}
		w.line(depth)
		w.WriteByte('}')
		return nil
	})
}

// string writes a str.
func (w *jsonWriter) string(s string) {
	const hex = "0123456789abcdef"
	unicode := func(n rune) {
		w.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			w.WriteByte(hex[n>>shift&15])
		}
	}
	w.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.WriteByte('\\')
			w.WriteRune(r)
		case r == '\n':
			w.WriteString(`\n`)
		case r == '\r':
			w.WriteString(`\r`)
		case r == '\t':
			w.WriteString(`\t`)
		case r == '\b':
			w.WriteString(`\b`)
		case r == '\f':
			w.WriteString(`\f`)
		case r < ' ', w.ascii && r == 0x7f:
			unicode(r)
		case !w.ascii || r < utf8.RuneSelf:
			w.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			unicode(0xd800 + r>>10)
			unicode(0xdc00 + r&0x3ff)
		default:
			unicode(r)
		}
	}
	w.WriteByte('"')
}
