package pyvalue

// The format specification after the colon in "{:>+#010,.3f}": how it is read, and the padding and
// grouping that all types share. gpython v0.2.0 has neither str.format nor format(o, spec).

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// formatSpec is what stands after the colon in "{:>+#010,.3f}".
type formatSpec struct {
	fill      rune
	align     byte // one of < > = ^, 0 when not given
	sign      byte // one of + - and space, 0 when not given
	alternate bool
	width     int
	grouping  byte // , or _ or 0
	precision int  // -1 when not given
	kind      byte // 0 when not given
}

// parseFormatSpec reads a specification for an object of a class, which errors name.
func parseFormatSpec(text, class string) (formatSpec, error) {
	spec := formatSpec{fill: ' ', precision: -1}
	rest := text
	filled := false
	if first, n := utf8.DecodeRuneInString(rest); n > 0 && n < len(rest) && strings.IndexByte("<>=^", rest[n]) >= 0 {
		spec.fill, spec.align = first, rest[n]
		rest, filled = rest[n+1:], true
	} else if rest != "" && strings.IndexByte("<>=^", rest[0]) >= 0 {
		spec.align = rest[0]
		rest = rest[1:]
	}
	one := func(chars string) byte {
		if rest != "" && strings.IndexByte(chars, rest[0]) >= 0 {
			c := rest[0]
			rest = rest[1:]
			return c
		}
		return 0
	}
	spec.sign = one("+- ")
	spec.alternate = one("#") != 0
	if !filled && one("0") != 0 {
		spec.fill = '0'
		if spec.align == 0 && class != "str" {
			spec.align = '='
		}
	}
	var err error
	if spec.width, rest, err = leadingNumber(rest, 0); err != nil {
		return spec, err
	}
	spec.grouping = one(",_")
	if spec.grouping != 0 && rest != "" && (rest[0] == ',' || rest[0] == '_') {
		if rest[0] == spec.grouping {
			return spec, py.ExceptionNewf(py.ValueError, "Cannot specify '%c' with '%c'.", spec.grouping, rest[0])
		}
		return spec, py.ExceptionNewf(py.ValueError, "Cannot specify both ',' and '_'.")
	}
	if one(".") != 0 {
		if spec.precision, rest, err = leadingNumber(rest, -1); err != nil {
			return spec, err
		}
		if spec.precision < 0 {
			return spec, py.ExceptionNewf(py.ValueError, "Format specifier missing precision")
		}
	}
	switch {
	case len(rest) > 1 && utf8.RuneCountInString(rest) > 1:
		return spec, py.ExceptionNewf(py.ValueError, "Invalid format specifier '%s' for object of type '%s'", text, class)
	case len(rest) > 1:
		return spec, unknownFormatCode(rest, class)
	case rest != "":
		spec.kind = rest[0]
	}
	if spec.grouping != 0 && spec.kind != 0 && strings.IndexByte("defgEG%F", spec.kind) < 0 &&
		(spec.grouping == ',' || strings.IndexByte("boxX", spec.kind) < 0) {
		return spec, py.ExceptionNewf(py.ValueError, "Cannot specify '%c' with '%c'.", spec.grouping, spec.kind)
	}
	return spec, nil
}

func unknownFormatCode(code, class string) error {
	shown := code
	if c := []rune(code)[0]; c <= ' ' || c >= 0x80 {
		shown = fmt.Sprintf("\\x%x", c)
	}
	return py.ExceptionNewf(py.ValueError, "Unknown format code '%s' for object of type '%s'", shown, class)
}

// mostWidth limits the widths and precisions that a format can ask for.
const mostWidth = 1 << 24

// leadingNumber reads the digits at the beginning of s, and returns the rest.
func leadingNumber(s string, otherwise int) (int, string, error) {
	n, i := 0, 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if n = n*10 + int(s[i]-'0'); n > mostWidth {
			return 0, "", py.ExceptionNewf(py.ValueError, "Too many decimal digits in format string")
		}
	}
	if i == 0 {
		return otherwise, s, nil
	}
	return n, s[i:], nil
}

// pad brings s to the spec's width; otherwise is the alignment when none is given.
func (spec *formatSpec) pad(s string, otherwise byte) string {
	missing := spec.width - utf8.RuneCountInString(s)
	if missing <= 0 {
		return s
	}
	align := spec.align
	if align == 0 {
		align = otherwise
	}
	left := missing
	switch align {
	case '<':
		left = 0
	case '^':
		left = missing / 2
	}
	fill := string(spec.fill)
	return strings.Repeat(fill, left) + s + strings.Repeat(fill, missing-left)
}

// padNumber puts sign, prefix ("0x") and digits together, with groups and padding.
func (spec *formatSpec) padNumber(sign, prefix, whole, rest string, every int) string {
	head := sign + prefix
	if spec.align == '=' {
		room := spec.width - len(head) - len(rest)
		if spec.fill == '0' {
			return head + spec.group(whole, every, room) + rest
		}
		body := spec.group(whole, every, 0)
		missing := room - len(body)
		return head + strings.Repeat(string(spec.fill), max(0, missing)) + body + rest
	}
	return spec.pad(head+spec.group(whole, every, 0)+rest, '>')
}

// group puts separators between groups of digits, and zeros before them to fill width.
func (spec *formatSpec) group(digits string, every, width int) string {
	if spec.grouping == 0 || every == 0 {
		if len(digits) < width {
			digits = strings.Repeat("0", width-len(digits)) + digits
		}
		return digits
	}
	separators := func(n int) int { return (n - 1) / every }
	zeros := 0
	for len(digits)+zeros+separators(len(digits)+zeros) < width {
		zeros++
	}
	digits = strings.Repeat("0", zeros) + digits
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%every == 0 {
			b.WriteByte(spec.grouping)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// signOf is the sign to print.
func (spec *formatSpec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case spec.sign == '+' || spec.sign == ' ':
		return string(spec.sign)
	}
	return ""
}
