package gpython

// What is done to source before gpython compiles it. gpython v0.2.0's lexer knows neither "\r" nor
// form feeds nor a byte order mark, which CPython takes, and its parser and compiler recurse, so
// that deeply nested source would end the process with Go's stack: such source is refused. CPython
// has limits of this kind too.

import (
	"strings"

	"github.com/go-python/gpython/py"
)

// readSource brings a program into the form that gpython's lexer knows: lines that end with "\n",
// no byte order mark, and no form feeds in indentations, which start them anew in CPython.
func readSource(source string) (string, error) {
	if strings.Contains(source, "\x00") {
		return "", py.ExceptionNewf(py.ValueError, "source code string cannot contain null bytes")
	}
	source = strings.TrimPrefix(source, "\ufeff")
	if strings.Contains(source, "\r") {
		source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	}
	if strings.Contains(source, "\f") {
		lines := strings.Split(source, "\n")
		for i, line := range lines {
			indent := line[:len(line)-len(strings.TrimLeft(line, " \t\f"))]
			if at := strings.LastIndex(indent, "\f"); at >= 0 {
				lines[i] = line[at+1:]
			}
		}
		source = strings.Join(lines, "\n")
	}
	return source, nil
}

// compileSource is gpython's compiler, for sources of every form, behind a check that its recursion
// ends before Go's stack does.
func compileSource(source, file string, mode py.CompileMode, flags int, dontInherit bool) (code *py.Code, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = py.MakeSyntaxError(py.ExceptionNewf(py.SyntaxError, "%v", p), file, 1, 0, "")
		}
	}()
	if source, err = readSource(source); err != nil {
		return nil, err
	}
	n := nesting{line: 1}
	if problem := n.scan(source); problem != "" {
		e := py.ExceptionNewf(py.SyntaxError, "%s", problem)
		return nil, py.MakeSyntaxError(e, file, n.line, 0, "")
	}
	code, err = compile(source, file, mode, flags, dontInherit)
	if err != nil {
		return nil, refine(err, source)
	}
	return code, nil
}

// compileBuiltin is compile(): gpython's own goes around py.Compile.
func compileBuiltin(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("compile", args, kwargs, 3, "source", "filename", "mode", "flags", "dont_inherit", "optimize")
	if err != nil {
		return nil, err
	}
	var source string
	switch x := a[0].(type) {
	case py.String:
		source = string(x)
	case py.Bytes:
		source = string(x)
	default:
		return nil, py.ExceptionNewf(py.TypeError, "compile() arg 1 must be a string or bytes object")
	}
	file, ok := a[1].(py.String)
	mode, modeOK := a[2].(py.String)
	if !ok || !modeOK {
		return nil, py.ExceptionNewf(py.TypeError, "compile() args 2 and 3 must be strings")
	}
	code, err := compileSource(source, string(file), py.CompileMode(mode), 0, true)
	if err != nil {
		return nil, err
	}
	return code, nil
}

// nesting estimates how deep a program's syntax tree is, without building it.
type nesting struct {
	line     int
	open     []int // for each open bracket, the tokens since its last comma
	chain    int   // the same outside of brackets: what an expression's operators can be nested to
	branches int   // else and elif, each of which is nested in the one before
	lambdas  int   // in this statement
}

const (
	mostBrackets = 200 // CPython's
	mostChain    = 20000
	mostBranches = 5000
	mostLambdas  = 500
)

// scan returns what is wrong with the source, and leaves the line in n.line.
func (n *nesting) scan(s string) string {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\n':
			n.line++
			if len(n.open) == 0 {
				n.chain, n.lambdas = 0, 0
			}
			i++
		case c == ' ' || c == '\t':
			i++
		case c == '#':
			i = lineEnd(s, i)
		case c == '\\':
			if i++; i < len(s) && s[i] == '\n' {
				n.line++
				i++
			}
		case c == '"' || c == '\'':
			end := stringEnd(s, i)
			n.line += strings.Count(s[i:end], "\n")
			i = end
			n.chain++
		case isWord(c):
			start := i
			for i < len(s) && isWord(s[i]) {
				i++
			}
			switch s[start:i] {
			case "elif", "else":
				n.branches++
			case "lambda":
				n.lambdas++
			}
			n.chain++
		default:
			i++
			n.symbol(c)
		}
		switch {
		case len(n.open) > mostBrackets:
			return "too many nested parentheses"
		case n.chain > mostChain, n.branches > mostBranches, n.lambdas > mostLambdas:
			return "the program is nested too deeply for this worker"
		}
	}
	return ""
}

func (n *nesting) symbol(c byte) {
	switch c {
	case '(', '[', '{':
		n.open = append(n.open, n.chain)
		n.chain = 0
	case ')', ']', '}':
		if last := len(n.open) - 1; last >= 0 {
			n.chain = n.open[last] + 1
			n.open = n.open[:last]
		}
	case ',':
		n.chain = 0
	case ';':
		n.chain, n.lambdas = 0, 0
	default:
		n.chain++
	}
}

// isWord reports whether c can be part of a name or a number.
func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

func lineEnd(s string, i int) int {
	if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(s)
}

// stringEnd is where the string literal that begins at i ends; an unfinished one ends with its line
// or the source.
func stringEnd(s string, i int) int {
	quote := s[i : i+1]
	if strings.HasPrefix(s[i:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	for i += len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		case s[i] == '\n' && len(quote) == 1:
			return i
		}
	}
	return len(s)
}
