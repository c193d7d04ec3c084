package gpython

// From source to code: what is done before package syntax reads it, and where all that compiles
// meets.

import (
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// readSource brings a program into the form that package syntax knows: lines that end with "\n",
// and no byte order mark.
func readSource(source string) (string, error) {
	if strings.Contains(source, "\x00") {
		return "", py.ExceptionNewf(py.ValueError, "source code string cannot contain null bytes")
	}
	source = strings.TrimPrefix(source, "\ufeff")
	if strings.Contains(source, "\r") {
		source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	}
	return source, nil
}

// compileSource is what compiles all source: programs, modules, and what they give to exec, eval
// and compile.
func compileSource(source, file string, mode py.CompileMode, flags int, dontInherit bool) (code *py.Code, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = py.MakeSyntaxError(py.ExceptionNewf(py.SyntaxError, "%v", p), file, 1, 0, "")
		}
	}()
	if source, err = readSource(source); err != nil {
		return nil, err
	}
	code, err = compile(source, file, mode, flags, dontInherit)
	if err != nil {
		return nil, completeSyntaxError(err, source)
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
	switch x := pyvalue.Plain(a[0]).(type) {
	case py.String:
		source = string(x)
	case py.Bytes:
		source = string(x)
	default:
		return nil, py.ExceptionNewf(py.TypeError, "compile() arg 1 must be a string or bytes object")
	}
	file, ok := pyvalue.Plain(a[1]).(py.String)
	mode, modeOK := pyvalue.Plain(a[2]).(py.String)
	if !ok || !modeOK {
		return nil, py.ExceptionNewf(py.TypeError, "compile() args 2 and 3 must be strings")
	}
	code, err := compileSource(source, string(file), py.CompileMode(mode), 0, true)
	if err != nil {
		return nil, err
	}
	return code, nil
}
