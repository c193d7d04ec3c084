package gpython

// What is the same in gpython and in CPython. A test runs testdata/exact.txt, which has expressions
// for every entry, in both, and asks CPython that nothing is missing in the lists of what is not
// the same.

import "strings"

// anyKeyword stands for all keywords of a function.
const anyKeyword = "*"

// exactGlobals are the names that a program finds beside the builtins.
var exactGlobals = set("channel __name__")

// exactBuiltins are builtin functions, and classes as functions, with the keywords they take here.
var exactBuiltins = entries(`
	abs all any ascii bin bool bytes callable complex dict:* divmod enumerate:start filter float format int
	isinstance issubclass iter len list map max:key,default min:key,default next oct ord pow print:sep,end,flush
	range repr reversed round:ndigits slice sorted:key,reverse str sum:start tuple zip hex NotImplemented

	ArithmeticError AssertionError AttributeError BaseException EOFError Exception FloatingPointError IndexError
	KeyError LookupError MemoryError NameError NotImplementedError OverflowError
	RuntimeError StopIteration TypeError ValueError ZeroDivisionError
`)

// otherBuiltins are all others of CPython.
var otherBuiltins = set(`
	aiter anext breakpoint bytearray chr classmethod compile copyright credits delattr dir eval exec exit frozenset
	getattr globals hasattr hash help id input license locals memoryview object open property quit set setattr
	staticmethod super type vars Ellipsis

	BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError
	ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning
	EncodingWarning EnvironmentError ExceptionGroup FileExistsError FileNotFoundError FutureWarning GeneratorExit
	IOError ImportError ImportWarning IndentationError InterruptedError IsADirectoryError KeyboardInterrupt
	ModuleNotFoundError NotADirectoryError OSError PendingDeprecationWarning PermissionError ProcessLookupError
	RecursionError ReferenceError ResourceWarning RuntimeWarning StopAsyncIteration SyntaxError SyntaxWarning
	SystemError SystemExit TabError TimeoutError UnboundLocalError UnicodeDecodeError UnicodeEncodeError
	UnicodeError UnicodeTranslateError UnicodeWarning UserWarning Warning
`)

// exactOrderless are the builtins for which the order of a set is nothing.
var exactOrderless = set("sorted len min max any all")

// exactDecorators can stand before a method.
var exactDecorators = set("staticmethod classmethod property")

// exactSpecial are the special methods that a class can have.
var exactSpecial = set(`
	__init__ __str__ __repr__ __format__ __len__ __bool__ __iter__ __next__ __reversed__ __contains__ __getitem__
	__setitem__ __delitem__ __enter__ __exit__ __call__ __hash__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __add__
	__radd__ __iadd__ __sub__ __mul__ __neg__
`)

// exactFutures can be imported from __future__.
var exactFutures = set("nested_scopes generators division absolute_import with_statement print_function unicode_literals generator_stop")

// exactAttributes are attributes of built-in types, of channels and of exceptions, with the
// keywords that methods take here.
var exactAttributes = entries(`
	add append args bit_length capitalize casefold center clear copy count decode:encoding,errors discard
	encode:encoding,errors endswith expandtabs:tabsize extend find format:* fromhex fromkeys get hex index
	insert is_integer isalnum isalpha isascii isdecimal isdigit isdisjoint isidentifier islower
	isprintable isspace issubset issuperset istitle isupper items join keys ljust lower lstrip maketrans partition
	pop popitem remove removeprefix removesuffix replace reverse rfind rindex rjust rpartition
	rsplit:sep,maxsplit rstrip send setdefault sort:key,reverse split:sep,maxsplit splitlines:keepends
	startswith strip swapcase title to_bytes translate update upper values zfill

	RemoteError TimeoutError close gateway isclosed newchannel receive:timeout waitclose:timeout
`)

// exactValues are those of them that are no methods. What repr says of a method differs.
var exactValues = set("args RemoteError TimeoutError gateway")

// otherAttributes are all others of CPython's built-in types that a program here can meet, and of
// execnet's objects, but for those that begin with "_".
var otherAttributes = set(`
	add_note as_integer_ratio bit_count conjugate deleter denominator difference difference_update
	execmodel exit fdel fget flush format_map from_bytes fset getter gi_code gi_frame gi_running
	gi_suspended gi_yieldfrom hasreceiver id imag indices intersection intersection_update isatty
	isnumeric makefile mapping mro numerator read readline real reconfigure remote_exec
	remote_init_threads remote_status remoteaddress setcallback setter spec start step stop
	symmetric_difference symmetric_difference_update terminate throw union with_traceback write
	writelines writeln
`)

// exceptionAttributes are those that only exceptions have. They are the program's own if it names
// no exception that it handles.
var exceptionAttributes = set("encoding end name obj object reason value")

// exactModules are the modules of CPython's library that can be imported, with what can be used of
// them.
var exactModules = map[string][]string{
	"base64": strings.Fields("b64decode b64encode urlsafe_b64decode urlsafe_b64encode"),
	"json":   strings.Fields("dumps loads"),
	"shlex":  strings.Fields("join quote"),
	"socket": strings.Fields("gethostname"),
	"math":   strings.Fields("ceil copysign e fabs factorial floor gcd inf isfinite isinf isnan isqrt nan pi sqrt trunc"),
	"os":     strings.Fields("curdir getcwd getenv linesep name pardir pathsep sep"),
	"sys":    strings.Fields("byteorder maxsize platform"),
	"time":   strings.Fields("monotonic perf_counter sleep time time_ns"),
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, word := range strings.Fields(words) {
		m[word] = true
	}
	return m
}

// entries reads words, each with its keywords behind a colon.
func entries(words string) map[string][]string {
	m := map[string][]string{}
	for _, word := range strings.Fields(words) {
		name, keywords, _ := strings.Cut(word, ":")
		m[name] = strings.FieldsFunc(keywords, func(c rune) bool { return c == ',' })
	}
	return m
}
