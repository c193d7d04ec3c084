package gpython

// json.loads: a reader with the rules and errors of CPython's.

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

func init() {
	jsonDecodeError.New = func(class *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("JSONDecodeError.__init__", args, kwargs, 3, "msg", "doc", "pos")
		if err != nil {
			return nil, err
		}
		doc, ok := pyvalue.Plain(a[1]).(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "doc must be str, not %s", a[1].Type().Name)
		}
		pos, err := py.IndexInt(a[2])
		if err != nil {
			return nil, err
		}
		message, err := pyvalue.Str(a[0])
		if err != nil {
			return nil, err
		}
		e := newJSONError(message, string(doc), pos)
		e.Base = class
		return e, nil
	}
}

// newJSONError is a JSONDecodeError about the character at pos, which counts from 0.
func newJSONError(message, doc string, pos int) *py.Exception {
	before := []rune(doc)
	before = before[:max(min(pos, len(before)), 0)]
	line, column := 1, pos+1
	for i, r := range before {
		if r == '\n' {
			line++
			column = pos - i
		}
	}
	e := newException(jsonDecodeError, py.String(fmt.Sprintf("%s: line %d column %d (char %d)", message, line, column, pos)))
	e.Dict["msg"], e.Dict["doc"] = py.String(message), py.String(doc)
	e.Dict["pos"], e.Dict["lineno"], e.Dict["colno"] = py.Int(pos), py.Int(line), py.Int(column)
	return e
}

// loadJSON is json.load.
func (in *interp) loadJSON(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) == 0 && kwargs["fp"] != nil {
		kwargs = kwargs.Copy()
		args = py.Tuple{kwargs["fp"]}
		delete(kwargs, "fp")
	}
	if len(args) != 1 {
		return nil, py.ExceptionNewf(py.TypeError, "load() missing 1 required positional argument: 'fp'")
	}
	read, err := pyvalue.GetAttr(args[0], "read")
	if err != nil {
		return nil, err
	}
	text, err := py.Call(read, nil, nil)
	if err != nil {
		return nil, err
	}
	return in.loadsJSON(py.Tuple{text}, kwargs)
}

// loadsJSON is json.loads.
func (in *interp) loadsJSON(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 1 {
		return nil, py.ExceptionNewf(py.TypeError, "loads() takes 1 positional argument but %d were given", len(args))
	}
	if len(args) == 0 && kwargs["s"] == nil {
		return nil, py.ExceptionNewf(py.TypeError, "loads() missing 1 required positional argument: 's'")
	}
	if cls := kwargs["cls"]; cls != nil && cls != py.None && len(args) == 1 {
		options := kwargs.Copy()
		delete(options, "cls")
		decoder, err := py.Call(cls, nil, options)
		if err != nil {
			return nil, err
		}
		decode, err := pyvalue.GetAttr(decoder, "decode")
		if err != nil {
			return nil, err
		}
		text, err := jsonSource(args[0])
		if err != nil {
			return nil, err
		}
		return py.Call(decode, py.Tuple{py.String(text)}, nil)
	}
	a, err := arguments("loads", args, kwargs, 1, "s", "object_hook", "parse_float", "parse_int", "parse_constant", "strict",
		"object_pairs_hook", "cls")
	if err != nil {
		return nil, err
	}
	text, err := jsonSource(a[0])
	if err != nil {
		return nil, err
	}
	r, err := newJSONReader(text, a[1:7])
	if err != nil {
		return nil, err
	}
	r.space()
	value, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.at != len(r.text) {
		return nil, r.failure("Extra data", r.at)
	}
	return value, nil
}

// scanJSON is JSONDecoder.raw_decode: the value that begins at a position, and where it ends.
func scanJSON(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("scan", args, kwargs, 8, "s", "idx", "object_hook", "parse_float", "parse_int", "parse_constant",
		"strict", "object_pairs_hook")
	if err != nil {
		return nil, err
	}
	text, ok := pyvalue.Plain(a[0]).(py.String)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "first argument must be a string, not %s", a[0].Type().Name)
	}
	start, err := py.IndexInt(a[1])
	if err != nil {
		return nil, err
	}
	if start < 0 {
		return nil, py.ExceptionNewf(py.ValueError, "idx cannot be negative")
	}
	r, err := newJSONReader(string(text), a[2:])
	if err != nil {
		return nil, err
	}
	for range start {
		_, size := utf8.DecodeRuneInString(r.text[r.at:])
		if size == 0 {
			return nil, newJSONError("Expecting value", r.text, start)
		}
		r.at += size
	}
	value, err := r.value(0)
	return py.Tuple{value, py.Int(utf8.RuneCountInString(r.text[:r.at]))}, err
}

// jsonReader reads one document.
type jsonReader struct {
	text                                                string
	at                                                  int // in bytes
	strict                                              bool
	objectHook, parseFloat, parseInt, parseConst, pairs py.Object // nil: CPython's own
}

// newJSONReader takes object_hook, parse_float, parse_int, parse_constant, strict and
// object_pairs_hook.
func newJSONReader(text string, options []py.Object) (*jsonReader, error) {
	r := &jsonReader{text: text}
	for i, to := range []*py.Object{&r.objectHook, &r.parseFloat, &r.parseInt, &r.parseConst} {
		if o := options[i]; o != nil && o != py.None && o != py.Object(py.FloatType) && o != py.Object(py.IntType) {
			*to = o
		}
	}
	if o := options[5]; o != nil && o != py.None {
		r.pairs = o
	}
	var err error
	r.strict, err = truth(options[4], true)
	return r, err
}

// failure is the error about a place in the text, in bytes.
func (r *jsonReader) failure(message string, at int) error {
	return newJSONError(message, r.text, utf8.RuneCountInString(r.text[:max(min(at, len(r.text)), 0)]))
}

func (r *jsonReader) expectingValue() error { return r.failure("Expecting value", r.at) }

func (r *jsonReader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\n\r", r.text[r.at]) >= 0 {
		r.at++
	}
}

// next reports whether this is the next character.
func (r *jsonReader) next(c byte) bool { return r.at < len(r.text) && r.text[r.at] == c }

// jsonConstants are the words of JSON, and those that CPython takes besides.
var jsonConstants = []struct {
	word  string
	value py.Object
}{{"null", py.None}, {"true", py.True}, {"false", py.False}}

var jsonFloats = []struct {
	word  string
	value float64
}{{"NaN", math.NaN()}, {"Infinity", math.Inf(1)}, {"-Infinity", math.Inf(-1)}}

// value reads the value that begins here.
func (r *jsonReader) value(depth int) (py.Object, error) {
	if r.at >= len(r.text) {
		return nil, r.expectingValue()
	}
	switch r.text[r.at] {
	case '"':
		r.at++
		s, err := r.string()
		return py.String(s), err
	case '{':
		if depth >= defaultDepth {
			return nil, py.ExceptionNewf(pyvalue.RecursionError, "maximum recursion depth exceeded while decoding a JSON object from a unicode string")
		}
		r.at++
		return r.object(depth)
	case '[':
		if depth >= defaultDepth {
			return nil, py.ExceptionNewf(pyvalue.RecursionError, "maximum recursion depth exceeded while decoding a JSON array from a unicode string")
		}
		r.at++
		return r.array(depth)
	}
	for _, c := range jsonConstants {
		if strings.HasPrefix(r.text[r.at:], c.word) {
			r.at += len(c.word)
			return c.value, nil
		}
	}
	for _, c := range jsonFloats {
		if strings.HasPrefix(r.text[r.at:], c.word) {
			r.at += len(c.word)
			if r.parseConst != nil {
				return py.Call(r.parseConst, py.Tuple{py.String(c.word)}, nil)
			}
			return py.Float(c.value), nil
		}
	}
	return r.number()
}

// object reads the rest of an object, behind its brace.
func (r *jsonReader) object(depth int) (py.Object, error) {
	d := pyvalue.NewDict()
	pairs := py.NewList()
	r.space()
	if !r.next('}') {
		for {
			if !r.next('"') {
				return nil, r.failure("Expecting property name enclosed in double quotes", r.at)
			}
			r.at++
			name, err := r.string()
			if err != nil {
				return nil, err
			}
			r.space()
			if !r.next(':') {
				return nil, r.failure("Expecting ':' delimiter", r.at)
			}
			r.at++
			r.space()
			value, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			if r.pairs != nil {
				pairs.Append(py.Tuple{py.String(name), value})
			} else if err := d.Set(py.String(name), value); err != nil {
				return nil, err
			}
			r.space()
			if r.next('}') {
				break
			}
			if !r.next(',') {
				return nil, r.failure("Expecting ',' delimiter", r.at)
			}
			r.at++
			r.space()
		}
	}
	r.at++
	switch {
	case r.pairs != nil:
		return py.Call(r.pairs, py.Tuple{pairs}, nil)
	case r.objectHook != nil:
		return py.Call(r.objectHook, py.Tuple{d}, nil)
	}
	return d, nil
}

// array reads the rest of an array, behind its bracket.
func (r *jsonReader) array(depth int) (py.Object, error) {
	list := py.NewList()
	r.space()
	if !r.next(']') {
		for {
			value, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list.Append(value)
			r.space()
			if r.next(']') {
				break
			}
			if !r.next(',') {
				return nil, r.failure("Expecting ',' delimiter", r.at)
			}
			r.at++
			r.space()
		}
	}
	r.at++
	return list, nil
}

// number reads an int or a float.
func (r *jsonReader) number() (py.Object, error) {
	digits := func(i int) int {
		for i < len(r.text) && r.text[i] >= '0' && r.text[i] <= '9' {
			i++
		}
		return i
	}
	at, isFloat := r.at, false
	if at < len(r.text) && r.text[at] == '-' {
		at++
	}
	switch end := digits(at); {
	case end == at:
		return nil, r.expectingValue()
	case r.text[at] == '0':
		at++
	default:
		at = end
	}
	if at < len(r.text) && r.text[at] == '.' {
		if end := digits(at + 1); end > at+1 {
			at, isFloat = end, true
		}
	}
	if at < len(r.text) && (r.text[at] == 'e' || r.text[at] == 'E') {
		start := at + 1
		if start < len(r.text) && (r.text[start] == '+' || r.text[start] == '-') {
			start++
		}
		if end := digits(start); end > start {
			at, isFloat = end, true
		}
	}
	text := py.String(r.text[r.at:at])
	r.at = at
	make, otherwise := r.parseInt, py.Object(py.IntType)
	if isFloat {
		make, otherwise = r.parseFloat, py.FloatType
	}
	if make == nil {
		make = otherwise
	}
	return py.Call(make, py.Tuple{text}, nil)
}

// string reads the rest of a string, behind its quote.
func (r *jsonReader) string() (string, error) {
	begin := r.at - 1
	unterminated := func() (string, error) { return "", r.failure("Unterminated string starting at", begin) }
	var out strings.Builder
	for {
		next := r.at
		for next < len(r.text) && r.text[next] != '"' && r.text[next] != '\\' {
			if r.text[next] < ' ' && r.strict {
				return "", r.failure("Invalid control character at", next)
			}
			next++
		}
		out.WriteString(r.text[r.at:next])
		if next == len(r.text) {
			return unterminated()
		}
		if r.text[next] == '"' {
			r.at = next + 1
			return out.String(), nil
		}
		next++
		if next == len(r.text) {
			return unterminated()
		}
		if r.text[next] != 'u' {
			i := strings.IndexByte(`"\/bfnrt`, r.text[next])
			if i < 0 {
				return "", r.failure(`Invalid \escape`, next-1)
			}
			out.WriteByte("\"\\/\b\f\n\r\t"[i])
			r.at = next + 1
			continue
		}
		code, ok := r.hex(next + 1)
		if !ok {
			return "", r.failure(`Invalid \uXXXX escape`, next)
		}
		r.at = next + 5
		if code >= 0xd800 && code < 0xdc00 && strings.HasPrefix(r.text[r.at:], `\u`) && r.at+6 < len(r.text) {
			low, ok := r.hex(r.at + 2)
			if !ok {
				return "", r.failure(`Invalid \uXXXX escape`, r.at+1)
			}
			if low >= 0xdc00 && low < 0xe000 {
				code = utf16.DecodeRune(code, low)
				r.at += 6
			}
		}
		if utf16.IsSurrogate(code) {
			return "", py.ExceptionNewf(py.ValueError, "this Go worker's Python has no surrogates in a str: \\u%04x", code)
		}
		out.WriteRune(code)
	}
}

// hex reads four hexadecimal digits, behind which something must follow.
func (r *jsonReader) hex(at int) (rune, bool) {
	if at+4 >= len(r.text) {
		return 0, false
	}
	var code rune
	for _, c := range []byte(r.text[at : at+4]) {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if i < 0 || c < '0' || c > '9' && c < 'A' {
			return 0, false
		}
		code = code<<4 | rune(i)
	}
	return code, true
}
