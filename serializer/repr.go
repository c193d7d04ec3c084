package serializer

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Repr is what Python's repr prints for a value as Loads gives it; other Go values print as
// fmt.Sprint prints them. Items of sets come in the order they were added.
func Repr(v any) string {
	var b strings.Builder
	writeRepr(&b, v, nil)
	return b.String()
}

func writeRepr(b *strings.Builder, v any, around []container) {
	switch v.(type) { // the two that can hold themselves
	case []any, *Dict:
		id := identity(reflect.ValueOf(v))
		if id.at != 0 && slices.Contains(around, id) {
			if id.len > 0 {
				b.WriteString("[...]")
			} else {
				b.WriteString("{...}")
			}
			return
		}
		around = append(around, id)
	}
	switch x := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		if x {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case int64:
		b.WriteString(strconv.FormatInt(x, 10))
	case *big.Int:
		b.WriteString(x.String())
	case float64:
		b.WriteString(floatRepr(x))
	case complex128:
		b.WriteString(complexRepr(x))
	case string:
		strRepr(b, x)
	case []byte:
		bytesRepr(b, x)
	case []any:
		writeItems(b, "[", x, "]", around)
	case Tuple:
		if len(x) == 1 {
			writeItems(b, "(", x, ",)", around)
		} else {
			writeItems(b, "(", x, ")", around)
		}
	case *Dict:
		b.WriteByte('{')
		sep := ""
		for key, value := range x.All() {
			b.WriteString(sep)
			writeRepr(b, key, around)
			b.WriteString(": ")
			writeRepr(b, value, around)
			sep = ", "
		}
		b.WriteByte('}')
	case *Set:
		if x.Len() == 0 {
			b.WriteString("set()")
			return
		}
		writeSet(b, &x.items, around)
	case FrozenSet:
		if x.Len() == 0 {
			b.WriteString("frozenset()")
			return
		}
		b.WriteString("frozenset(")
		writeSet(b, x.dict(), around)
		b.WriteByte(')')
	default:
		fmt.Fprint(b, v)
	}
}

func writeItems(b *strings.Builder, start string, items []any, end string, around []container) {
	b.WriteString(start)
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		writeRepr(b, item, around)
	}
	b.WriteString(end)
}

func writeSet(b *strings.Builder, items *Dict, around []container) {
	sep := "{"
	for item := range items.Keys() {
		b.WriteString(sep)
		writeRepr(b, item, around)
		sep = ", "
	}
	b.WriteByte('}')
}

// floatRepr prints the shortest digits that read back the same, plainly between 1e-4 and 1e16.
func floatRepr(f float64) string {
	s := plainFloat(f)
	if strings.ContainsAny(s, ".enf") {
		return s
	}
	return s + ".0"
}

func plainFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f != f:
		return "nan"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func complexRepr(c complex128) string {
	im := plainFloat(imag(c))
	if !strings.HasPrefix(im, "-") {
		im = "+" + im
	}
	if re := real(c); re != 0 || math.Signbit(re) {
		return "(" + plainFloat(re) + im + "j)"
	}
	return strings.TrimPrefix(im, "+") + "j"
}

func strRepr(b *strings.Builder, s string) {
	quote := quoteFor(s)
	b.WriteByte(quote)
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(b, `\x%02x`, s[i])
		case r < 0x20 || r == 0x7f || r == '\\' || r == rune(quote):
			escapeByte(b, byte(r), quote)
		case r < 0x7f || unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
}

func bytesRepr(b *strings.Builder, p []byte) {
	quote := quoteFor(string(p))
	b.WriteByte('b')
	b.WriteByte(quote)
	for _, c := range p {
		escapeByte(b, c, quote)
	}
	b.WriteByte(quote)
}

func quoteFor(s string) byte {
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return '"'
	}
	return '\''
}

func escapeByte(b *strings.Builder, c, quote byte) {
	switch {
	case c == '\n':
		b.WriteString(`\n`)
	case c == '\r':
		b.WriteString(`\r`)
	case c == '\t':
		b.WriteString(`\t`)
	case c == '\\' || c == quote:
		b.WriteByte('\\')
		b.WriteByte(c)
	case c < 0x20 || c >= 0x7f:
		fmt.Fprintf(b, `\x%02x`, c)
	default:
		b.WriteByte(c)
	}
}
