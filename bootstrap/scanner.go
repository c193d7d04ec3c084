package bootstrap

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-execnet/execnet/internal/pystring"
)

// scanner reads Python source of a known form piece by piece. When a piece is not what was
// expected, err says so, and the methods read nothing more.
type scanner struct {
	rest string
	err  error
}

// format reads what fmt.Sprintf writes, with a string literal for each %s and a number for each %d.
// values are *string and *int.
func (s *scanner) format(format string, values ...any) {
	for {
		plain, rest, found := strings.Cut(format, "%")
		s.expect(plain)
		if !found {
			return
		}
		switch value := values[0].(type) {
		case *string:
			*value = s.string()
		case *int:
			*value = s.int()
		}
		format, values = rest[len("s"):], values[1:]
	}
}

// sees reports whether the text before the first verb of a format comes next.
func (s *scanner) sees(format string) bool {
	plain, _, _ := strings.Cut(format, "%")
	return s.err == nil && strings.HasPrefix(s.rest, plain)
}

// accept reads text if it comes next.
func (s *scanner) accept(text string) bool {
	rest, ok := strings.CutPrefix(s.rest, text)
	if !ok || s.err != nil {
		return false
	}
	s.rest = rest
	return true
}

func (s *scanner) expect(text string) {
	if !s.accept(text) {
		s.fail("expected %+q", text)
	}
}

func (s *scanner) string() string { return s.literal(pystring.CutString) }
func (s *scanner) bytes() string  { return s.literal(pystring.CutBytes) }

func (s *scanner) literal(read func(string) (value, rest string, err error)) string {
	if s.err != nil {
		return ""
	}
	value, rest, err := read(s.rest)
	if err != nil {
		s.fail("expected a string literal (%v)", err)
		return ""
	}
	s.rest = rest
	return value
}

// int reads a number as strconv.Itoa writes it.
func (s *scanner) int() int {
	const most = len("-9223372036854775808")
	n := 0
	for n < min(len(s.rest), most+1) && (s.rest[n] == '-' || '0' <= s.rest[n] && s.rest[n] <= '9') {
		n++
	}
	value, err := strconv.Atoi(s.rest[:n])
	if err != nil || strconv.Itoa(value) != s.rest[:n] {
		s.fail("expected a number")
		return 0
	}
	s.rest = s.rest[n:]
	return value
}

// end expects that nothing is left.
func (s *scanner) end() {
	if s.rest != "" {
		s.fail("expected the end")
	}
}

func (s *scanner) fail(format string, args ...any) {
	if s.err != nil {
		return
	}
	found := "at the end"
	if s.rest != "" {
		found = fmt.Sprintf("instead of %+q", beginning(s.rest))
	}
	s.err = fmt.Errorf("%s %s", fmt.Sprintf(format, args...), found)
}
