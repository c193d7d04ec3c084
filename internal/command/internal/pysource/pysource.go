// Package pysource tells whether Python source is a single function. It does not parse more of it
// than that takes.
package pysource

import (
	"strings"

	"github.com/go-execnet/execnet/internal/pyliteral"
)

// SingleFunction returns the name of the function that the source defines if it does nothing else:
// comments and decorators aside, its only statement at the outermost level is a def.
func SingleFunction(source string) (name string, ok bool) {
	for _, statement := range outermost(source) {
		if strings.HasPrefix(statement, "@") {
			continue
		}
		defined, ok := functionName(statement)
		if !ok || name != "" {
			return "", false
		}
		name = defined
	}
	return name, name != ""
}

// functionName returns the name of the function that a statement defines; ok is false if it is not
// a def.
func functionName(statement string) (name string, ok bool) {
	const space = " \t"
	head, ok := strings.CutPrefix(statement, "def")
	end := strings.IndexAny(head, "([") // of the parameters, or of type parameters
	if !ok || end < 0 || !strings.ContainsAny(head[:1], space) {
		return "", false
	}
	name = strings.Trim(head[:end], space)
	return name, pyliteral.IsIdentifier(name)
}

// outermost returns the source from the beginning of each statement that is indented no more than
// the first one.
func outermost(source string) []string {
	var found []string
	margin := -1
	s := scanner{text: source}
	for s.pos < len(source) {
		start := s.pos
		s.skipIndent()
		indent := s.pos - start
		if s.pos < len(source) && !strings.ContainsRune("#\r\n", rune(source[s.pos])) {
			if margin < 0 {
				margin = indent
			}
			if indent <= margin {
				found = append(found, source[s.pos:])
			}
		}
		s.skipLogicalLine()
	}
	return found
}

// scanner skips parts of Python source.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) skipIndent() {
	for s.pos < len(s.text) && strings.ContainsRune(" \t\f", rune(s.text[s.pos])) {
		s.pos++
	}
}

// skipLogicalLine moves to the line after a statement. Newlines inside brackets and strings and
// after a backslash do not end one.
func (s *scanner) skipLogicalLine() {
	brackets := 0
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch c {
		case '\'', '"':
			s.skipString()
			continue
		case '#':
			for s.pos < len(s.text) && s.text[s.pos] != '\n' {
				s.pos++
			}
			continue
		case '(', '[', '{':
			brackets++
		case ')', ']', '}':
			brackets--
		case '\\':
			s.pos++
			if strings.HasPrefix(s.text[s.pos:], "\r\n") {
				s.pos++
			}
		}
		s.pos++
		if c == '\n' && brackets <= 0 {
			return
		}
	}
}

// skipString moves past a string, whose opening quote comes next. A quote after a backslash does
// not end the string, in raw strings, too.
func (s *scanner) skipString() {
	quote := s.text[s.pos : s.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.pos:], triple) {
		quote = triple
	}
	s.pos += len(quote)
	for s.pos < len(s.text) {
		switch {
		case strings.HasPrefix(s.text[s.pos:], quote):
			s.pos += len(quote)
			return
		case s.text[s.pos] == '\n' && len(quote) == 1:
			return // not closed: the interpreter will say so
		case s.text[s.pos] == '\\':
			s.pos++
		}
		s.pos++
	}
}
