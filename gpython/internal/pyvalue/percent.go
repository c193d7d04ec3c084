package pyvalue

// The operator % on str and bytes. gpython v0.2.0 hands the format to Go's fmt, whose verbs and
// flags are others, and has no % on bytes.

import (
	"strings"

	"github.com/go-python/gpython/py"
)

// percent is one use of % to format: the values it takes one after the other, or the mapping it
// looks names up in.
type percent struct {
	values  py.Tuple
	single  bool // values is one value that is no tuple
	used    int
	mapping py.Object
	bytes   bool
}

// formatPercent is template % values of a str.
func formatPercent(template string, values py.Object) (py.Object, error) {
	s, err := newPercent(values, false).format(template)
	return py.String(s), err
}

// formatPercentBytes is template % values of a bytes.
func formatPercentBytes(template py.Bytes, values py.Object) (py.Object, error) {
	s, err := newPercent(values, true).format(string(template))
	return py.Bytes(s), err
}

func newPercent(values py.Object, bytes bool) *percent {
	p := &percent{bytes: bytes}
	if n, ok := values.(Named); ok {
		_, _, values = n.Named()
	}
	if t, ok := values.(py.Tuple); ok {
		p.values = t
		return p
	}
	p.values, p.single = py.Tuple{values}, true
	switch plain(values).(type) {
	case py.String, py.Bytes:
	default:
		if _, ok := values.(py.I__getitem__); ok || instanceMethod(values, "__getitem__") != nil {
			p.mapping = values
		}
	}
	return p
}

// next takes the next of the values.
func (p *percent) next() (py.Object, error) {
	if p.used >= len(p.values) {
		return nil, py.ExceptionNewf(py.TypeError, "not enough arguments for format string")
	}
	p.used++
	return p.values[p.used-1], nil
}

func (p *percent) format(template string) (string, error) {
	var out strings.Builder
	named := false
	whole := template
	for template != "" {
		i := strings.IndexByte(template, '%')
		if i < 0 {
			out.WriteString(template)
			break
		}
		out.WriteString(template[:i])
		template = template[i+1:]
		if rest, ok := strings.CutPrefix(template, "%"); ok { // with flags it is no format
			template = rest
			out.WriteByte('%')
			continue
		}
		var key py.Object
		if strings.HasPrefix(template, "(") {
			if p.mapping == nil {
				return "", py.ExceptionNewf(py.TypeError, "format requires a mapping")
			}
			end := closingParen(template)
			if end < 0 {
				return "", py.ExceptionNewf(py.ValueError, "incomplete format key")
			}
			key = py.String(template[1:end])
			if p.bytes {
				key = py.Bytes(template[1:end])
			}
			template = template[end+1:]
			named = true
		}
		spec, rest, err := p.spec(template)
		if err != nil {
			return "", err
		}
		if rest == "" {
			return "", py.ExceptionNewf(py.ValueError, "incomplete format")
		}
		template = rest[1:]
		spec.kind = rest[0]
		var value py.Object
		if key != nil {
			value, err = GetItem(p.mapping, key)
		} else {
			value, err = p.next()
		}
		if err != nil {
			return "", err
		}
		s, err := p.value(spec, value, len(whole)-len(rest))
		if err == nil {
			err = fitsText(out.Len() + len(s))
		}
		if err != nil {
			return "", err
		}
		out.WriteString(s)
	}
	if p.used < len(p.values) && !named && p.mapping == nil {
		kind := "string"
		if p.bytes {
			kind = "bytes"
		}
		return "", py.ExceptionNewf(py.TypeError, "not all arguments converted during %s formatting", kind)
	}
	return out.String(), nil
}

func closingParen(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// spec reads flags, width, precision and the length modifier, which means nothing.
func (p *percent) spec(s string) (formatSpec, string, error) {
	spec := formatSpec{fill: ' ', precision: -1, align: '>'}
	zero := false
	left := false
flags:
	for ; s != ""; s = s[1:] {
		switch s[0] {
		case '-':
			left = true
		case '+':
			spec.sign = '+'
		case ' ':
			if spec.sign == 0 {
				spec.sign = ' '
			}
		case '#':
			spec.alternate = true
		case '0':
			zero = true
		default:
			break flags
		}
	}
	var err error
	if strings.HasPrefix(s, "*") {
		s = s[1:]
		if spec.width, err = p.star(); err != nil {
			return spec, "", err
		}
		if spec.width < 0 {
			left = true
			spec.width = -spec.width
		}
	} else if spec.width, s, err = leadingNumber(s, 0); err != nil {
		return spec, "", err
	}
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		if strings.HasPrefix(s, "*") {
			s = s[1:]
			if spec.precision, err = p.star(); err != nil {
				return spec, "", err
			}
			spec.precision = max(spec.precision, 0)
		} else if spec.precision, s, err = leadingNumber(s, 0); err != nil {
			return spec, "", err
		}
	}
	switch {
	case left:
		spec.align = '<'
	case zero:
		spec.align = '=' // for numbers
	}
	if s != "" && strings.IndexByte("hlL", s[0]) >= 0 {
		s = s[1:]
	}
	return spec, s, nil
}

func (p *percent) star() (int, error) {
	o, err := p.next()
	if err != nil {
		return 0, err
	}
	if _, ok := asInt(plain(o)); !ok {
		return 0, py.ExceptionNewf(py.TypeError, "* wants int")
	}
	n, err := asSize(o)
	if err == nil && (n > mostWidth || n < -mostWidth) {
		return 0, py.ExceptionNewf(py.OverflowError, "the width is too large")
	}
	return n, err
}

// value formats one value; at is where in the template its conversion stands, for messages.
func (p *percent) value(spec formatSpec, o py.Object, at int) (string, error) {
	switch spec.kind {
	case 's', 'r', 'a', 'b':
		s, err := p.text(spec.kind, o, at)
		if p.bytes {
			if spec.precision >= 0 && len(s) > spec.precision {
				s = s[:spec.precision]
			}
			return padBytes(&spec, s), err
		}
		return spec.pad(truncate(s, spec.precision), '>'), err
	case 'c':
		return p.char(&spec, o)
	case 'd', 'i', 'u', 'o', 'x', 'X':
		return percentInt(&spec, o)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok, err := asFloat(o)
		if err != nil {
			return "", err
		}
		if !ok {
			if method := instanceMethod(o, "__float__"); method == nil {
				return "", py.ExceptionNewf(py.TypeError, "must be real number, not %s", typeName(o))
			}
			if f, err = floatOf(o); err != nil {
				return "", err
			}
		}
		spec.fillZeros()
		return spec.float(f, false), nil
	}
	return "", unsupportedConversion(spec.kind, at)
}

func unsupportedConversion(kind byte, at int) error {
	return py.ExceptionNewf(py.ValueError, "unsupported format character '%c' (0x%x) at index %d", kind, kind, at)
}

func padBytes(spec *formatSpec, s string) string {
	missing := spec.width - len(s)
	if missing <= 0 {
		return s
	}
	if spec.align == '<' {
		return s + strings.Repeat(" ", missing)
	}
	return strings.Repeat(" ", missing) + s
}

// text is %s, %r or %a.
func (p *percent) text(kind byte, o py.Object, at int) (string, error) {
	if p.bytes && (kind == 's' || kind == 'b') {
		b, ok := o.(py.Bytes)
		if !ok {
			return "", py.ExceptionNewf(py.TypeError, "%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'", typeName(o))
		}
		return string(b), nil
	}
	switch {
	case kind == 'b':
		return "", unsupportedConversion(kind, at)
	case kind == 's':
		return Str(o)
	case kind == 'r' && !p.bytes:
		return Repr(o)
	}
	return ascii(o)
}

func (p *percent) char(spec *formatSpec, o py.Object) (string, error) {
	if p.bytes {
		if b, ok := o.(py.Bytes); ok && len(b) == 1 {
			return padBytes(spec, string(b)), nil
		}
		i, ok := asInt(o)
		if !ok {
			return "", py.ExceptionNewf(py.TypeError, "%%c requires an integer in range(256) or a single byte")
		}
		if !i.IsInt64() || i.Int64() < 0 || i.Int64() > 255 {
			return "", py.ExceptionNewf(py.OverflowError, "%%c arg not in range(256)")
		}
		return padBytes(spec, string([]byte{byte(i.Int64())})), nil
	}
	if s, ok := plain(o).(py.String); ok && len([]rune(string(s))) == 1 {
		return spec.pad(string(s), '>'), nil
	}
	i, ok := asInt(plain(o))
	if !ok {
		return "", py.ExceptionNewf(py.TypeError, "%%c requires int or char")
	}
	if !i.IsInt64() || i.Int64() < 0 || i.Int64() > 0x10ffff {
		return "", py.ExceptionNewf(py.OverflowError, "%%c arg not in range(0x110000)")
	}
	return spec.pad(string(rune(i.Int64())), '>'), nil
}

// fillZeros pads a number with zeros when the flag 0 was given.
func (spec *formatSpec) fillZeros() {
	if spec.align == '=' {
		spec.fill = '0'
	}
}

// percentInt is %d, %x and the like.
func percentInt(spec *formatSpec, o py.Object) (string, error) {
	i, ok := asInt(plain(o))
	decimal := strings.IndexByte("diu", spec.kind) >= 0
	if f, isFloat := o.(py.Float); isFloat && decimal {
		whole, err := floatToInt(float64(f))
		if err != nil {
			return "", err
		}
		i, ok = asInt(whole)
	}
	if !ok && isInstanceOfProgram(o) {
		var err error
		var whole py.Object
		if decimal && instanceMethod(o, "__int__") != nil {
			whole, err = newInt(nil, py.Tuple{o}, nil)
			i, ok = asInt(whole)
		} else if instanceMethod(o, "__index__") != nil {
			i, err = asIndex(o)
			ok = err == nil
		}
		if err != nil && !py.IsException(py.TypeError, err) {
			return "", err
		}
	}
	if !ok {
		if decimal {
			return "", py.ExceptionNewf(py.TypeError, "%%%c format: a real number is required, not %s", spec.kind, typeName(o))
		}
		return "", py.ExceptionNewf(py.TypeError, "%%%c format: an integer is required, not %s", spec.kind, typeName(o))
	}
	base, prefix := 10, ""
	switch spec.kind {
	case 'o':
		base, prefix = 8, "0o"
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	}
	if !spec.alternate {
		prefix = ""
	}
	digits, err := spec.digitsOf(i, base)
	if err != nil {
		return "", err
	}
	if len(digits) < spec.precision {
		digits = strings.Repeat("0", spec.precision-len(digits)) + digits
	}
	spec.fillZeros()
	return spec.padNumber(spec.signOf(i.Sign() < 0), prefix, digits, "", 0), nil
}
