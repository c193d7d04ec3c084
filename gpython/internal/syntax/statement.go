package syntax

import (
	"cmp"
	"strings"

	"github.com/go-python/gpython/ast"
)

// module reads statements up to the end of the source.
func (p *parser) module() []ast.Stmt {
	var body []ast.Stmt
	for p.kind() != kEnd {
		if p.accept(kNewline) {
			continue
		}
		body = p.statement(body)
	}
	return body
}

// interactive reads one statement, or several simple ones.
func (p *parser) interactive() []ast.Stmt {
	for p.accept(kNewline) {
	}
	if p.kind() == kEnd {
		p.fail()
	}
	body := p.statement(nil)
	for p.accept(kNewline) {
	}
	if p.kind() != kEnd {
		p.failAt(p.peek(), "multiple statements found while compiling a single statement")
	}
	return body
}

// statement adds a compound statement, or a line of simple ones, to a body.
func (p *parser) statement(body []ast.Stmt) []ast.Stmt {
	if s := p.compound(); s != nil {
		return p.nodes.bodies.append(body, s)
	}
	return p.simpleStatements(body)
}

// simpleStatements adds a line of simple statements to a body.
func (p *parser) simpleStatements(body []ast.Stmt) []ast.Stmt {
	for {
		body = p.nodes.bodies.append(body, p.simple())
		if !p.accept(kSemicolon) || p.kind() == kNewline {
			break
		}
	}
	p.expect(kNewline)
	return body
}

// simple reads a simple statement.
func (p *parser) simple() ast.Stmt {
	t := p.peek()
	base := stmtBase(t)
	switch t.kind {
	case kPass:
		p.next()
		return &ast.Pass{StmtBase: base}
	case kBreak:
		p.next()
		if !p.scope.loop {
			p.failAt(t, "'break' outside loop")
		}
		return &ast.Break{StmtBase: base}
	case kContinue:
		p.next()
		if !p.scope.loop {
			p.failAt(t, "'continue' not properly in loop")
		}
		if p.scope.finally {
			p.refuse(t, "continue statements in finally clauses")
		}
		return &ast.Continue{StmtBase: base}
	case kReturn:
		p.next()
		if !p.scope.function {
			p.failAt(t, "'return' outside function")
		}
		r := &ast.Return{StmtBase: base}
		if p.startsExpression() && p.kind() != kYield {
			r.Value = p.starExpressions()
		}
		return r
	case kRaise:
		p.next()
		r := &ast.Raise{StmtBase: base}
		if p.startsExpression() {
			r.Exc = p.expression()
			if p.accept(kFrom) {
				r.Cause = p.expression()
			}
		}
		return r
	case kAssert:
		p.next()
		a := &ast.Assert{StmtBase: base, Test: p.expression()}
		if p.accept(kComma) {
			a.Msg = p.expression()
		}
		return a
	case kGlobal:
		p.next()
		return &ast.Global{StmtBase: base, Names: p.names()}
	case kNonlocal:
		p.next()
		if !p.scope.function && !p.scope.class {
			p.failAt(t, "nonlocal declaration not allowed at module level")
		}
		return &ast.Nonlocal{StmtBase: base, Names: p.names()}
	case kDel:
		p.next()
		return p.delete(base)
	case kImport:
		p.next()
		return &ast.Import{StmtBase: base, Names: p.modules()}
	case kFrom:
		return p.importFrom()
	case kName:
		if p.text(t) == "type" && p.ahead(1) == kName && (p.ahead(2) == kAssign || p.ahead(2) == kOpenBracket) {
			p.refuse(t, "type statements")
		}
	}
	return p.assignment()
}

func (p *parser) names() []ast.Identifier {
	var all []ast.Identifier
	for {
		name, _ := p.name()
		all = append(all, name)
		if !p.accept(kComma) {
			return all
		}
	}
}

func (p *parser) delete(base ast.StmtBase) ast.Stmt {
	d := &ast.Delete{StmtBase: base}
	for {
		t := p.peek()
		e := p.starExpression() // what is no target is read too, to be named in the error
		p.del(e, t)
		d.Targets = append(d.Targets, e)
		if !p.accept(kComma) || p.kind() == kNewline || p.kind() == kSemicolon {
			return d
		}
	}
}

// modules reads "a.b as c, d".
func (p *parser) modules() []*ast.Alias {
	var all []*ast.Alias
	p.expectNames()
	for {
		t := p.peek()
		a := &ast.Alias{Pos: pos(t), Name: p.dotted()}
		if p.accept(kAs) {
			var as token
			a.AsName, as = p.name()
			p.checkName(as, a.AsName)
		}
		all = append(all, a)
		if !p.accept(kComma) {
			return all
		}
	}
}

// expectNames fails if nothing is imported.
func (p *parser) expectNames() {
	if t := p.peek(); t.kind == kNewline {
		p.failAt(t, "Expected one or more names after 'import'")
	}
}

func (p *parser) dotted() ast.Identifier {
	name, _ := p.name()
	if p.kind() != kDot {
		return name
	}
	parts := []string{string(name)}
	for p.accept(kDot) {
		part, _ := p.name()
		parts = append(parts, string(part))
	}
	return ast.Identifier(strings.Join(parts, "."))
}

func (p *parser) importFrom() ast.Stmt {
	start := p.expect(kFrom)
	s := &ast.ImportFrom{StmtBase: stmtBase(start)}
	for {
		if p.accept(kDot) {
			s.Level++
		} else if p.accept(kEllipsis) {
			s.Level += 3
		} else {
			break
		}
	}
	if s.Level == 0 || p.kind() != kImport {
		s.Module = p.dotted()
	}
	p.expect(kImport)
	p.expectNames()
	t := p.peek()
	switch {
	case p.accept(kStar):
		if p.scope.function || p.scope.class {
			p.failAt(t, "import * only allowed at module level")
		}
		s.Names = []*ast.Alias{{Pos: pos(t), Name: "*"}}
		return s
	case p.accept(kOpenParen):
		for {
			s.Names = append(s.Names, p.imported())
			if !p.accept(kComma) || p.kind() == kCloseParen {
				break
			}
		}
		p.expect(kCloseParen)
		return s
	}
	for {
		s.Names = append(s.Names, p.imported())
		if !p.accept(kComma) {
			return s
		}
		if p.kind() == kNewline {
			p.failAt(p.peek(), "trailing comma not allowed without surrounding parentheses")
		}
	}
}

func (p *parser) imported() *ast.Alias {
	name, t := p.name()
	a := &ast.Alias{Pos: pos(t), Name: name}
	if p.accept(kAs) {
		a.AsName, t = p.name()
	}
	p.checkName(t, cmp.Or(a.AsName, name))
	return a
}

// assignment reads an assignment of any kind, or an expression.
func (p *parser) assignment() ast.Stmt {
	start := p.peek()
	e := p.value()
	switch k := p.kind(); k {
	case kColon:
		return p.annotated(start, e)
	case kAssign:
	default:
		if k == kAtAssign {
			p.refuse(start, "matrix multiplications (@)")
		}
		if op, ok := augmented(k); ok {
			return p.augAssign(start, e, op)
		}
		return p.nodes.statements.new(ast.ExprStmt{StmtBase: stmtBase(start), Value: e})
	}
	a := p.nodes.assignments.new(ast.Assign{StmtBase: stmtBase(start)})
	t := start
	for p.accept(kAssign) {
		if s, starred := e.(*ast.Starred); starred {
			p.failAt(at(s, t), "starred assignment target must be in a list or tuple")
		}
		p.storeBeforeAssign(e, t, len(a.Targets) == 0)
		a.Targets = p.nodes.expressions.append(a.Targets, e)
		t = p.peek()
		e = p.value()
	}
	if op := p.kind(); op != kNewline && op != kSemicolon {
		if _, ok := augmented(op); ok {
			p.fail()
		}
	}
	a.Value = e
	return a
}

// storeBeforeAssign is store, for what stands before "=".
func (p *parser) storeBeforeAssign(e ast.Expr, t token, first bool) {
	last := e
	if tuple, ok := e.(*ast.Tuple); ok && t.kind != kOpenParen {
		last = lastOf(tuple.Elts)
	}
	// These are what binds tighter than comparisons; of others CPython does not suggest "==".
	switch last.(type) {
	case *ast.Call, *ast.BinOp, *ast.UnaryOp, *ast.Num, *ast.Str, *ast.Bytes, *ast.Dict, *ast.Set, *ast.ListComp, *ast.SetComp, *ast.DictComp,
		*ast.Ellipsis, *JoinedStr, *ast.Yield, *ast.YieldFrom:
		if !first {
			break
		}
		p.failAt(at(last, t), "cannot assign to %s here. Maybe you meant '==' instead of '='?", describe(last))
	}
	p.store(e, t, "cannot assign to %s")
}

// value is what may stand on either side of "=".
func (p *parser) value() ast.Expr {
	if p.kind() == kYield {
		return p.yield()
	}
	return p.starExpressions()
}

// annotated reads ": annotation = value".
func (p *parser) annotated(start token, target ast.Expr) ast.Stmt {
	p.expect(kColon)
	a := &AnnAssign{StmtBase: stmtBase(start), Target: target}
	switch e := target.(type) {
	case *ast.Name:
		a.Simple = start.kind == kName
	case *ast.Attribute, *ast.Subscript:
	case *ast.Tuple, *ast.List:
		p.failAt(start, "only single target (not %s) can be annotated", describe(e))
	default:
		if t := p.peek(); t.kind == kNewline || t.kind == kBad {
			p.at--
			p.fail() // "else:" without an if, and the like
		}
		p.failAt(start, "illegal target for annotation")
	}
	if t := p.peek(); t.kind == kNewline {
		p.fail()
	}
	p.store(target, start, "illegal target for annotation")
	a.Annotation = p.expression()
	if p.accept(kAssign) {
		a.Value = p.value()
	}
	return a
}

func (p *parser) augAssign(start token, target ast.Expr, op ast.OperatorNumber) ast.Stmt {
	p.next()
	switch target.(type) {
	case *ast.Name, *ast.Attribute, *ast.Subscript:
	default:
		p.failAt(start, "'%s' is an illegal expression for augmented assignment", describe(target))
	}
	p.store(target, start, "cannot assign to %s")
	a := &ast.AugAssign{StmtBase: stmtBase(start), Target: target, Op: op}
	a.Value = p.value()
	return a
}

// augmented is the operator of "+=" and the like.
func augmented(k kind) (ast.OperatorNumber, bool) {
	switch k {
	case kPlusAssign:
		return ast.Add, true
	case kMinusAssign:
		return ast.Sub, true
	case kStarAssign:
		return ast.Mult, true
	case kSlashAssign:
		return ast.Div, true
	case kDoubleSlashAssign:
		return ast.FloorDiv, true
	case kPercentAssign:
		return ast.Modulo, true
	case kPowerAssign:
		return ast.Pow, true
	case kLeftShiftAssign:
		return ast.LShift, true
	case kRightShiftAssign:
		return ast.RShift, true
	case kAmpersandAssign:
		return ast.BitAnd, true
	case kBarAssign:
		return ast.BitOr, true
	case kCaretAssign:
		return ast.BitXor, true
	}
	return 0, false
}
