package pyvalue

// int(), float() and complex(), of numbers and of text. gpython v0.2.0 knows neither int('1_000')
// nor digits of other scripts, and would read a text of any length; CPython's limit of 4300 digits
// is kept.

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-python/gpython/py"
)

// newInt is int(x) and int(text, base).
func newInt(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	s := signature{name: "int", params: []string{"x", "base"}, positional: 2, nameless: 1}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	if a[0] == nil {
		if a[1] != nil {
			return nil, py.ExceptionNewf(py.TypeError, "int() missing string argument")
		}
		return py.Int(0), nil
	}
	base := 10
	if a[1] != nil {
		if base, err = asSize(a[1]); err != nil {
			return nil, err
		}
		if base != 0 && (base < 2 || base > 36) {
			return nil, py.ExceptionNewf(py.ValueError, "int() base must be >= 2 and <= 36, or 0")
		}
	}
	switch x := plain(a[0]).(type) {
	case py.String:
		return parseInt(string(x), base, a[0])
	case py.Bytes:
		return parseInt(string(x), base, a[0])
	}
	if a[1] != nil {
		return nil, py.ExceptionNewf(py.TypeError, "int() can't convert non-string with explicit base")
	}
	if i, ok := asInt(a[0]); ok {
		return intObject(i), nil
	}
	if f, ok := a[0].(py.Float); ok {
		return floatToInt(float64(f))
	}
	for _, name := range []string{"__int__", "__index__", "__trunc__"} {
		if method := instanceMethod(a[0], name); method != nil {
			res, err := py.Call(method, py.Tuple{a[0]}, nil)
			if err != nil {
				return nil, err
			}
			i, ok := asInt(plain(res))
			if !ok {
				return nil, py.ExceptionNewf(py.TypeError, "%s returned non-int (type %s)", name, typeName(res))
			}
			return intObject(i), nil
		}
	}
	return nil, py.ExceptionNewf(py.TypeError, "int() argument must be a string, a bytes-like object or a real number, not '%s'", typeName(a[0]))
}

// parseInt reads the text of an int in a base; o is what errors show.
func parseInt(text string, base int, o py.Object) (py.Object, error) {
	invalid := func() error {
		shown, err := Repr(o)
		if err != nil {
			return err
		}
		return py.ExceptionNewf(py.ValueError, "invalid literal for int() with base %d: %s", base, truncate(shown, 200))
	}
	s := asciiDigits(strings.TrimFunc(text, isSpace))
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	read := base
	prefixed := false
	if len(s) > 2 && s[0] == '0' {
		prefixes := map[byte]int{'x': 16, 'o': 8, 'b': 2}
		if p := prefixes[s[1]|0x20]; p != 0 && (base == p || base == 0) {
			s, read, prefixed = s[2:], p, true
			s = strings.TrimPrefix(s, "_")
		}
	}
	if base == 0 && !prefixed {
		read = 10
		if strings.Trim(s, "0_") != "" && strings.HasPrefix(s, "0") {
			return nil, invalid()
		}
	}
	if s == "" || strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || s[0] == '+' || s[0] == '-' {
		return nil, invalid()
	}
	s = strings.ReplaceAll(s, "_", "")
	if read&(read-1) != 0 && len(s) > mostDigits {
		return nil, py.ExceptionNewf(py.ValueError, "Exceeds the limit (%d digits) for integer string conversion: value has %d digits", mostDigits, len(s))
	}
	if err := fitsBits(math.Log2(float64(read)) * float64(len(s))); err != nil {
		return nil, err
	}
	i, ok := new(big.Int).SetString(sign+s, read)
	if !ok {
		return nil, invalid()
	}
	return intObject(i), nil
}

// asciiDigits writes the decimal digits of all scripts as 0 to 9.
func asciiDigits(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.Is(unicode.Nd, r) {
			return r
		}
		zero := r
		for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 { // digits of a script are ten in a row
			zero--
		}
		return '0' + (r - zero)
	}, s)
}

// floatToInt drops the fraction.
func floatToInt(f float64) (py.Object, error) {
	switch {
	case math.IsInf(f, 0):
		return nil, py.ExceptionNewf(py.OverflowError, "cannot convert float infinity to integer")
	case f != f:
		return nil, py.ExceptionNewf(py.ValueError, "cannot convert float NaN to integer")
	}
	i, _ := big.NewFloat(f).Int(nil)
	return intObject(i), nil
}

// newFloat is float(x).
func newFloat(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	s := signature{name: "float", params: []string{"x"}, positional: 1, nameless: 1}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	if a[0] == nil {
		return py.Float(0), nil
	}
	f, err := floatOf(a[0])
	return py.Float(f), err
}

// floatOf is float(o).
func floatOf(o py.Object) (float64, error) {
	switch x := plain(o).(type) {
	case py.String:
		return parseFloat(string(x), o)
	case py.Bytes:
		return parseFloat(string(x), o)
	}
	if f, ok, err := asFloat(o); ok {
		return f, err
	}
	for _, name := range []string{"__float__", "__index__"} {
		if method := instanceMethod(o, name); method != nil {
			res, err := py.Call(method, py.Tuple{o}, nil)
			if err != nil {
				return 0, err
			}
			if f, ok, err := asFloat(res); ok {
				return f, err
			}
			return 0, py.ExceptionNewf(py.TypeError, "%s.%s returned non-float (type %s)", typeName(o), name, typeName(res))
		}
	}
	return 0, py.ExceptionNewf(py.TypeError, "float() argument must be a string or a real number, not '%s'", typeName(o))
}

// parseFloat reads the text of a float; o is what errors show.
func parseFloat(text string, o py.Object) (float64, error) {
	s := asciiDigits(strings.TrimFunc(text, isSpace))
	if f, ok := floatText(s); ok {
		return f, nil
	}
	shown, err := Repr(o)
	if err != nil {
		return 0, err
	}
	return 0, py.ExceptionNewf(py.ValueError, "could not convert string to float: %s", shown)
}

// floatText reads Python's decimal float syntax, which lacks Go's hexadecimal floats.
func floatText(s string) (float64, bool) {
	if strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	for i := range len(s) {
		if s[i] == '_' && (i == 0 || i == len(s)-1 || !isDigitByte(s[i-1]) || !isDigitByte(s[i+1])) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
		err = nil
	}
	return f, err == nil
}

// newComplex is complex(re, im) and complex(text).
func newComplex(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	s := signature{name: "complex", params: []string{"real", "imag"}, positional: 2}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	if text, ok := a[0].(py.String); ok {
		if a[1] != nil {
			return nil, py.ExceptionNewf(py.TypeError, "complex() can't take second arg if first is a string")
		}
		c, ok := parseComplex(strings.TrimFunc(string(text), isSpace))
		if !ok {
			return nil, py.ExceptionNewf(py.ValueError, "complex() arg is a malformed string")
		}
		return py.Complex(c), nil
	}
	if _, ok := a[1].(py.String); ok {
		return nil, py.ExceptionNewf(py.TypeError, "complex() second arg can't be a string")
	}
	var parts [2]complex128
	for i, o := range a {
		if o == nil {
			continue
		}
		if c, ok := o.(py.Complex); ok {
			parts[i] = complex128(c)
			continue
		}
		f, ok, err := asFloat(o)
		if err != nil {
			return nil, err
		}
		if !ok {
			if i == 0 {
				return nil, py.ExceptionNewf(py.TypeError, "complex() first argument must be a string or a number, not '%s'", typeName(o))
			}
			return nil, py.ExceptionNewf(py.TypeError, "complex() second argument must be a number, not '%s'", typeName(o))
		}
		parts[i] = complex(f, 0)
	}
	if a[1] == nil {
		return py.Complex(parts[0]), nil
	}
	re, im := real(parts[0]), real(parts[1])
	if _, ok := a[1].(py.Complex); ok {
		re -= imag(parts[1])
	}
	if _, ok := a[0].(py.Complex); ok {
		im += imag(parts[0])
	}
	return py.Complex(complex(re, im)), nil
}

// parseComplex reads "1+2j" and the like.
func parseComplex(s string) (complex128, bool) {
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		s = strings.TrimFunc(s[1:len(s)-1], isSpace)
	}
	body, imaginary := strings.CutSuffix(strings.ToLower(s), "j")
	if !imaginary {
		f, ok := floatText(body)
		return complex(f, 0), ok
	}
	cut := 0
	// Look for the sign that begins the imaginary part, not that of an exponent.
	for i := len(body) - 1; i > 0; i-- {
		if (body[i] == '+' || body[i] == '-') && body[i-1] != 'e' {
			cut = i
			break
		}
	}
	part := body[cut:]
	if part == "" || part == "+" || part == "-" {
		part += "1"
	}
	im, ok := floatText(part)
	if !ok || cut == 0 {
		return complex(0, im), ok
	}
	re, ok := floatText(body[:cut])
	return complex(re, im), ok
}
