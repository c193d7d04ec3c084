package gpython

// The class, line and column of a SyntaxError. gpython v0.2.0 says "invalid syntax" for everything,
// counts the end of the source as a line, and has a column behind the token. CPython has an
// IndentationError and a caret below the token.

import (
	"strings"

	"github.com/go-python/gpython/py"
)

// refine makes of gpython's error for a source the SyntaxError that CPython 3 would raise, as far
// as it can be told: the class, the line and the column.
func refine(err error, source string) error {
	e, ok := err.(*py.Exception)
	if !ok {
		return err
	}
	number, ok := e.Dict["lineno"].(py.Int)
	if !ok {
		return err
	}
	if !e.Base.IsSubtype(py.SyntaxError) { // its own failure
		text, _ := exceptionText(e)
		if strings.Contains(text, "SetCtx") {
			text = "cannot assign to this"
		}
		e.Base, e.Args = py.SyntaxError, py.Tuple{py.String(text)}
	}
	lines := strings.Split(strings.TrimSuffix(source, "\n"), "\n")
	// The end of the source counts as a line of its own in gpython.
	n := min(max(int(number), 1), len(lines))
	e.Dict["lineno"] = py.Int(n)
	line := lines[n-1]
	e.Dict["line"] = py.String(shorten(line))
	args, _ := e.Args.(py.Tuple)
	if len(args) != 1 {
		return err
	}
	offset, _ := e.Dict["offset"].(py.Int)
	column := min(max(int(offset), 0), len(line)+1)
	switch args[0] {
	case py.String("Inconsistent indent"):
		e.Base, e.Args = py.IndentationError, py.Tuple{py.String("unindent does not match any outer indentation level")}
	case py.String("invalid syntax"):
		if text := indentationProblem(lines[:n], column); text != "" {
			e.Base, e.Args = py.IndentationError, py.Tuple{py.String(text)}
		}
		// The column is behind the token, unless the lexer has stopped before it.
		if column > 0 && column <= len(line)+1 && !strings.HasSuffix(line[:min(column, len(line))], " ") {
			e.Dict["offset"] = py.Int(column - 1)
		}
	}
	return err
}

// indentationProblem tells what is wrong with the indentation of the last line, if the error is at
// its first token.
func indentationProblem(lines []string, column int) string {
	line := lines[len(lines)-1]
	if len(strings.Fields(line[:min(column, len(line))])) > 1 {
		return ""
	}
	for i := len(lines) - 2; i >= 0; i-- {
		before := strings.TrimSpace(lines[i])
		if before == "" || before[0] == '#' {
			continue
		}
		deeper := indentation(line) - indentation(lines[i])
		switch opens := strings.HasSuffix(before, ":"); {
		case opens && deeper <= 0:
			return "expected an indented block"
		case !opens && deeper > 0:
			return "unexpected indent"
		}
		return ""
	}
	return ""
}

// indentation is how many columns a line is indented.
func indentation(line string) int {
	n := 0
	for _, c := range line {
		switch c {
		case ' ':
			n++
		case '\t':
			n += 8 - n%8
		default:
			return n
		}
	}
	return n
}
