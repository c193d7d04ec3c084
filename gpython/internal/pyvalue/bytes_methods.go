package pyvalue

// bytes: its constructor and methods. In gpython v0.2.0 bytes have one method, replace, and no
// b[0]. CPython's have most of those of str, and decode and hex.

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/go-python/gpython/py"
)

// newBytes is bytes(), bytes(n), bytes(iterable) and bytes(str, encoding, errors).
func newBytes(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	s := signature{name: "bytes", params: []string{"source", "encoding", "errors"}, positional: 3}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	if text, ok := a[0].(py.String); ok {
		if a[1] == nil {
			return nil, py.ExceptionNewf(py.TypeError, "string argument without an encoding")
		}
		encoding, errors, err := codecArguments("bytes", a[1], a[2])
		if err != nil {
			return nil, err
		}
		b, err := encode(string(text), encoding, errors)
		return py.Bytes(b), err
	}
	switch {
	case a[1] != nil:
		return nil, py.ExceptionNewf(py.TypeError, "encoding without a string argument")
	case a[2] != nil:
		return nil, py.ExceptionNewf(py.TypeError, "errors without a string argument")
	case a[0] == nil:
		return py.Bytes{}, nil
	}
	if b, ok := a[0].(py.Bytes); ok {
		return b, nil
	}
	if _, ok := asInt(plain(a[0])); ok {
		n, err := asSize(a[0])
		switch {
		case err != nil:
			return nil, py.ExceptionNewf(py.OverflowError, "cannot fit '%s' into an index-sized integer", typeName(a[0]))
		case n < 0:
			return nil, py.ExceptionNewf(py.ValueError, "negative count")
		}
		if err := Fits(1, n); err != nil {
			return nil, err
		}
		return make(py.Bytes, n), nil
	}
	if method := instanceMethod(a[0], "__bytes__"); method != nil {
		return py.Call(method, py.Tuple{a[0]}, nil)
	}
	if !iterable(a[0]) {
		return nil, py.ExceptionNewf(py.TypeError, "cannot convert '%s' object to bytes", typeName(a[0]))
	}
	if err := checkLength(a[0]); err != nil {
		return nil, err
	}
	out := py.Bytes{}
	err = iterate(a[0], func(item py.Object) error {
		i, err := asIndex(item)
		if err != nil {
			return err
		}
		if !i.IsInt64() || i.Int64() < 0 || i.Int64() > 255 {
			return py.ExceptionNewf(py.ValueError, "bytes must be in range(0, 256)")
		}
		out = append(out, byte(i.Int64()))
		return nil
	})
	return out, err
}

// mapASCII changes the bytes that are ASCII.
func mapASCII(s string, change func(c byte) byte) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = change(c)
	}
	return string(b)
}

func upperByte(c byte) byte {
	if isLowerByte(c) {
		return c - 'a' + 'A'
	}
	return c
}

func lowerByte(c byte) byte {
	if isUpperByte(c) {
		return c - 'A' + 'a'
	}
	return c
}

func isLowerByte(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpperByte(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlphaByte(c byte) bool { return isLowerByte(c) || isUpperByte(c) }
func isDigitByte(c byte) bool { return c >= '0' && c <= '9' }

// titleBytes is b.title().
func titleBytes(s string) string {
	inWord := false
	return mapASCII(s, func(c byte) byte {
		was := inWord
		inWord = isAlphaByte(c)
		if was {
			return lowerByte(c)
		}
		return upperByte(c)
	})
}

func swapByte(c byte) byte {
	if isLowerByte(c) {
		return upperByte(c)
	}
	return lowerByte(c)
}

func allBytes(is func(byte) bool) func(string) bool {
	return func(s string) bool {
		for i := range len(s) {
			if !is(s[i]) {
				return false
			}
		}
		return s != ""
	}
}

func casedBytes(wanted, other func(byte) bool) func(string) bool {
	return func(s string) bool {
		any := false
		for i := range len(s) {
			if other(s[i]) {
				return false
			}
			any = any || wanted(s[i])
		}
		return any
	}
}

func init() {
	py.BytesType.New = newBytes
	addTextMethods(bytesKind)
	for name, change := range map[string]func(string) string{
		"upper": func(s string) string { return mapASCII(s, upperByte) },
		"lower": func(s string) string { return mapASCII(s, lowerByte) },
		"title": titleBytes,
		"capitalize": func(s string) string {
			if s == "" {
				return s
			}
			return mapASCII(s[:1], upperByte) + mapASCII(s[1:], lowerByte)
		},
		"swapcase": func(s string) string { return mapASCII(s, swapByte) },
	} {
		bytesKind.method(name+"()", func(s string, _ []py.Object) (py.Object, error) { return py.Bytes(change(s)), nil })
	}
	for name, is := range map[string]func(string) bool{
		"isdigit": allBytes(isDigitByte), "isalpha": allBytes(isAlphaByte),
		"isalnum": allBytes(func(c byte) bool { return isAlphaByte(c) || isDigitByte(c) }),
		"isspace": allBytes(func(c byte) bool { return isByteSpace(rune(c)) }),
		"isupper": casedBytes(isUpperByte, isLowerByte), "islower": casedBytes(isLowerByte, isUpperByte),
		"istitle": func(s string) bool {
			return isTitle(fromLatin1([]byte(mapASCII(s, func(c byte) byte { return c & 0x7f }))))
		},
		"isascii": isASCII,
	} {
		bytesKind.method(name+"()", func(s string, _ []py.Object) (py.Object, error) { return py.NewBool(is(s)), nil })
	}
	bytesKind.method("decode(encoding=, errors=)", func(s string, a []py.Object) (py.Object, error) {
		encoding, errors, err := codecArguments("decode", a[0], a[1])
		if err != nil {
			return nil, err
		}
		text, err := decode([]byte(s), encoding, errors)
		return py.String(text), err
	})
	bytesKind.method("hex(sep=, bytes_per_sep=)", hexBytes)
	addStatic(py.BytesType, "fromhex(string, /)", fromHex)
	addStatic(py.BytesType, "maketrans(frm, to, /)", func(a []py.Object) (py.Object, error) {
		from, ok := a[0].(py.Bytes)
		if !ok {
			return nil, needsBytes(a[0])
		}
		to, ok := a[1].(py.Bytes)
		if !ok {
			return nil, needsBytes(a[1])
		}
		if len(from) != len(to) {
			return nil, py.ExceptionNewf(py.ValueError, "maketrans arguments must have same length")
		}
		table := make(py.Bytes, 256)
		for i := range table {
			table[i] = byte(i)
		}
		for i, c := range from {
			table[c] = to[i]
		}
		return table, nil
	})
	bytesKind.method("translate(table, /, delete=)", func(s string, a []py.Object) (py.Object, error) {
		drop, ok := optional(a[1], py.Bytes{}).(py.Bytes)
		if !ok {
			return nil, needsBytes(a[1])
		}
		var table py.Bytes
		if !isNone(a[0]) {
			if table, ok = a[0].(py.Bytes); !ok {
				return nil, needsBytes(a[0])
			}
			if len(table) != 256 {
				return nil, py.ExceptionNewf(py.ValueError, "translation table must be 256 characters long")
			}
		}
		out := py.Bytes{}
		for _, c := range []byte(s) {
			if strings.IndexByte(string(drop), c) >= 0 {
				continue
			}
			if table != nil {
				c = table[c]
			}
			out = append(out, c)
		}
		return out, nil
	})
}

// hexBytes is b.hex(), with separators every so many bytes, counted from the end unless the number
// is negative.
func hexBytes(s string, a []py.Object) (py.Object, error) {
	if err := Fits(3, len(s)); err != nil {
		return nil, err
	}
	digits := hex.EncodeToString([]byte(s))
	if a[0] == nil {
		return py.String(digits), nil
	}
	sep, err := Str(a[0])
	if err != nil {
		return nil, err
	}
	if b, ok := a[0].(py.Bytes); ok {
		sep = string(b)
	}
	if len(sep) != 1 {
		return nil, py.ExceptionNewf(py.ValueError, "sep must be length 1.")
	}
	every, err := sizeOr(a[1], 1)
	if err != nil || every == 0 {
		return py.String(digits), err
	}
	n := len(s)
	var b strings.Builder
	for i := range n {
		if i > 0 && (every > 0 && (n-i)%every == 0 || every < 0 && i%-every == 0) {
			b.WriteString(sep)
		}
		b.WriteString(digits[2*i : 2*i+2])
	}
	return py.String(b.String()), nil
}

// fromHex is bytes.fromhex(text).
func fromHex(a []py.Object) (py.Object, error) {
	s, ok := a[0].(py.String)
	if !ok {
		return nil, py.ExceptionNewf(py.TypeError, "fromhex() argument must be str, not %s", typeName(a[0]))
	}
	out := py.Bytes{}
	text := []rune(string(s))
	for i := 0; i < len(text); i++ {
		if isByteSpace(text[i]) {
			continue
		}
		for at := i; at < i+2; at++ {
			if at >= len(text) || text[at] > 0x7f || strings.IndexByte("0123456789abcdefABCDEF", byte(text[at])) < 0 {
				return nil, py.ExceptionNewf(py.ValueError, "non-hexadecimal number found in fromhex() arg at position %d", at)
			}
		}
		b, _ := hex.DecodeString(string(text[i : i+2]))
		out = append(out, b...)
		i++
	}
	return out, nil
}

func bytesContains(b py.Bytes, item py.Object) (bool, error) {
	switch x := item.(type) {
	case py.Bytes:
		return bytes.Contains(b, x), nil
	}
	c, err := asByte(item)
	if err != nil {
		return false, err
	}
	return bytes.IndexByte(b, c) >= 0, nil
}

func asByte(o py.Object) (byte, error) {
	if !isNumber(o) {
		return 0, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", typeName(o))
	}
	i, err := asIndex(o)
	if err != nil {
		return 0, err
	}
	if !i.IsInt64() || i.Int64() < 0 || i.Int64() > 255 {
		return 0, py.ExceptionNewf(py.ValueError, "byte must be in range(0, 256)")
	}
	return byte(i.Int64()), nil
}
