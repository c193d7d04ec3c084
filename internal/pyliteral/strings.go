package pyliteral

import (
	"strings"
	"unicode/utf8"

	"github.com/go-execnet/execnet/internal/pystring"
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
			var length int
			var problem string
			if dst, length, problem = pystring.Unescape(dst, rest, isBytes); problem != "" {
				return nil, p.fail("%s", problem)
			}
			p.pos += length
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
