package syntax

import "github.com/go-python/gpython/ast"

// call reads the arguments of a call. Those with a star are Starred among Args, and those with two
// are Keywords without a name: each list in the order of the source.
func (p *parser) call(start token, f ast.Expr) *ast.Call {
	c := p.nodes.calls.new(ast.Call{ExprBase: exprBase(start), Func: f})
	p.arguments(&c.Args, &c.Keywords)
	return c
}

// arguments reads "(...)".
func (p *parser) arguments(args *[]ast.Expr, keywords *[]*ast.Keyword) {
	open := p.expect(kOpenParen)
	p.deeper()
	defer p.shallower()
	unpacked := false
	var given map[ast.Identifier]bool
	for p.kind() != kCloseParen {
		t := p.peek()
		switch {
		case t.kind == kStar:
			if unpacked {
				p.failAt(p.tokens[p.at-1], "iterable argument unpacking follows keyword argument unpacking")
			}
			p.next()
			*args = append(*args, &ast.Starred{ExprBase: exprBase(t), Value: p.expression(), Ctx: ast.Load})
		case t.kind == kPower:
			p.next()
			*keywords = append(*keywords, &ast.Keyword{Pos: pos(t), Value: p.expression()})
			unpacked = true
		case t.kind == kName && p.ahead(1) == kAssign:
			name, _ := p.name()
			p.checkName(t, name)
			p.next()
			if given[name] {
				p.failAt(t, "keyword argument repeated: %s", name)
			}
			if given == nil {
				given = make(map[ast.Identifier]bool)
			}
			given[name] = true
			if k := p.kind(); k == kComma || k == kCloseParen {
				p.failAt(t, "expected argument value expression")
			}
			*keywords = append(*keywords, &ast.Keyword{Pos: pos(t), Arg: name, Value: p.expression()})
		default:
			p.positional(open, args, *keywords, unpacked)
		}
		if !p.accept(kComma) {
			break
		}
	}
	if n := len(*args); n > 0 && p.kind() != kCloseParen && p.isForgottenComma((*args)[n-1]) {
		p.failAt(at((*args)[n-1], p.peek()), "invalid syntax. Perhaps you forgot a comma?")
	}
	p.expect(kCloseParen)
}

// positional reads an argument without a name, which may be a generator expression that shares the
// call's parentheses.
func (p *parser) positional(open token, args *[]ast.Expr, keywords []*ast.Keyword, unpacked bool) {
	t := p.peek()
	e := p.named()
	switch p.kind() {
	case kAssign:
		switch t.kind {
		case kTrue, kFalse, kNone:
			p.failAt(t, "cannot assign to %s", p.text(t))
		}
		p.failAt(t, `expression cannot contain assignment, perhaps you meant "=="?`)
	case kFor, kAsync:
		alone := len(*args) == 0 && len(keywords) == 0
		g := &ast.GeneratorExp{ExprBase: exprBase(open), Elt: e, Generators: p.comprehensions()}
		if !alone || p.kind() != kCloseParen && (p.kind() != kComma || p.ahead(1) != kCloseParen) {
			p.failAt(t, "Generator expression must be parenthesized")
		}
		if p.kind() == kComma {
			p.failAt(t, "Generator expression must be parenthesized")
		}
		e = g
	default:
		if unpacked {
			p.failAt(p.peek(), "positional argument follows keyword argument unpacking")
		}
		if len(keywords) > 0 {
			p.failAt(p.peek(), "positional argument follows keyword argument")
		}
	}
	*args = p.nodes.expressions.append(*args, e)
}
