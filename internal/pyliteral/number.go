package pyliteral

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads a number without sign.
func (p *parser) number() (any, *SyntaxError) {
	start := p.pos
	v, err := p.numeral()
	if err != nil {
		return nil, err
	}
	if r, _ := utf8.DecodeRuneInString(p.text[p.pos:]); r == '_' || p.pos < len(p.text) && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return nil, p.failAt(start, "the number is followed by %q", r)
	}
	return v, nil
}

func (p *parser) numeral() (any, *SyntaxError) {
	start := p.pos
	if base := basePrefix(p.text[start:]); base != 0 {
		p.pos += 2
		if p.peek() == '_' {
			p.pos++
		}
		digits := p.digits(base)
		if digits == "" {
			return nil, p.failAt(start, "%s needs digits behind it", p.text[start:start+2])
		}
		return integer(digits, base), nil
	}
	whole := p.digits(10)
	isFloat := false
	if p.peek() == '.' {
		isFloat = true
		p.pos++
		p.digits(10)
	}
	if p.exponent() {
		isFloat = true
	}
	text := strings.ReplaceAll(p.text[start:p.pos], "_", "")
	if c := p.peek(); c == 'j' || c == 'J' {
		p.pos++
		return complex(0, float(text)), nil
	}
	if isFloat {
		return float(text), nil
	}
	if whole[0] == '0' && strings.Trim(whole, "0") != "" {
		return nil, p.failAt(start, "an integer cannot start with 0; write 0o for an octal one")
	}
	return integer(whole, 10), nil
}

func basePrefix(s string) int {
	if len(s) < 2 || s[0] != '0' {
		return 0
	}
	switch s[1] {
	case 'x', 'X':
		return 16
	case 'o', 'O':
		return 8
	case 'b', 'B':
		return 2
	}
	return 0
}

// digits reads digits of a base with single underscores between them, and returns them without the
// underscores.
func (p *parser) digits(base int) string {
	start := p.pos
	for p.pos < len(p.text) {
		at := p.pos
		if p.text[at] == '_' && at > start {
			at++
		}
		if at == len(p.text) || digit(p.text[at]) >= base {
			break
		}
		p.pos = at + 1
	}
	return strings.ReplaceAll(p.text[start:p.pos], "_", "")
}

func digit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}

// exponent reads one, if one is there.
func (p *parser) exponent() bool {
	start := p.pos
	if c := p.peek(); c != 'e' && c != 'E' {
		return false
	}
	p.pos++
	if c := p.peek(); c == '+' || c == '-' {
		p.pos++
	}
	if p.digits(10) == "" {
		p.pos = start
		return false
	}
	return true
}

func integer(digits string, base int) any {
	if n, err := strconv.ParseInt(digits, base, 64); err == nil {
		return n
	}
	n, _ := new(big.Int).SetString(digits, base)
	return n
}

// float returns infinity for what is too large, as Python does.
func float(digits string) float64 {
	f, _ := strconv.ParseFloat(digits, 64)
	return f
}
