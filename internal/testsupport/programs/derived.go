package programs

import (
	"fmt"
	"strings"
)

// derivedBase is a built-in type that classes are derived from: of which kind the values are, what
// methods a class may have of its own, and what is done with an instance.
type derivedBase struct {
	name    string
	value   kind
	methods []string
	uses    []string
}

// common are uses of an instance of any class.
var common = []string{
	"len(%o)", "str(%o)", "repr(%o)", "bool(%o)", "%o == %v", "%v == %o", "%o != %v", "'%s|%r' % (%o, %o)", "format(%o)", "type(%o).__name__", "isinstance(%o, %b)", "[%o]",
	"hash(%o) == hash(%v)", "%o is %o", "list(%o)", "sorted(%o)", "%o + %v", "%v + %o", "%o * 2", "%o < %v", "%v <= %o", "%o.tag", "vars(%o)", "{%o: 1}", "%o in [%v]", "f'{%o}'", "%b(%o)", "type(%b(%o))",
	"super(%c, %o).__repr__()", "%b.__repr__(%o)", "%c()", "%c(%v) == %c(%v)", "%o.method(3)", "%o | %v", "%o % 3", "str(%o).upper()", "%o.nothing",
}

var derivedBases = []derivedBase{
	{"dict", aDict,
		[]string{"def __getitem__(self, k): return ('get', k, super().get(k))", "def __setitem__(self, k, v): super().__setitem__(k, [v])", "def __missing__(self, k): return 'missing ' + str(k)",
			"def __contains__(self, k): return not super().__contains__(k)", "def __iter__(self): return iter(['i', 'j'])", "def __len__(self): return super().__len__() + 1", "def __eq__(self, o): return NotImplemented",
			"def __init__(self, *a, **k): super().__init__(*a, **k); self.tag = 'init'", "def __repr__(self): return 'R' + super().__repr__()"},
		[]string{"%o['a']", "%o.get('a')", "%o.update(b=5, a=6)", "%o.__setitem__('n', 1)", "%o.pop('a', None)", "%o.setdefault('s', 2)", "'a' in %o", "dict(%o)", "{**%o}", "list(%o.items())", "%o.copy()", "type(%o.copy())",
			"'%(a)s' % %o", "(lambda **k: k)(**%o)", "%c.fromkeys('xy', 1)", "list(reversed(%o))", "max(%o)", "%c(z=1, y=2)", "%o.popitem()", "'{a}'.format_map(%o)"}},
	{"list", aList,
		[]string{"def __getitem__(self, i): return ('get', super().__getitem__(i))", "def __setitem__(self, i, v): super().__setitem__(i, -v)", "def __iter__(self): return iter((7, 8))", "def __len__(self): return 5",
			"def __contains__(self, x): return x == 1", "def __add__(self, o): return ('add', o)", "def __radd__(self, o): return ('radd', o)", "def __iadd__(self, o): self.extend(o); return self", "def __eq__(self, o): return 'eq'",
			"def __init__(self, *a): super().__init__(*a); self.tag = 'init'", "def __str__(self): return 'S' + list.__repr__(self)", "def append(self, x): super().append(x); super().append(x)"},
		[]string{"%o[0]", "%o[1:]", "%o[::-1]", "%o.append(4)", "%o.extend(%o)", "%o.sort()", "%o.index(1)", "%o.pop()", "sum(%o)", "max(%o)", "[*%o]", "tuple(%o)", "%o.__setitem__(0, 9)", "list(reversed(%o))", "%o.copy()", "1 in %o",
			"2 * %o", "(lambda *a: a)(*%o)", "list(zip(%o, %o))", "%o.insert(0, 2)", "%o.__iadd__([1])", "list(map(str, %o))", "%o.remove(1)"}},
	{"str", aStr,
		[]string{"def __getitem__(self, i): return 'get ' + super().__getitem__(i)", "def __str__(self): return 'str ' + super().__str__()", "def __repr__(self): return 'R' + super().__repr__()", "def __len__(self): return 9",
			"def __iter__(self): return iter('pq')", "def __contains__(self, x): return True", "def __add__(self, o): return ('add', o)", "def __radd__(self, o): return ('radd', o)", "def __mod__(self, o): return ('mod', o)",
			"def __eq__(self, o): return str.upper(self) == str(o).upper()", "def __hash__(self): return 5", "def __format__(self, spec): return 'F' + spec", "def __lt__(self, o): return 'lt'",
			"def __new__(cls, *a): self = super().__new__(cls, *a); self.tag = 'new'; return self", "def upper(self): return 'UP'"},
		[]string{"%o[0]", "%o[1:]", "%o.upper()", "%o.split()", "'-'.join([%o, %o])", "%o.join('xy')", "%o.replace('a', %o)", "'a' in %o", "%o in 'xabcx'", "%o.startswith(%o)", "{'abc': 1, '': 2}.get(%o)", "%o.encode()", "int(%o)",
			"max(%o, 'b')", "'{:>8}|{!r}'.format(%o, %o)", "list(reversed(%o))", "%o.title()", "ord(%o)", "'x' * len(%o)", "%o.strip()", "%o.partition('a')", "'%5s' % %o", "%o.center(9, '*')"}},
	{"int", anInt,
		[]string{"def __add__(self, o): return ('add', o)", "def __radd__(self, o): return ('radd', o)", "def __str__(self): return 'str'", "def __repr__(self): return 'R' + super().__repr__()", "def __bool__(self): return False",
			"def __eq__(self, o): return int.__eq__(self, 1)", "def __hash__(self): return 1", "def __int__(self): return 7", "def __index__(self): return 2", "def __neg__(self): return 'neg'", "def __lt__(self, o): return 'lt'",
			"def __format__(self, spec): return 'F' + spec", "def __mul__(self, o): return super().__mul__(o) + 1", "def __new__(cls, *a): self = int.__new__(cls, *a); self.tag = 'new'; return self", "def __rsub__(self, o): return 'rsub'"},
		[]string{"%o - 1", "1 - %o", "%o // 2", "7 % %o", "2 ** %o", "-%o", "~%o", "abs(%o)", "divmod(%o, 2)", "divmod(9, %o)", "round(%o)", "int(%o)", "float(%o)", "'%d %x' % (%o, %o)", "f'{%o:4d}'", "hex(%o)", "[0, 1, 2, 3][%o]",
			"'abc' * %o", "range(%o)", "1.5 + %o", "%o * 1.5", "sum([%o, %o])", "max(%o, 1)", "{1: 'one'}.get(%o)", "%o.bit_length()", "%o & 3", "5 | %o", "1 << %o", "%o ** 2", "pow(%o, 2, 5)", "%o.real", "1.0 == %o", "'%s' % %o", "True + %o"}},
}

// derived writes a class that is derived from a built-in type, and uses instances of it.
func (g *generator) derived() {
	base := derivedBases[g.IntN(len(derivedBases))]
	c := g.name("B")
	class := func(name, of string) {
		g.block(fmt.Sprintf("class %s(%s):", name, of), func() {
			g.line("tag = '%s'", name)
			g.block("def method(self, x):", func() {
				g.line("return %s", g.pick("(x, self.tag)", "self.tag", "super().__len__()", "self + x", "[self, x]"))
			})
			for n := g.IntN(4); n > 0; n-- {
				g.line("%s", g.pick(base.methods...))
			}
		})
	}
	class(c, base.name)
	if g.chance(3) {
		more := g.name("B")
		class(more, c)
		c = more
	}
	value := g.expr(base.value, 0)
	if base.value == anInt { // not one that is a size beyond all
		value = g.pick("0", "1", "2", "3", "-1", "7", "10", "True")
	}
	o := g.name("o")
	g.block("try:", func() {
		g.line("%s = %s(%s)", o, c, value)
		for range 4 + g.IntN(6) {
			uses := base.uses
			if g.chance(2) {
				uses = common
			}
			use := strings.NewReplacer("%o", o, "%c", c, "%b", base.name, "%v", value).Replace(g.pick(uses...))
			g.line("attempt(lambda: %s)", use)
		}
		g.line("%s.own = 1", o)
		g.line("print(%s.own, repr(%s))", o, o)
	})
	g.block("except Exception as e:", func() { g.line("print(chain(e))") })
}
