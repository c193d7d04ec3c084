package syntax

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-python/gpython/py"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// mistakes are sources that no Python takes.
var mistakes = []string{
	"x = = 1", "x = 5 +", "if ok print(ok)", "if True:\nx = 1", "x = 1\n   y = 2", "if True:\n    x = 1\n  y = 2", "x = (1,\n2",
	"x = [1, 2", "x = {'a': 1", "f(", "x)", "(]", "x = (1]\n", "x = (\n1]", "\nreturn 5", "x = 5\nyield x", "break", "continue",
	"def f():\n    break", "for x in y:\n    def f():\n        continue", "class A:\n    return 1", "a, 1 = 2", "1 = x", "f() = 1",
	"x + 1 = 2", "None = 1", "True = 1", "(a, None) = 1", "x = f() = 3", "[a, 1] = 2", "a if b else c = 1", "lambda: 1 = 2", "'a' = 1",
	"f'{a}' = 1", "{} = 1", "{1} = 1", "-x = 1", "a < b = 1", "a and b = 1", "(x for x in y) = 1", "[x for x in y] = 1", "... = 1",
	"f() += 1", "(a, b) += 1", "1 += 1", "del f()", "del 1", "del (a, b())", "del x + 1", "for f() in x: pass", "for 1 in x: pass",
	"with a as f(): pass", "with a as 1: pass", "*a = 1", "x = *a", "print 'x'", "print x", "exec 'x'", "x = $", "x = ?", "x = a!",
	"def f(a, a): pass", "def f(a=1, b): pass", "def f(*): pass", "def f(*, **k): pass", "def f(**k, a): pass", "def f(*a, *b): pass",
	"def f(*a=1): pass", "def f(**k=1): pass", "lambda a, a: 1", "lambda *: 1", "lambda a=1, b: 1", "def f(a, /, b, /): pass", "def f(/, a): pass",
	"def f(*, a, /): pass", "f(a=1, 2)", "f(**k, 1)", "f(**k, *a)", "f(a=1, a=2)", "f(x for x in y, 1)", "f(1, x for x in y)", "f(1=2)", "f(True=1)",
	"f(a.b=1)", "f(a=)", "x: int: y", "(a, b): int", "[a]: int", "f(): int = 1", "x = 1 if 2", "x = a if b else", "'abc", "x = \"abc\ny", "'''abc\n",
	"x = b'é'", "'a' b'b'", "'\\x4'", "'\\u12'", "'\\U00110000'", "'\\N{no such name at all'", "b'\\x4'", "0777", "0x", "0b12", "0o8", "1__0", "1_",
	"0xg", "1a", "1.5abc", "1e", "1e+", "5x = 1", "x = 1 2", "x = (1 2)", "[a b]", "{a b}", "f(a b)", "{'a': 1 'b': 2}", "{'a' 1}", "{'a':}", "{'a'}.b.",
	"{**a for a in b}", "{'a': *b}", "[*a for a in b]", "(*a for a in b)", "(*a)", "else: pass", "elif x: pass", "try: pass", "try:\n  pass\nx = 1",
	"try: pass\nexcept: pass\nexcept A: pass", "try: pass\nexcept A, B as c: pass", "try: pass\nexcept A B: pass", "try: pass\nexcept , A: pass", "try: pass\nelse: pass", "if x = 1: pass", "while x = 1: pass",
	"import", "import a.", "from a import", "from a import b,", "from . import *, a", "from a import (b", "import a as b.c", "from __future__ import nope",
	"x = 1\nfrom __future__ import division", "from __future__ import braces", "def f():\n  from a import *", "class A:\n  from a import *", "global",
	"nonlocal x", "assert", "raise x from", "del", "def", "def f", "def f()", "def f() pass", "class", "class A(", "class A pass", "for x", "for x in",
	"for x in y", "while", "with", "with a as", "lambda", "lambda x", "@", "@a", "@a\nx = 1", "x ==", "not", "x not", "x is", "a b", "a.1", "a.", "a[",
	"a[]", "a[1:2:3:4]", "a[*b:1]", "()()(", "\\", "x = \\ 1", "x = \\", "if x:\n\ty\n        z", "if x:\n        y\n\tz", "  x = 1", "if x:\n  y\n    z",
	"class A:\n", "def f():\n", "for x in y:\n\nz", "while x:\n#c\ny", "try:\nx", "with a:\nb", "if x:\n  pass\nelse:\ny", "f'{'", "f'{}'", "f'{x'", "f'}'",
	"f'{x!}'", "f'{x!z}'", "f'{x!r y}'", "f'{x y}'", "f'{x:{y}'", "f'{!r}'", "f'{=}'", "f'{x!r:'", "f'{lambda x: 1}'", "f'abc", "f'''abc", "f'{x:{y:{z:{w}}}}'",
	"f'{(x}'", "f'{x)}'", "f'{a $ b}'", "f'{*}'", "f'{a[}'", "f'' b''", "(x := 1) = 2", "x := 1", "(x.y := 1)", "(x[0] := 1)", "f(x := 1, y = z := 2)", "[x := 1 for x in y]",
	"[y for x in (y := z)]", "class A:\n  [y := x for x in z]", "(a, b := 1, 2) := 3", "x = yield = 1", "def f():\n  (yield) = 1", "async x", "await", "__debug__ = 1",
	"def f(__debug__): pass", "f(__debug__=1)", "import a as __debug__", "match x:\n  pass\n", "case 1: pass", "a; ; b", ";", "x = 1;; y", "if 1: if 2: pass", "x = (yield)", "lambda: (yield",
	"x = {a: b, c}", "x = {a, b: c}", "€ = 1", "1 if 2 else 3 = 4", "((((((((((", "a = [(]", "def f(x):\n  return x +", "class C(a=1, a=2): pass", "x = 09.5 + 09",
	"with (a as b, c as d: pass", "with (a, b) as c, d as: pass", "def f(a:): pass", "def f() ->: pass", "def f(a b): pass", "def f((a, b)): pass", "lambda (a, b): 1",
	"`x`", "a <> b", "x = 10L", "ur'a'", "raise E, 'x'", "exec 'a' in b", "x =", "+=", "x +=", "x += y += z", "x = y += z", "a, b += 1", "del a,, b", "[,]", "(,)", "{,}", "f(,)", "a[,]",
}

// inCPython is what a CPython says of sources: class, line, column and words.
func inCPython(t *testing.T, python string, sources []string) (answers [][]any) {
	t.Helper()
	list, err := json.Marshal(sources)
	require.NoError(t, err)
	cmd := exec.Command(python, "-W", "ignore", "-c", `
import json, sys
answers = []
for source in json.load(sys.stdin):
    try:
        compile(source + "\n", "f", "exec", 0, True)
        answers.append(None)
    except SyntaxError as e:
        answers.append([type(e).__name__, e.lineno, e.offset, e.msg])
print(json.dumps(answers))
`)
	cmd.Stdin = bytes.NewReader(list)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &answers))
	return answers
}

// parseAndLower makes a tree that gpython can compile.
func parseAndLower(source string, mode py.CompileMode) (*Tree, error) {
	tree, err := Parse(source, mode)
	if err != nil {
		return nil, err
	}
	return Lower(source, tree)
}

// TestMistakesAreErrors compares errors with those of the newest CPython.
func TestMistakesAreErrors(t *testing.T) {
	var newest pythons.Interpreter
	for _, p := range pythons.All(t) {
		if p.AtLeast(3, 12) {
			newest = p
		}
	}
	want := make([][]any, len(mistakes))
	if newest.Path != "" {
		want = inCPython(t, newest.Path, mistakes)
	}
	same := 0
	for i, source := range mistakes {
		_, err := parseAndLower(source+"\n", py.ExecMode)
		var e *Error
		if !assert.ErrorAs(t, err, &e, source) || newest.Path == "" {
			continue
		}
		if !assert.NotNil(t, want[i], "%s: CPython takes this", source) || e.Feature != "" {
			continue
		}
		got := fmt.Sprint([]any{e.Class, e.Line, e.Column + 1, e.Problem})
		if got == fmt.Sprint(want[i]) {
			same++
			continue
		}
		t.Logf("%q:\n\t%s\n\t%v", source, got, want[i])
		assert.Equal(t, fmt.Sprint(want[i][:2]), fmt.Sprint([]any{e.Class, e.Line}), source)
	}
	t.Logf("%d of %d errors are the same", same, len(mistakes))
}

// TestDeepSources have to end, with an error where they are too deep.
func TestDeepSources(t *testing.T) {
	for name, source := range map[string]string{
		"brackets": strings.Repeat("(", 1<<20), "minus": strings.Repeat("-", 1<<20) + "1", "not": strings.Repeat("not ", 1<<20) + "1",
		"lambda": strings.Repeat("lambda:", 1<<18) + "1", "if": strings.Repeat("1 if 1 else ", 1<<18) + "1", "power": strings.Repeat("1**", 1<<18) + "1",
		"sum": strings.Repeat("1+", 1<<20) + "1", "trailers": "a" + strings.Repeat(".a", 1<<20), "calls": "a" + strings.Repeat("()", 1<<20),
		"elif": "if 1: pass\n" + strings.Repeat("elif 1: pass\n", 1<<18), "f-strings": strings.Repeat("f'{", 1<<18),
		"await": strings.Repeat("await ", 1<<18),
	} {
		_, err := parseAndLower(source+"\n", py.ExecMode)
		var e *Error
		assert.ErrorAs(t, err, &e, name)
	}
	for name, source := range map[string]string{
		"sum": strings.Repeat("1+", 10000) + "1", "brackets": strings.Repeat("(", 200) + strings.Repeat(")", 200), "and": strings.Repeat("1 and ", 1<<18) + "1",
		"annotations": strings.Repeat("a: b\n", 1<<17), "list": "[" + strings.Repeat("*a,", 5000) + "]", "match": strings.Repeat("match (1)\n", 1<<16),
		"with": strings.Repeat("with (yield_): pass\n", 1<<16), "statements": strings.Repeat("a=1;", 1<<18),
	} {
		_, err := parseAndLower(source+"\n", py.ExecMode)
		assert.NoError(t, err, name)
	}
}

func FuzzParse(f *testing.F) {
	for _, source := range mistakes {
		f.Add(source, byte(0))
	}
	for i, source := range []string{"f'{x!r:{y}}' f\"{'a'}\"", "[*a, *b]\nf(*a, k=1, **d)", "x: int = 3\nclass A:\n  y: 'a'\n", "with (a as b, c): pass", "[y := x for x in z]\n"} {
		f.Add(source, byte(i))
	}
	f.Fuzz(func(t *testing.T, source string, mode byte) {
		_, err := parseAndLower(source, []py.CompileMode{py.ExecMode, py.EvalMode, py.SingleMode}[mode%3])
		if err == nil {
			return
		}
		var e *Error
		require.ErrorAs(t, err, &e)
		require.GreaterOrEqual(t, e.Line, 1)
		require.LessOrEqual(t, e.Line, strings.Count(source, "\n")+1)
		require.GreaterOrEqual(t, e.Column, 0)
	})
}

// BenchmarkParse reads 500 lines.
func BenchmarkParse(b *testing.B) {
	const part = `
class Thing(Base):
    """A thing."""
    def __init__(self, name, value=None, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.name, self.value = name, value or {}
        if name in self.known and value["x"] > 3.5:
            raise ValueError(f"{name!r} is not {value:>10}")
        for key, item in sorted(self.value.items(), key=lambda x: x[1]):
            self.items.append((key, item * 2 + 1))
`
	source := strings.Repeat(part, 50)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := parseAndLower(source, py.ExecMode); err != nil {
			b.Fatal(err)
		}
	}
}
