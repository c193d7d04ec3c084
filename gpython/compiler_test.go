package gpython

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// closures has functions in the middle, which have variables from outside and for functions inside
// them.
var closures = map[string]string{
	"three levels":    "def f(a):\n    def g(b):\n        def h(c):\n            return a, b, c\n        return h\n    return g\nr = f(1)(2)(3)\n",
	"comprehensions":  "def f(n):\n    return [[n + i + j for i in range(2)] for j in range(2)]\nr = f(1)\n",
	"defaults":        "def f(*, d, e=5):\n    return d, e\nr = f(d=1), f(d=1, e=2)\n",
	"defaults, mixed": "def f(a, b=2, *args, c, d=4, e, g=7, **k):\n    return a, b, c, d, e, g\nr = f(1, c=3, e=5), f(1, c=3, e=5, d=0, g=1)\nh = lambda *, x, y=1: x + y\nr += (h(x=1),)\n",
	"defaults, lines": "def f(*,\n      d, e={'a': (1,\n 2)}, g, h=[3]):\n    return d, e['a'], g, h\nr = f(d=1, g=2)\n",
	"decorators": `
def times(n, log=None):
    def decorator(f):
        count = [0]
        def wrapper(*args, **kwargs):
            count[0] += 1
            return [f(*args, **kwargs) for i in range(n)], count[0], log
        return wrapper
    return decorator
@times(2, log='x')
def g(x, y=1):
    return x + y
r = g(1), g(2, y=5)
`,
	"decorators, defaults": `
def mark(x):
    def d(f):
        f.__dict__['marks'] = f.__dict__.get('marks', []) + [x]
        return f
    return d
@mark(1)
@mark(2)
def f(a: int, b: str = 'b', *c: list, d=3, e, **g: dict) -> float:
    return a, b, c, d, e, g
def outer(z):
    @mark(z)
    def g(y=z, *, x=2):
        return x, y, z
    return g
class C:
    @staticmethod
    def s(a, b=1):
        return a + b
    @mark(4)
    def m(self, a, b=2):
        return a * b
r = [f.__dict__['marks'], f(1, e=4), f(1, 2, 3, d=5, e=6, h=7), outer(5)(), outer(5)(6, x=7), C.s(1), C().m(4), (lambda f: f(1))(lambda x, y=2: x + y)]
r.append(sorted(f.__annotations__))
`,
	"nonlocal": `
def f(a):
    total = a
    def g(b):
        nonlocal total
        mine = b
        def h(c):
            nonlocal total, mine
            total += c
            mine -= c
            return total, mine, a, b
        def k():
            nonlocal total
            total = 0
        return h, k
    return g, lambda: total
g, total = f(10)
h, k = g(5)
r = [h(1), h(2), total()]
k()
r += [h(1), total()]
`,
	"classes": `
def f(a, b):
    x = a + b
    class C:
        y = x
        def __init__(self, n):
            self.n = n
        def g(self, c):
            z = c
            return [lambda: (a, b, x, z, c, self.n, i) for i in range(2)]
    return C
r = [h() for h in f(1, 2)(3).g(4)]
r.append(f(5, 6).y)
`,
	"generators": `
def f(a):
    def g(b):
        c = a * b
        yield from (a + b + c + x for x in range(b))
        yield sorted(range(b), key=lambda k: (k - c) * a)
    return list(g(3))
r = f(2)
`,
	"five levels": `
def a(p, q):
    def b(r, s):
        u = p + r
        def c(t):
            v = u + t
            def d(w):
                def e():
                    return p, q, r, s, t, u, v, w
                return e
            return d
        return c
    return b
r = a(1, 2)(3, 4)(5)(6)()
`,
	"functions of a module": "def f(x):\n    return lambda: x\ndef g():\n    def h(y):\n        return lambda: (y, g)\n    return h(1)\nr = f(1)(), g()()[0]\n",
	"unbound":               "def f(a):\n    def g():\n        def h():\n            return a, late\n        try:\n            h()\n        except NameError as e:\n            return 'unbound'\n        late = 1\n    return g()\nr = f(1)\n",
	"recursion":             "def f(n):\n    def g(k):\n        def h():\n            return k + n\n        return h() if k == 0 else g(k - 1) + h()\n    return g(n)\nr = f(5)\n",
}

func TestClosuresAreCPythons(t *testing.T) {
	want, _ := inCPython(t, `
def answer(source, name):
    names = {}
    exec(compile(source, name, "exec"), names)
    return repr(names["r"])
`, closures)
	w := newWorker(t, nil)
	for name, source := range closures {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []any{want[name]}, w.run(t, source+"channel.send(repr(r))\n"))
		})
	}
}
