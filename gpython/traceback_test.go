package gpython

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// raising are programs that end with an exception.
var raising = map[string]string{
	"name":                         "x = 1\nfoobar\n",
	"last line":                    "\n\n1 / 0",
	"function":                     "def f():\n    return 1 / 0\n\ndef g(a):\n    x = a\n    f()\n    return x\n\ng(5)\n",
	"method":                       "class C:\n    def m(self):\n        raise ValueError('no')\n\nC().m()\n",
	"key":                          "d = {}\nd['x']\n",
	"attribute":                    "class C:\n    pass\nraise AttributeError('a')\n",
	"no message":                   "raise ValueError\n",
	"two args":                     "raise ValueError(1, 'x')\n",
	"exit":                         "raise SystemExit(3)\n",
	"assert":                       "assert 1 == 2, 'different'\n",
	"plain assert":                 "assert False\n",
	"index":                        "x = [1]\nx[3]\n",
	"int":                          "int('x')\n",
	"unpack":                       "def f():\n    raise TypeError('t')\nfor i in range(3):\n    if i == 2:\n        f()\n",
	"class":                        "class MyError(Exception):\n    pass\nraise MyError('mine')\n",
	"class with init":              "class MyError(ValueError):\n    def __init__(self, a, b):\n        ValueError.__init__(self, a + b)\n        self.b = b\n    def twice(self):\n        return self.b * 2\ntry:\n    raise MyError('x', 'y')\nexcept ValueError as e:\n    raise KeyError(e.twice(), str(e)) from None\n",
	"no attribute of an exception": "try:\n    1 / 0\nexcept Exception as e:\n    e.nope\n",
	"attributes of an exception":   "try:\n    try:\n        1 / 0\n    except Exception as e:\n        x = e\n        raise KeyError(1) from e\nexcept KeyError as e:\n    assert e.__cause__ is x and e.__context__ is x and e.__traceback__ is not None and e.args == (1,)\n    e.extra = 5\n    e.extra += 1\n    assert e.extra == 6\n    raise\n",
	"class with str":               "class MyError(Exception):\n    def __str__(self):\n        return 'shown'\nraise MyError(1)\n",
	"class with wrong str":         "class MyError(Exception):\n    def __str__(self):\n        return 5\nraise MyError(1)\n",
	"class of a class":             "class A(Exception):\n    pass\nclass B(A):\n    pass\ntry:\n    raise B('b')\nexcept A as e:\n    assert isinstance(e, Exception) and e.args == ('b',)\n    raise\n",
	"generator":                    "def g():\n    yield 1\n    raise ValueError('g')\n\nfor x in g():\n    pass\n",
	"generator that stops":         "def g():\n    yield 1\n    next(iter([]))\n\ndef f():\n    yield from g()\n\nfor x in f():\n    pass\n",
	"generator thrown into":        "def g():\n    x = 1\n    yield 1\n    yield 2\n\ndef f():\n    yield from g()\n\nit = f()\nnext(it)\nit.throw(ValueError('t'))\n",
	"context":                      "try:\n    1 / 0\nexcept ZeroDivisionError:\n    foobar\n",
	"context in function":          "def f():\n    raise KeyError('k')\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    f()\n",
	"cause":                        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e\n",
	"no cause":                     "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('v') from None\n",
	"fresh cause":                  "raise ValueError('v') from KeyError('k')\n",
	"reraise":                      "def f():\n    1 / 0\ntry:\n    f()\nexcept ZeroDivisionError:\n    raise\n",
	"raise again":                  "def f():\n    1 / 0\ntry:\n    f()\nexcept ZeroDivisionError as e:\n    raise e\n",
	"raise later":                  "def f():\n    1 / 0\ntry:\n    f()\nexcept ZeroDivisionError as e:\n    kept = e\nraise kept\n",
	"finally":                      "def f():\n    try:\n        1 / 0\n    finally:\n        x = 1\n        y = 2\nf()\n",
	"after a handled one":          "try:\n    1 / 0\nexcept ZeroDivisionError:\n    pass\nfoobar\n",
	"after a broken loop":          "for i in [1]:\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        break\nfoobar\n",
	"three":                        "try:\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        [][1]\nexcept IndexError:\n    {}['k']\n",
	"lambda":                       "f = lambda x: 1 / x\nf(0)\n",
	"comprehension":                "x = [1 / y for y in [1, 0]]\n",
	"while":                        "n = 3\nwhile n >= 0:\n    6 / n\n    n -= 1\n",
	"with":                         "class C:\n    def __enter__(self):\n        return self\n    def __exit__(self, *a):\n        return False\nwith C():\n    1 / 0\n",
	"recursion":                    "def f(n):\n    if n == 0:\n        1 / 0\n    f(n - 1)\nf(10)\n",
	"far line":                     strings.Repeat("\n", 1000) + "def f():\n" + strings.Repeat("    x = 1\n", 300) + "    1 / 0\n\nf()\n",
	"unhashable":                   "{[]: 1}\n",
	"call none":                    "x = None\nx()\n",
	"missing argument":             "def f(a, b):\n    pass\nf(1)\n",
	"indented exception":           "if True:\n  if True:\n\t  pass\n  foobar\n",
	"crlf":                         "x = 1\r\nfoobar\r\n",
}

func TestSyntaxErrors(t *testing.T) {
	w := newWorker(t, nil)
	for source, want := range map[string]string{
		"x = = 1":                       "1|x = = 1|    ^|SyntaxError: invalid syntax",
		"ok = 1\nif ok print(ok)":       "2|if ok print(ok)|      ^|SyntaxError: invalid syntax",
		"x = 5 +":                       "1|x = 5 +|       ^|SyntaxError: invalid syntax",
		"if True:\nx = 1":               "2|x = 1|^|IndentationError: expected an indented block after 'if' statement on line 1",
		"x = 1\n   y = 2":               "2|y = 2|^|IndentationError: unexpected indent",
		"if True:\n    x = 1\n  y = 2":  "3|y = 2|     ^|IndentationError: unindent does not match any outer indentation level",
		"x = (1,\n2":                    "1|x = (1,|    ^|SyntaxError: '(' was never closed",
		"def f():\n  x = 1\n  global x": "3|global x|^|SyntaxError: name 'x' is assigned to before global declaration",
		"\nreturn 5":                    "2|return 5|^|SyntaxError: 'return' outside function",
		"a, 1 = 2":                      "1|a, 1 = 2|   ^|SyntaxError: cannot assign to literal here. Maybe you meant '==' instead of '='?",
		"x = $":                         "1|x = $|    ^|SyntaxError: invalid syntax",
	} {
		t.Run(source, func(t *testing.T) {
			e := w.fails(t, source, gatewaybase.File("p.py", 1))
			parts := strings.Split(want, "|")
			text := "Traceback (most recent call last):\n  File \"p.py\", line " + parts[0] + "\n"
			for _, line := range parts[1:3] {
				text += "    " + line + "\n"
			}
			text += parts[3] + "\n"
			assert.Equal(t, text, e.Formatted)
			class, message, _ := strings.Cut(parts[3], ": ")
			assert.Equal(t, class, e.Exception())
			assert.Equal(t, message, e.Message())
		})
	}
	// What is compiled later, too.
	assert.Equal(t, []any{"caught"}, w.run(t, "try:\n    eval('1 +')\nexcept SyntaxError:\n    channel.send('caught')"))
}

// shape is what of a traceback has to be the same in CPython: all but its marks under expressions
// and the lines that show how frames are called.
func shape(text string) string {
	var lines []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.Trim(line, " ^~") != "" || line == "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// likeGpython is the newest CPython 3 whose messages and tracebacks gpython's are compared with:
// since 3.12 comprehensions have no frame of their own, and some messages are others.
func likeGpython(t *testing.T) string {
	t.Helper()
	path := ""
	for _, p := range pythons.All(t) { // the oldest first
		if p.Major == 3 && !p.AtLeast(3, 12) {
			path = p.Path
		}
	}
	require.NotEmpty(t, path, "gpython is compared with a CPython of 3.6 to 3.11: install one, and list it in EXECNET_TEST_PYTHONS if that is set")
	return path
}

// inCPython runs what the script's answer(source, name) does with each program, each of which has a
// file.
func inCPython(t *testing.T, script string, programs map[string]string) (answers, files map[string]string) {
	t.Helper()
	return inPython(t, likeGpython(t), script, programs)
}

func inPython(t *testing.T, python, script string, programs map[string]string) (answers, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	files = make(map[string]string)
	for name, source := range programs {
		files[name] = filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".py")
		require.NoError(t, os.WriteFile(files[name], []byte(source), 0o600))
	}
	list, err := json.Marshal(files)
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", "import sys, json, traceback\n"+script+`
files = json.load(sys.stdin)
answers = {}
for name in files:
    with open(files[name], newline="", encoding="utf-8") as f:
        source = f.read()
    try:
        answers[name] = answer(source, files[name])
    except Exception as e:
        e.args = (name,) + e.args
        raise
print(json.dumps(answers))
`)
	cmd.Stdin = bytes.NewReader(list)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &answers))
	return answers, files
}

func TestTracebacksAreCPythons(t *testing.T) {
	want, files := inCPython(t, `
def answer(source, name):
    try:
        exec(compile(source + "\n", name, "exec"), {"__name__": "__channelexec__"})
    except BaseException as e:
        e.__traceback__ = e.__traceback__.tb_next
        return "".join(traceback.format_exception(type(e), e, e.__traceback__))
`, raising)
	w := newWorker(t, nil)
	for name, source := range raising {
		t.Run(name, func(t *testing.T) {
			got := w.fails(t, source, gatewaybase.File(files[name], 1))
			assert.Equal(t, shape(want[name]), shape(got.Formatted))
		})
	}
}
