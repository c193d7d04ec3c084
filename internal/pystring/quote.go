// Package pystring reads and writes Python's string literals, of type str and bytes. It evaluates
// nothing and knows no other values: those are package pyliteral's.
package pystring

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WriteRepr writes s as Python 3's repr prints a str. Bytes that are not UTF-8 become escapes,
// which Python reads as the characters with those numbers.
func WriteRepr(b *strings.Builder, s string) { write(b, s, quoteFor(s), unicode.IsPrint) }

// WriteReprBytes writes p as Python 3's repr prints bytes.
func WriteReprBytes(b *strings.Builder, p []byte) {
	b.WriteByte('b')
	writeBytes(b, p, quoteFor(string(p)))
}

// ASCII returns s as a literal that means the same text in Python 2.7 and 3, in ASCII and on one
// line. Python 2 reads it as str if s is ASCII, as Python 2 programs expect of names and paths, and
// otherwise as unicode. Bytes that are not UTF-8 become U+FFFD.
func ASCII(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + len(`u""`))
	if !isASCII(s) {
		b.WriteByte('u')
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	write(&b, s, '"', func(rune) bool { return false })
	return b.String()
}

// Bytes returns p as a literal of type bytes (str in Python 2), in ASCII and on one line.
func Bytes(p []byte) string {
	var b strings.Builder
	b.Grow(2*len(p) + len(`b""`))
	b.WriteByte('b')
	writeBytes(&b, p, '"')
	return b.String()
}

// quoteFor returns the quote that repr takes.
func quoteFor(s string) byte {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return '"'
	}
	return '\''
}

// write writes s between quotes. keep tells which characters beyond ASCII are written as they are.
func write(b *strings.Builder, s string, quote byte, keep func(rune) bool) {
	b.WriteByte(quote)
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && isPlain(s[i], quote) {
			i++
		}
		if b.WriteString(s[from:i]); i == len(s) {
			break
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r < utf8.RuneSelf || r == utf8.RuneError && size == 1:
			escape(b, s[i], quote)
		case keep(r):
			b.WriteString(s[i : i+size])
		case r <= 0xff:
			fmt.Fprintf(b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
		i += size
	}
	b.WriteByte(quote)
}

func writeBytes(b *strings.Builder, p []byte, quote byte) {
	b.WriteByte(quote)
	for _, c := range p {
		if isPlain(c, quote) {
			b.WriteByte(c)
		} else {
			escape(b, c, quote)
		}
	}
	b.WriteByte(quote)
}

// isPlain reports whether c is an ASCII character that stands for itself in a literal.
func isPlain(c, quote byte) bool { return ' ' <= c && c < 0x7f && c != '\\' && c != quote }

// escape writes a byte that is not plain.
func escape(b *strings.Builder, c, quote byte) {
	switch c {
	case '\n':
		b.WriteString(`\n`)
	case '\r':
		b.WriteString(`\r`)
	case '\t':
		b.WriteString(`\t`)
	case '\\', quote:
		b.WriteByte('\\')
		b.WriteByte(c)
	default:
		fmt.Fprintf(b, `\x%02x`, c)
	}
}
