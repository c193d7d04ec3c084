package pyvalue

// What the methods of str and bytes share, on Go strings: splitting, line ends, spaces and tabs by
// Python's rules, which differ from those of package strings.

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// textKind is what the methods that str and bytes share need to know of either. They work on Go
// strings, which hold the bytes of a bytes as they are.
type textKind struct {
	typ      *py.Type
	bytes    bool // one byte is one character, and an int stands for one
	space    func(r rune) bool
	lineEnds string
}

var (
	strKind   = &textKind{py.StringType, false, isSpace, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"}
	bytesKind = &textKind{py.BytesType, true, isByteSpace, "\n\r"}
)

// of gives the content of an object of this kind.
func (k *textKind) of(o py.Object) (string, bool) {
	if k.bytes {
		b, ok := o.(py.Bytes)
		return string(b), ok
	}
	s, ok := plain(o).(py.String)
	return string(s), ok
}

// wrap makes an object of this kind.
func (k *textKind) wrap(s string) py.Object {
	if k.bytes {
		return py.Bytes(s)
	}
	return py.String(s)
}

// list makes a list of texts, of at most mostParts.
func (k *textKind) list(parts []string) (py.Object, error) {
	if len(parts) > mostParts() {
		return nil, tooLarge()
	}
	l := &py.List{Items: make([]py.Object, len(parts))}
	for i, part := range parts {
		l.Items[i] = k.wrap(part)
	}
	return l, nil
}

// length counts characters.
func (k *textKind) length(s string) int {
	if k.bytes {
		return len(s)
	}
	return utf8.RuneCountInString(s)
}

// offset is where the i-th character begins.
func (k *textKind) offset(s string, i int) int {
	if k.bytes || i <= 0 {
		return i
	}
	for at := range s {
		if i == 0 {
			return at
		}
		i--
	}
	return len(s)
}

// isSpace is Python's str.isspace for one character.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// isByteSpace is Python's bytes.isspace for one byte.
func isByteSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// split splits at sep from the left, at most most times.
func split(s, sep string, most int) []string {
	return strings.SplitN(s, sep, most+1)
}

// rsplit splits at sep from the right.
func rsplit(s, sep string, most int) []string {
	var parts []string
	for most != 0 {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		parts = append(parts, s[i+len(sep):])
		s = s[:i]
		most--
	}
	parts = append(parts, s)
	slices.Reverse(parts)
	return parts
}

// fields splits at runs of space.
func fields(s string, space func(rune) bool, most int) []string {
	var parts []string
	for s = strings.TrimLeftFunc(s, space); s != ""; {
		if most == 0 {
			return append(parts, s)
		}
		i := strings.IndexFunc(s, space)
		if i < 0 {
			return append(parts, s)
		}
		parts = append(parts, s[:i])
		s = strings.TrimLeftFunc(s[i:], space)
		most--
	}
	return parts
}

// rfields splits at runs of space from the right.
func rfields(s string, space func(rune) bool, most int) []string {
	var parts []string
	for s = strings.TrimRightFunc(s, space); s != ""; {
		if most == 0 {
			parts = append(parts, s)
			break
		}
		i := strings.LastIndexFunc(s, space)
		if i < 0 {
			parts = append(parts, s)
			break
		}
		_, width := utf8.DecodeRuneInString(s[i:])
		parts = append(parts, s[i+width:])
		s = strings.TrimRightFunc(s[:i], space)
		most--
	}
	slices.Reverse(parts)
	return parts
}

// lines splits at line ends, which are kept or not, at most most times.
func lines(s string, ends string, keep bool, most int) []string {
	var parts []string
	for s != "" && len(parts) <= most {
		i := strings.IndexAny(s, ends)
		if i < 0 {
			return append(parts, s)
		}
		_, width := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			width = 2
		}
		if keep {
			parts = append(parts, s[:i+width])
		} else {
			parts = append(parts, s[:i])
		}
		s = s[i+width:]
	}
	return parts
}

// expandTabs replaces tabs by spaces up to the next column that size divides.
func expandTabs(s string, size int) (string, error) {
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			if size > 0 {
				n := size - column%size
				if err := fitsText(max(n, n+b.Len()-len(s))); err != nil {
					return "", err
				}
				b.WriteString(strings.Repeat(" ", n))
				column += n
			}
			continue
		case '\n', '\r':
			column = -1
		}
		column++
		b.WriteRune(r)
	}
	return b.String(), nil
}
