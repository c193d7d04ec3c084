// Package programs makes random Python programs, so that a test can compare what an interpreter
// does with them and what CPython does. The programs print what they do. They use no module, do not
// depend on addresses, hash seeds or the time, and always end.
package programs

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// prelude is the beginning of every program: what its parts use to print what happens.
const prelude = `kept = []
def keep(g):
    kept.append(g)
    return g
def chain(e):
    text = []
    while e is not None:
        text.append('%s(%s)' % (type(e).__name__, e))
        if e.__cause__ is not None:
            text.append('from')
            e = e.__cause__
        elif not e.__suppress_context__:
            e = e.__context__
        else:
            e = None
    return ' '.join(text)
def attempt(f, *args, **kwargs):
    try:
        print('gives', f(*args, **kwargs))
    except Exception as e:
        print('raises', chain(e))
class Note(Exception):
    pass
class Deep(Note, ValueError):
    def __init__(self, what, more=None):
        super().__init__(what)
        self.more = more
class Ctx:
    def __init__(self, name, exits=None, enters=None):
        self.name = name
        self.exits = exits
        self.enters = enters
    def __enter__(self):
        print('enter', self.name)
        if self.enters:
            raise self.enters
        return self
    def __exit__(self, kind, value, tb):
        print('exit', self.name, kind and kind.__name__, value, tb is None)
        if isinstance(self.exits, Exception):
            raise self.exits
        return self.exits
`

// kind says what values an expression has.
type kind int

const (
	anInt kind = iota
	aFloat
	aStr
	aList // of ints
	aTuple
	aDict // from str to int
	aSet  // of ints
	aBool
	kinds
)

// variable is one that the code being written may use.
type variable struct {
	name string
	kind kind
}

// scope is a function being written, or the module.
type scope struct {
	vars      []variable
	function  bool
	generator bool
	loops     int // how many loops the statement is in, within the function
	handlers  int // how many except clauses
}

// generator writes one program.
type generator struct {
	*rand.Rand
	text   strings.Builder
	indent int
	names  int // how many names have been made up
	traces int // how many trace points
	left   int // how many more statements the current part may have
	scopes []*scope
}

// New makes a program. The same seed makes the same program.
func New(seed uint64) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	g.text.WriteString(prelude)
	g.scopes = []*scope{{}}
	for range 2 + g.IntN(3) {
		g.variable(g.anyKind())
	}
	parts := []func(){g.flow, g.flow, g.generators, g.generators, g.dropped, g.dropped, g.classes, g.classes, g.closures, g.values, g.values,
		g.arguments, g.namespaces, g.operators, g.attributes, g.mangling, g.derived, g.derived}
	for range 1 + g.IntN(3) {
		g.left = 14
		parts[g.IntN(len(parts))]()
	}
	// Or CPython closes them when nobody sees it any more.
	g.line("for g in kept: attempt(g.close)")
	if g.chance(4) {
		g.line("raise %s", g.exception())
	}
	return g.text.String()
}

func (g *generator) scope() *scope { return g.scopes[len(g.scopes)-1] }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func (g *generator) pick(options ...string) string { return options[g.IntN(len(options))] }

func (g *generator) anyKind() kind { return kind(g.IntN(int(kinds))) }

func (g *generator) line(format string, args ...any) {
	g.text.WriteString(strings.Repeat("    ", g.indent))
	fmt.Fprintf(&g.text, format, args...)
	g.text.WriteByte('\n')
}

// block writes a compound statement.
func (g *generator) block(head string, body func()) {
	g.line("%s", head)
	g.indent++
	body()
	g.indent--
}

// name makes up a new name.
func (g *generator) name(prefix string) string {
	g.names++
	return prefix + strconv.Itoa(g.names)
}

// trace prints that the program has come here.
func (g *generator) trace() {
	g.traces++
	if s := g.scope(); len(s.vars) > 0 && !g.chance(3) {
		g.line("print(%d, %s)", g.traces, g.show(s.vars[g.IntN(len(s.vars))]))
		return
	}
	g.line("print(%d)", g.traces)
}

// show is how a variable is printed: sets in order.
func (g *generator) show(v variable) string {
	if v.kind == aSet {
		return "sorted(" + v.name + ", key=repr)"
	}
	return v.name
}

// variable assigns a value to a new variable, or to one that there is.
func (g *generator) variable(k kind) variable {
	s := g.scope()
	if g.chance(3) {
		for _, v := range s.vars {
			if v.kind == k {
				g.line("%s = %s", v.name, g.expr(k, 2))
				return v
			}
		}
	}
	v := variable{g.name("v"), k}
	g.line("%s = %s", v.name, g.expr(k, 2))
	s.vars = append(s.vars, v)
	return v
}

// function writes a function: its parameters are ints. It returns the name.
func (g *generator) function(params []string, isGenerator bool, body func()) string {
	name := g.name("f")
	s := &scope{function: true, generator: isGenerator}
	for _, p := range params {
		s.vars = append(s.vars, variable{p, anInt})
	}
	g.block(fmt.Sprintf("def %s(%s):", name, strings.Join(params, ", ")), func() {
		g.scopes = append(g.scopes, s)
		body()
		g.scopes = g.scopes[:len(g.scopes)-1]
	})
	return name
}

// exception is an expression that makes an exception.
func (g *generator) exception() string {
	g.traces++
	return g.pick(
		fmt.Sprintf("ValueError(%d)", g.traces),
		fmt.Sprintf("KeyError('k%d')", g.traces),
		fmt.Sprintf("Note(%d, 'x')", g.traces),
		fmt.Sprintf("Deep(%d, more=1)", g.traces),
		fmt.Sprintf("LookupError(%d)", g.traces),
		"IndexError", "Note", "TypeError('t')", "ZeroDivisionError()", "Exception(None)",
	)
}

// caught is what an except clause names.
func (g *generator) caught() string {
	return g.pick("ValueError", "KeyError", "Note", "Deep", "LookupError", "(ValueError, IndexError)", "Exception", "Exception",
		"ArithmeticError", "TypeError", "(Note, (KeyError,))[0]", "NameError")
}
