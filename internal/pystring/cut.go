package pystring

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CutString reads the string literal that s begins with. It returns what the literal means in
// Python 3, and what follows it in s. It is made for literals that programs write for programs, and
// so it is stricter than Python: the one prefix it takes is u, the quotes are not triple ones, a
// second literal is not joined to the first, and control characters, lone surrogates, \N{...} and
// octal escapes above \377 are errors.
func CutString(s string) (value, rest string, err error) {
	return cutQuoted(strings.TrimPrefix(s, "u"), false)
}

// CutBytes is [CutString] for a literal of type bytes, which has the prefix b.
func CutBytes(s string) (value, rest string, err error) {
	s, ok := strings.CutPrefix(s, "b")
	if !ok {
		return "", "", errNoQuote
	}
	return cutQuoted(s, true)
}

var (
	errNoQuote  = errors.New("it has no opening quote")
	errControl  = errors.New("it holds a control character")
	errUnclosed = errors.New("it has no end")
	errNotASCII = errors.New("it holds bytes that are not ASCII")
)

func cutQuoted(s string, isBytes bool) (value, rest string, err error) {
	end, err := closingQuote(s)
	if err != nil {
		return "", "", err
	}
	rest, s = s[end+1:], s[1:end]
	if isBytes && !isASCII(s) {
		return "", "", errNotASCII
	}
	dst := make([]byte, 0, len(s)) // what an escape stands for is never longer than the escape
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return string(append(dst, s...)), rest, nil
		}
		dst, s = append(dst, s[:i]...), s[i:]
		var length int
		var problem string
		if dst, length, problem = Unescape(dst, s, isBytes); problem == "" && length == 4 && s[1] > '3' && isOctal(s[1]) {
			problem = `an octal escape ends at \377`
		}
		if problem != "" {
			return "", "", fmt.Errorf("it holds the escape %+q: %s", s[:length], problem)
		}
		s = s[length:]
	}
}

// stops are the bytes at which closingQuote has to look closer: quotes, the backslash and control
// characters.
var stops = func() (stops [256]bool) {
	for c := range byte(' ') {
		stops[c] = true
	}
	for _, c := range []byte{'\'', '"', '\\', 0x7f} {
		stops[c] = true
	}
	return stops
}()

// closingQuote returns the position of the quote that ends the literal which s begins with.
func closingQuote(s string) (int, error) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return 0, errNoQuote
	}
	for i := 1; i < len(s); i++ {
		for i < len(s) && !stops[s[i]] {
			i++
		}
		switch {
		case i == len(s):
			return 0, errUnclosed
		case s[i] == s[0]:
			return i, nil
		case s[i] == '"', s[i] == '\'':
			continue
		case s[i] == '\\':
			i++
		}
		if i < len(s) && (s[i] < ' ' || s[i] == 0x7f) {
			return 0, errControl
		}
	}
	return 0, errUnclosed
}

// simpleEscapes are the escapes of one character, with 0 for every other character.
var simpleEscapes = [256]byte{
	'\\': '\\', '\'': '\'', '"': '"', 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

// Unescape appends to dst what the escape that s begins with stands for. s is a backslash and at
// least one more byte. length is how many bytes of s the escape takes, also when there is a
// problem.
func Unescape(dst []byte, s string, isBytes bool) (_ []byte, length int, problem string) {
	c := s[1]
	if meant := simpleEscapes[c]; meant != 0 {
		return append(dst, meant), 2, ""
	}
	digits := 0
	switch {
	case c == '\n' || c == '\r':
		if strings.HasPrefix(s[1:], "\r\n") {
			return dst, 3, ""
		}
		return dst, 2, ""
	case isOctal(c):
		n, length := rune(0), 1
		for length < min(len(s), 4) && isOctal(s[length]) {
			n = n<<3 | rune(s[length]-'0')
			length++
		}
		if isBytes {
			return append(dst, byte(n)), length, ""
		}
		return utf8.AppendRune(dst, n), length, ""
	case c == 'x':
		digits = 2
	case isBytes || c != 'u' && c != 'U' && c != 'N':
		return append(dst, '\\'), 1, "" // Python leaves an escape that it does not know as it is
	case c == 'N':
		return dst, 2, `characters cannot be given by name here; write \u.... or the character itself`
	case c == 'u':
		digits = 4
	default:
		digits = 8
	}
	length = min(2+digits, len(s))
	n, err := strconv.ParseUint(s[2:length], 16, 32)
	switch {
	case err != nil || length < 2+digits:
		return dst, length, fmt.Sprintf("the escape needs %d hexadecimal digits", digits)
	case isBytes:
		return append(dst, byte(n)), length, ""
	case 0xD800 <= n && n <= 0xDFFF:
		return dst, length, `a lone surrogate cannot be sent; write a character beyond \uffff as \U........`
	case n > utf8.MaxRune:
		return dst, length, "there is no such character"
	}
	return utf8.AppendRune(dst, rune(n)), length, ""
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
