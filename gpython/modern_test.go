package gpython

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// modern has programs that use what came after Python 3.4. They show what they do by show(...).
var modern = map[string]string{
	"f-strings": `
x, y, w, name = 3, 2.5, 8, 'World'
show(f'', f'a', f'{x}', f'a{x}b', f'{{}}', f'{{{x}}}', F"{name!r:>10}|", f'{name!s}{name!a}', f'{y:.2f}')
show(f'{x:{w}}|', f'{name:{"*"}^{w + 2}}|', f'{y:{w}.{x}f}|', f'{x!r:^{w}}')
show(f'{x=}', f'{x = }', f'{ x = !s}', f'{name=}', f'{y=:.1f}', f'{x+1=}')
show('a' f'{x}' "b" rf'\d{x}', fr'{x}\n', f'\x41\u00e9{x}\t', f'{x}' 'z' f'{y}')
show(f'{[i for i in range(3)]}', f'{ {"a": 1}["a"]}', f'{(lambda a: a * 2)(x)}', f'{x if x else y}', f'{x, y}', f'{x!r}{y!r}')
show(f"{name['a':] if False else name[1:]}", f'''{
    x
}''', f"""a
{x:>5}
b""", f'{x:,}', f'{1234567:,}', f'{255:#x}', f'{"nested " + f"{x}"}')
show(f'{True}{None}{...}', f'{b"a"}', f'{{x}}', f'{x:}', f'{name:<{w}}|', f'{"":>3}|', f'{3.0}', f'{10**20}', f'{-1:05}')
show(f'{x:>{w}}' f'{y}' == '       32.5', f'\N{BULLET} {x} \N{LATIN SMALL LETTER A}', '\N{EURO SIGN}')
`,
	"f-string values": `
class C:
    def __format__(self, spec):
        return 'C(%s)' % spec
    def __str__(self):
        return 'str'
    def __repr__(self):
        return 'repr\xe9'
c = C()
show(f'{c}', f'{c:abc}', f'{c!s}', f'{c!r}', f'{c!a}', f'{c!s:>5}|', f'{c=}', f'{c = :x}', f'{c:{c}}', f'{c:a{1}b{2}}')
log = []
def f(x):
    log.append(x)
    return x
class D:
    def __init__(self, n):
        self.n = n
    def __format__(self, spec):
        log.append(('format', self.n, spec))
        return 'x'
    def __repr__(self):
        log.append(('repr', self.n))
        return 'r'
show(f'{f(D(1))!r:{f("3")}}{f(D(2)):{f("a")}{f("b")}}{f(3)}' if not log else 0, [x for x in log if not isinstance(x, D)])
for text in ('f"{1:x" "y}"',):
    pass
for fail in (lambda: f'{"a":d}', lambda: f'{undefined}', lambda: f'{[]:5}', lambda: f'{1 / 0}', lambda: f'{None:>5}'):
    try:
        show(fail())
    except Exception as e:
        show(type(e).__name__, str(e))
class E:
    def __format__(self, spec):
        return 5
try:
    f'{E()}'
except TypeError as e:
    show(str(e))
def doc():
    f'not a docstring'
def doc2():
    'docstring'
show(doc.__doc__, doc2.__doc__)
`,
	"displays": `
a, b = [1, 2], (3,)
show([*a, 0], [0, *a, *b], [*a], (*a, 5), (*a,), {*a, *b, 9} == {1, 2, 3, 9}, [*'ab', *range(2), *{7: 1}], [*[]], {*()})
d = {'x': 1, 'y': 2}
show({**d}, {'x': 0, **d}, {**d, 'x': 3}, {'a': 1, **d, 'b': 2, **{'a': 5}}, {**{}}, {**d, **{1: 2}})
for x in *a, 4:
    show(x)
def f():
    return *a, 5
def g():
    yield *a, 6
show(f(), list(g()))
i = {(1, 2, 3): 'k'}
show(i[*a, 3] if False else i[(*a, 3)])
log = []
def e(x):
    log.append(x)
    return x
show([e(1), *e([2]), e(3)], {e('k'): e('v'), **e({'m': 1}), e('z'): e(0)}, log)
for fail in (lambda: [*5], lambda: [1, *None], lambda: {**5}, lambda: {**[1]}, lambda: {*5}, lambda: (*5,), lambda: {'a': 1, **None}, lambda: {*[[]]}):
    try:
        show(fail())
    except TypeError as e2:
        show(str(e2))
class M:
    def keys(self):
        return ['p', 'q']
    def __getitem__(self, key):
        return key * 2
show({**M()}, dict(**M(), r=1))
`,
	"calls": `
def f(*args, **kwargs):
    return args, sorted(kwargs.items())
a, d = [1, 2], {'x': 1}
show(f(*a, *a), f(*a, 3), f(0, *a, 3, *a), f(*a, k=1), f(k=1, *a), f(**d, y=2), f(**d, **{'z': 3}), f(*a, *a, **d, k=4, **{'m': 5}))
show(f(*'ab', *range(2)), f(*[]), f(**{}), f(*a, 3, k=0, **d), print and max(*a, *a, 7), f(x for x in a)[1], f(*(x for x in a), 9))
log = []
def e(x):
    log.append(x)
    return x
show(e(f)(e(1), *e([2]), e(3), k=e(4), **e({'q': 5}), r=e(6)), len(log), log[1:])
log.clear()
show(f(k=e('kw'), *e(['pos'])), log)
log.clear()
show(f(*e([1]), k=e(2), **e({'z': 3})), log)
def g(a, b=2):
    return a, b
class C:
    def m(self, *a, **k):
        return a, sorted(k.items())
show(C().m(*a, 3, **d, y=1), C.m(C(), *a, *a))
for fail in (lambda: f(**d, **d), lambda: f(**d, x=2), lambda: f(*a, *5), lambda: f(*a, **5, k=1), lambda: f(**d, **5), lambda: g(*a, *a),
             lambda: g(*a, *[], c=1), lambda: g(**d, **{'a': 1}), lambda: f(*5, k=log), lambda: f(**{1: 2}, **d), lambda: max(*a, *5), lambda: max(**d, **d)):
    try:
        show(fail())
    except TypeError as e2:
        show(str(e2))
many = f(` + strings.Join(ones(300), ",") + `)
show(len(many[0]), many[0][299])
show(dict(**{'b': 1, 'a': 2}, c=3, **{'0': 4}))
show(sorted([3, 1], *(), key=lambda x: -x, **{}))
class A(*[object], **{}):
    pass
show(A.__name__)
`,
	"named": `
if (n := 3) > 2:
    show(n)
show((a := 1, b := 2), a, b, [y := 5, y ** 2], y)
def f(data):
    if (m := len(data)) > 2:
        return m
    while (m := m + 1) < 5:
        pass
    return [m, (k := m) + 1, k]
show(f([1, 2, 3]), f([1]))
show([z := i * 2 for i in range(3)], z)
def g(data):
    found = [v for x in data if (v := x * 2) > 2]
    any((w := x) > 1 for x in data)
    nested = [[(q := i + j) for i in range(2)] for j in range(3)]
    return found, v, w, nested, q, {(s := x): (t := x + 1) for x in data}, s, t
show(g([1, 2, 3]))
def h():
    def inner():
        nonlocal c
        return [c := i for i in range(4)]
    c = 0
    r = inner()
    return r, c, (lambda: [(u := i) for i in range(2)] + [u])()
show(h())
def k():
    global glob
    [glob := i for i in range(3)]
    return lambda: last
    last = 1
k()
show(glob)
def outer():
    total = 0
    values = [total := total + i for i in range(5)]
    def see():
        return total
    return values, total, see()
show(outer())
class C:
    x = (y := 4) + 1
show(C.x, C.y, (lambda v: (v := v + 1))(1), (x := y if True else 0))
x = [0, 1, 2]
x[(i := 1)] = 9
show(x, i, f"{(p := 5)}", p, f'{x!r:{(w := 12)}}', w)
def gen():
    while (got := (yield got if False else 1)) is not None:
        show(got)
it = gen()
next(it)
try:
    it.send('s'); it.send(None)
except StopIteration:
    pass
while chunk := x[:1]:
    del x[0]
show(chunk, x)
def late():
    def before():
        return [r := 1 for _ in [0]], r
    return before()
show(late())
`,
	"positional-only": `
def f(a, b=2, /, c=3, *, d=4):
    'doc'
    return a, b, c, d
def g(a, /, *args, **kwargs):
    return a, args, sorted(kwargs.items())
def h(self, /, **kwargs):
    return lambda: (self, kwargs)
class C:
    def m(self, x, /):
        return x
show(f(1), f(1, 5, c=6, d=7), g(1, 2, a=3, args=4), h(1, self=2)(), C().m(4), f.__doc__, f.__name__)
for fail in (lambda: f(a=1), lambda: f(1, b=2), lambda: f(1, b=2, a=1, z=3), lambda: f(1, z=1), lambda: f(), lambda: f(1, 2, 3, 4), lambda: g(a=1),
             lambda: C().m(x=1), lambda: C().m(), lambda: f(1, z=1, b=2), lambda: h(self=1)):
    try:
        show(fail())
    except TypeError as e:
        show(str(e))
`,
	"order": `
log = []
def note(x):
    log.append(x)
    return x
@note(lambda f: f)
@note(abs) if 0 else note(lambda f: f)
def f(x=note(2), *, y=note(3)):
    pass
show([x if isinstance(x, int) else 'd' for x in log])
log.clear()
@note(lambda f: f)
class C(note(object), **note({})):
    z = note(5)
show([x if isinstance(x, int) else 'd' for x in log])
log.clear()
a = [0, 0]
a[note(0)], a[note(1)] = note(2), note(3)
show(log)
log.clear()
a[note(0)] += note(5)
show(log, a)
log.clear()
x = y = note(7)
note(1) < note(2) < note(0) < note(9)
note(1) if note(0) else note(2)
{note(1): note(2) for q in [note(0)] if note(3)}
note([1,2,3,4])[note(1):note(3):note(1)]
show(log)
`,
	"statements": `
def f(a, *, b):
    x: int
    return [(y := a + i) for i in range(b)], y
show(f(1, b=2))
def g():
    for i in range(3):
        try:
            if i == 1: break
            if (k := i) == 0: continue
        except ValueError as e: pass
        else: show('else')
        finally: show('finally', i)
    else:
        show('no')
    return k
show(g())
`,
	"small things": `
show(1_000, 0x_ff, 1_0.5_0, 0b1_0, 1_0j, 0o7_7, 1e1_0, 0xFFFF_FFFF_FFFF_FFFF_FF)
import os
class ctx:
    def __init__(self, n):
        self.n = n
    def __enter__(self):
        show('enter', self.n)
        return self.n
    def __exit__(self, *a):
        show('exit', self.n)
with (ctx(1) as a, ctx(2) as b):
    show(a, b)
with (ctx(3) as a,
      ctx(4),):
    show(a)
with (ctx(5)):
    pass
with (ctx(6)) as (a), ctx(7) as b: show(a, b)
with (ctx(8), ctx(9)): pass
with (ctx(0) if a else ctx(1)) as q: show(q)
decorators = [lambda f: (lambda *a: ('decorated', f(*a)))]
@decorators[0]
def f(x):
    return x
@(lambda f: f)
@decorators[-1]
def g(x): return x
class N:
    class D:
        @staticmethod
        def d(n):
            return lambda f: (lambda *a: (n, f(*a)))
@N.D.d(5)
def h(x): return x
show(f(1), g(2), h(3))
try:
    pass
finally:
    x = lambda *, a, b=1: (a, b)
show(x(a=1), (lambda x, *y, z=1, **k: (x, y, z, k))(1, 2, z=3, q=4))
if 1:
	show('tab')
show(*[1], *[2])
t = 1,
t2 = 1, *t
for i, *r in [(1, 2, 3)]: show(i, r)
for continue_ in range(3):
    try:
        if continue_ == 1: continue
        show(continue_)
    finally:
        show('f')
show(not 1 == 2, -2 ** 2, 2 ** -1, 1 if 0 else 2 if 0 else 3, 1 < 2 < 3 != 4, not not 1, ~1 + 2 * 3 // 2 % 5 << 1 | 8 ^ 3 & 2)
x = [1, 2, 3, 4]
show(x[1:], x[:-1], x[::2], x[1:3:1], x[:], x[-1:0:-1])
del x[0], (x[0])
show(x, '''a\
b''' "c", b'\x41' rb'\x', 'a\
b', '\101\0', "\d" if 0 else 1)
`,
}

// newest312 has what f-strings can since Python 3.12.
var newest312 = map[string]string{
	"f-strings of 3.12": `
x, w = 3, 8
songs = ['a', 'b']
show(f'{f"{f'''{x}'''}"}', f"{'"'}{"a"}", f"{songs[0] + "q"}", f'{'\n'.join(songs)}', f"{'\N{BULLET}'}", f'{x:{'>'}{w}}|')
show(f"{f"{f"{f"{f"{x}"}"}"}"}", f'{
    x  # a comment
}', f"{[
    1, # one
    2]}", f'{x!r
}', f'{x = !r:>5}', f'{ x=:>{w}}', f'''{
x = }''', f'{x:{"0"}>5}', f'\{x}', rf'\{x}\\', f'{x}\'{x}\\', f'{x:\x3e5}', f'{"a" "b"}')
show(f'{{{{{x}}}}}', f"{{x}}{x}", f'{x!s:{"^"}{w}}|', f'{x:=5}', f'{x!=3}', f'{x==3}', f'{(y:=4)}', y, f'{x>=2}', f'{ {1: 2}[1] }')
show(f'{(lambda: 5)()}', f'{*songs,}', f'{x,}', f'{x if x else w:>5}', f'''a{x}'b"c{w}''')
`,
}

func ones(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "1"
	}
	return all
}

// TestModernPrograms compares what newer syntax does with a CPython that knows it.
func TestModernPrograms(t *testing.T) {
	compareShown(t, likeGpython(t), "", modern)
	var newest pythons.Interpreter
	for _, p := range pythons.All(t) {
		if p.AtLeast(3, 12) {
			newest = p
		}
	}
	if newest.Path == "" {
		t.Log("no CPython of 3.12 or later: its f-strings are not compared")
		return
	}
	compareShown(t, newest.Path, "", newest312)
}

// annotated has programs with annotations, which pip's worker does not evaluate.
var annotated = map[string]string{
	"annotations": `
x: int = 3
y: undefined.thing[1, 2:3]
z: list[int | None] = []
show(x, z, __annotations__)
class C:
    a: int
    b: 'C' = 4
    __c: float = 5.0
    (d): int = 6
    def f(self: C, q: Dict[str,int]=None, *args: a.b, k: "x" = 1, **kw: (1,2)) -> None | int:
        v: nothing
        w: nothing = 7
        self.attr: nothing = 8
        self.other: nothing
        try:
            v
        except UnboundLocalError:
            return self.attr, w
show(C.b, C.d, sorted(C.__annotations__.items()), C().f(None), hasattr(C(), 'other'))
show(sorted(C.f.__annotations__.items()))
if x:
    u: Callable[..., int] = 1
    x: str = 'again'
show(sorted(__annotations__))
def f(a: -1, b: not x, c: x or y and z, d: f(a, *b, k=1, **m), e: x.y[z], g: [1, (2,), ()], h: a if b else c, i: b'x', j: 1 + 2 * 3 ** -4, k: (a | b) & c, l: 'it\'s', m: 1.5, n: x[1:2, ::3], o: (x, y), p: ..., q: None) -> x[(1, 2)]: pass
show([(k, v) for k, v in sorted(f.__annotations__.items())])
`,
	"a docstring": "'''doc'''\nfrom __future__ import annotations\nx: int = 1\nshow(__doc__, __annotations__)\nclass D:\n    'class doc'\n    y: int\nshow(D.__doc__, D.__annotations__)\n",
}

func TestAnnotationsAreNotEvaluated(t *testing.T) {
	compareShown(t, likeGpython(t), "annotations", annotated)
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

// TestRefused has what CPython runs and this Python does not: the error names it, with its place.
func TestRefused(t *testing.T) {
	w := newWorker(t, nil)
	for source, want := range map[string]string{
		"async def f(): pass":                "1:0 async functions",
		"x = 1\ndef f():\n  async with a: x": "3:2 async with statements",
		"def f():\n  return await x":         "2:9 await expressions",
		"match x:\n  case 1: pass":           "1:0 match statements",
		"match (x, *y):\n  case [1]: pass":   "1:0 match statements",
		"type X = int":                       "1:0 type statements",
		"def f[T](x: T): pass":               "1:5 type parameters",
		"class A[T]: pass":                   "1:7 type parameters",
		"a = b @ c":                          "1:4 matrix multiplications (@)",
		"a @= b":                             "1:0 matrix multiplications (@)",
		"for x in y:\n  try: pass\n  finally:\n    if x: continue": "4:10 continue statements in finally clauses",
		"lambda a, /: a":             "1:0 positional-only parameters of lambdas",
		"try: pass\nexcept* E: pass": "2:0 except* clauses",
		"[x async for x in y]":       "1:3 async comprehensions",
		`x = "\ud800"`:               "1:4 surrogates in strings",
		"def f(x: lambda: 1): pass":  "1:9 lambdas in annotations",
		"class A(*a, *b): pass":      "1:0 some forms of unpacking among the bases of a class",
	} {
		e := w.fails(t, source)
		assert.Equal(t, "SyntaxError", e.Exception(), source)
		place, feature, _ := strings.Cut(want, " ")
		line, column, _ := strings.Cut(place, ":")
		assert.Contains(t, e.Formatted, "line "+line+"\n", source)
		assert.Equal(t, feature+" are not in this Go worker's Python", e.Message(), source)
		lines := strings.Split(e.Formatted, "\n")
		caret := lines[len(lines)-3]
		text := strings.Split(source, "\n")[atoi(t, line)-1]
		indent := len(text) - len(strings.TrimLeft(text, " "))
		assert.Equal(t, strings.Repeat(" ", 4+atoi(t, column)-indent)+"^", caret, source)
	}
	// Names that only begin such statements somewhere else.
	assert.Equal(t, []any{int64(6)}, w.run(t, "match = [1]\nmatch[0] = 2\ntype = match[0]\ncase = type + 1\nmatch (1)if 0 else 2\nchannel.send(type + case + 1)"))
}
