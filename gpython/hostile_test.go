package gpython

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestHostilePrograms ends each of them with the exception named, and leaves the worker as it was.
func TestHostilePrograms(t *testing.T) {
	w := newWorker(t, nil)
	deep := func(open, close string) string {
		return "x = " + strings.Repeat(open, 100_000) + "1" + strings.Repeat(close, 100_000)
	}
	for name, c := range map[string]struct{ source, exception string }{
		"recursion":              {"def f(): f()\nf()", "RecursionError"},
		"recursion in a class":   {"class C:\n    def __repr__(self): return repr(self)\nrepr(C())", "RecursionError"},
		"recursion, caught":      {"def f():\n    try:\n        f()\n    except ZeroDivisionError:\n        pass\nf()", "RecursionError"},
		"recursion of a lambda":  {"f = lambda g: g(g)\nf(f)", "RecursionError"},
		"recursion by generator": {"def g():\n    for x in g(): yield x\nnext(g())", "RecursionError"},
		"recursion by sort":      {"def f(x): return sorted([1, 2], key=f)\nf(1)", "RecursionError"},
		"recursion by getattr":   {"class C:\n    def __getattr__(self, name): return getattr(self, name)\nC().x", "RecursionError"},
		"recursion by eval":      {"s = 'eval(s)'\neval(s)", "RecursionError"},
		"recursion limit":        {"import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", "RecursionError"},
		"text":                   {"'x' * 10**12", "MemoryError"},
		"bytes":                  {"10**12 * b'x'", "MemoryError"},
		"list":                   {"[0] * 10**12", "MemoryError"},
		"tuple":                  {"x = (0,)\nx *= 10**12", "MemoryError"},
		"power":                  {"10 ** 10 ** 10", "MemoryError"},
		"shift":                  {"1 << 10**12", "MemoryError"},
		"expandtabs":             {"'\\t'.expandtabs(10**13)", "MemoryError"},
		"expandtabs, many":       {"('\\t' * 10**6).expandtabs(10**6)", "MemoryError"},
		"expandtabs of bytes":    {"b'\\t'.expandtabs(2**62)", "MemoryError"},
		"replace":                {"('a' * 10**6).replace('a', 'b' * 10**8)", "MemoryError"},
		"replace nothing":        {"(b'a' * 10**6).replace(b'', b'b' * 10**8)", "MemoryError"},
		"join":                   {"('x' * 10**8).join([''] * 10**5)", "MemoryError"},
		"join of a generator":    {"s = b'x' * 10**8\nb''.join(s for i in range(10**5))", "MemoryError"},
		"center":                 {"'a'.center(10**13, '\u20ac')", "MemoryError"},
		"zfill":                  {"b'a'.zfill(10**13)", "MemoryError"},
		"bytes(n)":               {"bytes(10**13)", "MemoryError"},
		"to_bytes":               {"(1).to_bytes(10**13, 'big')", "MemoryError"},
		"translate":              {"('a' * 10**6).translate({97: 'b' * 10**8})", "MemoryError"},
		"format":                 {"s = 'x' * 10**8\n('{0}' * 1000).format(s)", "MemoryError"},
		"format, wide":           {"('{:16777216}' * 1000).format(*range(1000))", "MemoryError"},
		"format, very wide":      {"'{:{}}'.format(1, 10**13)", "ValueError"},
		"percent":                {"s = 'x' * 10**8\n'%s' * 1000 % ((s,) * 1000)", "MemoryError"},
		"percent, wide":          {"'%16777216d' * 1000 % tuple(range(1000))", "MemoryError"},
		"percent, precise":       {"'%.*f' % (10**13, 1)", "OverflowError"},
		"repr of much":           {"repr(['x' * 10**7, 'x' * 26 * 10**7])", "MemoryError"},
		"a range's list":         {"list(range(10**12))", "MemoryError"},
		"a range, sorted":        {"sorted(range(10**12))", "MemoryError"},
		"power of a builtin":     {"pow(10, 10 ** 10)", "MemoryError"},
		"power of a power":       {"(2 ** 2 ** 20) ** 2 ** 20", "MemoryError"},
		"small shift":            {"x = 1 << 10**8\nx <<= 10**8", "MemoryError"},
		"digits":                 {"int('9' * 10**6)", "ValueError"},
		"digits, written":        {"str(10**4300)", "ValueError"},
		"digits, formatted":      {"'{:d}'.format(10**4300)", "ValueError"},
		"digits, percent":        {"'%d' % 10**4300\n'%d' % (10**4300)", "ValueError"},
		"digits, shown":          {"repr([-10**4300])", "ValueError"},
		"digits, sent":           {"channel.send([10**4300])", "ValueError"},
		"hexadecimal digits":     {"int('f' * 10**8, 16)", "MemoryError"},
		"sending one, often":     {"channel.send(['x' * 10**8] * 1000)", "MemoryError"},
		"repr, deep":             {"t = ()\nfor i in range(10**5): t = (t,)\nrepr(t)", "RecursionError"},
		"equality, deep":         {"a = []; a.append(a); b = []; b.append(b)\na == b", "RecursionError"},
		"unbound":                {"def f():\n    x\n    x = 1\nf()", "UnboundLocalError"},
		"unbound, deleted":       {"def f():\n    x = 1\n    del x\n    del x\nf()", "UnboundLocalError"},
		"parentheses":            {deep("(", ")"), "SyntaxError"},
		"lists":                  {deep("[", "]"), "SyntaxError"},
		"dicts":                  {deep("{1:", "}"), "SyntaxError"},
		"signs":                  {deep("-", ""), "SyntaxError"},
		"nots":                   {deep("not ", ""), "SyntaxError"},
		"lambdas":                {deep("lambda: ", ""), "SyntaxError"},
		"sum":                    {deep("1+", ""), "SyntaxError"},
		"calls":                  {deep("", "()"), "SyntaxError"},
		"subscripts":             {deep("", "[0]"), "SyntaxError"},
		"attributes":             {"x = a" + strings.Repeat(".a", 100_000), "SyntaxError"},
		"powers":                 {deep("2**", ""), "SyntaxError"},
		"conditions":             {deep("1 if 1 else ", ""), "SyntaxError"},
		"elifs":                  {"if 1: pass\n" + strings.Repeat("elif 1: pass\n", 100_000), "SyntaxError"},
		"eval, deep":             {"eval('-' * 10**6 + '1')", "SyntaxError"},
		"null":                   {"x = '\x00'", "ValueError"},
		"no text":                {"\x01\x02\u00ff", "SyntaxError"},
		"bracket":                {"(", "SyntaxError"},
		"string":                 {"'''", "SyntaxError"},
		"changed type":           {"int.x = 1", "TypeError"},
		"changed type, quietly":  {"setattr(Exception, 'x', 1)", "TypeError"},
		"str of nothing":         {"str(Exception())\nraise KeyError", "KeyError"},
		"close in callback":      {"raise channel.RemoteError", "execnet.gateway_base.RemoteError"},
		"bare raise":             {"raise", "RuntimeError"},
		"raise 5":                {"raise 5", "TypeError"},
		"raise from 5":           {"raise KeyError from 5", "TypeError"},
		"return outside":         {"return 5", "SyntaxError"},
		"list in itself":         {"x = []\nx.append(x)\nrepr(x)\nx == [x]\nchannel.send(x)", "execnet.gateway_base.DumpError"},
		"timeout":                {"channel.receive(-1)", "ValueError"},
		"timeout, no number":     {"channel.receive('x')", "TypeError"},
		"arguments":              {"channel.send()", "TypeError"},
		"keyword":                {"channel.send(itm=1)", "TypeError"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			e := w.fails(t, c.source)
			assert.Equal(t, c.exception, e.Exception(), "%.300s", e.Formatted)
			assert.Less(t, len(e.Formatted), 1<<20)
			assert.Less(t, time.Since(start), 15*time.Second)
		})
	}
	assert.Equal(t, []any{int64(5)}, w.run(t, "channel.send(5)"))
}

// TestLargestIntegers are those that a CPython still reads.
func TestLargestIntegers(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{int64(4300), int64(4301), true, int64(5002)}, w.run(t, `
x = 10**4300 - 1
channel.send(len(str(x)))
channel.send(len('%d' % -x))
channel.send(int('9' * 4300) == x)
channel.send(len(hex(16**4999)))
`))
	assert.Len(t, w.run(t, "channel.send(1 - 10**4300)"), 1)
}

// TestDeepestRecursion goes as deep as sys.setrecursionlimit lets it.
func TestDeepestRecursion(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{int64(15000)}, w.run(t,
		"import sys\nsys.setrecursionlimit(10**9)\ndef f(n):\n    return n and 1 + f(n - 1)\nchannel.send(f(15000))"))
}

// TestDeepButAllowed compiles what is just below the limits of nesting.
func TestDeepButAllowed(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{int64(9001)}, w.run(t, "channel.send("+strings.Repeat("1+", 9000)+"1)"))
	assert.Equal(t, []any{int64(1)}, w.run(t, "x = "+strings.Repeat("-", 19_000)+"1\nchannel.send(x)"))
	assert.Equal(t, []any{int64(1)}, w.run(t, "channel.send("+strings.Repeat("(", 90)+"1"+strings.Repeat(")", 90)+")"))
	assert.Equal(t, []any{int64(50_000)}, w.run(t, "channel.send(len(["+strings.Repeat("1,", 50_000)+"]))"))
	assert.Equal(t, []any{int64(4900)}, w.run(t, "x = 0\nif x: pass\n"+strings.Repeat("elif x: pass\n", 4900)+"channel.send(4900)"))
}

// TestExecutionsShareNothing runs many programs at a time that use what gpython keeps in global
// variables.
func TestExecutionsShareNothing(t *testing.T) {
	w := newWorker(t, goModules)
	source := `
import sys, os, time, math, textstats
class A:
    n = 0
    def up(self, by=1):
        self.n += by
        return self.n
class MyError(ValueError):
    pass
def gen(n):
    for i in range(n):
        yield {i: [str(i), b"x" * i]}
a = A()
os.environ['GPY'] = str(channel.id)
total = 0
for d in gen(200):
    for k, v in d.items():
        total += a.up(k) + len(v[1])
    try:
        if total % 3 == 0:
            raise MyError(total)
        1 / 0
    except (MyError, ZeroDivisionError) as e:
        total += len(e.args)
    try:
        math.sqrt(-1)
    except ValueError:
        pass
x = eval('total + 1')
s = {1, 2, 'x', (3, 4)} | frozenset([5])
channel.send([total, x, len(s), "%s-%d" % ('a', 5), '{} {}'.format(1, 2), textstats.both(1)[0], os.environ['GPY'] == str(channel.id)])
`
	want := w.run(t, source)
	require.Len(t, want, 1)
	assert.Equal(t, true, want[0].([]any)[6])
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			ch, err := w.RemoteExec(t.Context(), source)
			if !assert.NoError(t, err) {
				return
			}
			got, err := ch.Receive(within.Soon(t))
			assert.NoError(t, err)
			assert.Equal(t, want[0], got)
		})
	}
	all.Wait()
}

func FuzzExecute(f *testing.F) {
	for _, source := range raising {
		if len(source) < 1000 {
			f.Add(source)
		}
	}
	f.Add("for x in channel:\n    channel.send(x)")
	f.Add("x = {i: [j for j in range(i)] for i in range(9)}\nwith channel: pass")
	f.Add("def f(*a, b=1, **k) -> int:\n\treturn lambda: (yield)\n@f\nclass C(f): x: int = 1")
	f.Add("import sys, os.path as p; from math import *; global x; nonlocal y\ndel x, y[0], z.w\nassert 0, 1\nwhile 1: break\nelse: pass")
	w := newWorker(f, goModules)
	f.Fuzz(func(t *testing.T, source string) {
		for _, word := range []string{"os", "open", "temp", "glob", "_", "import"} {
			if strings.Contains(source, word) {
				return // what touches the machine that runs the test
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		ch, err := w.RemoteExec(ctx, "pass")
		require.NoError(t, err)
		// Not through a gateway, whose executions have no time limit.
		p := program(source)
		done := make(chan error, 1)
		go func() { done <- gpythonEngine{}.Execute(ctx, ch, p, goModules) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("does not end: %q", source)
		}
	})
}
