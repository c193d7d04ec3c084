package syntax

import (
	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// atom is an expression that no operator is part of.
func (p *parser) atom() ast.Expr {
	t := p.peek()
	switch t.kind {
	case kName:
		p.next()
		if (p.text(t) == "print" || p.text(t) == "exec") && p.oldStatement() {
			p.failAt(t, "Missing parentheses in call to '%s'. Did you mean %[1]s(...)?", p.text(t))
		}
		return p.nodes.names.new(ast.Name{ExprBase: exprBase(t), Id: ast.Identifier(p.identifier(t)), Ctx: ast.Load})
	case kNumber:
		p.next()
		return p.nodes.numbers.new(ast.Num{ExprBase: exprBase(t), N: p.number(t)})
	case kString, kFStart:
		return p.strings()
	case kEllipsis:
		p.next()
		return &ast.Ellipsis{ExprBase: exprBase(t)}
	case kNone:
		p.next()
		return p.constant(t, py.None)
	case kTrue:
		p.next()
		return p.constant(t, py.True)
	case kFalse:
		p.next()
		return p.constant(t, py.False)
	case kOpenParen:
		return p.parentheses()
	case kOpenBracket:
		return p.listDisplay()
	case kOpenBrace:
		return p.braces()
	case kAwait:
		p.refuse(t, "await expressions")
	case kAsync:
		p.next()
	}
	p.fail()
	return nil
}

// oldStatement reports whether the name before stands like one of Python 2's statements.
func (p *parser) oldStatement() bool {
	if p.at > 1 {
		switch p.tokens[p.at-2].kind {
		case kNewline, kIndent, kDedent, kSemicolon, kColon:
		default:
			return false
		}
	}
	switch p.kind() {
	case kName, kNumber, kString, kFStart, kNone, kTrue, kFalse, kLambda, kNot:
		return p.kind() != kNot || p.ahead(1) != kIn
	}
	return false
}

// parentheses is a group, a tuple, or a generator expression.
func (p *parser) parentheses() ast.Expr {
	start := p.next()
	p.deeper()
	defer p.shallower()
	switch p.kind() {
	case kCloseParen:
		p.next()
		return &ast.Tuple{ExprBase: exprBase(start), Ctx: ast.Load}
	case kYield:
		y := p.yield()
		p.expect(kCloseParen)
		return y
	}
	star := p.peek()
	first := p.starNamed()
	switch k := p.kind(); {
	case k == kFor || k == kAsync:
		if star.kind == kStar {
			p.failAt(star, "iterable unpacking cannot be used in comprehension")
		}
		g := &ast.GeneratorExp{ExprBase: exprBase(start), Elt: first, Generators: p.comprehensions()}
		p.expect(kCloseParen)
		return g
	case k == kComma:
		elts := p.items(first, kCloseParen)
		return &ast.Tuple{ExprBase: exprBase(start), Elts: elts, Ctx: ast.Load}
	case star.kind == kStar && k == kCloseParen:
		p.failAt(star, "cannot use starred expression here")
	case p.isForgottenComma(first):
		p.failAt(star, "invalid syntax. Perhaps you forgot a comma?")
	}
	p.expect(kCloseParen)
	return first
}

// isForgottenComma reports whether another expression begins where a bracket or a comma should be.
func (p *parser) isForgottenComma(before ast.Expr) bool {
	switch p.kind() {
	case kName, kNumber, kString, kFStart, kNone, kTrue, kFalse:
	default:
		return false
	}
	if _, isString := before.(*ast.Str); isString {
		return p.kind() != kName && p.bad == nil
	}
	return p.bad == nil
}

// items reads the items of a display behind its first, and the bracket at its end.
func (p *parser) items(first ast.Expr, end kind) []ast.Expr {
	elts := p.nodes.expressions.append(nil, first)
	for p.accept(kComma) && p.kind() != end {
		elts = append(elts, p.starNamed())
	}
	if p.isForgottenComma(elts[len(elts)-1]) {
		p.failAt(at(elts[len(elts)-1], p.peek()), "invalid syntax. Perhaps you forgot a comma?")
	}
	p.expect(end)
	return elts
}

// listDisplay is a list or a list comprehension.
func (p *parser) listDisplay() ast.Expr {
	start := p.next()
	p.deeper()
	defer p.shallower()
	if p.accept(kCloseBracket) {
		return &ast.List{ExprBase: exprBase(start), Ctx: ast.Load}
	}
	star := p.peek()
	first := p.starNamed()
	if p.kind() == kFor || p.kind() == kAsync {
		if star.kind == kStar {
			p.failAt(star, "iterable unpacking cannot be used in comprehension")
		}
		c := &ast.ListComp{ExprBase: exprBase(start), Elt: first, Generators: p.comprehensions()}
		p.expect(kCloseBracket)
		return c
	}
	return &ast.List{ExprBase: exprBase(start), Elts: p.items(first, kCloseBracket), Ctx: ast.Load}
}

// braces is a dict, a set, or a comprehension of one of them.
func (p *parser) braces() ast.Expr {
	start := p.next()
	p.deeper()
	defer p.shallower()
	if p.accept(kCloseBrace) {
		return &ast.Dict{ExprBase: exprBase(start)}
	}
	if p.kind() == kPower {
		return p.dict(start)
	}
	star := p.peek()
	at := p.at
	first := p.starNamed()
	switch {
	case p.kind() == kColon && star.kind != kStar:
		if _, named := first.(*NamedExpr); named && p.tokens[at].kind != kOpenParen {
			p.fail()
		}
		return p.dictFrom(start, first)
	case p.kind() == kFor || p.kind() == kAsync:
		if star.kind == kStar {
			p.failAt(star, "iterable unpacking cannot be used in comprehension")
		}
		c := &ast.SetComp{ExprBase: exprBase(start), Elt: first, Generators: p.comprehensions()}
		p.expect(kCloseBrace)
		return c
	}
	return &ast.Set{ExprBase: exprBase(start), Elts: p.items(first, kCloseBrace)}
}

// dict reads a dict from its first item on.
func (p *parser) dict(start token) ast.Expr {
	d := &ast.Dict{ExprBase: exprBase(start)}
	stars := p.peek()
	p.dictItem(d)
	if p.kind() == kFor || p.kind() == kAsync {
		p.failAt(stars, "dict unpacking cannot be used in dict comprehension")
	}
	return p.dictRest(d)
}

// dictFrom reads a dict whose first key has been read, or a dict comprehension.
func (p *parser) dictFrom(start token, key ast.Expr) ast.Expr {
	value := p.dictValue()
	if p.kind() == kFor || p.kind() == kAsync {
		c := &ast.DictComp{ExprBase: exprBase(start), Key: key, Value: value, Generators: p.comprehensions()}
		p.expect(kCloseBrace)
		return c
	}
	return p.dictRest(&ast.Dict{ExprBase: exprBase(start), Keys: p.nodes.expressions.append(nil, key), Values: p.nodes.expressions.append(nil, value)})
}

func (p *parser) dictRest(d *ast.Dict) ast.Expr {
	for p.accept(kComma) && p.kind() != kCloseBrace {
		p.dictItem(d)
	}
	if p.isForgottenComma(d.Values[len(d.Values)-1]) {
		p.failAt(at(d.Values[len(d.Values)-1], p.peek()), "invalid syntax. Perhaps you forgot a comma?")
	}
	p.expect(kCloseBrace)
	return d
}

// dictItem reads "key: value" or "**mapping".
func (p *parser) dictItem(d *ast.Dict) {
	var key, value ast.Expr
	if p.accept(kPower) {
		value = p.operation(comparisonLevel)
	} else {
		key = p.expression()
		value = p.dictValue()
	}
	d.Keys = append(d.Keys, key)
	d.Values = append(d.Values, value)
}

func (p *parser) dictValue() ast.Expr {
	if t := p.peek(); t.kind == kCloseBrace || t.kind == kComma {
		p.failAt(p.tokens[p.at-1], "':' expected after dictionary key")
	}
	p.expect(kColon)
	t := p.peek()
	switch t.kind {
	case kCloseBrace, kComma:
		p.failAt(p.tokens[p.at-1], "expression expected after dictionary key and ':'")
	case kStar:
		p.failAt(t, "cannot use a starred expression in a dictionary value")
	}
	return p.expression()
}

// comprehensions reads the "for ... in ... if ..." of a comprehension.
func (p *parser) comprehensions() []ast.Comprehension {
	var all []ast.Comprehension
	for p.kind() == kFor || p.kind() == kAsync {
		if p.kind() == kAsync {
			p.refuse(p.peek(), "async comprehensions")
		}
		p.next()
		target := p.targets()
		p.expect(kIn)
		c := ast.Comprehension{Target: target, Iter: p.operation(0)}
		for p.accept(kIf) {
			c.Ifs = append(c.Ifs, p.operation(0))
		}
		all = append(all, c)
	}
	return all
}
