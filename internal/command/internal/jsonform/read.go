package jsonform

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
)

// SyntaxError says why a text is not a value in the form of this package, and where.
type SyntaxError struct {
	Text    string
	Offset  int // of the byte in Text that the error is about; it may be the text's length
	Problem string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s, at byte %d", e.Problem, e.Offset) }

// Parse reads a text that is one value. Every error is a *SyntaxError. Besides what is not JSON it
// refuses a name that an object has twice, half of a surrogate pair, which Python cannot send, and
// a number too large for Python's float.
func Parse(text string) (any, error) {
	r := &reader{text: text}
	v, err := r.value(false)
	if err != nil {
		return nil, err
	}
	if r.peek(); r.pos < len(text) {
		return nil, r.errorAt(r.pos, "something follows the value")
	}
	return v, nil
}

type reader struct {
	text  string
	pos   int
	depth int
}

func (r *reader) errorAt(offset int, format string, args ...any) error {
	return &SyntaxError{Text: r.text, Offset: offset, Problem: fmt.Sprintf(format, args...)}
}

// peek skips white space and returns the byte after it, 0 at the end.
func (r *reader) peek() byte {
	for ; r.pos < len(r.text); r.pos++ {
		if c := r.text[r.pos]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// expect reads one punctuation mark.
func (r *reader) expect(mark byte) error {
	if r.peek() != mark {
		return r.unexpected(string(mark))
	}
	r.pos++
	return nil
}

func (r *reader) unexpected(wanted string) error {
	if r.pos == len(r.text) {
		return r.errorAt(r.pos, "the text ends where %s is expected", wanted)
	}
	return r.errorAt(r.pos, "%s expected", wanted)
}

var (
	number = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`)
	word   = regexp.MustCompile(`^[A-Za-z]+`)
)

// value reads a value. If it must be hashable, an array is a tuple.
func (r *reader) value(hashable bool) (any, error) {
	switch c := r.peek(); {
	case c == '"':
		return r.string()
	case c == '[' || c == '{':
		if r.depth++; r.depth > serializer.DefaultMaxDepth {
			return nil, r.errorAt(r.pos, "nested more than %d deep", serializer.DefaultMaxDepth)
		}
		defer func() { r.depth-- }()
		if c == '{' {
			return r.object(hashable)
		}
		items, err := r.array(hashable)
		if hashable {
			return serializer.Tuple(items), err
		}
		return items, err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	found := word.FindString(r.text[r.pos:])
	var v any
	switch found {
	case "null":
	case "true":
		v = true
	case "false":
		v = false
	case "None", "True", "False", "NaN", "Infinity":
		return nil, r.errorAt(r.pos, "%s is not JSON", found)
	default:
		return nil, r.unexpected("a JSON value")
	}
	r.pos += len(found)
	return v, nil
}

func (r *reader) number() (any, error) {
	m := number.FindStringSubmatch(r.text[r.pos:])
	if m == nil {
		return nil, r.errorAt(r.pos, "not a number")
	}
	start, text := r.pos, m[0]
	r.pos += len(text)
	if m[1]+m[2] != "" {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, r.errorAt(start, "too large for a float")
		}
		return f, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if len(text) > serializer.DefaultMaxDigits {
		return nil, r.errorAt(start, "an int of more than %d digits", serializer.DefaultMaxDigits)
	}
	// The expression matches only numbers.
	n, _ := new(big.Int).SetString(text, 10)
	return n, nil
}

// string reads a string, of which the opening quote comes next.
func (r *reader) string() (string, error) {
	start := r.pos
	r.pos++
	var b strings.Builder
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		switch {
		case c == '"':
			r.pos++
			return b.String(), nil
		case c == '\\':
			decoded, err := r.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(decoded)
			continue
		case c < ' ':
			return "", r.errorAt(r.pos, "a control character in a string: write it as \\u%04x", c)
		}
		decoded, size := utf8.DecodeRuneInString(r.text[r.pos:])
		if decoded == utf8.RuneError && size == 1 {
			return "", r.errorAt(r.pos, "the string is not UTF-8")
		}
		b.WriteString(r.text[r.pos : r.pos+size])
		r.pos += size
	}
	return "", r.errorAt(start, "the string does not end")
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads an escape, whose backslash comes next.
func (r *reader) escape() (rune, error) {
	start := r.pos
	if start+1 < len(r.text) {
		if c, ok := escapes[r.text[start+1]]; ok {
			r.pos += 2
			return c, nil
		}
	}
	c, ok := r.unicodeEscape()
	if !ok {
		return 0, r.errorAt(start, "no JSON escape")
	}
	if c < 0xD800 || c > 0xDFFF {
		return c, nil
	}
	if low, ok := r.unicodeEscape(); ok && c < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF {
		return 0x10000 + (c-0xD800)<<10 + (low - 0xDC00), nil
	}
	return 0, r.errorAt(start, "half of a surrogate pair")
}

var unicodeEscape = regexp.MustCompile(`^\\u([0-9a-fA-F]{4})`)

func (r *reader) unicodeEscape() (rune, bool) {
	m := unicodeEscape.FindStringSubmatch(r.text[r.pos:min(r.pos+6, len(r.text))])
	if m == nil {
		return 0, false
	}
	r.pos += len(m[0])
	// The expression matches only such digits.
	c, _ := strconv.ParseUint(m[1], 16, 16)
	return rune(c), true
}

// array reads an array's items.
func (r *reader) array(hashable bool) ([]any, error) {
	items := []any{}
	err := r.members('[', ']', func() error {
		item, err := r.value(hashable)
		items = append(items, item)
		return err
	})
	return items, err
}

// members reads two brackets with members between them, which commas separate. read reads one of
// them.
func (r *reader) members(opening, closing byte, read func() error) error {
	if err := r.expect(opening); err != nil {
		return err
	}
	if r.peek() == closing {
		r.pos++
		return nil
	}
	for {
		if err := read(); err != nil {
			return err
		}
		switch r.peek() {
		case ',':
			r.pos++
		case closing:
			r.pos++
			return nil
		default:
			return r.unexpected(fmt.Sprintf(", or %c", closing))
		}
	}
}

// object reads an object: a dict, or a value of the type that its tag names.
func (r *reader) object(hashable bool) (any, error) {
	start, d := r.pos, serializer.NewDict()
	var tag string
	var tagged any
	err := r.members('{', '}', func() error {
		if r.peek() != '"' {
			return r.unexpected("a name in quotes")
		}
		at := r.pos
		name, err := r.string()
		if err != nil {
			return err
		}
		if tag != "" || isTag(name) && d.Len() > 0 {
			return r.errorAt(at, "%s must be the only member of its object; a dict with such a key is written {\"%s\": [[key, value], ...]}",
				cmp.Or(tag, name), tagDict)
		}
		if err := r.expect(':'); err != nil {
			return err
		}
		if isTag(name) {
			tag = name
			tagged, err = r.tagged(name, hashable)
			return err
		}
		if _, twice := d.Get(name); twice {
			return r.errorAt(at, "%q is twice in one object", name)
		}
		value, err := r.value(false)
		if err != nil {
			return err
		}
		return d.Set(name, value)
	})
	switch {
	case err != nil:
		return nil, err
	case tag != "":
		return tagged, nil
	case hashable:
		return nil, r.errorAt(start, "a dict is not hashable: it cannot be a key or in a set")
	}
	return d, nil
}
