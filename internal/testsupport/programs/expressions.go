package programs

import (
	"fmt"
	"strings"
)

// expr is an expression that mostly has a value of a kind.
func (g *generator) expr(k kind, depth int) string {
	if g.chance(60) {
		if k = g.anyKind(); k == aSet { // whose order is not ours
			k = aStr
		}
	}
	if g.chance(3) || depth <= 0 {
		for _, s := range []*scope{g.scope(), g.scopes[0]} {
			var fitting []string
			for _, v := range s.vars {
				if v.kind == k {
					fitting = append(fitting, v.name)
				}
			}
			if len(fitting) > 0 && g.chance(2) {
				return fitting[g.IntN(len(fitting))]
			}
		}
	}
	e := func(k kind) string { return g.expr(k, depth-1) }
	if depth > 0 && g.chance(12) {
		return fmt.Sprintf("(%s if %s else %s)", e(k), e(aBool), e(k))
	}
	if depth > 0 && g.chance(20) {
		return fmt.Sprintf("(%s %s %s)", e(k), g.pick("or", "and"), e(k))
	}
	switch k {
	case anInt:
		return g.integer(depth, e)
	case aFloat:
		if depth <= 0 {
			return g.pick("0.5", "1.0", "-2.25", "1e16", "1e-7", "0.1", "123456.789", "-0.0", "3.0")
		}
		return fmt.Sprintf(g.pick("(%[1]s + %[2]s)", "(%[1]s - %[2]s)", "(%[1]s * %[2]s)", "(%[1]s / %[2]s)", "abs(%[1]s)", "float(%[2]s)",
			"round(%[1]s, 2)", "(%[1]s // %[2]s)", "(%[1]s %% %[2]s)", "max(%[1]s, %[2]s)", "(%[3]s / %[2]s)"), e(aFloat), e(aFloat), e(anInt))
	case aStr:
		return g.str(depth, e)
	case aList:
		return g.list(depth, e)
	case aTuple:
		if depth <= 0 {
			return g.pick("()", "(1,)", "(1, 2)", "(3, 'x')", "(2, 1, 0)")
		}
		return fmt.Sprintf(g.pick("(%[1]s, %[2]s)", "(%[1]s,)", "divmod(%[1]s, %[2]s)", "tuple(%[3]s)", "(%[1]s, %[4]s)", "%[5]s[1:]",
			"(%[5]s + (%[1]s,))", "(%[5]s * 2)", "max([%[5]s, (1, 2)], key=len)"), e(anInt), e(anInt), e(aList), e(aStr), e(aTuple))
	case aDict:
		if depth <= 0 {
			return g.pick("{}", "{'a': 1}", "{'b': 2, 'a': 1}", "dict(z=1, b=2, k=3)")
		}
		return fmt.Sprintf(g.pick("{%[1]s: %[2]s}", "{%[1]s: %[2]s, %[4]s: %[3]s}", "{str(k): k for k in %[5]s}", "dict(zip(%[1]s, %[5]s))",
			"dict(%[6]s, q=%[2]s, c=%[3]s)", "dict.fromkeys(%[1]s, %[2]s)", "{k: v for k, v in %[6]s.items() if v != %[2]s}",
			"dict(sorted(%[6]s.items()))", "dict([(%[1]s, %[2]s)])"),
			e(aStr), e(anInt), e(anInt), e(aStr), e(aList), e(aDict))
	case aSet:
		if depth <= 0 {
			return g.pick("set()", "{1}", "{1, 2}", "{3, 1, 2}")
		}
		return fmt.Sprintf(g.pick("{%[1]s, %[2]s}", "set(%[3]s)", "{x %% 3 for x in %[3]s}", "(%[4]s | %[5]s)", "(%[4]s & %[5]s)", "(%[4]s - %[5]s)",
			"(%[4]s ^ %[5]s)"), e(anInt), e(anInt), e(aList), e(aSet), e(aSet))
	default:
		if depth <= 0 {
			return g.pick("True", "False", "not 0")
		}
		return fmt.Sprintf(g.pick("%[1]s < %[2]s", "%[1]s == %[2]s", "%[1]s <= %[2]s < %[3]s", "not %[4]s", "%[1]s in %[5]s", "%[6]s not in %[7]s",
			"%[4]s is %[8]s", "isinstance(%[1]s, int)", "any(%[5]s)", "all(%[5]s)", "%[6]s == %[9]s", "%[6]s.isdigit()", "%[5]s == %[10]s",
			"bool(%[6]s)", "%[1]s != %[2]s == %[3]s", "callable(%[1]s)"),
			e(anInt), e(anInt), e(anInt), e(aBool), e(aList), e(aStr), e(aDict), e(aBool), e(aStr), e(aList))
	}
}

func (g *generator) integer(depth int, e func(kind) string) string {
	if depth <= 0 {
		return g.pick("0", "1", "2", "3", "7", "-1", "-3", "10", "255", "2**40", "10**20", "True")
	}
	return fmt.Sprintf(g.pick("(%[1]s + %[2]s)", "(%[1]s - %[2]s)", "(%[1]s * %[2]s)", "(%[1]s // %[2]s)", "(%[1]s %% %[2]s)", "-%[1]s", "~%[1]s",
		"(%[1]s & %[2]s)", "(%[1]s | %[2]s)", "(%[1]s ^ %[2]s)", "(%[1]s >> 2)", "(%[1]s << 3)", "abs(%[1]s)", "len(%[3]s)", "len(%[4]s)",
		"sum(%[4]s)", "%[4]s[%[1]s]", "%[5]s[%[3]s]", "%[5]s.get(%[3]s, %[1]s)", "int(%[3]s)", "int(%[6]s)", "max(%[4]s, default=%[1]s)",
		"min(%[1]s, %[2]s)", "(lambda x, y=%[1]s: x - y)(%[2]s)", "%[3]s.find(%[7]s)", "%[3]s.count(%[7]s)", "%[4]s.index(%[1]s)",
		"sum(x * x for x in %[4]s)", "round(%[6]s)", "len(%[5]s)", "len(set(%[4]s))", "pow(%[1]s, 3, 7)", "ord(%[3]s)", "(%[1]s ** 2)"),
		e(anInt), e(anInt), e(aStr), e(aList), e(aDict), e(aFloat), e(aStr))
}

func (g *generator) str(depth int, e func(kind) string) string {
	if depth <= 0 {
		return g.pick("''", "'a'", "'b'", "'abc'", "'Hello, World'", "' x y '", "'12'", `'it\'s'`, `"q\"d'"`, `'\n\t'`, "'äöü'", "'ß€'", "'a,b,,c'")
	}
	switch g.IntN(4) {
	case 0:
		return g.format(e)
	case 1:
		return fmt.Sprintf(g.pick("%[1]s[%[2]s]", "%[1]s[%[2]s]", "%[1]s[%[3]s]"), e(aStr), g.slice(), e(anInt))
	default:
		return fmt.Sprintf(g.pick("(%[1]s + %[2]s)", "(%[1]s * 2)", "%[1]s.upper()", "%[1]s.title()", "%[1]s.replace(%[2]s, 'Z')", "%[1]s.strip()",
			"%[1]s.strip(%[2]s)", "%[1]s.center(%[3]s %% 20, '*')", "%[1]s.zfill(6)", "%[1]s.join(['p', 'q', %[2]s])", "str(%[3]s)", "str(%[4]s)",
			"repr(%[1]s)", "repr(%[5]s)", "%[1]s.partition(%[2]s)[2]", "%[1]s.capitalize()", "%[1]s.swapcase()", "%[1]s.ljust(5, '.')",
			"chr(%[3]s %% 500 + 32)", "''.join(sorted(%[1]s))", "''.join(reversed(%[1]s))", "%[1]s.expandtabs(4)", "str(%[6]s)", "str(%[7]s)",
			"ascii(%[1]s)", "%[1]s.encode().decode()", "hex(%[3]s)", "bin(%[3]s)"),
			e(aStr), e(aStr), e(anInt), e(aFloat), e(aList), e(aDict), e(aTuple))
	}
}

// format is an expression with % or str.format.
func (g *generator) format(e func(kind) string) string {
	spec := func(types string) string {
		s := g.pick("", "", "<", ">", "^", "*^", "0")
		if types != "s" {
			s += g.pick("", "", "+", " ", "#")
		}
		s += g.pick("", "8", "3", "12")
		if types != "d" {
			s += g.pick("", "", ".2", ".0", ".5")
		} else {
			s += g.pick("", ",", "_")
		}
		if g.chance(4) {
			return s
		}
		i := g.IntN(len(types))
		return s + types[i:i+1]
	}
	flags := func() string {
		return g.pick("", "-", "+", "0", " ", "#", "-0", "+0") + g.pick("", "6", "12") + g.pick("", ".1", ".3")
	}
	switch g.IntN(7) {
	case 0:
		return fmt.Sprintf("('%%%sd|%%%sx' %% (%s, %s))", flags(), flags(), e(anInt), e(anInt))
	case 1:
		return fmt.Sprintf("('%%%s%s' %% %s)", flags(), g.pick("f", "e", "g", "r", "s", "G"), e(aFloat))
	case 2:
		return fmt.Sprintf("('%%%ss %%r %%%%' %% (%s, %s))", flags(), e(aStr), e(aList))
	case 3:
		return fmt.Sprintf("'{:%s}'.format(%s)", spec("dxob"), e(anInt))
	case 4:
		return fmt.Sprintf("format(%s, '%s')", e(aFloat), spec("feg%n"))
	case 5:
		return fmt.Sprintf("'{0:%s}{1!r:>6}{k}{0[0]}'.format(%s, %s, k=%s)", spec("s"), e(aStr), e(anInt), e(aList))
	default:
		return fmt.Sprintf("('%%(a)s %%(b)03d' %% {'a': %s, 'b': %s})", e(aTuple), e(anInt))
	}
}

func (g *generator) slice() string {
	bound := func() string { return g.pick("", "", "0", "1", "2", "-1", "-2", "9", "None") }
	return bound() + ":" + bound() + g.pick("", "", ":"+g.pick("", "1", "2", "-1", "-2"))
}

func (g *generator) list(depth int, e func(kind) string) string {
	if depth <= 0 {
		return g.pick("[]", "[1]", "[3, 1, 2]", "[0, 5, 0, 5]", "list(range(4))", "[10, -10]")
	}
	if g.chance(4) {
		return g.comprehension(e)
	}
	return fmt.Sprintf(g.pick("[%[1]s, %[2]s]", "(%[3]s + %[4]s)", "(%[3]s * 2)", "%[3]s[%[5]s]", "sorted(%[3]s)", "sorted(%[3]s, reverse=True)",
		"sorted(%[3]s, key=lambda x: (x %% 3, -x))", "list(reversed(%[3]s))", "list(map(lambda x: x + %[1]s, %[3]s))",
		"list(filter(None, %[3]s))", "[len(x) for x in %[6]s.split()]", "[v for k, v in sorted(%[7]s.items())]", "list(%[7]s.values())",
		"[i * x for i, x in enumerate(%[3]s, 1)]", "[a - b for a, b in zip(%[3]s, %[4]s)]", "list(range(%[1]s %% 5, %[2]s %% 9, 2))",
		"[ord(c) for c in %[6]s]", "sorted(%[8]s, key=repr)", "list(%[9]s)"),
		e(anInt), e(anInt), e(aList), e(aList), g.slice(), e(aStr), e(aDict), e(aSet), e(aTuple))
}

// comprehension is a list comprehension, whose names may be those of variables.
func (g *generator) comprehension(e func(kind) string) string {
	name := g.pick("x", "y", "a", "b")
	body := fmt.Sprintf(g.pick("%[1]s", "%[1]s + 1", "(lambda: %[1]s)()", "sum([%[1]s for _ in range(2)])", "[%[1]s for %[1]s in (1, %[1]s)][0]",
		"(lambda %[1]s=%[1]s: %[1]s * 2)()"), name)
	text := fmt.Sprintf("[%s for %s in %s", body, name, e(aList))
	if g.chance(3) {
		text += fmt.Sprintf(" for z in range(%s %% 3)", name)
	}
	if g.chance(2) {
		text += fmt.Sprintf(g.pick(" if %s", " if %s %% 2", " if not %s > 2"), name)
	}
	return strings.TrimSpace(text) + "]"
}

// value is an expression of any kind, a set in order.
func (g *generator) value(depth int) string {
	k := g.anyKind()
	e := g.expr(k, depth)
	if k == aSet {
		return "sorted(" + e + ", key=repr)"
	}
	return e
}

// values writes statements that print the values of expressions.
func (g *generator) values() {
	for range 3 + g.IntN(6) {
		g.line("attempt(lambda: %s)", g.value(3))
		if g.chance(3) {
			g.block("try:", g.augmented)
			g.block("except Exception as e:", func() { g.line("print(chain(e))") })
		}
	}
}
