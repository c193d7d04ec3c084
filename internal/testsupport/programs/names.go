package programs

import (
	"fmt"
	"strings"
)

// closures writes functions that share variables.
func (g *generator) closures() {
	switch g.IntN(5) {
	case 0:
		name := g.function([]string{"a"}, false, func() {
			g.line("made = []")
			g.block("for i in range(3):", func() {
				g.block(g.pick("def inner(b=1):", "def inner(b=i):", "def inner(*b, c=i):"), func() {
					g.line("%s", g.pick("nonlocal a", "pass"))
					g.line("%s", g.pick("return (a, b, i)", "return [i + x for x in range(a)]", "return lambda: (i, b)"))
				})
				g.line("made.append(inner)")
			})
			g.line("a += 1")
			g.line("return [%s for f in made]", g.pick("f()", "f(5)", "f(2)"))
		})
		g.line("attempt(lambda: [x() if callable(x) else x for x in %s(2)])", name)
	case 1:
		name := g.function([]string{"a"}, false, func() {
			g.block("def add(n):", func() {
				g.line("%s a", g.pick("nonlocal", "nonlocal", "global"))
				g.line("a %s= n", g.pick("+", "*", "-"))
				g.line("return a")
			})
			g.block("def get():", func() { g.line("%s", g.pick("return a", "return a, later", "return (lambda: a)()")) })
			if g.chance(2) {
				g.line("later = 5")
			}
			if g.chance(4) {
				g.line("del a")
			}
			g.line("print(%s)", g.pick("add(1)", "get()", "[add(x) for x in (1, 2)]"))
			g.line("return get()")
		})
		g.line("attempt(%s, %s)", name, g.expr(anInt, 0))
	case 2: // a class in a function
		name := g.function([]string{"a", "b"}, false, func() {
			g.block("class Local:", func() {
				g.line("%s", g.pick("a = a", "c = a", "b = b + 1", "a = 'own'"))
				g.line("%s", g.pick("d = [a for _ in range(2)]", "d = [x for x in (a, b)]", "d = (lambda: a)()", "print(a, b)"))
				g.block("def m(self):", func() { g.line("%s", g.pick("return a, b", "return self.d, b", "return __class__.__name__, a")) })
			})
			if g.chance(2) {
				g.line("a = 'late'")
			}
			g.line("return Local().m(), sorted(k for k in vars(Local) if k[0] != '_')")
		})
		g.line("attempt(%s, 1, 2)", name)
	case 3: // decorators
		g.block("def deco(*tags):", func() {
			g.block("def wrap(f):", func() {
				g.line("print('wrap', f.__name__, tags)")
				g.block("def inner(*a, **k):", func() {
					g.line("print('call', a, k)")
					g.line("return tags, f(*a, **k)")
				})
				g.line("return inner")
			})
			g.line("return wrap")
		})
		for range 1 + g.IntN(2) {
			g.line("@deco(%s)", g.pick("", "1", "'t', 2"))
		}
		g.block("def decorated(a, b=2, *, c=3):", func() { g.line("return a, b, c") })
		g.line("attempt(decorated, %s)", g.pick("1", "1, c=5", "*[1, 2]", "b=1, a=2", "1, 2, 3", "**dict(c=1, a=4)"))
	default: // recursion and generators that share a variable
		name := g.function([]string{"n"}, false, func() {
			g.line("seen = []")
			g.block("def walk(k):", func() {
				g.line("seen.append(k)")
				g.block("if k <= 0:", func() { g.line("return %s", g.pick("0", "'end'", "[]")) })
				g.line("return %s", g.pick("walk(k - 1)", "(k, walk(k - 2))", "[walk(j) for j in range(k - 1)]", "(yield_ for yield_ in [walk(k - 1)])"))
			})
			g.line("r = walk(n)")
			g.line("return (list(r) if hasattr(r, '__next__') else r), seen")
		})
		g.line("attempt(%s, %d)", name, g.IntN(5))
	}
}

// arguments writes a function with parameters of every kind, and calls of it.
func (g *generator) arguments() {
	params := []string{"a", g.pick("b", "b=2", "b=[]"), g.pick("*args", "*"), g.pick("k", "k=4"), g.pick("**kw", "m=5")}
	if strings.Contains(params[1], "=") && g.chance(2) {
		params = append(params[:2:2], params[4])
		if params[2] == "m=5" {
			params[2] = "c='c'"
		}
	}
	name := g.name("f")
	var shown []string
	for _, p := range params {
		p = strings.TrimLeft(p, "*")
		p, _, _ = strings.Cut(p, "=")
		if p != "" {
			shown = append(shown, p)
		}
	}
	g.block(fmt.Sprintf("def %s(%s):", name, strings.Join(params, ", ")), func() {
		if params[1] == "b=[]" {
			g.line("%s", g.pick("b.append(a)", "pass"))
		}
		g.line("return %s", strings.Join(shown, ", "))
	})
	target := name
	if g.chance(3) {
		target = g.name("T")
		g.block(fmt.Sprintf("class %s:", target), func() {
			switch g.IntN(3) {
			case 0:
				g.block("def __init__(self, *args, **kwargs):", func() { g.line("print(%s(*args, **kwargs))", name) })
			case 1:
				g.block("def __call__(self, *args, **kwargs):", func() { g.line("return %s(*args, **kwargs)", name) })
			default:
				g.line("%s = staticmethod(%s)", "call", name)
			}
			g.block("def __repr__(self):", func() { g.line("return 'T'") })
		})
		target = g.pick(target, target+"()", target+".call")
	}
	for range 2 + g.IntN(4) {
		g.line("attempt(lambda: %s(%s))", target, g.pick(
			"1", "1, 2", "1, k=3", "a=1", "1, 2, 3", "1, z=1, y=2, k=0", "k=1, b=2, a=3", "*[1, 2]", "*(1,), **{'k': 5}",
			"1, **{'z': 1, 'a2': 2, 'k': 3}", "**{'k': 1, 'a': 2, 'q': 3, 'c': 4}", "1, 2, *[3, 4], k=5", "", "1, a=2", "1, *'xy', k=2, w=1, e=2",
			"1, k=2, **dict(z=3, y=4)", "1, 2, m=3", "*5", "1, k=2, **{'k': 3}"))
	}
}

// namespaces writes code that looks at its names, or runs other code.
func (g *generator) namespaces() {
	switch g.IntN(7) {
	case 0:
		name := g.function([]string{"b", "a"}, false, func() {
			g.line("z = 1; c = 2")
			if g.chance(2) {
				g.line("del z")
			}
			g.line("return %s", g.pick("list(locals().items())", "sorted(locals())", "locals() == vars()", "dir()", "eval('a + b')"))
		})
		g.line("attempt(%s, 1, 2)", name)
	case 1:
		ns := g.name("ns")
		g.line("%s = {%s}", ns, g.pick("", "'n': 0", "'n': 1, 'm': 2"))
		g.line("exec(%q, %s)", g.pick("n = 0\ndef f():\n    global n\n    n += 1\n    return n\n", "def f():\n    return sorted(k for k in globals() if k[0] != '_')\n",
			"x = [n for _ in range(2)]\ndef f():\n    return x, n\n", "class K:\n    n = 5\ndef f():\n    return K.n, K.__module__\n"), ns)
		for range 1 + g.IntN(3) {
			g.line("%s", fmt.Sprintf(g.pick("attempt(%[1]s['f'])", "%[1]s['n'] = 10", "print(%[1]s.get('n'), sorted(k for k in %[1]s if k[0] != '_'))", "attempt(%[1]s['f'])",
				"print([k for k in %[1]s if k[0] != '_'])", "del %[1]s['f']", "attempt(eval, 'n + 1', %[1]s)", "exec('n = 7; t = 8', %[1]s)"), ns))
		}
		g.line("print([k for k in %s if k[0] != '_'])", ns)
	case 2:
		g.line("attempt(eval, %q)", g.pick("1 + 2", "[x for x in range(3)]", "attempt(len, 'ab')", "undefined", "(lambda q: q * 2)(4)"))
	case 3:
		name := g.name("g")
		g.block(fmt.Sprintf("def %s_set():", name), func() {
			g.line("global %s", name)
			g.line("%s = %s", name, g.expr(anInt, 1))
		})
		g.line("attempt(lambda: %s)", name)
		g.line("attempt(%s_set)", name)
		g.line("attempt(lambda: %s)", name)
		g.line("globals()[%q] = 5; print(%s)", name, name)
		g.line("del %s", name)
		g.line("attempt(lambda: %s)", name)
	case 4:
		g.line("print([k for k in globals() if k[0] in 'vf'])")
	case 5:
		g.block("class Body:", func() {
			g.line("n = 1")
			g.block("for i in range(3):", func() { g.line("n += i") })
			g.line("%s", g.pick("print(sorted(k for k in locals() if k[0] != '_'))", "m = [n for n in range(2)]", "del i", "locals()['made'] = 3"))
			g.line("%s", g.pick("b = n; a = 2", "def n2(self): return n", "o = lambda self: self.n"))
		})
		g.line("print([k for k in Body.__dict__ if k[0] != '_'], [k for k in vars(Body) if k[0] != '_'])")
		g.line("attempt(lambda: %s)", g.pick("Body().n2()", "Body().o()", "Body.n", "Body.made", "Body.i"))
	default:
		g.line("code = compile(%s)", g.pick("'r = 1', 'f', 'exec'", "'r + 1', 'f', 'eval'", "'r + 1', 'f', 'exec'", "'def f(): return 3', 'f', 'exec'", "'if 1: r = 2', 'f', 'exec'"))
		g.line("d = {'r': 5}; attempt(%s, code, d); print(d['r'], len(d) > 1)", g.pick("exec", "eval"))
	}
}

// operators writes a class with methods for operators, and expressions with it.
func (g *generator) operators() {
	name := g.name("N")
	g.block(fmt.Sprintf("class %s:", name), func() {
		g.block("def __init__(self, v):", func() { g.line("self.v = v") })
		g.block("def __repr__(self):", func() { g.line("return 'N(%%r)' %% (self.v,)") })
		value := func() string { return g.pick("getattr(o, 'v', o)", "o.v", "o") }
		for _, op := range []string{"add:+", "sub:-", "mul:*", "truediv:/", "floordiv://", "mod:%", "and:&", "or:|", "lshift:<<", "pow:**"} {
			method, symbol, _ := strings.Cut(op, ":")
			for _, prefix := range []string{"", "r", "i"} {
				if !g.chance(4) {
					continue
				}
				g.block(fmt.Sprintf("def __%s%s__(self, o):", prefix, method), func() {
					result := fmt.Sprintf("%s(self.v %s %s)", name, symbol, value())
					g.line("return %s", g.pick(result, result, "NotImplemented", "('"+prefix+method+"', self.v)"))
				})
			}
		}
		for _, m := range [][2]string{
			{"__eq__(self, o)", g.pick("return self.v == getattr(o, 'v', o)", "return NotImplemented", "return 'eq'")},
			{"__lt__(self, o)", g.pick("return self.v < o.v", "return NotImplemented", "return []")},
			{"__le__(self, o)", "return self.v <= o.v"},
			{"__gt__(self, o)", "return ('gt', self.v)"},
			{"__hash__(self)", g.pick("return hash(self.v)", "return 1", "return 'x'")},
			{"__len__(self)", g.pick("return self.v", "return -1", "return 0", "return 'n'")},
			{"__bool__(self)", g.pick("return self.v > 1", "return 1", "return False")},
			{"__getitem__(self, i)", g.pick("return (self.v, i)", "return [1, 2, 3][i]", "raise IndexError(i)")},
			{"__setitem__(self, i, x)", "print('setitem', i, x)"},
			{"__delitem__(self, i)", "print('delitem', i)"},
			{"__contains__(self, x)", g.pick("return x == self.v", "return 'yes'", "return None")},
			{"__iter__(self)", g.pick("return iter([self.v, 1])", "yield self.v", "return self", "return 5")},
			{"__next__(self)", "raise StopIteration(4)"},
			{"__reversed__(self)", g.pick("return 'reversed'", "return iter('ba')", "yield 3")},
			{"__call__(self, *a, **k)", "return ('call', a, k)"},
			{"__neg__(self)", "return 'neg'"}, {"__abs__(self)", "return 'abs'"}, {"__invert__(self)", "return 'inv'"},
			{"__int__(self)", g.pick("return 3", "return 'x'")}, {"__index__(self)", "return 1"}, {"__float__(self)", "return 2.5"},
			{"__str__(self)", g.pick("return 'str'", "return 5")},
			{"__format__(self, spec)", "return 'fmt ' + spec"},
			{"__round__(self, n=None)", "return ('round', n)"}, {"__divmod__(self, o)", "return 'divmod'"},
		} {
			if g.chance(4) {
				g.block("def "+m[0]+":", func() { g.line("%s", m[1]) })
			}
		}
	})
	a, b := g.name("a"), g.name("b")
	g.line("%s = %s(%s); %s = %s(%s)", a, name, g.pick("1", "2", "3", "[1]", "'s'"), b, name, g.pick("1", "2", "5"))
	r := strings.NewReplacer("A", a, "B", b)
	for range 4 + g.IntN(6) {
		g.line("attempt(lambda: %s)", r.Replace(g.pick("A + B", "A - B", "A * 2", "2 * A", "A / B", "5 // A", "A % B", "'%s' % A", "A & 1", "1 | B", "A << 2", "2 ** A",
			"A == B", "A != B", "A == 1", "A < B", "A <= B", "A > B", "A >= B", "hash(A) == hash(A)", "len(A)", "bool(A)", "not A", "A[1]", "A[1:2]", "A[5]",
			"1 in A", "list(A)", "next(A)", "list(reversed(A))", "reversed(A) is not None", "A(1, z=2, b=3)", "-A", "abs(A)", "~A", "int(A)", "[7, 8, 9][A]",
			"float(A)", "str(A)", "'{:x}'.format(A)", "format(A)", "round(A)", "round(A, 2)", "divmod(A, 2)", "sorted([A, B])", "max(A, B)",
			"{A: 1}", "len({A, B})", "A in [B]", "[B].index(A)", "sum([A, B])", "'a' + A", "A + None", "[1] * A", "range(A)", "A and B", "A or B", "tuple(A)",
			"(lambda *x: x)(*A)", "'x' * A", "iter(A) is A", "[x for x in A]", "A is B", "repr([A])", "print(A)", "dict([(A, 1)])[A]", "any([A])", "hex(A)")))
	}
	for range g.IntN(3) {
		g.block("try:", func() {
			g.line("%s", r.Replace(g.pick("A += 1", "A -= B", "A *= 2", "A[0] = 1", "del A[2]", "A[1] += 2", "x, y = A", "A |= 4", "for x in A: print(x); break", "A.v += 1")))
			g.line("print(%s)", a)
		})
		g.block("except Exception as e:", func() { g.line("print(chain(e))") })
	}
}

// attributes writes descriptors and the methods that look attributes up.
func (g *generator) attributes() {
	d := g.name("D")
	g.block(fmt.Sprintf("class %s:", d), func() {
		if g.chance(3) {
			g.block("def __set_name__(self, owner, name):", func() { g.line("print('set_name', owner.__name__, name)") })
		}
		if !g.chance(4) {
			g.block("def __get__(self, o, owner):", func() { g.line("return ('get', o is None, owner.__name__)") })
		}
		if g.chance(2) {
			g.block("def __set__(self, o, value):", func() {
				g.line("print('set', value)")
				g.line("o.__dict__['d'] = value")
			})
		}
		if g.chance(4) {
			g.block("def __delete__(self, o):", func() { g.line("print('delete')") })
		}
		g.line("def __repr__(self): return 'D'")
	})
	c := g.name("A")
	g.block(fmt.Sprintf("class %s:", c), func() {
		slots := g.chance(4)
		g.line("d = %s()", d)
		g.line("n = %s", g.pick("None", "5", "len", "lambda self: 3", "property(lambda self: self.p)"))
		if g.chance(3) {
			g.block("def __getattr__(self, name):", func() {
				own := "return self.__dict__[name]"
				if slots {
					// Without __dict__ it would call itself, as often as CPython's version allows.
					own = "return None"
				}
				g.line("%s", g.pick("return 'dynamic ' + name", "raise AttributeError(name)", own))
			})
		}
		if g.chance(4) {
			g.block("def __getattribute__(self, name):", func() {
				g.line("print('getattribute', name)")
				g.line("return %s", g.pick("object.__getattribute__(self, name)", "super().__getattribute__(name)", "7"))
			})
		}
		if g.chance(4) {
			g.block("def __delattr__(self, name):", func() {
				g.line("print('delattr', name)")
				g.line("%s", g.pick("super().__delattr__(name)", "pass"))
			})
		}
		if slots {
			g.line("__slots__ = %s", g.pick("('p', 'q')", "['p']"))
		}
		if g.chance(5) {
			g.block("def __init__(self):", func() { g.line("return %s", g.pick("5", "None", "self")) })
		}
	})
	o := g.name("o")
	g.block("try:", func() {
		g.line("%s = %s()", o, c)
		for range 3 + g.IntN(5) {
			g.line("%s", strings.NewReplacer("O", o, "C", c).Replace(g.pick("attempt(lambda: O.d)", "attempt(lambda: C.d)", "O.d = 3", "del O.d", "attempt(lambda: O.p)", "O.p = 1",
				"attempt(lambda: O.n)", "attempt(lambda: O.n())", "O.zz = 2", "print(vars(O))", "attempt(lambda: O.zz)", "attempt(getattr, O, 'p', 'default')", "print(hasattr(O, 'q'))", "del O.p",
				"attempt(lambda: C.n)", "C.d = 9", "attempt(lambda: O.__class__.__name__)", "O.__dict__ = {'p': 'swapped', 'b': 1}", "O.__dict__.update(p=4)", "O.q = 6")))
		}
	})
	g.block("except Exception as e:", func() { g.line("print(chain(e))") })
}

// mangling writes classes with private names.
func (g *generator) mangling() {
	a, b := g.pick("A", "_A", "__A"), g.pick("B", "_B_", "__")
	g.block(fmt.Sprintf("class %s:", a), func() {
		g.line("__c = 'a'")
		g.block("def __init__(self, __p=1):", func() { g.line("self.__v = __p") })
		g.block("def a(self):", func() {
			g.line("return %s", g.pick("self.__v", "(self.__v, self.__c)", "[self.__v for __x in (1, 2) if __x]", "getattr(self, '__v', 'none')"))
		})
		g.block("def __m(self):", func() { g.line("return 'private a'") })
		g.block("def call(self):", func() {
			g.line("return %s", g.pick("self.__m()", "(lambda: self.__m())()", "self.__m__()", "super().__m()"))
		})
		g.block("def __m__(self):", func() { g.line("return 'special'") })
	})
	g.block(fmt.Sprintf("class %s(%s):", b, a), func() {
		g.block("def __init__(self):", func() {
			g.line("super().__init__(%s)", g.pick("", "5", "__p=3"))
			g.line("self.__v = 'b'")
		})
		g.line("__c = 'b'")
		g.block("def b(self):", func() {
			g.line("%s", g.pick("global __g", "__g = 0", "import sys as __g"))
			g.line("__g = 7")
			g.line("return %s", g.pick("self.__v, __g", "self.__c", "__g", "[__g for _ in (1,)]", "(lambda __y: __y)(3)", "(lambda **k: k)(__k=2)"))
		})
		g.block("def __m(self):", func() { g.line("return 'private b'") })
		if g.chance(3) {
			g.block("class __Inner:", func() {
				g.line("__w = 1")
				g.block("def m(self):", func() { g.line("return self.__w, sorted(k for k in vars(type(self)) if k.endswith('__w'))") })
			})
			g.line("inner = __Inner")
		}
	})
	g.block("try:", func() {
		g.line("o = %s()", b)
		for _, use := range []string{"attempt(o.a)", "attempt(o.b)", "attempt(o.call)", "print(sorted(vars(o)))", "print(list(vars(o)))", "attempt(lambda: o.__v)",
			"attempt(lambda: o.inner().m())", "print(sorted(k for k in dir(o) if k.strip('_')[:1] in 'AB' and not k.endswith('__')))"} {
			if g.chance(2) {
				g.line("%s", use)
			}
		}
	})
	g.block("except Exception as e:", func() { g.line("print(chain(e))") })
}
