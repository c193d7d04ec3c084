package gpython

// Private names. gpython v0.2.0 takes __x for __x in every class, so that two classes of a
// hierarchy use one attribute where CPython has two, _A__x and _B__x.

import (
	"strings"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"

	"github.com/go-python/gpython/vm"

	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

// mangle renames the private names of a program's classes as CPython does. It returns the functions
// and classes that it has renamed: they still know their names as the program has them.
func mangle(tree ast.Ast) definitions {
	m := mangler{renamed: make(definitions)}
	m.walk(tree)
	return m.renamed
}

// definitions are the names that functions and classes got, with those that they have in the
// program.
type definitions map[string]string

// mangler renames the names in one class.
type mangler struct {
	class   string // without the underscores that it begins with; empty outside of classes
	renamed definitions
}

// name is what a name becomes.
func (m mangler) name(name ast.Identifier) ast.Identifier {
	if m.class == "" || !strings.HasPrefix(string(name), "__") || strings.HasSuffix(string(name), "__") || strings.Contains(string(name), ".") {
		return name
	}
	return ast.Identifier("_" + m.class + string(name))
}

// define is what the name of a function or class becomes.
func (m mangler) define(name ast.Identifier) ast.Identifier {
	now := m.name(name)
	if now != name {
		m.renamed[string(now)] = string(name)
	}
	return now
}

func (m mangler) walk(tree ast.Ast) {
	ast.Walk(tree, func(node ast.Ast) bool {
		switch n := node.(type) {
		case *ast.ClassDef:
			inner := mangler{strings.TrimLeft(string(n.Name), "_"), m.renamed}
			n.Name = m.define(n.Name)
			for _, keyword := range n.Keywords {
				m.walk(keyword)
			}
			for _, e := range append(append([]ast.Expr{n.Starargs, n.Kwargs}, n.Bases...), n.DecoratorList...) {
				if e != nil {
					m.walk(e)
				}
			}
			for _, s := range n.Body {
				inner.walk(s)
			}
			return false
		case *ast.FunctionDef:
			n.Name = m.define(n.Name)
		case *ast.Name:
			n.Id = m.name(n.Id)
		case *ast.Attribute:
			n.Attr = m.name(n.Attr)
		case *ast.Arg:
			n.Arg = m.name(n.Arg)
		case *ast.ExceptHandler:
			n.Name = m.name(n.Name)
		case *ast.Alias:
			n.Name, n.AsName = m.name(n.Name), m.name(n.AsName)
		case *ast.Global:
			m.names(n.Names)
		case *ast.Nonlocal:
			m.names(n.Names)
		}
		return true
	})
}

func (m mangler) names(names []ast.Identifier) {
	for i, name := range names {
		names[i] = m.name(name)
	}
}

// nameCode gives the code of functions and classes their names in the program, and their qualified
// names, as f.<locals>.g is. They are kept in a field that gpython has no use for.
func nameCode(code *py.Code, renamed definitions, prefix string) {
	for _, o := range code.Consts {
		inner, ok := o.(*py.Code)
		if !ok {
			continue
		}
		stored := inner.Name
		if name, ok := renamed[stored]; ok {
			inner.Name = name
		}
		qualname := prefix + inner.Name
		if storesGlobal(code, stored) {
			qualname = inner.Name
		}
		inner.Weakreflist = &py.List{Items: []py.Object{py.String(qualname), syntax.PositionalOnly(0)}}
		for _, o := range inner.Consts {
			if only, ok := o.(syntax.PositionalOnly); ok {
				inner.Weakreflist.Items[1] = only
			}
		}
		within := qualname + "."
		if inner.Flags&py.CO_OPTIMIZED != 0 {
			within += "<locals>."
		}
		nameCode(inner, renamed, within)
	}
}

// positionalOnly is how many parameters of a code, which nameCode has named, have no names for
// callers.
func positionalOnly(code *py.Code) int {
	if code.Weakreflist == nil {
		return 0
	}
	return int(code.Weakreflist.Items[1].(syntax.PositionalOnly))
}

// qualname is the qualified name of code that nameCode has named.
func qualname(code *py.Code) string {
	if code.Weakreflist == nil {
		return code.Name
	}
	return string(code.Weakreflist.Items[0].(py.String))
}

// storesGlobal reports whether code assigns to a name that it declares global.
func storesGlobal(code *py.Code, name string) bool {
	for at := 0; at < len(code.Code); at++ {
		op := vm.OpCode(code.Code[at])
		if !op.HAS_ARG() {
			continue
		}
		if n := int(code.Code[at+1]) | int(code.Code[at+2])<<8; op == vm.STORE_GLOBAL && n < len(code.Names) && code.Names[n] == name {
			return true
		}
		at += 2
	}
	return false
}
