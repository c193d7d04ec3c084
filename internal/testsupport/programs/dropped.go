package programs

import (
	"fmt"
	"strings"
)

// dropped writes a generator, and loops over it that are left before its end, so that CPython
// closes it. Rarely something else drops it.
func (g *generator) dropped() {
	name := g.generatorFunction("")
	call := fmt.Sprintf("%s(%d, %d)", name, g.IntN(4), g.IntN(3))
	if g.chance(3) {
		class := g.name("C")
		g.block(fmt.Sprintf("class %s:", class), func() {
			g.block("def each(self, *args, **more):", func() {
				g.block(g.pick("with Ctx('each', False):", "if True:"), func() {
					g.line(g.pick("yield from %s", "yield (yield from %s)", "for x in %s: yield x"), call)
					g.line("yield args, more")
				})
			})
		})
		call = g.pick(class+"().each()", class+"().each(1, 2)", class+"().each(k=2)", class+"().each(*[1, 1], **{'k': 3})")
	}
	function := g.name("f")
	g.block(fmt.Sprintf("def %s(n=0):", function), func() {
		for range 1 + g.IntN(3) {
			g.leave(call, 2)
		}
		g.line("return 'end'")
	})
	g.line("attempt(%s)", function)
	if g.chance(10) {
		g.line("%s", strings.ReplaceAll(g.pick("print(next(%c, 'none'))", "g = %c; attempt(next, g); g = None", "attempt(lambda: [x / 0 for x in %c])", "print(any(%c))",
			"a, *b = %c; print(a, b)"), "%c", call))
	}
}

// leave writes a loop over what a call gives, and what leaves it.
func (g *generator) leave(call string, depth int) {
	around := g.pick("try:", "if True:", "with Ctx('around'):")
	g.block(around, func() {
		x := g.name("x")
		g.block(fmt.Sprintf(g.pick("for %[1]s in %[2]s:", "for %[1]s in %[2]s:", "for %[1]s in enumerate(%[2]s):"), x, call), func() {
			g.line("n += 1")
			g.line("print('item', n, %s)", x)
			if depth > 0 && g.chance(3) {
				g.leave(call, depth-1)
			}
			g.block(fmt.Sprintf("if n > %d:", g.IntN(4)), func() {
				g.line("%s", g.pick("break", "break", "continue", "return n", "raise "+g.exception(), "1 / 0", "pass"))
			})
		})
		if g.chance(4) {
			g.block("else:", g.trace)
		}
		g.line("print('left', n)")
	})
	if around == "try:" {
		switch {
		case g.chance(2):
			g.block("except "+g.caught()+":", g.trace)
		default:
			g.block("finally:", g.trace)
		}
	}
}
