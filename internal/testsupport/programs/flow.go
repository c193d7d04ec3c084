package programs

import (
	"fmt"
)

// flow writes a function of statements that interrupt each other, and calls it.
func (g *generator) flow() {
	name := g.function([]string{"a", "b"}, false, func() {
		g.trace()
		g.statements(4)
		if !g.chance(3) {
			g.line("return %s", g.value(1))
		}
	})
	for range 1 + g.IntN(2) {
		g.line("attempt(%s, %d, %d)", name, g.IntN(5), g.IntN(3))
	}
}

// generators writes a generator, and what makes it go on.
func (g *generator) generators() {
	inner := ""
	if g.chance(2) {
		inner = g.generatorFunction("")
	}
	name := g.generatorFunction(inner)
	g.block(fmt.Sprintf("def %s():", g.name("f")), func() {
		g.line("g = %s(%d, %d)", name, g.IntN(4), g.IntN(3))
		g.line("kept.append(g)")
		for range 2 + g.IntN(6) {
			switch g.IntN(8) {
			case 0, 1, 2:
				g.line("attempt(next, g)")
			case 3:
				g.line("attempt(next, g, 'end')")
			case 4:
				g.line("attempt(g.send, %s)", g.pick("None", "1", "'s'", "[2]"))
			case 5:
				g.line("attempt(g.throw, %s)", g.exception())
			case 6:
				g.line("attempt(g.close)")
			default:
				g.block("for x in g:", func() {
					g.line("print('item', x)")
					if g.chance(2) {
						g.line("break")
					}
				})
			}
		}
		g.line("return list(g)")
	})
	g.line("attempt(f%d)", g.names)
}

func (g *generator) generatorFunction(inner string) string {
	g.left = 12
	return g.function([]string{"a", "b"}, true, func() {
		if inner != "" {
			g.line("%s = yield from keep(%s(b, a))", g.name("r"), inner)
			g.line("print('returned', r%d)", g.names)
		}
		g.statements(4)
		g.yield()
	})
}

func (g *generator) yield() {
	g.traces++
	switch g.IntN(6) {
	case 0:
		name := g.name("y")
		g.line("%s = yield %d", name, g.traces)
		g.line("print('got', %s)", name)
	case 1:
		g.line("print('got', (yield %s))", g.expr(anInt, 1))
	case 2:
		g.line("%s = yield from %s", g.name("y"), g.expr(aList, 1))
	case 3:
		g.line("x = [(yield %d), (yield)]", g.traces)
		g.line("print('list', x)")
	default:
		g.line("yield %d", g.traces)
	}
}

// statements writes some statements, which may contain others up to a depth.
func (g *generator) statements(depth int) {
	for range 1 + g.IntN(3) {
		g.statement(depth)
	}
}

func (g *generator) statement(depth int) {
	g.left--
	s := g.scope()
	if depth <= 0 || g.left < 0 {
		g.simple()
		return
	}
	switch g.IntN(12) {
	case 0, 1:
		g.tryStatement(depth)
	case 2:
		g.tryFinally(depth)
	case 3:
		g.with(depth)
	case 4:
		s.loops++
		v := g.name("i")
		g.block(fmt.Sprintf("for %s in %s:", v, g.pick("range(3)", "[1, 2]", "(3, 0, 1)", "(x for x in [4, 5])", g.expr(aList, 1))), func() {
			s.vars = append(s.vars, variable{v, anInt})
			g.statements(depth - 1)
		})
		s.loops--
		g.elseClause(depth)
	case 5:
		v := g.name("w")
		g.line("%s = %d", v, g.IntN(3))
		s.vars = append(s.vars, variable{v, anInt})
		s.loops++
		g.block(fmt.Sprintf("while %s < 4:", v), func() {
			g.line("%s += 1", v)
			g.statements(depth - 1)
		})
		s.loops--
		g.elseClause(depth)
	case 6, 7:
		g.block(fmt.Sprintf("if %s:", g.expr(aBool, 1)), func() { g.statements(depth - 1) })
		if g.chance(2) {
			g.block(fmt.Sprintf("elif %s:", g.expr(anInt, 1)), func() { g.statements(depth - 1) })
		}
		if g.chance(2) {
			g.block("else:", func() { g.statements(depth - 1) })
		}
	default:
		g.simple()
	}
}

func (g *generator) elseClause(depth int) {
	if g.chance(3) {
		g.block("else:", func() {
			g.trace()
			g.statement(depth - 1)
		})
	}
}

func (g *generator) tryStatement(depth int) {
	s := g.scope()
	g.block("try:", func() { g.statements(depth - 1) })
	for n := 1 + g.IntN(2); n > 0; n-- {
		as := g.chance(2)
		name := g.name("e")
		head := "except " + g.caught()
		if as {
			head += " as " + name
		}
		if n == 1 && g.chance(5) {
			as, head = false, "except"
		}
		s.handlers++
		g.block(head+":", func() {
			if as {
				g.line("print('caught', chain(%s))", name)
			} else {
				g.trace()
			}
			g.statements(depth - 1)
		})
		s.handlers--
		if head == "except" {
			break
		}
	}
	if g.chance(3) {
		g.block("else:", func() { g.statements(depth - 1) })
	}
	if g.chance(3) {
		g.block("finally:", func() {
			g.trace()
			g.statements(depth - 1)
		})
	}
}

func (g *generator) tryFinally(depth int) {
	g.block("try:", func() { g.statements(depth - 1) })
	g.block("finally:", func() {
		g.trace()
		g.statements(depth - 1)
	})
}

func (g *generator) with(depth int) {
	g.traces++
	manager := func() string {
		return fmt.Sprintf("Ctx('c%d'%s)", g.traces, g.pick("", "", ", True", ", 1", ", 'x'", ", 0", ", []", ", [1]", ", Note(5)",
			", enters=KeyError(7)"))
	}
	head := "with " + manager()
	if g.chance(2) {
		head += " as c"
	}
	if g.chance(3) {
		g.traces++
		head += ", " + manager()
	}
	g.block(head+":", func() { g.statements(depth - 1) })
}

// simple writes a simple statement.
func (g *generator) simple() {
	s := g.scope()
	n := g.IntN(24)
	switch {
	case n < 2 && s.loops > 0:
		g.jump("break")
	case n < 4 && s.loops > 0:
		g.jump("continue")
	case n == 4 && s.function:
		g.jump("return " + g.value(1))
	case n == 5:
		g.jump("raise " + g.exception())
	case n == 6:
		g.jump(fmt.Sprintf("raise %s from %s", g.exception(), g.pick("None", g.exception())))
	case n == 7 && s.handlers > 0:
		g.jump("raise")
	case n < 11 && s.generator:
		g.yield()
	case n == 11:
		g.line("assert %s, %s", g.expr(aBool, 1), g.expr(aStr, 0))
	case n == 12 && len(s.vars) > 0:
		g.line("del %s", s.vars[g.IntN(len(s.vars))].name)
	case n == 13:
		g.unpack()
	case n == 14:
		g.augmented()
	case n == 15 && s.function:
		g.nested()
	case n < 18:
		g.variable(g.anyKind())
	default:
		g.trace()
	}
}

// jump writes a statement that leaves its block, mostly in some cases only.
func (g *generator) jump(statement string) {
	if g.chance(2) {
		g.block(fmt.Sprintf("if %s:", g.expr(aBool, 1)), func() { g.line("%s", statement) })
		return
	}
	g.line("%s", statement)
}

func (g *generator) unpack() {
	s := g.scope()
	a, b := g.name("u"), g.name("u")
	switch g.IntN(5) {
	case 0:
		g.line("%s, %s = %s, %s", a, b, g.expr(anInt, 1), g.expr(anInt, 1))
	case 1:
		g.line("%s, *%s = %s", a, b, g.expr(aList, 1))
		s.vars = append(s.vars, variable{b, aList})
		return
	case 2:
		g.line("[%s, (%s, *_)] = %s, %s", a, b, g.expr(anInt, 1), g.expr(aTuple, 1))
		return
	case 3:
		g.line("%s = %s = %s", a, b, g.expr(anInt, 1))
	default:
		g.line("%s, %s = %s", a, b, g.expr(aTuple, 0))
		return
	}
	s.vars = append(s.vars, variable{a, anInt}, variable{b, anInt})
}

func (g *generator) augmented() {
	s := g.scope()
	if len(s.vars) == 0 {
		g.trace()
		return
	}
	v := s.vars[g.IntN(len(s.vars))]
	switch v.kind {
	case anInt, aBool, aFloat:
		g.line("%s %s= %s", v.name, g.pick("+", "-", "*", "//", "%"), g.expr(anInt, 0))
	case aStr:
		g.line("%s += %s", v.name, g.expr(aStr, 1))
	case aList:
		switch g.IntN(4) {
		case 0:
			g.line("%s += %s", v.name, g.pick(g.expr(aList, 1), g.expr(aTuple, 1)))
		case 1:
			g.line("%s.append(%s)", v.name, g.expr(anInt, 1))
		case 2:
			g.line("%s[%s] = %s", v.name, g.slice(), g.expr(aList, 1))
		default:
			g.line("del %s[%s]", v.name, g.pick(g.slice(), g.expr(anInt, 0)))
		}
	case aTuple:
		g.line("%s += %s", v.name, g.expr(aTuple, 1))
	case aDict:
		switch g.IntN(3) {
		case 0:
			g.line("%s[%s] = %s", v.name, g.expr(aStr, 0), g.expr(anInt, 1))
		case 1:
			g.line("del %s[%s]", v.name, g.expr(aStr, 0))
		default:
			g.line("%s.update(%s)", v.name, g.expr(aDict, 1))
		}
	case aSet:
		g.line("%s %s= %s", v.name, g.pick("|", "&", "^", "-"), g.expr(aSet, 1))
	}
}

// nested writes a function in the function, and calls it.
func (g *generator) nested() {
	outer := g.scope()
	var declared string
	var shared variable
	if len(outer.vars) > 0 {
		shared = outer.vars[g.IntN(len(outer.vars))]
		declared = g.pick("", "nonlocal", "read")
	}
	name := g.function([]string{g.name("p")}, false, func() {
		switch declared {
		case "nonlocal":
			g.line("nonlocal %s", shared.name)
			g.scope().vars = append(g.scope().vars, shared)
			if g.chance(2) {
				g.line("%s = %s", shared.name, g.expr(shared.kind, 1))
			}
		case "read":
			g.line("print('outer', %s)", g.show(shared))
		}
		g.statements(1)
	})
	g.line("%s(%s)", name, g.expr(anInt, 0))
}
