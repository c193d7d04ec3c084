package syntax

import (
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
)

// identifier is a name as Python compares it.
func (p *parser) identifier(t token) string {
	text := p.text(t)
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return norm.NFKC.String(text)
		}
	}
	return text
}

// strings reads string literals that stand behind one another, which are one.
func (p *parser) strings() ast.Expr {
	start := p.peek()
	if next := p.ahead(1); start.kind == kString && next != kString && next != kFStart {
		return p.literal()
	}
	var text, data strings.Builder
	joined := &JoinedStr{ExprBase: exprBase(start)}
	isBytes, isFString := false, false
	for first := true; p.kind() == kString || p.kind() == kFStart; first = false {
		t := p.next()
		if t.kind == kFStart {
			if isBytes {
				p.failAt(start, "cannot mix bytes and nonbytes literals")
			}
			isFString = true
			p.fstring(t, joined)
			continue
		}
		raw, bytes, body := cutString(p.text(t))
		if !first && bytes != isBytes || isFString && bytes {
			p.failAt(start, "cannot mix bytes and nonbytes literals")
		}
		isBytes = bytes
		decoded := p.decode(t, body, raw, bytes, false)
		switch {
		case bytes:
			data.WriteString(decoded)
		case isFString:
			joined.addText(exprBase(t), decoded)
		default:
			text.WriteString(decoded)
			joined.addText(exprBase(t), decoded)
		}
	}
	switch {
	case isBytes:
		return &ast.Bytes{ExprBase: exprBase(start), S: py.Bytes(data.String())}
	case isFString:
		return joined
	}
	return &ast.Str{ExprBase: exprBase(start), S: py.String(text.String())}
}

// literal reads a string literal that stands alone.
func (p *parser) literal() ast.Expr {
	t := p.next()
	raw, bytes, body := cutString(p.text(t))
	decoded := p.decode(t, body, raw, bytes, false)
	if bytes {
		return &ast.Bytes{ExprBase: exprBase(t), S: py.Bytes(decoded)}
	}
	return p.nodes.texts.new(ast.Str{ExprBase: exprBase(t), S: py.String(decoded)})
}

// cutString takes a string literal apart.
func cutString(s string) (raw, bytes bool, body string) {
	i := strings.IndexAny(s, `'"`)
	prefix := strings.ToLower(s[:i])
	body = s[i+1 : len(s)-1]
	if len(s)-i >= 6 && s[i+1] == s[i] && s[i+2] == s[i] {
		body = s[i+3 : len(s)-3]
	}
	return strings.Contains(prefix, "r"), strings.Contains(prefix, "b"), body
}

// decode is what the text of a literal stands for. In an f-string, braces that are meant as such
// are doubled.
func (p *parser) decode(t token, s string, raw, bytes, doubled bool) string {
	if bytes {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				p.failAt(t, "bytes can only contain ASCII literal characters")
			}
		}
	}
	if (raw || strings.IndexByte(s, '\\') < 0) && (!doubled || !strings.ContainsAny(s, "{}")) {
		return s
	}
	d := decoder{p: p, t: t, bytes: bytes, out: make([]byte, 0, len(s))}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\' && !raw && i+1 < len(s) && !(doubled && (s[i+1] == '{' || s[i+1] == '}')):
			i += d.escape(s[i:], i)
		case doubled && (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c:
			d.out = append(d.out, c)
			i += 2
		default:
			d.out = append(d.out, c)
			i++
		}
	}
	return string(d.out)
}

// decoder collects the text of one literal.
type decoder struct {
	p     *parser
	t     token
	bytes bool
	out   []byte
}

// escape adds what the escape that s begins with stands for, and returns its length.
func (d *decoder) escape(s string, at int) int {
	switch c := s[1]; c {
	case '\n':
	case '\\', '\'', '"':
		d.out = append(d.out, c)
	case 'a', 'b', 'f', 'n', 'r', 't', 'v':
		d.out = append(d.out, simple(c))
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, length := rune(0), 1
		for length < min(len(s), 4) && isDigit(s[length], 8) {
			n = n<<3 | rune(s[length]-'0')
			length++
		}
		if d.bytes {
			d.out = append(d.out, byte(n))
		} else {
			d.out = utf8.AppendRune(d.out, n)
		}
		return length
	case 'x':
		return d.hex(s, at, 2, `\xXX`)
	case 'u', 'U', 'N':
		switch {
		case d.bytes:
			d.out = append(d.out, '\\')
			return 1
		case c == 'u':
			return d.hex(s, at, 4, `\uXXXX`)
		case c == 'U':
			return d.hex(s, at, 8, `\UXXXXXXXX`)
		}
		return d.named(s, at)
	default:
		d.out = append(d.out, '\\') // Python leaves an escape that it does not know as it is
		return 1
	}
	return 2
}

// simple is what an escape of one letter stands for.
func simple(c byte) byte {
	switch c {
	case 'a':
		return '\a'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return '\v'
}

// hex adds the character of an escape with so many hexadecimal digits.
func (d *decoder) hex(s string, at, digits int, form string) int {
	length := 2
	for length < min(len(s), 2+digits) && isDigit(s[length], 16) {
		length++
	}
	if length < 2+digits {
		if d.bytes {
			d.p.failAt(d.t, `(value error) invalid \x escape at position %d`, at)
		}
		d.unicodeError(at, length, "truncated %s escape", form)
	}
	n, _ := strconv.ParseUint(s[2:length], 16, 32) // only digits
	switch {
	case d.bytes:
		d.out = append(d.out, byte(n))
	case 0xD800 <= n && n <= 0xDFFF:
		d.p.refuse(d.t, "surrogates in strings")
	case n > utf8.MaxRune:
		d.unicodeError(at, length, "illegal Unicode character")
	default:
		d.out = utf8.AppendRune(d.out, rune(n))
	}
	return length
}

func (d *decoder) unicodeError(at, length int, format string, args ...any) {
	d.p.failAt(d.t, "(unicode error) 'unicodeescape' codec can't decode bytes in position "+strconv.Itoa(at)+"-"+
		strconv.Itoa(at+length-1)+": "+format, args...)
}

// named adds the character of "\N{name}".
func (d *decoder) named(s string, at int) int {
	end := strings.IndexByte(s, '}')
	malformed := 2
	if len(s) > 2 && s[2] == '{' {
		malformed = max(end+1, 2)
		if end < 0 {
			malformed = len(s)
		}
	}
	if len(s) < 3 || s[2] != '{' || end < 4 {
		d.unicodeError(at, malformed, `malformed \N character escape`)
	}
	r, ok := runeNamed(s[3:end])
	if !ok { // CPython knows aliases and sequences too
		d.p.refuse(d.t, `\N{`+s[3:end]+`} escapes`)
	}
	d.out = utf8.AppendRune(d.out, r)
	return end + 1
}

// runeNamed is the character that has a name in Unicode.
func runeNamed(name string) (rune, bool) {
	name = strings.ToUpper(name)
	if digits, ok := strings.CutPrefix(name, "CJK UNIFIED IDEOGRAPH-"); ok {
		n, err := strconv.ParseUint(digits, 16, 21)
		return rune(n), err == nil && unicode.Is(unicode.Unified_Ideograph, rune(n))
	}
	r, ok := runesByName()[name]
	return r, ok
}

// runesByName has all characters that have a name of their own. It takes some ten megabytes, and is
// made for the first program that asks.
var runesByName = sync.OnceValue(func() map[string]rune {
	all := make(map[string]rune, 40000)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if name := runenames.Name(r); name != "" && name[0] != '<' {
			all[name] = r
		}
	}
	return all
})
