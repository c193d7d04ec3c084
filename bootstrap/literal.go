package bootstrap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pyString is s as a Python literal that means the same text in Python 2.7 and 3, in ASCII and on
// one line. Python 2 reads it as str if it is ASCII, as Python 2 programs expect of names and
// paths, and as unicode otherwise.
func pyString(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 3)
	ascii := true
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			ascii = false
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			ascii = false
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	if ascii {
		return b.String()
	}
	return "u" + b.String()
}

// pyBytes is p as a Python literal of type bytes (str in Python 2), in ASCII and on one line.
func pyBytes(p []byte) string {
	var b strings.Builder
	b.Grow(2*len(p) + 3)
	b.WriteString(`b"`)
	for _, c := range p {
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

var (
	errNoLiteral = errors.New("it has no opening quote")
	errControl   = errors.New("it holds a control character")
	errUnclosed  = errors.New("it has no end")
)

// readString reads the string literal that s begins with: what it means in Python 3, and what
// follows it. It may have the prefix u; there are no others, no triple quotes and no joined
// literals. Names (\N{...}) and lone surrogates are refused.
func readString(s string) (value, rest string, err error) {
	return readQuoted(strings.TrimPrefix(s, "u"), false)
}

// readBytes does the same for a literal of type bytes.
func readBytes(s string) (value, rest string, err error) {
	s, ok := strings.CutPrefix(s, "b")
	if !ok {
		return "", "", errNoLiteral
	}
	return readQuoted(s, true)
}

func readQuoted(s string, asBytes bool) (value, rest string, err error) {
	end, err := closingQuote(s)
	if err != nil {
		return "", "", err
	}
	rest, s = s[end+1:], s[1:end]
	var b strings.Builder
	b.Grow(len(s)) // no escape is shorter than what it stands for
	for {
		plain, escape, found := cutAt(s, '\\')
		if asBytes && strings.ContainsFunc(plain, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return "", "", errors.New("it holds bytes that are not ASCII")
		}
		b.WriteString(plain)
		if !found {
			return b.String(), rest, nil
		}
		if s, err = unescape(&b, escape, asBytes); err != nil {
			return "", "", err
		}
	}
}

// special are the bytes at which closingQuote has to look twice.
var special = func() (special [256]bool) {
	for c := range byte(' ') {
		special[c] = true
	}
	for _, c := range []byte{'\'', '"', '\\', 0x7f} {
		special[c] = true
	}
	return special
}()

// closingQuote finds the quote that ends the literal which begins with the first byte of s.
func closingQuote(s string) (int, error) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return 0, errNoLiteral
	}
	for i := 1; i < len(s); i++ {
		for i < len(s) && !special[s[i]] {
			i++
		}
		switch {
		case i == len(s):
			return 0, errUnclosed
		case s[i] == s[0]:
			return i, nil
		case s[i] == '"', s[i] == '\'':
			continue
		case s[i] == '\\':
			i++
		}
		if i < len(s) && (s[i] < ' ' || s[i] == 0x7f) {
			return 0, errControl
		}
	}
	return 0, errUnclosed
}

// cutAt is strings.Cut, but what follows keeps the separator.
func cutAt(s string, c byte) (before, from string, found bool) {
	if i := strings.IndexByte(s, c); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

// plainEscapes are the escapes of one character, and 0 for what is none.
var plainEscapes = [256]byte{
	'\\': '\\', '\'': '\'', '"': '"', 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

// unescape writes what the escape that s begins with means, and returns what follows it.
func unescape(b *strings.Builder, s string, asBytes bool) (string, error) {
	c := s[1] // there is one: a backslash does not end a literal
	if meant := plainEscapes[c]; meant != 0 {
		b.WriteByte(meant)
		return s[2:], nil
	}
	from, digits, base := 2, 0, 16
	switch {
	case c == 'x':
		digits = 2
	case c == 'u' && !asBytes:
		digits = 4
	case c == 'U' && !asBytes:
		digits = 8
	case c == 'N' && !asBytes:
		return "", errors.New(`it holds the escape \N`)
	case '0' <= c && c <= '7':
		from, base = 1, 8
		for digits < 3 && from+digits < len(s) && '0' <= s[from+digits] && s[from+digits] <= '7' {
			digits++
		}
	default: // Python keeps what is no escape
		b.WriteByte('\\')
		return s[1:], nil
	}
	if len(s) < from+digits {
		return "", fmt.Errorf("it holds the escape %+q", s)
	}
	number, rest := s[from:from+digits], s[from+digits:]
	n, err := strconv.ParseUint(number, base, 32)
	switch {
	case err != nil, base == 8 && n > 0xff, !asBytes && (n > utf8.MaxRune || !utf8.ValidRune(rune(n))):
		return "", fmt.Errorf("it holds the escape %+q", s[:from+digits])
	case asBytes:
		b.WriteByte(byte(n))
	default:
		b.WriteRune(rune(n))
	}
	return rest, nil
}
