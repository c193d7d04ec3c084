package syntax

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/go-python/gpython/py"
)

const mostDigits = 4300 // CPython's: of a decimal int

// digits goes over digits of a base, which single underscores may separate. It reports whether
// there were some.
func (l *lexer) digits(base byte) bool {
	any := false
	for {
		c := l.peek(0)
		if c == '_' && any && isDigit(l.peek(1), base) {
			c = l.peek(1)
			l.pos++
		}
		if !isDigit(c, base) {
			return any
		}
		any = true
		l.pos++
	}
}

func isDigit(c, base byte) bool {
	if base == 16 {
		return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
	}
	return '0' <= c && c < '0'+base
}

// number goes over a number.
func (l *lexer) number() {
	start := l.pos
	if l.peek(0) == '0' {
		for _, b := range []struct {
			letter, base byte
			name         string
		}{{'x', 16, "hexadecimal"}, {'o', 8, "octal"}, {'b', 2, "binary"}} {
			if l.peek(1)|0x20 != b.letter {
				continue
			}
			l.pos += 2
			if l.peek(0) == '_' && isDigit(l.peek(1), b.base) {
				l.pos++
			}
			if !l.digits(b.base) {
				l.badDigit(b.base, b.name)
				l.fail(syntaxError, l.pos-1, "invalid %s literal", b.name)
			}
			l.badDigit(b.base, b.name)
			l.numberEnd(start, b.name)
			return
		}
	}
	whole := l.digits(10)
	digits := l.source[start:l.pos]
	float := false
	if l.peek(0) == '.' {
		float = true
		l.pos++
		l.digits(10)
	}
	if c := l.peek(0); c|0x20 == 'e' {
		signed := 0
		if s := l.peek(1); s == '+' || s == '-' {
			signed = 1
		}
		if isDigit(l.peek(1+signed), 10) {
			float = true
			l.pos += 1 + signed
			l.digits(10)
		} else if signed == 1 {
			l.fail(syntaxError, l.pos+1, "invalid decimal literal")
		}
	}
	if l.peek(0)|0x20 == 'j' {
		l.pos++
		l.numberEnd(start, "imaginary")
		return
	}
	if whole && !float && digits[0] == '0' && strings.Trim(digits, "0_") != "" {
		l.fail(syntaxError, start, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
	}
	l.numberEnd(start, "decimal")
}

// badDigit fails if a digit follows that the base has not.
func (l *lexer) badDigit(base byte, name string) {
	if c := l.peek(0); isDigit(c, 10) {
		l.fail(syntaxError, l.pos, "invalid digit '%c' in %s literal", c, name)
	}
}

// numberEnd fails if a number goes over into a word that may not follow it.
func (l *lexer) numberEnd(start int, name string) {
	c := l.peek(0)
	if !isWord(c) && c < 0x80 {
		return
	}
	for _, word := range []string{"and", "else", "for", "if", "in", "is", "or", "not"} {
		if strings.HasPrefix(l.source[l.pos:], word) {
			return
		}
	}
	at := l.pos - 1
	if c == '_' {
		at = l.pos
	}
	l.fail(syntaxError, at, "invalid %s literal", name)
}

// number is the value of a number.
func (p *parser) number(t token) py.Object {
	text := strings.ReplaceAll(p.text(t), "_", "")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return py.Int(n)
	}
	if len(text) > 1 && text[0] == '0' && strings.ContainsAny(text[1:2], "xXoObB") {
		n, _ := new(big.Int).SetString(text, 0)
		return integer(n)
	}
	if last := text[len(text)-1]; last|0x20 == 'j' {
		f, _ := strconv.ParseFloat(text[:len(text)-1], 64)
		return py.Complex(complex(0, f))
	}
	if strings.ContainsAny(text, ".eE") {
		f, _ := strconv.ParseFloat(text, 64) // too large is infinite, as in CPython
		return py.Float(f)
	}
	if len(text) > mostDigits {
		p.failAt(t, "Exceeds the limit (%d digits) for integer string conversion: value has %d digits; use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.", mostDigits, len(text))
	}
	n, _ := new(big.Int).SetString(text, 10)
	return integer(n)
}

func integer(n *big.Int) py.Object {
	if n.IsInt64() {
		return py.Int(n.Int64())
	}
	return (*py.BigInt)(n)
}
