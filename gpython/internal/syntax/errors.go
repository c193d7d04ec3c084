package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is why a source cannot be compiled.
type Error struct {
	// Class is the exception that Python raises: SyntaxError, IndentationError or TabError.
	Class string
	// Problem is what is wrong, in the words of CPython 3.12 where it has some.
	Problem string
	// Feature is set if the source may be right, and a CPython would take it: what it uses that
	// cannot be run here, in the plural ("match statements").
	Feature string
	// Line is where, from 1; Column is the character in it, from 0; Text is the line itself.
	Line, Column int
	Text         string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s (line %d)", e.Class, e.Problem, e.Line) }

// The classes of errors.
const (
	syntaxError      = "SyntaxError"
	indentationError = "IndentationError"
	tabError         = "TabError"
)

// failure is what the functions of this package throw; Parse catches it.
type failure struct{ err *Error }

// errorAt makes an error for a place in the source: a line and a byte in it.
func errorAt(source, class string, line, column int, format string, args ...any) *Error {
	e := &Error{Class: class, Problem: fmt.Sprintf(format, args...), Line: line}
	rest := source
	for range line - 1 {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	e.Text, _, _ = strings.Cut(rest, "\n")
	e.Column = utf8.RuneCountInString(e.Text[:min(max(column, 0), len(e.Text))])
	return e
}

// failAt ends the parsing with a SyntaxError at a token.
func (p *parser) failAt(t token, format string, args ...any) {
	if p.trying > 0 {
		panic(failure{new(Error)})
	}
	panic(failure{errorAt(p.source, syntaxError, int(t.line), int(t.column), format, args...)})
}

// fail ends the parsing at the current token, which cannot stand here.
func (p *parser) fail() {
	t := p.tokens[max(p.at, p.farthest)]
	if t.kind == kBad || p.trying > 0 {
		panic(failure{p.bad})
	}
	// CPython reads on to the end of the source, and prefers to say what is wrong with its tokens:
	// a bracket that is never closed makes what follows it look wrong.
	if p.bad != nil && (!p.unclosed || p.bad.Line < int(t.line)) {
		panic(failure{p.bad})
	}
	switch t.kind {
	case kIndent:
		t.column--
		p.failIndented(t, "unexpected indent")
	case kDedent, kEnd:
		t = p.tokens[max(p.at-1, 0)]
	}
	p.failAt(t, "invalid syntax")
}

// failIndented ends the parsing with an IndentationError at the first word of a token's line.
func (p *parser) failIndented(t token, format string, args ...any) {
	if p.trying > 0 {
		panic(failure{new(Error)})
	}
	panic(failure{errorAt(p.source, indentationError, int(t.line), int(t.column), format, args...)})
}

// refuse ends the parsing at a token of something that CPython knows, and that cannot be run here.
func (p *parser) refuse(t token, feature string) {
	panic(failure{refusal(p.source, int(t.line), int(t.column), feature)})
}

func refusal(source string, line, column int, feature string) *Error {
	e := errorAt(source, syntaxError, line, column, "%s are not in this Go worker's Python", feature)
	e.Feature = feature
	return e
}
