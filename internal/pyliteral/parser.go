package pyliteral

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
)

// parser reads a text from start to end. Its methods move pos past what they read.
type parser struct {
	text  string
	pos   int
	depth int // how many brackets are open; inside them a newline is a space
}

// form is the kind of an expression in Python's syntax tree, in which parentheses do not appear. It
// decides whether a sign may stand before the expression, and whether it may be part of a sum.
type form int

const (
	other  form = iota
	number      // a number without sign
	signed      // a number with one sign
)

func (p *parser) parse() (v any, err *SyntaxError) {
	if i := strings.IndexByte(p.text, 0); i >= 0 {
		return nil, newError(p.text, i, "a NUL character")
	}
	for i, r := range p.text {
		if r == utf8.RuneError && !strings.HasPrefix(p.text[i:], "\uFFFD") {
			return nil, newError(p.text, i, "the text is not valid UTF-8")
		}
	}
	p.skipLines()
	if p.pos == len(p.text) {
		return nil, p.fail("there is nothing to read")
	}
	v, _, err = p.items(0)
	if err != nil {
		return nil, err
	}
	p.skipLines()
	if p.pos < len(p.text) {
		return nil, p.unexpected("expected the end of the text")
	}
	return v, nil
}

func (p *parser) fail(format string, args ...any) *SyntaxError {
	return p.failAt(p.pos, format, args...)
}

func (p *parser) failAt(offset int, format string, args ...any) *SyntaxError {
	return newError(p.text, offset, format, args...)
}

// unexpected returns the error that at pos something else than expected stands.
func (p *parser) unexpected(expected string) *SyntaxError {
	if p.pos == len(p.text) {
		return p.fail("%s, but the text ends here", expected)
	}
	if word := p.word(); word != "" {
		return p.fail("%s, not %s", expected, word)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	if r == '\n' || r == '\r' {
		return p.fail("%s, but the line ends here", expected)
	}
	return p.fail("%s, not %q", expected, r)
}

// peek returns the byte at pos, 0 at the end.
func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// skip skips spaces and continued lines, and inside brackets also newlines and comments.
func (p *parser) skip() {
	for p.pos < len(p.text) {
		rest := p.text[p.pos:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\f':
			p.pos++
		case c == '\\':
			end := newline(rest[1:])
			if end == 0 {
				return
			}
			p.pos += 1 + end
		case p.depth > 0 && (c == '\n' || c == '\r'):
			p.pos++
		case p.depth > 0 && c == '#':
			p.skipComment()
		default:
			return
		}
	}
}

// skipLines is skip that also skips newlines and comments outside brackets.
func (p *parser) skipLines() {
	p.depth++
	p.skip()
	p.depth--
}

func (p *parser) skipComment() {
	if end := strings.IndexAny(p.text[p.pos:], "\r\n"); end >= 0 {
		p.pos += end
	} else {
		p.pos = len(p.text)
	}
}

// newline returns the length of the line end that s starts with, or 0 if there is none.
func newline(s string) int {
	switch {
	case strings.HasPrefix(s, "\r\n"):
		return 2
	case strings.HasPrefix(s, "\n"), strings.HasPrefix(s, "\r"):
		return 1
	}
	return 0
}

// word returns the identifier at pos without moving.
func (p *parser) word() string {
	rest := p.text[p.pos:]
	for i, r := range rest {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return rest[:i]
		}
	}
	return rest
}

// items reads an expression or a tuple without its own parentheses. closing is the bracket that
// ends it, or 0 at the outermost level.
func (p *parser) items(closing byte) (v any, f form, err *SyntaxError) {
	v, f, err = p.sum()
	if err != nil {
		return nil, 0, err
	}
	p.skip()
	if p.peek() != ',' {
		return v, f, nil
	}
	tuple := serializer.Tuple{v}
	for p.peek() == ',' {
		p.pos++
		p.skip()
		if c := p.peek(); c == closing || closing == 0 && (c == 0 || c == '\n' || c == '\r' || c == '#') {
			break
		}
		if v, _, err = p.sum(); err != nil {
			return nil, 0, err
		}
		tuple = append(tuple, v)
		p.skip()
	}
	return tuple, other, nil
}

// sum reads an expression. A sum is a complex number.
func (p *parser) sum() (any, form, *SyntaxError) {
	p.skip()
	start := p.pos
	left, f, err := p.signed()
	if err != nil {
		return nil, 0, err
	}
	p.skip()
	op := p.peek()
	if op != '+' && op != '-' {
		return left, f, nil
	}
	const rule = `only a real number and a complex one can be added, as in "1+2j"`
	if _, isComplex := left.(complex128); f == other || isComplex {
		return nil, 0, p.failAt(start, rule)
	}
	p.pos++
	p.skip()
	at := p.pos
	right, rightForm, err := p.atom()
	if err != nil {
		return nil, 0, err
	}
	imaginary, ok := right.(complex128)
	if !ok || rightForm != number {
		return nil, 0, p.failAt(at, rule)
	}
	var re float64
	switch x := left.(type) {
	case int64:
		re = float64(x)
		if x == 0 && p.text[start] == '-' {
			re = math.Copysign(0, -1)
		}
	case *big.Int:
		if re, _ = new(big.Float).SetInt(x).Float64(); math.IsInf(re, 0) {
			return nil, 0, p.failAt(start, "the integer is too large for a complex number")
		}
	case float64:
		re = x
	}
	if op == '-' {
		return complex(re, -imag(imaginary)), other, nil
	}
	return complex(re, imag(imaginary)), other, nil
}

// signed reads an atom with at most one sign.
func (p *parser) signed() (any, form, *SyntaxError) {
	sign := p.peek()
	if sign != '+' && sign != '-' {
		return p.atom()
	}
	p.pos++
	p.skip()
	const rule = "a sign goes in front of a number only, and only once"
	at := p.pos
	if c := p.peek(); c == '+' || c == '-' {
		return nil, 0, p.fail(rule)
	}
	v, f, err := p.atom()
	if err != nil {
		return nil, 0, err
	}
	if f != number {
		return nil, 0, p.failAt(at, rule)
	}
	if sign == '+' {
		return v, signed, nil
	}
	switch x := v.(type) {
	case int64:
		return -x, signed, nil // no overflow: x is not negative
	case *big.Int:
		return narrow(x.Neg(x)), signed, nil
	case float64:
		return -x, signed, nil
	default:
		return -v.(complex128), signed, nil
	}
}

// atom reads anything but a sign or a sum.
func (p *parser) atom() (any, form, *SyntaxError) {
	c := p.peek()
	switch {
	case c == '(':
		return p.parentheses()
	case c == '[':
		v, err := p.list()
		return v, other, err
	case c == '{':
		v, err := p.braces()
		return v, other, err
	case c == '\'' || c == '"':
		v, err := p.strings()
		return v, other, err
	case isDigit(c) || c == '.' && p.pos+1 < len(p.text) && isDigit(p.text[p.pos+1]):
		v, err := p.number()
		return v, number, err
	case strings.HasPrefix(p.text[p.pos:], "..."):
		return nil, 0, p.fail("the ellipsis is no value that can be sent")
	}
	return p.name()
}

func (p *parser) name() (any, form, *SyntaxError) {
	start, word := p.pos, p.word()
	if end := start + len(word); word != "" && end < len(p.text) && (p.text[end] == '\'' || p.text[end] == '"') {
		v, err := p.strings()
		return v, other, err
	}
	p.pos += len(word)
	switch word {
	case "None":
		return nil, other, nil
	case "True":
		return true, other, nil
	case "False":
		return false, other, nil
	case "inf":
		return math.Inf(1), number, nil
	case "nan":
		return math.NaN(), number, nil
	case "infj":
		return complex(0, math.Inf(1)), number, nil
	case "nanj":
		return complex(0, math.NaN()), number, nil
	case "set", "frozenset":
		v, err := p.call(word)
		return v, other, err
	}
	p.pos = start
	if word == "" {
		return nil, 0, p.unexpected("expected a value")
	}
	return nil, 0, p.fail("%s is not a literal; write a text in quotes, as in %s", word, strconv.Quote(word))
}

// narrow returns n as an int64 if it fits, as the serializer does.
func narrow(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}
