package pyvalue

// format(o, spec) for str, ints, floats and complex numbers, digit by digit as CPython writes them.

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
	"github.com/go-python/gpython/py"
)

// Format is Python's format(o, spec).
func Format(o py.Object, spec string) (string, error) {
	if method := instanceMethod(o, "__format__"); method != nil {
		res, err := py.Call(method, py.Tuple{o, py.String(spec)}, nil)
		if err != nil {
			return "", err
		}
		s, ok := plain(res).(py.String)
		if !ok {
			return "", py.ExceptionNewf(py.TypeError, "__format__ must return a str, not %s", typeName(res))
		}
		return string(s), nil
	}
	if spec == "" {
		return Str(o)
	}
	switch x := o.(type) {
	case py.String:
		return formatStr(string(x), spec)
	case py.Int, *py.BigInt, py.Bool:
		i, _ := asInt(o)
		return formatInt(i, spec, typeName(o))
	case py.Float:
		return formatFloat(float64(x), spec)
	case py.Complex:
		return formatComplex(complex128(x), spec)
	}
	return "", py.ExceptionNewf(py.TypeError, "unsupported format string passed to %s.__format__", typeName(o))
}

// formatStr is format(s, text) of a str.
func formatStr(s, text string) (string, error) {
	spec, err := parseFormatSpec(text, "str")
	if err != nil {
		return "", err
	}
	switch {
	case spec.kind != 0 && spec.kind != 's':
		return "", unknownFormatCode(string(spec.kind), "str")
	case spec.sign == ' ':
		return "", py.ExceptionNewf(py.ValueError, "Space not allowed in string format specifier")
	case spec.sign != 0:
		return "", py.ExceptionNewf(py.ValueError, "Sign not allowed in string format specifier")
	case spec.alternate:
		return "", py.ExceptionNewf(py.ValueError, "Alternate form (#) not allowed in string format specifier")
	case spec.grouping != 0:
		return "", py.ExceptionNewf(py.ValueError, "Cannot specify '%c' with 's'.", spec.grouping)
	case spec.align == '=':
		return "", py.ExceptionNewf(py.ValueError, "'=' alignment not allowed in string format specifier")
	}
	return spec.pad(truncate(s, spec.precision), '<'), nil
}

// truncate keeps the first n characters, all when n is negative.
func truncate(s string, n int) string {
	if n < 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// formatInt is format(i, text) of an int; class is what errors call it.
func formatInt(i *big.Int, text, class string) (string, error) {
	spec, err := parseFormatSpec(text, class)
	if err != nil {
		return "", err
	}
	switch spec.kind {
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		f, _, err := asFloat(intObject(i))
		if err != nil {
			return "", err
		}
		return formatFloat(f, text)
	case 0, 'd', 'n', 'b', 'o', 'x', 'X', 'c':
	default:
		return "", unknownFormatCode(string(spec.kind), class)
	}
	if spec.precision >= 0 {
		return "", py.ExceptionNewf(py.ValueError, "Precision not allowed in integer format specifier")
	}
	if spec.kind == 'c' {
		return spec.formatChar(i)
	}
	base, prefix, every := 10, "", 3
	switch spec.kind {
	case 'b':
		base, prefix, every = 2, "0b", 4
	case 'o':
		base, prefix, every = 8, "0o", 4
	case 'x':
		base, prefix, every = 16, "0x", 4
	case 'X':
		base, prefix, every = 16, "0X", 4
	}
	if !spec.alternate {
		prefix = ""
	}
	digits, err := spec.digitsOf(i, base)
	if err != nil {
		return "", err
	}
	return spec.padNumber(spec.signOf(i.Sign() < 0), prefix, digits, "", every), nil
}

// digitsOf are an int's digits without its sign, as the kind wants them.
func (spec *formatSpec) digitsOf(i *big.Int, base int) (string, error) {
	if err := fitsDigits(i, base); err != nil {
		return "", err
	}
	digits := new(big.Int).Abs(i).Text(base)
	if spec.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	return digits, nil
}

func (spec *formatSpec) formatChar(i *big.Int) (string, error) {
	switch {
	case spec.sign != 0:
		return "", py.ExceptionNewf(py.ValueError, "Sign not allowed with integer format specifier 'c'")
	case spec.alternate:
		return "", py.ExceptionNewf(py.ValueError, "Alternate form (#) not allowed with integer format specifier 'c'")
	case !i.IsInt64() || i.Int64() < 0 || i.Int64() > utf8.MaxRune:
		return "", py.ExceptionNewf(py.OverflowError, "%%c arg not in range(0x110000)")
	}
	return spec.pad(string(rune(i.Int64())), '<'), nil
}

// formatFloat is format(f, text) of a float.
func formatFloat(f float64, text string) (string, error) {
	spec, err := parseFormatSpec(text, "float")
	if err != nil {
		return "", err
	}
	if !strings.ContainsRune("\x00eEfFgGn%", rune(spec.kind)) {
		return "", unknownFormatCode(string(spec.kind), "float")
	}
	return spec.float(f, true), nil
}

// float formats a number; withZero keeps a float without kind and precision looking like a float
// ("1.0").
func (spec *formatSpec) float(f float64, withZero bool) string {
	digits := spec.floatDigits(math.Abs(f), withZero)
	whole := digits
	rest := ""
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		whole, rest = digits[:i], digits[i:]
	}
	negative := math.Signbit(f) && f == f
	if whole == "" && spec.fill == '0' && spec.align == '=' { // inf and nan
		out := *spec
		return out.padNumber(spec.signOf(negative), "", "", rest, 0)
	}
	return spec.padNumber(spec.signOf(negative), "", whole, rest, 3)
}

// floatDigits formats what is not negative.
func (spec *formatSpec) floatDigits(f float64, withZero bool) string {
	kind, precision := spec.kind, spec.precision
	upper := kind == 'E' || kind == 'F' || kind == 'G'
	suffix := ""
	if math.IsInf(f, 0) || f != f {
		s := serializer.Repr(f)
		if upper {
			s = strings.ToUpper(s)
		}
		if kind == '%' {
			s += "%"
		}
		return s
	}
	if precision < 0 && kind != 0 {
		precision = 6
	}
	var s string
	switch kind {
	case 0:
		switch {
		case precision < 0 && withZero:
			s = serializer.Repr(f)
		case precision < 0:
			s = strings.TrimSuffix(serializer.Repr(f), ".0")
		default:
			s = generalFloat(f, max(precision, 1), spec.alternate, withZero)
		}
	case 'e', 'E':
		s = strconv.FormatFloat(f, 'e', precision, 64)
	case '%':
		s = strconv.FormatFloat(f*100, 'f', precision, 64)
		suffix = "%"
	case 'f', 'F':
		s = strconv.FormatFloat(f, 'f', precision, 64)
	default:
		s = generalFloat(f, max(precision, 1), spec.alternate, false)
	}
	if spec.alternate && !strings.Contains(s, ".") {
		if i := strings.IndexByte(s, 'e'); i >= 0 {
			s = s[:i] + "." + s[i:]
		} else {
			s += "."
		}
	}
	if upper {
		s = strings.ToUpper(s)
	}
	return s + suffix
}

// generalFloat is the format g: as many significant digits as asked for, with an exponent when that
// is short. Like repr it keeps a ".0" when point is set, and needs the exponent one digit earlier
// then.
func generalFloat(f float64, digits int, keepZeros, point bool) string {
	s := strconv.FormatFloat(f, 'e', digits-1, 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	exp, _ := strconv.Atoi(exponent)
	limit := digits
	if point {
		limit = digits - 1
	}
	trim := func(s string) string {
		if keepZeros || !strings.Contains(s, ".") {
			return s
		}
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if exp < -4 || exp >= limit {
		return trim(mantissa) + "e" + exponent
	}
	s = trim(strconv.FormatFloat(f, 'f', max(digits-1-exp, 0), 64))
	if point && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// formatComplex is format(c, text) of a complex number.
func formatComplex(c complex128, text string) (string, error) {
	spec, err := parseFormatSpec(text, "complex")
	if err != nil {
		return "", err
	}
	switch {
	case !strings.ContainsRune("\x00eEfFgGn", rune(spec.kind)):
		return "", unknownFormatCode(string(spec.kind), "complex")
	case spec.fill == '0':
		return "", py.ExceptionNewf(py.ValueError, "Zero padding is not allowed in complex format specifier")
	case spec.align == '=':
		return "", py.ExceptionNewf(py.ValueError, "'=' alignment flag is not allowed in complex format specifier")
	}
	part := spec
	part.width, part.align = 0, 0
	re := part.float(real(c), false)
	imagPart := part
	imagPart.sign = '+'
	im := imagPart.float(imag(c), false) + "j"
	switch {
	case spec.kind != 0:
		re += im
	case real(c) == 0 && !math.Signbit(real(c)):
		re = part.float(imag(c), false) + "j"
	default:
		re = "(" + re + im + ")"
	}
	return spec.pad(re, '>'), nil
}
