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
	return p.tuple(start, first, item)
}

// tuple reads the items that follow the first one of a tuple without parentheses.
func (p *parser) tuple(start token, first ast.Expr, item func() ast.Expr) ast.Expr {
	elts := p.nodes.expressions.append(nil, first)
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
	return &ast.Starred{ExprBase: exprBase(t), Value: p.operation(comparisonLevel), Ctx: ast.Load}
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
	start := p.at
	var e ast.Expr
	if p.kind() == kLambda {
		e = p.lambda()
	} else if e = p.operation(0); p.kind() == kIf {
		e = p.conditional(start, e)
	}
	p.shallower()
	return e
}

// conditional reads a conditional expression from its "if" on.
func (p *parser) conditional(start int, body ast.Expr) ast.Expr {
	p.next()
	test := p.operation(0)
	if t := p.peek(); t.kind == kNewline || t.kind == kColon {
		p.failAt(p.tokens[start], "expected 'else' after 'if' expression")
	}
	p.expect(kElse)
	return &ast.IfExp{ExprBase: exprBase(p.tokens[start]), Test: test, Body: body, Orelse: p.expression()}
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

// level is how tight an operator binds; 0 is that of no operator.
type level uint8

const (
	orLevel level = iota + 1
	andLevel
	notLevel
	comparisonLevel
	bitOrLevel
	bitXorLevel
	bitAndLevel
	shiftLevel
	sumLevel
	productLevel
)

// operators are the binary operators, by their tokens. "not" stands for "not in".
var operators = [256]struct {
	level   level
	compare ast.CmpOp
	number  ast.OperatorNumber
}{
	kOr:           {level: orLevel},
	kAnd:          {level: andLevel},
	kLess:         {comparisonLevel, ast.Lt, 0},
	kGreater:      {comparisonLevel, ast.Gt, 0},
	kEqual:        {comparisonLevel, ast.Eq, 0},
	kNotEqual:     {comparisonLevel, ast.NotEq, 0},
	kLessEqual:    {comparisonLevel, ast.LtE, 0},
	kGreaterEqual: {comparisonLevel, ast.GtE, 0},
	kIn:           {comparisonLevel, ast.In, 0},
	kNot:          {comparisonLevel, ast.NotIn, 0},
	kIs:           {comparisonLevel, ast.Is, 0},
	kBar:          {bitOrLevel, 0, ast.BitOr},
	kCaret:        {bitXorLevel, 0, ast.BitXor},
	kAmpersand:    {bitAndLevel, 0, ast.BitAnd},
	kLeftShift:    {shiftLevel, 0, ast.LShift},
	kRightShift:   {shiftLevel, 0, ast.RShift},
	kPlus:         {sumLevel, 0, ast.Add},
	kMinus:        {sumLevel, 0, ast.Sub},
	kStar:         {productLevel, 0, ast.Mult},
	kSlash:        {productLevel, 0, ast.Div},
	kDoubleSlash:  {productLevel, 0, ast.FloorDiv},
	kPercent:      {productLevel, 0, ast.Modulo},
	kAt:           {productLevel, 0, 0}, // refused
}

// operation reads operands and the operators between them that bind tighter than a level.
func (p *parser) operation(above level) ast.Expr {
	start := p.at
	left := p.operand(above)
	nested := p.nested
	for {
		k := p.kind()
		o := &operators[k]
		switch {
		case o.level <= above, k == kNot && p.ahead(1) != kIn:
			p.nested = nested
			return left
		case o.level > comparisonLevel:
			if k == kAt {
				p.refuse(p.tokens[start], "matrix multiplications (@)")
			}
			p.next()
			p.deeper()
			left = p.nodes.operations.new(ast.BinOp{ExprBase: exprBase(p.tokens[start]), Left: left, Op: o.number, Right: p.operation(o.level)})
		case o.level == comparisonLevel:
			p.nested = nested
			left = p.comparison(start, left)
		default:
			p.nested = nested
			left = p.boolean(start, left)
		}
	}
}

// boolean reads what "and" or "or" combines, from the first of these operators on.
func (p *parser) boolean(start int, first ast.Expr) ast.Expr {
	k := p.kind()
	b := &ast.BoolOp{ExprBase: exprBase(p.tokens[start]), Op: ast.Or, Values: p.nodes.expressions.append(nil, first)}
	if k == kAnd {
		b.Op = ast.And
	}
	for p.accept(k) {
		b.Values = append(b.Values, p.operation(operators[k].level))
	}
	return b
}

// comparison reads a chain of comparisons, from its first operator on.
func (p *parser) comparison(start int, left ast.Expr) ast.Expr {
	c := p.nodes.comparisons.new(ast.Compare{ExprBase: exprBase(p.tokens[start]), Left: left})
	for {
		k := p.kind()
		o := &operators[k]
		if o.level != comparisonLevel || k == kNot && p.ahead(1) != kIn {
			return c
		}
		p.next()
		op := o.compare
		switch {
		case k == kNot:
			p.next()
		case k == kIs && p.accept(kNot):
			op = ast.IsNot
		}
		c.Ops = append(c.Ops, op)
		c.Comparators = p.nodes.expressions.append(c.Comparators, p.operation(comparisonLevel))
	}
}

// operand is what may stand beside an operator that binds as tight as a level.
func (p *parser) operand(above level) ast.Expr {
	if p.kind() != kNot || above > notLevel {
		return p.factor()
	}
	t := p.next()
	p.deeper()
	not := &ast.UnaryOp{ExprBase: exprBase(t), Op: ast.Not, Operand: p.operation(notLevel)}
	p.shallower()
	return not
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
	unary := &ast.UnaryOp{ExprBase: exprBase(t), Op: op, Operand: p.factor()}
	p.shallower()
	return unary
}

func (p *parser) power() ast.Expr {
	start := p.at
	left := p.primary()
	if !p.accept(kPower) {
		return left
	}
	p.deeper()
	power := &ast.BinOp{ExprBase: exprBase(p.tokens[start]), Left: left, Op: ast.Pow, Right: p.factor()}
	p.shallower()
	return power
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
			e = p.nodes.attributes.new(ast.Attribute{ExprBase: exprBase(start), Value: e, Attr: name, Ctx: ast.Load})
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
