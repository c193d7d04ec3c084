// Package pyliteral converts between the text of Python literals, as people write and read it, and
// the values of package serializer. It also knows Python's identifiers and keywords.
package pyliteral

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-execnet/execnet/serializer"
)

// MaxDepth is how deeply brackets may be nested: as deeply as values in the serializer by default.
const MaxDepth = serializer.DefaultMaxDepth

// Format returns what Python's repr prints for a value of package serializer. Items of sets come in
// the order they were added. For such values Parse gives back an equal one.
func Format(v any) string { return serializer.Repr(v) }

// Append appends Format(v) to dst.
func Append(dst []byte, v any) []byte { return append(dst, Format(v)...) }

// Parse reads the text of one Python literal and returns its value as serializer.Loads does: nil,
// bool, int64, *big.Int beyond that, float64, complex128, string, []byte, []any, serializer.Tuple,
// *serializer.Dict, *serializer.Set or serializer.FrozenSet. Every error is a *SyntaxError.
//
// It accepts what Python's ast.literal_eval accepts, with these differences. So that every value
// has a text, the names inf and nan, infj and nanj are numbers, frozenset() and frozenset({...})
// are frozensets, and the signs of zeros in a sum like -0-0j are kept. Spaces, newlines and
// comments around the literal are skipped. Integers may have any length. Errors are the ellipsis,
// which cannot be sent; lone surrogates, which are not UTF-8; and \N{...}, since Go has no table of
// those names.
func Parse(text string) (any, error) {
	p := parser{text: text}
	v, err := p.parse()
	if err != nil {
		return nil, err
	}
	return v, nil
}

// SyntaxError says why a text is not a Python literal, and where.
type SyntaxError struct {
	// Text is the whole text, and Offset the byte in it that the error is about; it may be the
	// text's length.
	Text   string
	Offset int
	// Line and Column are the same place; both start at 1, and a column is one character.
	Line, Column int
	// Problem is the message without the place.
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// Caret returns the line at fault and, below it, a caret that points at the place. Both lines end
// in a newline.
func (e *SyntaxError) Caret() string {
	start := lineStart(e.Text, e.Offset)
	line := e.Text[start:]
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	before := e.Text[start:e.Offset]
	indent := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return line + "\n" + indent + "^\n"
}

func lineStart(text string, offset int) int { return strings.LastIndexAny(text[:offset], "\r\n") + 1 }

func newError(text string, offset int, format string, args ...any) *SyntaxError {
	before := text[:offset]
	return &SyntaxError{
		Text: text, Offset: offset, Problem: fmt.Sprintf(format, args...),
		Line:   1 + strings.Count(before, "\n") + strings.Count(before, "\r") - strings.Count(before, "\r\n"),
		Column: 1 + utf8.RuneCountInString(text[lineStart(text, offset):offset]),
	}
}
