package pyvalue

// str: its constructor, and the methods that bytes does not share. gpython v0.2.0's str has eight
// methods in all: find, replace, split, strip and their like, but no upper and no encode.

import (
	"strings"
	"unicode"

	"github.com/go-python/gpython/py"
)

// newStr is str(o) and str(bytes, encoding, errors).
func newStr(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	s := signature{name: "str", params: []string{"object", "encoding", "errors"}, positional: 3}
	a, err := s.bind(args, kwargs)
	if err != nil {
		return nil, err
	}
	switch {
	case a[0] == nil:
		return py.String(""), nil
	case a[1] == nil && a[2] == nil:
		text, err := Str(a[0])
		return py.String(text), err
	}
	encoding, errors, err := codecArguments("str", a[1], a[2])
	if err != nil {
		return nil, err
	}
	b, ok := a[0].(py.Bytes)
	if !ok {
		if _, ok := plain(a[0]).(py.String); ok {
			return nil, py.ExceptionNewf(py.TypeError, "decoding str is not supported")
		}
		return nil, py.ExceptionNewf(py.TypeError, "decoding to str: need a bytes-like object, %s found", typeName(a[0]))
	}
	text, err := decode(b, encoding, errors)
	return py.String(text), err
}

func init() {
	py.StringType.New = newStr
	addTextMethods(strKind)
	for i, name := range []string{"partition", "rpartition"} {
		whole := py.StringType.Dict[name].(*py.Method)
		py.StringType.Dict[name] = newMethodOfInstance(py.StringType, name+"(sep, /)", func(self py.Object, a []py.Object) (py.Object, error) {
			parts, err := py.Call(whole, py.Tuple{plain(self), a[0]}, nil)
			if t, ok := parts.(py.Tuple); ok && t[1] == py.Object(py.String("")) {
				t[2*i] = self // the object itself, where there is no separator in it
			}
			return parts, err
		})
	}
	for name, change := range map[string]func(string) string{
		"upper": upper, "lower": lower, "casefold": casefold, "title": title, "capitalize": capitalize, "swapcase": swapcase,
	} {
		strKind.method(name+"()", func(s string, _ []py.Object) (py.Object, error) { return py.String(change(s)), nil })
	}
	for name, is := range map[string]func(string) bool{
		"isdigit": all(isDigit), "isdecimal": all(isDecimal), "isnumeric": all(unicode.IsNumber), "isalpha": all(unicode.IsLetter),
		"isalnum": all(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }), "isspace": all(isSpace),
		"isupper": cased(isUpperOrTitle, unicode.IsLower), "islower": cased(isLower, isUpperOrTitle), "istitle": isTitle,
		"isidentifier": isIdentifier, "isascii": isASCII,
		"isprintable": func(s string) bool { return s == "" || all(unicode.IsPrint)(s) },
	} {
		strKind.method(name+"()", func(s string, _ []py.Object) (py.Object, error) { return py.NewBool(is(s)), nil })
	}
	strKind.method("encode(encoding=, errors=)", func(s string, a []py.Object) (py.Object, error) {
		encoding, errors, err := codecArguments("encode", a[0], a[1])
		if err != nil {
			return nil, err
		}
		b, err := encode(s, encoding, errors)
		return py.Bytes(b), err
	})
	addRaw(py.StringType, "format", func(self py.Object, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if args == nil {
			args = py.Tuple{}
		}
		f := formatter{args: args, kwargs: kwargs}
		s, err := f.format(string(self.(py.String)), 2)
		return py.String(s), err
	})
	addMethod(py.StringType, "format_map(mapping, /)", func(self py.Object, a []py.Object) (py.Object, error) {
		f := formatter{kwargs: a[0]}
		s, err := f.format(string(self.(py.String)), 2)
		return py.String(s), err
	})
	strKind.method("translate(table, /)", func(s string, a []py.Object) (py.Object, error) { return translate(s, a[0]) })
	addStatic(py.StringType, "maketrans(x, y=, z=, /)", makeTranslation)
}

// all reports for a text whether it is not empty and is says yes to each character.
func all(is func(rune) bool) func(string) bool {
	return func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !is(r) }) < 0
	}
}

// cased reports for a text whether some character is of the wanted case and none of the other.
func cased(wanted, other func(rune) bool) func(string) bool {
	return func(s string) bool {
		return strings.IndexFunc(s, wanted) >= 0 && strings.IndexFunc(s, other) < 0
	}
}

func isUpperOrTitle(r rune) bool { return unicode.IsUpper(r) || unicode.IsTitle(r) }

func isLower(r rune) bool { return unicode.IsLower(r) }

func isDecimal(r rune) bool { return unicode.Is(unicode.Nd, r) }

// isDigit is wider than isDecimal: superscripts and circled digits count.
func isDigit(r rune) bool {
	switch {
	case isDecimal(r), r == 0xb2, r == 0xb3, r == 0xb9, r == 0x2070, r >= 0x2074 && r <= 0x2079, r >= 0x2080 && r <= 0x2089,
		r >= 0x2460 && r <= 0x2468, r >= 0x2474 && r <= 0x247c, r >= 0x2488 && r <= 0x2490:
		return true
	}
	return false
}

// isTitle is s.istitle().
func isTitle(s string) bool {
	inWord, any := false, false
	for _, r := range s {
		switch {
		case isUpperOrTitle(r):
			if inWord {
				return false
			}
			inWord, any = true, true
		case unicode.IsLower(r):
			if !inWord {
				return false
			}
			any = true
		default:
			inWord = false
		}
	}
	return any
}

// isIdentifier is s.isidentifier().
func isIdentifier(s string) bool {
	for i, r := range s {
		letter := r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)
		if !letter && (i == 0 || !unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc)) {
			return false
		}
	}
	return s != ""
}

// expansions are the characters whose other case is several characters, of those that are met in
// practice.
var expansions = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST")

// upper is s.upper().
func upper(s string) string { return strings.ToUpper(expansions.Replace(s)) }

// lower writes a sigma that ends a word as such.
func lower(s string) string {
	s = strings.ReplaceAll(s, "İ", "i̇")
	if !strings.ContainsRune(s, 'Σ') {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	for i, r := range runes {
		before := i > 0 && unicode.IsLetter(runes[i-1])
		after := i+1 < len(runes) && unicode.IsLetter(runes[i+1])
		if r == 'Σ' && before && !after {
			runes[i] = 'ς'
		}
	}
	return strings.ToLower(string(runes))
}

var foldings = strings.NewReplacer("ß", "ss", "ẞ", "ss", "ς", "σ", "ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "st", "ﬆ", "st", "ſ", "s", "µ", "μ")

// casefold is s.casefold().
func casefold(s string) string {
	return strings.ToLower(foldings.Replace(strings.ReplaceAll(s, "İ", "i̇")))
}

func titleRune(r rune) string {
	if r == 'ß' {
		return "Ss"
	}
	return string(unicode.ToTitle(r))
}

// title is s.title().
func title(s string) string {
	var b strings.Builder
	inWord := false
	for _, r := range s {
		switch letter := unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r); {
		case letter && !inWord:
			b.WriteString(titleRune(r))
			inWord = true
		case letter:
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
			inWord = false
		}
	}
	return b.String()
}

// capitalize is s.capitalize().
func capitalize(s string) string {
	for i, r := range s {
		if i == 0 {
			rest := s[len(string(r)):]
			return titleRune(r) + lower(rest)
		}
	}
	return s
}

// swapcase is s.swapcase().
func swapcase(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			b.WriteString(lower(string(r)))
		case unicode.IsLower(r):
			b.WriteString(upper(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// translate maps each character by what the table holds under its code point.
func translate(s string, table py.Object) (py.Object, error) {
	var b strings.Builder
	for _, r := range s {
		if err := fitsText(b.Len()); err != nil {
			return nil, err
		}
		to, err := GetItem(table, py.Int(r))
		if py.IsException(py.LookupError, err) {
			b.WriteRune(r)
			continue
		}
		if err != nil {
			return nil, err
		}
		switch x := to.(type) {
		case py.NoneType:
		case py.String:
			b.WriteString(string(x))
		case py.Int:
			if x < 0 || x > unicode.MaxRune {
				return nil, py.ExceptionNewf(py.ValueError, "character mapping must be in range(0x110000)")
			}
			b.WriteRune(rune(x))
		default:
			return nil, py.ExceptionNewf(py.TypeError, "character mapping must return integer, None or str")
		}
	}
	return py.String(b.String()), nil
}

// makeTranslation is str.maketrans(x, y, z).
func makeTranslation(a []py.Object) (py.Object, error) {
	d := NewDict()
	if a[1] == nil {
		from, ok := asDict(a[0])
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "if you give only one argument to maketrans it must be a dict")
		}
		for _, e := range from.all() {
			key := e.key
			switch x := key.(type) {
			case nil:
				continue
			case py.String:
				runes := []rune(string(x))
				if len(runes) != 1 {
					return nil, py.ExceptionNewf(py.ValueError, "string keys in translate table must be of length 1")
				}
				key = py.Int(runes[0])
			case py.Int:
			default:
				return nil, py.ExceptionNewf(py.TypeError, "keys in translate table must be strings or integers")
			}
			if err := d.put(key, e.value); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	var texts [3][]rune
	for i, o := range a {
		if o == nil {
			continue
		}
		s, ok := o.(py.String)
		if !ok {
			if i == 0 {
				return nil, py.ExceptionNewf(py.TypeError, "first maketrans argument must be a string if there is a second argument")
			}
			return nil, py.ExceptionNewf(py.TypeError, "maketrans() argument %d must be str, not %s", i+1, typeName(o))
		}
		texts[i] = []rune(string(s))
	}
	if len(texts[0]) != len(texts[1]) {
		return nil, py.ExceptionNewf(py.ValueError, "the first two maketrans arguments must have equal length")
	}
	for i, r := range texts[0] {
		_ = d.put(py.Int(r), py.Int(texts[1][i])) // an int is hashable
	}
	for _, r := range texts[2] {
		_ = d.put(py.Int(r), py.None)
	}
	return d, nil
}
