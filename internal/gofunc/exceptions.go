package gofunc

import (
	"strings"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// Traceback is the error of a Go function in the shape of a Python exception, so that drivers find
// the class and its bases in it. frames are lines that say where, and class is a built-in one or
// has its module in front.
func Traceback(frames, class, message string) *gatewaybase.RemoteError {
	line := class
	if message != "" {
		line += ": " + message
	}
	return &gatewaybase.RemoteError{
		Formatted: "Traceback (most recent call last):\n" + frames + line + "\n",
		Text:      message,
		MRO:       MRO(class),
	}
}

// IsException tells whether a name is that of an exception that is built into Python, of any
// release.
func IsException(class string) bool {
	return baseOf[class] != "" && class != "object" && !strings.Contains(class, ".")
}

// MRO is the method resolution order of a class, each name with its module. Of a class that is not
// in bases, only that it is an Exception is known.
func MRO(class string) []string {
	var names []string
	for name := class; name != ""; name = baseOf[name] {
		qualified := name
		if !strings.Contains(name, ".") && (name != class || baseOf[name] != "") {
			qualified = "builtins." + name
		}
		names = append(names, qualified)
		if name == class && baseOf[name] == "" && name != "object" {
			names = append(names, MRO("Exception")...)
		}
	}
	return names
}

// baseOf has the base class of each class that a Go function can raise: Python's built-in
// exceptions, of all releases, and execnet's.
var baseOf = func() map[string]string {
	of := map[string]string{}
	for base, classes := range map[string]string{
		"object":        "BaseException",
		"BaseException": "Exception SystemExit KeyboardInterrupt GeneratorExit",
		"Exception": "StopIteration StopAsyncIteration ArithmeticError AssertionError AttributeError BufferError EOFError " +
			"ImportError LookupError MemoryError NameError OSError ReferenceError RuntimeError SyntaxError SystemError TypeError " +
			"ValueError Warning execnet.gateway_base.DataFormatError execnet.gateway_base.RemoteError",
		"ArithmeticError": "FloatingPointError OverflowError ZeroDivisionError",
		"ImportError":     "ModuleNotFoundError",
		"LookupError":     "IndexError KeyError",
		"NameError":       "UnboundLocalError",
		"OSError": "BlockingIOError ChildProcessError ConnectionError FileExistsError FileNotFoundError InterruptedError " +
			"IsADirectoryError NotADirectoryError PermissionError ProcessLookupError TimeoutError execnet.gateway_base.TimeoutError",
		"ConnectionError":  "BrokenPipeError ConnectionAbortedError ConnectionRefusedError ConnectionResetError",
		"RuntimeError":     "NotImplementedError RecursionError PythonFinalizationError",
		"SyntaxError":      "IndentationError",
		"IndentationError": "TabError",
		"ValueError":       "UnicodeError",
		"UnicodeError":     "UnicodeDecodeError UnicodeEncodeError UnicodeTranslateError",
		"Warning": "BytesWarning DeprecationWarning EncodingWarning FutureWarning ImportWarning PendingDeprecationWarning " +
			"ResourceWarning RuntimeWarning SyntaxWarning UnicodeWarning UserWarning",
		"execnet.gateway_base.DataFormatError": "execnet.gateway_base.DumpError execnet.gateway_base.LoadError",
	} {
		for class := range strings.FieldsSeq(classes) {
			of[class] = base
		}
	}
	return of
}()
