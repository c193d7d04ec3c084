package pyliteral

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// strings reads the string or bytes literals at pos, which make one value.
func (p *parser) strings() (any, *SyntaxError) {
	var content []byte
	isBytes := false
	for first := true; ; first = false {
		start := p.pos
		prefix := strings.ToLower(p.word())
		p.pos += len(prefix)
		switch prefix {
		case "", "r", "u", "b", "br", "rb":
		case "f", "fr", "rf", "t", "tr", "rt":
			return nil, p.failAt(start, "a string that computes (%s) is not a literal", prefix)
		default:
			return nil, p.failAt(start, "a string cannot have the prefix %s", prefix)
		}
		if b := strings.Contains(prefix, "b"); first {
			isBytes = b
		} else if b != isBytes {
			return nil, p.failAt(start, "bytes and str cannot be joined")
		}
		var err *SyntaxError
		if content, err = p.quoted(content, isBytes, strings.Contains(prefix, "r")); err != nil {
			return nil, err
		}
		end := p.pos
		p.skip()
		if next := p.pos + len(p.word()); next == len(p.text) || p.text[next] != '\'' && p.text[next] != '"' {
			p.pos = end
			break
		}
	}
	if isBytes {
		if content == nil {
			content = []byte{}
		}
		return content, nil
	}
	return string(content), nil
}

// quoted appends what stands between the quotes at pos to dst.
func (p *parser) quoted(dst []byte, isBytes, raw bool) ([]byte, *SyntaxError) {
	start := p.pos
	quote := p.text[start : start+1]
	triple := strings.HasPrefix(p.text[start:], quote+quote+quote)
	if triple {
		quote = p.text[start : start+3]
	}
	p.pos += len(quote)
	for {
		rest := p.text[p.pos:]
		end := newline(rest)
		switch {
		case rest == "":
			return nil, p.failAt(start, "the string is never closed")
		case strings.HasPrefix(rest, quote):
			p.pos += len(quote)
			return dst, nil
		case end > 0 && !triple:
			return nil, p.failAt(start, "the string is not closed on its line; use three quotes for several lines")
		case end > 0:
			dst = append(dst, '\n')
			p.pos += end
		case rest[0] == '\\' && len(rest) == 1:
			p.pos++
		case rest[0] == '\\' && !raw:
			var err *SyntaxError
			if dst, err = p.escape(dst, isBytes); err != nil {
				return nil, err
			}
		case rest[0] == '\\' && newline(rest[1:]) > 0:
			dst = append(dst, '\\', '\n')
			p.pos += 1 + newline(rest[1:])
		case rest[0] == '\\' && rest[1] < utf8.RuneSelf:
			dst = append(dst, rest[:2]...) // a quote behind a backslash does not end a raw string
			p.pos += 2
		case rest[0] >= utf8.RuneSelf && isBytes:
			return nil, p.fail(`bytes can contain only ASCII characters; write others as \x..`)
		default:
			dst = append(dst, rest[0])
			p.pos++
		}
	}
}

// escape appends what the backslash at pos and the characters behind it stand for. One character
// follows at least.
func (p *parser) escape(dst []byte, isBytes bool) ([]byte, *SyntaxError) {
	start := p.pos
	c := p.text[start+1]
	p.pos += 2
	if i := strings.IndexByte(`\'"abfnrtv`, c); i >= 0 {
		return append(dst, "\\'\"\a\b\f\n\r\t\v"[i]), nil
	}
	switch {
	case c == '\n' || c == '\r':
		p.pos = start + 1 + newline(p.text[start+1:])
		return dst, nil
	case '0' <= c && c <= '7':
		n := rune(c - '0')
		for range 2 {
			if d := p.peek(); '0' <= d && d <= '7' {
				n = n<<3 | rune(d-'0')
				p.pos++
			}
		}
		if isBytes {
			return append(dst, byte(n)), nil
		}
		return utf8.AppendRune(dst, n), nil
	case c == 'x':
		n, err := p.hex(start, 2)
		if isBytes {
			return append(dst, byte(n)), err
		}
		return utf8.AppendRune(dst, n), err
	case isBytes || c != 'u' && c != 'U' && c != 'N':
		p.pos-- // Python leaves an escape that it does not know as it is
		return append(dst, '\\'), nil
	case c == 'N':
		return nil, p.failAt(start, `characters cannot be given by name here; write \u.... or the character itself`)
	}
	digits := 4
	if c == 'U' {
		digits = 8
	}
	n, err := p.hex(start, digits)
	switch {
	case err != nil:
		return nil, err
	case 0xD800 <= n && n <= 0xDFFF:
		return nil, p.failAt(start, `a lone surrogate cannot be sent; write a character beyond \uffff as \U........`)
	case n > utf8.MaxRune || n < 0:
		return nil, p.failAt(start, "there is no such character")
	}
	return utf8.AppendRune(dst, n), nil
}

// hex reads exactly as many hexadecimal digits, for the escape at start. The value of eight may
// come out negative.
func (p *parser) hex(start, digits int) (rune, *SyntaxError) {
	end := p.pos + digits
	if end > len(p.text) {
		return 0, p.failAt(start, "the escape needs %d hexadecimal digits", digits)
	}
	n, err := strconv.ParseUint(p.text[p.pos:end], 16, 32)
	if err != nil {
		return 0, p.failAt(start, "the escape needs %d hexadecimal digits", digits)
	}
	p.pos = end
	return rune(n), nil
}
