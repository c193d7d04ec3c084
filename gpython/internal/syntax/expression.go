package syntax

import (
	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// expressions is what may stand alone: one expression, or several that make a tuple.
func (p *parser) expressions() ast.Expr { return p.list(p.expression) }

// starExpressions is the same, of which some may be unpacked with a star.
func (p *parser) starExpressions() ast.Expr { return p.list(p.starExpression) }

// list reads items that commas separate. One item without a comma is itself; others make a tuple.
func (p *parser) list(item func() ast.Expr) ast.Expr {
	start := p.peek()
	first := item()
	if p.kind() != kComma {
		return first
	}
	elts := []ast.Expr{first}
	for p.accept(kComma) {
		if !p.startsExpression() {
			break
		}
		elts = append(elts, item())
	}
	return &ast.Tuple{ExprBase: exprBase(start), Elts: elts, Ctx: ast.Load}
}

// startsExpression reports whether an expression, maybe with a star, can begin at the next token.
func (p *parser) startsExpression() bool {
	switch p.kind() {
	case kName, kNumber, kString, kFStart, kFalse, kNone, kTrue, kAwait, kLambda, kNot, kYield, kOpenParen, kOpenBracket,
		kOpenBrace, kEllipsis, kTilde, kPlus, kMinus, kStar, kBad:
		return true
	}
	return false
}

// starExpression is an expression, or "*" and what it unpacks.
func (p *parser) starExpression() ast.Expr {
	if p.kind() != kStar {
		return p.expression()
	}
	t := p.next()
	return &ast.Starred{ExprBase: exprBase(t), Value: p.binary(0), Ctx: ast.Load}
}

// starNamed is an item of a display: it may be unpacked, or named with ":=".
func (p *parser) starNamed() ast.Expr {
	if p.kind() == kStar {
		return p.starExpression()
	}
	return p.named()
}

// named is an expression that may be named with ":=".
func (p *parser) named() ast.Expr {
	if p.kind() == kName && p.ahead(1) == kWalrus {
		name, t := p.name()
		p.checkName(t, name)
		p.next()
		target := &ast.Name{ExprBase: exprBase(t), Id: name, Ctx: ast.Store}
		return &NamedExpr{ExprBase: exprBase(t), Target: target, Value: p.expression()}
	}
	start := p.peek()
	e := p.expression()
	if p.kind() == kWalrus {
		p.failAt(start, "cannot use assignment expressions with %s", describe(e))
	}
	return e
}

// condition is what an if or a while tests.
func (p *parser) condition() ast.Expr {
	t := p.peek()
	e := p.named()
	if p.kind() == kAssign {
		if _, name := e.(*ast.Name); name {
			p.failAt(t, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?")
		}
		p.failAt(t, "cannot assign to %s here. Maybe you meant '==' instead of '='?", describe(e))
	}
	return e
}

// expression is a conditional expression, or what binds tighter, or a lambda.
func (p *parser) expression() ast.Expr {
	if p.standsAlone() {
		return p.atom()
	}
	p.deeper()
	defer p.shallower()
	start := p.peek()
	if start.kind == kLambda {
		return p.lambda()
	}
	e := p.disjunction()
	if p.kind() != kIf {
		return e
	}
	p.next()
	test := p.disjunction()
	if t := p.peek(); t.kind == kNewline || t.kind == kColon {
		p.failAt(start, "expected 'else' after 'if' expression")
	}
	p.expect(kElse)
	return &ast.IfExp{ExprBase: exprBase(start), Test: test, Body: e, Orelse: p.expression()}
}

// standsAlone reports whether the next token is an atom, and the one behind it no operator. That is
// half of all expressions, which need not go through all levels of operators.
func (p *parser) standsAlone() bool {
	switch p.kind() {
	case kName, kNumber, kNone, kTrue, kFalse:
	default:
		return false
	}
	switch p.ahead(1) {
	case kComma, kColon, kNewline, kAssign, kCloseParen, kCloseBracket, kCloseBrace:
		return true
	}
	return false
}

func (p *parser) shallower() { p.nested-- }

// disjunction is "or" and what binds tighter.
func (p *parser) disjunction() ast.Expr {
	start := p.peek()
	first := p.conjunction()
	if p.kind() != kOr {
		return first
	}
	values := []ast.Expr{first}
	for p.accept(kOr) {
		values = append(values, p.conjunction())
	}
	return &ast.BoolOp{ExprBase: exprBase(start), Op: ast.Or, Values: values}
}

func (p *parser) conjunction() ast.Expr {
	start := p.peek()
	first := p.inversion()
	if p.kind() != kAnd {
		return first
	}
	values := []ast.Expr{first}
	for p.accept(kAnd) {
		values = append(values, p.inversion())
	}
	return &ast.BoolOp{ExprBase: exprBase(start), Op: ast.And, Values: values}
}

func (p *parser) inversion() ast.Expr {
	if p.kind() != kNot {
		return p.comparison()
	}
	t := p.next()
	p.deeper()
	defer p.shallower()
	return &ast.UnaryOp{ExprBase: exprBase(t), Op: ast.Not, Operand: p.inversion()}
}

func (p *parser) comparison() ast.Expr {
	start := p.peek()
	left := p.binary(0)
	op, ok := p.comparisonOperator()
	if !ok {
		return left
	}
	c := &ast.Compare{ExprBase: exprBase(start), Left: left}
	for ; ok; op, ok = p.comparisonOperator() {
		c.Ops = append(c.Ops, op)
		c.Comparators = append(c.Comparators, p.binary(0))
	}
	return c
}

// comparisonOperator reads an operator of a comparison, if one is next.
func (p *parser) comparisonOperator() (ast.CmpOp, bool) {
	var op ast.CmpOp
	switch p.kind() {
	case kLess:
		op = ast.Lt
	case kGreater:
		op = ast.Gt
	case kEqual:
		op = ast.Eq
	case kNotEqual:
		op = ast.NotEq
	case kLessEqual:
		op = ast.LtE
	case kGreaterEqual:
		op = ast.GtE
	case kIn:
		op = ast.In
	case kNot:
		if p.ahead(1) != kIn {
			return 0, false
		}
		p.next()
		op = ast.NotIn
	case kIs:
		op = ast.Is
		if p.ahead(1) == kNot {
			p.next()
			op = ast.IsNot
		}
	default:
		return 0, false
	}
	p.next()
	return op, true
}

// operator is a binary operator, and how tight it binds.
func operator(k kind) (op ast.OperatorNumber, level int) {
	switch k {
	case kBar:
		return ast.BitOr, 1
	case kCaret:
		return ast.BitXor, 2
	case kAmpersand:
		return ast.BitAnd, 3
	case kLeftShift:
		return ast.LShift, 4
	case kRightShift:
		return ast.RShift, 4
	case kPlus:
		return ast.Add, 5
	case kMinus:
		return ast.Sub, 5
	case kStar:
		return ast.Mult, 6
	case kSlash:
		return ast.Div, 6
	case kDoubleSlash:
		return ast.FloorDiv, 6
	case kPercent:
		return ast.Modulo, 6
	case kAt:
		return 0, 6
	}
	return 0, 0
}

// binary reads operators that bind tighter than a level.
func (p *parser) binary(above int) ast.Expr {
	start := p.peek()
	left := p.factor()
	nested := p.nested
	for {
		op, level := operator(p.kind())
		if level <= above {
			break
		}
		if p.kind() == kAt {
			p.refuse(start, "matrix multiplications (@)")
		}
		p.next()
		p.deeper()
		left = &ast.BinOp{ExprBase: exprBase(start), Left: left, Op: op, Right: p.binary(level)}
	}
	p.nested = nested
	return left
}

func (p *parser) factor() ast.Expr {
	var op ast.UnaryOpNumber
	switch p.kind() {
	case kPlus:
		op = ast.UAdd
	case kMinus:
		op = ast.USub
	case kTilde:
		op = ast.Invert
	default:
		return p.power()
	}
	t := p.next()
	p.deeper()
	defer p.shallower()
	return &ast.UnaryOp{ExprBase: exprBase(t), Op: op, Operand: p.factor()}
}

func (p *parser) power() ast.Expr {
	start := p.peek()
	if start.kind == kAwait {
		p.refuse(start, "await expressions")
	}
	left := p.primary()
	if p.kind() != kPower {
		return left
	}
	p.next()
	p.deeper()
	defer p.shallower()
	return &ast.BinOp{ExprBase: exprBase(start), Left: left, Op: ast.Pow, Right: p.factor()}
}

// primary is an atom with attributes, calls and subscripts behind it.
func (p *parser) primary() ast.Expr {
	start := p.peek()
	e := p.atom()
	nested := p.nested
	for {
		switch p.kind() {
		case kDot:
			p.next()
			name, _ := p.name()
			e = &ast.Attribute{ExprBase: exprBase(start), Value: e, Attr: name, Ctx: ast.Load}
		case kOpenParen:
			e = p.call(start, e)
		case kOpenBracket:
			e = &ast.Subscript{ExprBase: exprBase(start), Value: e, Slice: p.subscript(), Ctx: ast.Load}
		default:
			p.nested = nested
			return e
		}
		p.deeper()
	}
}

// subscript is what stands in the brackets behind an expression.
func (p *parser) subscript() ast.Slicer {
	p.expect(kOpenBracket)
	start := p.peek()
	dims := []ast.Slicer{p.slice()}
	comma := false
	for comma = false; p.accept(kComma); {
		comma = true
		if p.kind() == kCloseBracket {
			break
		}
		dims = append(dims, p.slice())
	}
	p.expect(kCloseBracket)
	base := ast.SliceBase{Pos: pos(start)}
	elts := make([]ast.Expr, len(dims))
	starred := false
	for i, dim := range dims {
		index, ok := dim.(*ast.Index)
		if !ok {
			if comma {
				return &ast.ExtSlice{SliceBase: base, Dims: dims}
			}
			return dim
		}
		elts[i] = index.Value
		_, isStarred := index.Value.(*ast.Starred)
		starred = starred || isStarred
	}
	if !comma && !starred {
		return dims[0]
	}
	return &ast.Index{SliceBase: base, Value: &ast.Tuple{ExprBase: exprBase(start), Elts: elts, Ctx: ast.Load}}
}

// slice is one part of a subscript.
func (p *parser) slice() ast.Slicer {
	start := p.peek()
	var lower ast.Expr
	if start.kind != kColon {
		lower = p.starNamed()
		if p.kind() != kColon {
			return &ast.Index{SliceBase: ast.SliceBase{Pos: pos(start)}, Value: lower}
		}
		if _, starred := lower.(*ast.Starred); starred {
			p.fail()
		}
	}
	p.expect(kColon)
	s := &ast.Slice{SliceBase: ast.SliceBase{Pos: pos(start)}, Lower: lower}
	ends := func() bool { k := p.kind(); return k == kColon || k == kComma || k == kCloseBracket }
	if !ends() {
		s.Upper = p.expression()
	}
	if p.accept(kColon) && !ends() {
		s.Step = p.expression()
	}
	return s
}

// yield reads a yield expression.
func (p *parser) yield() ast.Expr {
	t := p.expect(kYield)
	var y ast.Expr
	if p.accept(kFrom) {
		y = &ast.YieldFrom{ExprBase: exprBase(t), Value: p.expression()}
	} else {
		yield := &ast.Yield{ExprBase: exprBase(t)}
		if p.startsExpression() && p.kind() != kYield {
			yield.Value = p.starExpressions()
		}
		y = yield
	}
	if p.kind() == kAssign {
		p.failAt(t, "assignment to yield expression not possible")
	}
	if !p.scope.function {
		p.failAt(t, "'yield' outside function")
	}
	return y
}

// constant is an expression of one token.
func (p *parser) constant(t token, value py.Object) ast.Expr {
	return &ast.NameConstant{ExprBase: exprBase(t), Value: value}
}
