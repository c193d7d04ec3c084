package serializer

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-execnet/execnet/internal/pystring"
)

// Repr returns what Python's repr prints for a value as [Loads] returns it. Other Go values look as
// fmt.Sprint prints them. Items of sets come in the order in which they were added.
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
		pystring.WriteRepr(b, x)
	case []byte:
		pystring.WriteReprBytes(b, x)
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

// floatRepr returns the shortest digits that read back as f, without exponent from 1e-4 up to 1e16.
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
