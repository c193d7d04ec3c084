package pyvalue

// str.format and format_map: the fields of a template, which may be nested. gpython v0.2.0 lacks
// both.

import (
	"strconv"
	"strings"

	"github.com/go-python/gpython/py"
)

// formatter is one call of str.format or str.format_map.
type formatter struct {
	args   py.Tuple
	kwargs py.Object // a dict or any other mapping
	next   int       // the number that the next {} has
	auto   bool      // {} was seen
	manual bool      // {0} was seen
}

// format fills the replacement fields of a template; deep counts down the nesting of fields in
// specs.
func (f *formatter) format(template string, deep int) (string, error) {
	if deep == 0 {
		return "", py.ExceptionNewf(py.ValueError, "Max string recursion exceeded")
	}
	var out strings.Builder
	for template != "" {
		i := strings.IndexAny(template, "{}")
		if i < 0 {
			out.WriteString(template)
			break
		}
		out.WriteString(template[:i])
		brace := template[i]
		template = template[i+1:]
		if template != "" && template[0] == brace {
			out.WriteByte(brace)
			template = template[1:]
			continue
		}
		if brace == '}' {
			return "", py.ExceptionNewf(py.ValueError, "Single '}' encountered in format string")
		}
		if template == "" {
			return "", py.ExceptionNewf(py.ValueError, "Single '{' encountered in format string")
		}
		end := fieldEnd(template)
		if end < 0 {
			return "", py.ExceptionNewf(py.ValueError, "expected '}' before end of string")
		}
		s, err := f.field(template[:end], deep)
		if err == nil {
			err = fitsText(out.Len() + len(s))
		}
		if err != nil {
			return "", err
		}
		out.WriteString(s)
		template = template[end+1:]
	}
	return out.String(), nil
}

// fieldEnd finds the brace that closes a field.
func fieldEnd(s string) int {
	depth := 1
	inBrackets := false
	for i := range len(s) {
		switch s[i] {
		case '[':
			inBrackets = true
		case ']':
			inBrackets = false
		case '{':
			depth++
		case '}':
			if inBrackets && strings.IndexByte(s[i:], ']') >= 0 && !strings.ContainsAny(s[:i], ":!") {
				continue
			}
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// field formats what stands between two braces: a name, "!" and a conversion, ":" and a spec.
func (f *formatter) field(field string, deep int) (string, error) {
	name, conversion, spec := field, "", ""
	if i := nameEnd(field); i < len(field) {
		name = field[:i]
		if field[i] == '!' {
			conversion = field[i+1:]
			switch {
			case conversion == "":
				return "", py.ExceptionNewf(py.ValueError, "unmatched '{' in format spec")
			case len(conversion) > 1 && conversion[1] != ':':
				return "", py.ExceptionNewf(py.ValueError, "expected ':' after conversion specifier")
			case len(conversion) > 1:
				spec = conversion[2:]
			}
			conversion = conversion[:1]
		} else {
			spec = field[i+1:]
		}
	}
	value, err := f.lookup(name)
	if err != nil {
		return "", err
	}
	if conversion != "" {
		if value, err = convert(value, conversion); err != nil {
			return "", err
		}
	}
	if strings.ContainsAny(spec, "{}") {
		if spec, err = f.format(spec, deep-1); err != nil {
			return "", err
		}
	}
	return Format(value, spec)
}

// nameEnd finds the "!" or ":" that ends a field's name.
func nameEnd(field string) int {
	inBrackets := false
	for i := range len(field) {
		switch c := field[i]; {
		case c == '[':
			inBrackets = true
		case c == ']':
			inBrackets = false
		case (c == '!' || c == ':') && !inBrackets:
			return i
		}
	}
	return len(field)
}

// convert is what stands after "!": s, r or a.
func convert(value py.Object, conversion string) (py.Object, error) {
	var s string
	var err error
	switch conversion {
	case "r":
		s, err = Repr(value)
	case "s":
		s, err = Str(value)
	case "a":
		s, err = ascii(value)
	default:
		return nil, py.ExceptionNewf(py.ValueError, "Unknown conversion specifier %s", conversion)
	}
	return py.String(s), err
}

// ASCII is Python's ascii(o).
func ASCII(o py.Object) (string, error) { return ascii(o) }

func ascii(o py.Object) (string, error) {
	s, err := Repr(o)
	if err != nil || isASCII(s) {
		return s, err
	}
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteString(escapeRune(r))
		}
	}
	return b.String(), nil
}

// lookup follows a name such as "0.attr[key]".
func (f *formatter) lookup(name string) (py.Object, error) {
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	value, err := f.argument(name[:end])
	if err != nil {
		return nil, err
	}
	for rest := name[end:]; rest != ""; {
		if rest[0] == '.' {
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, py.ExceptionNewf(py.ValueError, "Empty attribute in format string")
			}
			if value, err = GetAttr(value, rest[:end]); err != nil {
				return nil, err
			}
			rest = rest[end:]
			continue
		}
		if rest[0] != '[' {
			return nil, py.ExceptionNewf(py.ValueError, "Only '.' or '[' may follow ']' in format field specifier")
		}
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return nil, py.ExceptionNewf(py.ValueError, "Missing ']' in format string")
		}
		if end == 1 {
			return nil, py.ExceptionNewf(py.ValueError, "Empty attribute in format string")
		}
		if value, err = GetItem(value, fieldKey(rest[1:end])); err != nil {
			return nil, err
		}
		rest = rest[end+1:]
	}
	return value, nil
}

// fieldKey is a key in brackets: an int if it has only digits, a str otherwise.
func fieldKey(s string) py.Object {
	if s[0] >= '0' && s[0] <= '9' {
		if i, err := strconv.Atoi(s); err == nil {
			return py.Int(i)
		}
	}
	return py.String(s)
}

// argument finds the positional or named argument of a field.
func (f *formatter) argument(name string) (py.Object, error) {
	i := f.next
	switch {
	case name == "":
		if f.manual {
			return nil, py.ExceptionNewf(py.ValueError, "cannot switch from manual field specification to automatic field numbering")
		}
		f.auto = true
		f.next++
	case name[0] >= '0' && name[0] <= '9':
		var err error
		if i, err = strconv.Atoi(name); err != nil {
			break
		}
		if f.auto {
			return nil, py.ExceptionNewf(py.ValueError, "cannot switch from automatic field numbering to manual field specification")
		}
		f.manual = true
	default:
		i = -1
	}
	if i < 0 {
		return GetItem(f.kwargs, py.String(name))
	}
	if f.args == nil {
		return nil, py.ExceptionNewf(py.ValueError, "Format string contains positional fields")
	}
	if i >= len(f.args) {
		return nil, py.ExceptionNewf(py.IndexError, "Replacement index %d out of range for positional args tuple", i)
	}
	return f.args[i], nil
}
