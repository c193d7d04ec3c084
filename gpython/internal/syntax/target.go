package syntax

import (
	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// targets reads what a loop assigns to, up to "in".
func (p *parser) targets() ast.Expr {
	start := p.peek()
	e := p.list(p.target)
	if _, starred := e.(*ast.Starred); starred {
		p.failAt(start, "starred assignment target must be in a list or tuple")
	}
	p.store(e, start, "cannot assign to %s")
	return e
}

// target is one target of a loop: it ends before "in".
func (p *parser) target() ast.Expr {
	t := p.peek()
	if t.kind == kStar {
		p.next()
		return &ast.Starred{ExprBase: exprBase(t), Value: p.operation(comparisonLevel), Ctx: ast.Store}
	}
	return p.operation(comparisonLevel)
}

// store makes an expression that was read a target of an assignment, or fails at the token where
// it begins. The format says what to say of what cannot be one.
func (p *parser) store(e ast.Expr, t token, format string) {
	inner := "cannot assign to %s"
	switch e := e.(type) {
	case *ast.Name:
		p.checkName(at(e, t), e.Id)
		e.Ctx = ast.Store
	case *ast.Attribute:
		p.checkName(at(e, t), e.Attr)
		e.Ctx = ast.Store
	case *ast.Subscript:
		e.Ctx = ast.Store
	case *ast.Starred:
		e.Ctx = ast.Store
		if _, twice := e.Value.(*ast.Starred); twice {
			p.fail()
		}
		p.store(e.Value, at(e.Value, t), inner)
	case *ast.Tuple:
		e.Ctx = ast.Store
		p.storeAll(e.Elts, t)
	case *ast.List:
		e.Ctx = ast.Store
		p.storeAll(e.Elts, t)
	default:
		p.failAt(at(e, t), format, describe(e))
	}
}

func (p *parser) storeAll(elts []ast.Expr, t token) {
	starred := 0
	for _, e := range elts {
		if _, ok := e.(*ast.Starred); ok {
			starred++
		}
		p.store(e, at(e, t), "cannot assign to %s")
	}
	if starred > 1 {
		p.failAt(t, "multiple starred expressions in assignment")
	}
}

// del makes an expression that was read a target of del.
func (p *parser) del(e ast.Expr, t token) {
	switch e := e.(type) {
	case *ast.Name:
		p.checkName(at(e, t), e.Id)
		e.Ctx = ast.Del
	case *ast.Attribute:
		e.Ctx = ast.Del
	case *ast.Subscript:
		e.Ctx = ast.Del
	case *ast.Tuple:
		e.Ctx = ast.Del
		for _, x := range e.Elts {
			p.del(x, at(x, t))
		}
	case *ast.List:
		e.Ctx = ast.Del
		for _, x := range e.Elts {
			p.del(x, at(x, t))
		}
	default:
		p.failAt(at(e, t), "cannot delete %s", describe(e))
	}
}

// at is a token where a node begins, for errors.
func at(e ast.Ast, t token) token {
	t.line, t.column = int32(e.GetLineno()), int32(e.GetColOffset())
	return t
}

// checkName fails at a name that nothing can be assigned to.
func (p *parser) checkName(t token, name ast.Identifier) {
	if name == "__debug__" {
		p.failAt(t, "cannot assign to __debug__")
	}
}

// describe names a kind of expression, as CPython's errors do.
func describe(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Attribute:
		return "attribute"
	case *ast.Subscript:
		return "subscript"
	case *ast.Starred:
		return "starred"
	case *ast.Name:
		return "name"
	case *ast.List:
		return "list"
	case *ast.Tuple:
		return "tuple"
	case *ast.Lambda:
		return "lambda"
	case *ast.Call:
		return "function call"
	case *ast.BoolOp, *ast.BinOp, *ast.UnaryOp:
		return "expression"
	case *ast.GeneratorExp:
		return "generator expression"
	case *ast.Yield, *ast.YieldFrom:
		return "yield expression"
	case *ast.ListComp:
		return "list comprehension"
	case *ast.SetComp:
		return "set comprehension"
	case *ast.DictComp:
		return "dict comprehension"
	case *ast.Dict:
		return "dict literal"
	case *ast.Set:
		return "set display"
	case *JoinedStr, *FormattedValue:
		return "f-string expression"
	case *ast.NameConstant:
		switch e.Value {
		case py.None:
			return "None"
		case py.True:
			return "True"
		}
		return "False"
	case *ast.Ellipsis:
		return "ellipsis"
	case *ast.Compare:
		return "comparison"
	case *ast.IfExp:
		return "conditional expression"
	case *NamedExpr:
		return "named expression"
	}
	return "literal"
}
