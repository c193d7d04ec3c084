package jsonform

import (
	"encoding/base64"
	"fmt"
	"iter"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
)

// Append appends the form of a value as package serializer loads it, on one line, with spaces where
// Python's json.dumps writes them. A Go type that no loaded value has is an error.
func Append(dst []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, x), nil
	case int64:
		return strconv.AppendInt(dst, x, 10), nil
	case *big.Int:
		return x.Append(dst, 10), nil
	case float64:
		return appendFloat(dst, x), nil
	case complex128:
		dst = append(dst, `{"`+tagComplex+`": [`...)
		dst = append(appendFloat(dst, real(x)), ", "...)
		return append(appendFloat(dst, imag(x)), "]}"...), nil
	case string:
		return AppendString(dst, x), nil
	case []byte:
		dst = append(dst, `{"`+tagBytes+`": "`...)
		return append(base64.StdEncoding.AppendEncode(dst, x), `"}`...), nil
	case []any:
		return appendItems(dst, sliceItems(x))
	case serializer.Tuple:
		return appendItems(dst, sliceItems(x))
	case *serializer.Set:
		return appendTagged(dst, tagSet, x.All())
	case serializer.FrozenSet:
		return appendTagged(dst, tagFrozenSet, x.All())
	case *serializer.Dict:
		return appendDict(dst, x)
	case serializer.Channel:
		dst = append(dst, `{"`+tagChannel+`": `...)
		return append(strconv.AppendInt(dst, int64(x.ExecnetChannelID()), 10), '}'), nil
	}
	return dst, fmt.Errorf("no JSON form for a Go %T", v)
}

// appendFloat writes what Python's repr prints. That is valid JSON and never looks like an int.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(append(append(dst, `{"`+tagFloat+`": "`...), serializer.Repr(f)...), `"}`...)
	}
	return append(dst, serializer.Repr(f)...)
}

// AppendString appends a JSON string. It escapes only what must be escaped.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ' || c == 0x7f:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			// Some programs that read lines end a line at these characters.
			if r == '\u2028' || r == '\u2029' || r == '\u0085' {
				dst = fmt.Appendf(dst, `\u%04x`, r)
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			i += size
			continue
		}
		i++
	}
	return append(dst, '"')
}

func sliceItems(items []any) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, item := range items {
			if !yield(item) {
				return
			}
		}
	}
}

func appendItems(dst []byte, items iter.Seq[any]) ([]byte, error) {
	dst = append(dst, '[')
	first := true
	for item := range items {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		var err error
		if dst, err = Append(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendTagged(dst []byte, tag string, items iter.Seq[any]) ([]byte, error) {
	dst = append(append(append(dst, `{"`...), tag...), `": `...)
	dst, err := appendItems(dst, items)
	return append(dst, '}'), err
}

func appendDict(dst []byte, d *serializer.Dict) ([]byte, error) {
	if !plain(d) {
		return appendTagged(dst, tagDict, func(yield func(any) bool) {
			for key, value := range d.All() {
				if !yield([]any{key, value}) {
					return
				}
			}
		})
	}
	dst = append(dst, '{')
	first := true
	for key, value := range d.All() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = append(AppendString(dst, key.(string)), ": "...)
		var err error
		if dst, err = Append(dst, value); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// plain reports whether a JSON object can stand for the dict.
func plain(d *serializer.Dict) bool {
	for key := range d.Keys() {
		name, ok := key.(string)
		if !ok || isTag(name) {
			return false
		}
	}
	return true
}
