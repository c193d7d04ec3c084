package gpython

// Bugs of gpython v0.2.0's compiler, put right between its steps: a default of a keyword-only
// argument goes to the first of them (def f(*, a, b=2) asks for b), and a function with variables
// both from outside and for functions inside it takes one for the other.

import (
	"fmt"
	"slices"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/symtable"
	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

// compile is gpython's compile.Compile, with package syntax for its parser, and with some things
// put right between its steps:
//
//   - a default of a keyword-only argument goes to that argument, and not to the first one;
//   - the key of a dict display is evaluated before its value;
//   - in a function that has variables both from outside and for functions inside it, gpython
//     numbers both from 0, so that one is taken for the other. Such functions get additional
//     variables from outside, before their own, until no number occurs in both groups; afterwards
//     the numbers become those that the interpreter expects.
func compile(source, file string, mode py.CompileMode, flags int, dontInherit bool) (*py.Code, error) {
	modern, err := syntax.Parse(source, mode)
	if err != nil {
		return nil, syntaxError(err, file)
	}
	lowered, err := syntax.Lower(source, modern)
	if err != nil {
		return nil, syntaxError(err, file)
	}
	tree := lowered.Mod
	ast.Walk(tree, func(node ast.Ast) bool {
		switch n := node.(type) {
		case *ast.Arguments:
			orderDefaults(n)
		case *ast.Dict:
			n.Keys, n.Values = n.Values, n.Keys // storeMap expects that
		case *ast.DictComp:
			n.Key, n.Value = n.Value, n.Key // and mapAdd that
		}
		return true
	})
	renamed := mangle(tree)
	names, err := symtable.NewSymTable(tree, file)
	if err != nil {
		return nil, err
	}
	nameOutside(names, lowered.Named)
	more := mostCells(names)
	if more > 0 {
		addFree(names, more, false)
	}
	c := newCompiler(nil, 0)
	c.Filename = file
	if err := compileAst(c, tree, file, flags, dontInherit, names); err != nil {
		return nil, err
	}
	if more > 0 {
		renumber(c.Code, more)
	}
	keepNamed(c.Code)
	nameCode(c.Code, renamed, "")
	markGenerators(c.Code)
	return c.Code, nil
}

// orderDefaults puts the keyword-only arguments that have defaults first, because that is how the
// compiler assigns them. A default stands behind its argument and before the next one.
func orderDefaults(a *ast.Arguments) {
	if len(a.KwDefaults) == 0 || len(a.KwDefaults) == len(a.Kwonlyargs) {
		return
	}
	before := func(x, y ast.Ast) bool {
		if x.GetLineno() != y.GetLineno() {
			return x.GetLineno() < y.GetLineno()
		}
		return x.GetColOffset() < y.GetColOffset()
	}
	var with, without []*ast.Arg
	defaults := a.KwDefaults
	for i, arg := range a.Kwonlyargs {
		last := i+1 == len(a.Kwonlyargs)
		if len(defaults) > 0 && (last || before(defaults[0], a.Kwonlyargs[i+1])) {
			with, defaults = append(with, arg), defaults[1:]
		} else {
			without = append(without, arg)
		}
	}
	if len(defaults) == 0 {
		a.Kwonlyargs = append(with, without...)
	}
}

// mostCells is how many variables for functions inside it any function has that has some from
// outside as well; 0 if there is no such function.
func mostCells(names *symtable.SymTable) int {
	most, both := 0, false
	var visit func(names *symtable.SymTable)
	visit = func(names *symtable.SymTable) {
		cells := len(names.Find(symtable.ScopeCell, 0))
		if names.NeedsClassClosure { // for __class__, which the compiler adds
			cells++
		}
		most = max(most, cells)
		both = both || cells > 0 && len(names.Find(symtable.ScopeFree, symtable.DefFreeClass)) > 0
		for _, child := range names.Children {
			visit(child)
		}
	}
	visit(names)
	if !both {
		return 0
	}
	return most
}

// addedName is what the names of the variables that addFree adds begin with.
const addedName = '\x01'

// addFree adds variables to the outermost functions, and to all scopes in them. Their names are
// before all others.
func addFree(names *symtable.SymTable, more int, inFunction bool) {
	scope := symtable.ScopeFree
	if !inFunction {
		scope = symtable.ScopeCell
	}
	if names.Type == symtable.FunctionBlock || inFunction {
		for i := range more {
			names.Symbols[fmt.Sprintf("%c%05d", addedName, i)] = symtable.Symbol{Scope: scope}
		}
		inFunction = true
	}
	for _, child := range names.Children {
		addFree(child, more, inFunction)
	}
}

// renumber moves the variables from outside behind the others. Numbers below more are those of the
// others, or of variables that addFree has added and that nobody reads.
func renumber(code *py.Code, more int) {
	for _, o := range code.Consts {
		if inner, ok := o.(*py.Code); ok {
			renumber(inner, more)
		}
	}
	cells := len(code.Cellvars)
	if cells == 0 || len(code.Freevars) == 0 {
		return
	}
	fromOutside := func(n int) bool { return n >= more || n >= cells }
	if code.Freevars[0] == "__class__" {
		// A method of a class that is in no function. It has nothing else from outside, and
		// addFree's are its own.
		fromOutside = func(n int) bool { return n == 0 }
	}
	ops := []byte(code.Code)
	for at := 0; at < len(ops); at++ {
		op := vm.OpCode(ops[at])
		if !op.HAS_ARG() {
			continue
		}
		if slices.Contains([]vm.OpCode{vm.LOAD_CLOSURE, vm.LOAD_DEREF, vm.STORE_DEREF, vm.DELETE_DEREF, vm.LOAD_CLASSDEREF}, op) {
			if n := int(ops[at+1]) | int(ops[at+2])<<8; fromOutside(n) {
				n += cells
				ops[at+1], ops[at+2] = byte(n), byte(n>>8)
			}
		}
		at += 2
	}
	code.Code = string(ops)
}
