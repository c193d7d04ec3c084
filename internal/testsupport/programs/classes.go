package programs

import (
	"fmt"
	"strings"
)

// classes writes a hierarchy of classes with methods that call each other's, and uses it.
func (g *generator) classes() {
	var names []string
	for range 2 + g.IntN(3) {
		name := g.name("C")
		bases := g.bases(names)
		g.block(fmt.Sprintf("class %s%s:", name, bases), func() {
			if g.chance(2) {
				g.line("x = %s", g.expr(anInt, 1))
			}
			if g.chance(3) {
				g.line("y = [%s, 'x']", g.pick("len('abc')", "1", g.expr(anInt, 1)))
			}
			if bases == "" || g.chance(2) {
				g.block(g.pick("def __init__(self, p=1):", "def __init__(self, *args, **kwargs):", "def __init__(self, p=1, **more):"), func() {
					g.line("print('%s init')", name)
					g.line("super().__init__(%s)", g.pick("", "", "", "1"))
					g.line("self.z = %s", g.pick("1", "[self.x]", "getattr(self, 'x', None)"))
					if g.chance(3) {
						g.line("self.x = %s", g.expr(anInt, 0))
					}
				})
			}
			for _, method := range []string{"one", "two"} {
				if g.chance(2) {
					g.method(name, method)
				}
			}
			if g.chance(3) {
				g.line("@property")
				g.block("def prop(self):", func() { g.line("return %s", g.pick("self.x", "('prop', self.z)", "self.missing")) })
				if g.chance(2) {
					g.line("@prop.setter")
					g.block("def prop(self, value):", func() { g.line("self.x = value") })
				}
			}
			if g.chance(4) {
				g.line("@classmethod")
				g.block("def make(cls, *args):", func() { g.line("return (cls.__name__, args)") })
			}
			if g.chance(4) {
				g.line("@staticmethod")
				g.block("def plain(a=2):", func() { g.line("return a * 2") })
			}
			if g.chance(4) {
				g.block("def __repr__(self):", func() { g.line("return '<%s %%s>' %% self.__class__.__name__", name) })
			}
			if g.chance(6) {
				g.block("def __getattr__(self, name):", func() {
					g.line("%s", g.pick("return 'ga ' + name", "raise AttributeError('no ' + name)", "raise KeyError(name)"))
				})
			}
			if g.chance(6) {
				g.block("def __setattr__(self, name, value):", func() {
					g.line("print('set', name)")
					g.line("super().__setattr__(name, value)")
				})
			}
			if g.chance(8) {
				g.block("def __new__(cls, *args, **kwargs):", func() {
					g.line("print('new', cls.__name__, len(args), kwargs)")
					g.line("return %s", g.pick("super().__new__(cls)", "object.__new__(cls)", "5"))
				})
			}
			if g.chance(8) {
				g.block("def __init_subclass__(cls, **kwargs):", func() {
					g.line("super().__init_subclass__(**kwargs)")
					g.line("print('subclass', cls.__name__)")
				})
			}
			g.line("tag = '%s'", name)
		})
		names = append(names, name)
	}
	for range 1 + g.IntN(3) {
		class := names[g.IntN(len(names))]
		o := g.name("o")
		g.block("try:", func() {
			g.line("%s = %s(%s)", o, class, g.pick("", "", "2", "p=3", "p=3, q=4", "1, 2"))
			for range 2 + g.IntN(5) {
				g.use(o, class, names)
			}
		})
		g.block("except Exception as e:", func() { g.line("print(chain(e))") })
	}
}

func (g *generator) bases(names []string) string {
	if len(names) == 0 || g.chance(3) {
		return g.pick("", "", "(object)")
	}
	a, b := names[g.IntN(len(names))], names[g.IntN(len(names))]
	if a == b || g.chance(2) {
		return "(" + a + ")"
	}
	return "(" + a + ", " + b + ")"
}

func (g *generator) method(class, name string) {
	g.block(fmt.Sprintf("def %s(self, *args, **kwargs):", name), func() {
		g.line("print('%s.%s', args, kwargs)", class, name)
		switch g.IntN(6) {
		case 0:
			g.line("return super().%s(*args, **kwargs)", name)
		case 1:
			g.line("return self.x")
		case 2:
			// What is chosen calls no method that may call this one.
			g.line("return self.%s", map[string]string{"one": "two(1, k=2)", "two": "tag"}[name])
		case 3:
			g.line("return [super(%s, self).tag, self.tag, %s.tag]", class, class)
		case 4:
			g.line("return [getattr(self, n, n) for n in ('x', 'y', 'q')]")
		default:
			g.line("return (lambda: (self.tag, __class__.__name__))()")
		}
	})
}

// use writes a statement that uses an instance.
func (g *generator) use(o, class string, names []string) {
	other := names[g.IntN(len(names))]
	g.line("%s", strings.NewReplacer("%o", o, "%c", class, "%d", other).Replace(g.pick(
		"attempt(%o.one, 1, b=2, a=3)",
		"attempt(%o.two)",
		"attempt(%c.one, %o, 5)",
		"attempt(lambda: %o.prop)",
		"%o.prop = 7",
		"%o.x = 8",
		"del %o.x",
		"del %o.z",
		"print(%o.x, %c.x)",
		"print(getattr(%o, 'y', 'none'), hasattr(%o, 'q'), %o.tag)",
		"print(list(%o.__dict__), vars(%o) == %o.__dict__)",
		"print([c.__name__ for c in %c.__mro__])",
		"print(isinstance(%o, %d), issubclass(%c, %d), type(%o).__name__)",
		"attempt(%o.make, 1)",
		"attempt(%c.make)",
		"attempt(%o.plain)",
		"attempt(%c.plain, 3)",
		"attempt(lambda: repr(%o)[:6])",
		"attempt(lambda: %o.nothing)",
		"attempt(lambda: %c.nothing)",
		"%c.x = 11",
		"%c.one = lambda self, *a, **k: ('patched', a, k)",
		"%o.two = lambda *a, **k: ('own', a, k)",
		"print([k for k in %c.__dict__ if not k.startswith('_')])",
		"%o.__dict__['w'] = 1; print(%o.w, sorted(vars(%o)))",
		"print(%o == %o, %o != %d, %o in [%o], bool(%o))",
		"m = %o.one; attempt(m, 4)",
		"print(%c.__name__, %c.__qualname__, [b.__name__ for b in %c.__bases__])",
		"attempt(setattr, %o, 'x', 'set')",
		"attempt(delattr, %o, 'z')",
		"%o.a1 = %o.b1 = 3; print(list(vars(%o).items())[-2:])",
	)))
}
