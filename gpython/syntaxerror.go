package gpython

// SyntaxErrors: those of package syntax, and those of gpython's compiler, which lack the text of
// their line.

import (
	"errors"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

// syntaxError is the exception for an error of package syntax.
func syntaxError(err error, file string) error {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return err
	}
	class := py.SyntaxError
	switch e.Class {
	case "IndentationError":
		class = py.IndentationError
	case "TabError":
		class = py.TabError
	}
	return newSyntaxError(class, e.Problem, file, e.Line, e.Column, e.Text)
}

// newSyntaxError makes an exception of what is wrong, and where: in the line of a file, before the
// character with a number, which counts from 0 and in CPython's offset from 1.
func newSyntaxError(class *py.Type, problem, file string, line, column int, text string) *py.Exception {
	return newException(class, py.String(problem), py.Tuple{py.String(file), py.Int(line), py.Int(column + 1), py.String(shorten(text) + "\n")})
}

// completeSyntaxError gives a SyntaxError of gpython's compiler the text of its line, and makes one
// of the failures that it has for some programs.
func completeSyntaxError(err error, source string) error {
	e, ok := err.(*py.Exception)
	if !ok || e.Dict["line"] != py.Object(py.String("")) {
		return err
	}
	number, ok := e.Dict["lineno"].(py.Int)
	if !ok {
		return err
	}
	problem := ""
	if args, ok := e.Args.(py.Tuple); ok && len(args) > 0 {
		var err error
		if problem, err = pyvalue.Str(args[0]); err != nil {
			return err
		}
	}
	lines := strings.Split(strings.TrimSuffix(source, "\n"), "\n")
	n := min(max(int(number), 1), len(lines))
	file, _ := e.Dict["filename"].(py.String)
	column, _ := e.Dict["offset"].(py.Int)
	return newSyntaxError(py.SyntaxError, problem, string(file), n, int(column), lines[n-1])
}
