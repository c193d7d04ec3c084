package gpython

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/worker/engine"
)

// evaluation is a program that evaluates expressions, in either Python: shown gets what each gives.
const evaluation = `
import math, os, os.path, sys, time
def answer(expression):
    try:
        return repr(eval(expression, {'math': math, 'os': os, 'sys': sys, 'time': time}))
    except Exception as e:
        return '%s: %s' % (type(e).__name__, e)
`

// exactEntries reads testdata/exact.txt: expressions for names of the lists.
func exactEntries(t *testing.T) (names map[string]bool, expressions []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/exact.txt")
	require.NoError(t, err)
	names = map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, expression, ok := strings.Cut(strings.TrimSpace(line), " ")
		require.True(t, ok, line)
		names[name] = true
		expressions = append(expressions, "("+expression+")")
	}
	return names, expressions
}

// askCPython runs a program that writes JSON to out, in the CPython that gpython is compared with.
func askCPython(t *testing.T, source string, into any) {
	t.Helper()
	cmd := exec.Command(likeGpython(t), "-c", "import json, os, sys\nout, sys.stdout = sys.stdout, open(os.devnull, 'w')\n"+source)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, into))
}

// TestExactEntries runs the expressions of testdata/exact.txt here and in CPython.
func TestExactEntries(t *testing.T) {
	_, expressions := exactEntries(t)
	var list strings.Builder
	for _, e := range expressions {
		list.WriteString(pystring.ASCII(e) + ", ")
	}
	var want []string
	askCPython(t, evaluation+"out.write(json.dumps([answer(e) for e in ["+list.String()+"]]))", &want)
	w := newWorker(t, nil)
	ch := w.exec(t, evaluation+"for e in ["+list.String()+"]: channel.send(answer(e))")
	for i, e := range expressions {
		got, err := gatewaybase.Receive[string](within.Soon(t), ch)
		require.NoError(t, err, e)
		assert.Equal(t, want[i], got, e)
	}
}

// TestExactListsAreComplete asks CPython what there is: each name stands in one list, and what is
// the same has an expression in testdata/exact.txt for every type that has it.
func TestExactListsAreComplete(t *testing.T) {
	tested, _ := exactEntries(t)
	var there struct {
		Builtins []string
		Types    map[string][]string
	}
	askCPython(t, `
import builtins
def public(x): return [n for n in dir(x) if not n.startswith('_')]
def generator(): yield
types = {t.__name__: public(t) for t in (str, bytes, list, tuple, dict, set, frozenset, int, bool, float, complex, range, slice, BaseException)}
types['generator'] = public(generator())
types['other'] = [n for x in (property(), {}.keys(), type, bytearray()) for n in public(x)]
types['exception'] = [n for x in (StopIteration(), NameError(), AttributeError(), UnicodeDecodeError('a', b'', 0, 0, '')) for n in public(x)]
out.write(json.dumps({'Builtins': [n for n in public(builtins) if n not in ('True', 'False', 'None')], 'Types': types}))
`, &there)
	for _, name := range there.Builtins {
		_, exact := exactBuiltins[name]
		assert.NotEqual(t, exact, otherBuiltins[name], "the builtin %s", name)
		if exact {
			assert.True(t, tested[name], "an expression for %s", name)
		}
	}
	for class, names := range there.Types {
		for _, name := range names {
			_, exact := exactAttributes[name]
			other := otherAttributes[name] || class == "exception" && exceptionAttributes[name]
			assert.NotEqual(t, exact, other, "the attribute %s.%s", class, name)
			if exact && class != "other" && class != "exception" {
				assert.True(t, tested[class+"."+name], "an expression for %s.%s", class, name)
			}
		}
	}
	for module, names := range exactModules {
		for _, name := range names {
			assert.True(t, tested[module+"."+name], "an expression for %s.%s", module, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tested)) {
		at := strings.LastIndexByte(name, '.')
		switch before, last := name[:max(at, 0)], name[at+1:]; {
		case at < 0:
			assert.Contains(t, exactBuiltins, name)
		case there.Types[before] != nil:
			assert.Contains(t, exactAttributes, last, name)
		default:
			assert.Contains(t, exactModules[before], last, name)
		}
	}
}

// TestExactPrograms runs the programs of testdata/exact_programs.txt, which the engine says that it
// does exactly, here and in CPython.
func TestExactPrograms(t *testing.T) {
	text, err := os.ReadFile("testdata/exact_programs.txt")
	require.NoError(t, err)
	programs := map[string]string{}
	for _, section := range strings.Split(string(text), "=== ")[1:] {
		name, source, _ := strings.Cut(section, "\n")
		programs[name] = source
	}
	require.Greater(t, len(programs), 10)
	want, files := inCPython(t, `
import __future__
def answer(source, name):
    class channel:
        sent = []
        send = sent.append
    # execnet's worker compiles with the features of its own file.
    code = compile(source + "\n", name, "exec", flags=__future__.annotations.compiler_flag)
    exec(code, {"__name__": "__channelexec__", "channel": channel})
    return "\n".join(channel.sent)
`, programs)
	w := newWorker(t, nil)
	for name, source := range programs {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, gpythonEngine{}.Differs(program(source), nil))
			var got []string
			for sent, err := range gatewaybase.Items[string](within.Soon(t), w.exec(t, source, gatewaybase.File(files[name], 1))) {
				if !assert.NoError(t, err) {
					break
				}
				got = append(got, sent)
			}
			assert.Equal(t, strings.Split(want[name], "\n"), strings.Split(strings.Join(got, "\n"), "\n"))
		})
	}
}

// TestDiffers has programs that are left to CPython, and why.
func TestDiffers(t *testing.T) {
	modules := engine.Modules{"textstats": {"count": nil}, "a.b": {"f": nil}}
	for source, want := range map[string]string{
		"import textstats\nfor doc in channel:\n    channel.send(textstats.count(doc, lower=True))":     "",
		"import a.b\nfrom a import b as c\nfrom a.b import f\nchannel.send([a.b.f(1), c.f(x=2), f(3)])": "",
		"import textstats\nchannel.send(list(map(textstats.count, channel.receive(timeout=5))))":        "",
		"g = channel.gateway.newchannel()\nchannel.send(g)\ng.waitclose()":                              "",
		"channel.send(len(set(channel.receive())))\nx = 'a' in {'a', 'b'}":                              "",

		"import decimal":                                     "import decimal in line 1",
		"\n\nimport os.path":                                 "import os.path in line 3",
		"import os\nos.environ['X'] = '1'":                   "os.environ in line 2",
		"import os\nos.chdir('/')":                           "os.chdir in line 2",
		"import sys\nsys.stdout = channel":                   "sys.stdout in line 2",
		"import sys\nsys.modules['x'] = 1":                   "sys.modules in line 2",
		"import sys\nsys.platform = 'x'":                     "sys.platform in line 2",
		"import os\nchannel.send(os)":                        "the module os as a value in line 2",
		"getattr(5, 'fork')()":                               "the name getattr in line 1",
		"import os as x\nx = 5":                              "",
		"from os import *":                                   "from os import * in line 1",
		"from . import x":                                    "from . import x in line 1",
		"from __future__ import annotations":                 "from __future__ import annotations in line 1",
		"import textstats\ntextstats.other()":                "textstats.other in line 2",
		"import textstats\ntextstats.count.__doc__":          "the attribute __doc__ in line 2",
		"import a\na.x":                                      "a.x in line 2",
		"import math\nmath.floor(x=1)":                       "math.floor in line 2",
		"open('x')":                                          "the name open in line 1",
		"eval('1')":                                          "the name eval in line 1",
		"unknown":                                            "the name unknown in line 1",
		"def f(id): return id":                               "the name id in line 1",
		"x.unknown":                                          "the name x in line 1",
		"x = 1\nx.numerator":                                 "the attribute numerator in line 2",
		"class C:\n    def hex_(self): pass\nC().hex_":       "",
		"class C:\n    def real(self): pass\nC().real":       "the attribute real in line 3",
		"class C:\n    def __del__(self): pass":              "the method __del__ in line 2",
		"class C:\n    def __init__(self): return 1":         "a result of __init__ in line 2",
		"class C(dict): pass":                                "class C, which is derived from dict in line 1",
		"class C(object, metaclass=type): pass":              "the class C, which has more than one base, keywords, a decorator, or a class around it in line 1",
		"class C:\n    __slots__ = ()":                       "an assignment in a class in line 2",
		"class C:\n    f = len":                              "an assignment in a class in line 2",
		"def f(): pass\nf.x = 1":                             "an assignment to the attribute x in line 2",
		"channel.x = 1":                                      "an assignment to the attribute x in line 1",
		"def f(): pass\nf(**{})":                             "",
		"def f(*a, **kw): pass\nf(*[1], 2, x=3, **{'y': 4})": "",
		"print(**{})":                                        "the keyword ** of print in line 1",
		"def f(x: int) -> str:\n    y: no = 1":               "",
		"async def g(): pass":                                "async functions in line 1",
		"x = {**{}, 'a': 1}\ny = [*x, *{1, 2}]":              "the order of a set in line 2",
		"f'{id(5)}'":                                         "the name id in line 1",
		"class C:\n    def __get__(self): pass":              "the method __get__ in line 2",
		"__v = 1":                                            "the name __v in line 1",
		"print('x', file=channel)":                           "the keyword file of print in line 1",
		"x = {1, 2}":                                         "the order of a set in line 1",
		"x = set()":                                          "the name set in line 1",
		"x = 1\nx is 1":                                      "is in line 2",
		"x = 1\nx is not None":                               "",
		"hash('a')":                                          "the name hash in line 1",
		"def g():\n    try:\n        yield\n    finally:\n        pass": "a generator with try or with in line 1",
		"'\\ud800'":              "surrogates in strings in line 1",
		"x = ":                   "the SyntaxError in line 1",
		"  x = 1":                "the IndentationError in line 1",
		"async def f(): pass":    "async functions in line 1",
		"x = 1\x00":              "a null byte",
		"channel.setcallback(1)": "the attribute setcallback in line 1",
		"x = str.upper":          "the attribute upper as a value in line 1",
		"list(map(str.upper, sorted('ab', key=str.lower)))": "",
		"f = channel.send":      "the attribute send as a value in line 1",
		"channel.gateway":       "the attribute gateway as a value in line 1",
		"channel.makefile('w')": "the attribute makefile in line 1",
		"except_ = 1\ntry:\n    1 / 0\nexcept NameError as e:\n    e.name": "the attribute name in line 5",
	} {
		assert.Equal(t, want, gpythonEngine{}.Differs(program(source), modules), source)
	}
	called := program("def f(channel, x): channel.send(x)")
	called.Call = "f"
	assert.Empty(t, gpythonEngine{}.Differs(called, nil))
	called.Call = "g"
	assert.Equal(t, "the function g, which it does not define", gpythonEngine{}.Differs(called, nil))
}
