package syntax

import "github.com/go-python/gpython/ast"

// compound reads a statement that has blocks; it returns nil if none is next.
func (p *parser) compound() ast.Stmt {
	t := p.peek()
	p.deeper()
	defer p.shallower()
	switch t.kind {
	case kIf:
		return p.ifStatement()
	case kWhile:
		p.next()
		s := &ast.While{StmtBase: stmtBase(t), Test: p.condition()}
		s.Body = p.loopBlock("while", t)
		s.Orelse = p.elseBlock()
		return s
	case kFor:
		p.next()
		s := &ast.For{StmtBase: stmtBase(t), Target: p.targets()}
		p.expect(kIn)
		s.Iter = p.starExpressions()
		s.Body = p.loopBlock("for", t)
		s.Orelse = p.elseBlock()
		return s
	case kTry:
		return p.try()
	case kWith:
		return p.with()
	case kDef:
		return p.function(nil)
	case kClass:
		return p.class(nil)
	case kAt:
		return p.decorated()
	case kAsync:
		switch p.ahead(1) {
		case kDef:
			p.refuse(t, "async functions")
		case kFor:
			p.refuse(t, "async for loops")
		case kWith:
			p.refuse(t, "async with statements")
		}
	case kName:
		if p.text(t) == "match" && p.isMatch() {
			p.refuse(t, "match statements")
		}
	}
	return nil
}

// isMatch reports whether a match statement is next: that is known only where its first case
// begins.
func (p *parser) isMatch() bool {
	switch p.ahead(1) {
	case kAssign, kDot, kComma, kNewline, kCloseParen, kColon, kSemicolon:
		return false
	}
	at, is := p.at, false
	p.attempt(func() {
		p.next()
		p.list(p.starNamed)
		p.expect(kColon)
		p.expect(kNewline)
		p.expect(kIndent)
		is = p.kind() == kName && p.text(p.peek()) == "case"
	})
	p.at = at
	return is
}

// block reads ":" and the statements that belong to what stands before: in CPython's words, and at
// the token that it began with.
func (p *parser) block(what string, start token) []ast.Stmt {
	p.expectColon()
	if !p.accept(kNewline) {
		return p.simpleStatements(nil)
	}
	if p.kind() != kIndent {
		if p.kind() == kBad {
			p.fail()
		}
		p.failIndented(p.peek(), "expected an indented block after %s on line %d", what, start.line)
	}
	p.next()
	var body []ast.Stmt
	for !p.accept(kDedent) {
		if p.kind() == kEnd {
			p.fail()
		}
		body = p.statement(body)
	}
	return body
}

func (p *parser) loopBlock(what string, start token) []ast.Stmt {
	outer := p.scope
	p.scope.loop, p.scope.finally = true, false
	body := p.block("'"+what+"' statement", start)
	p.scope = outer
	return body
}

// elseBlock reads the else of a statement, if it has one.
func (p *parser) elseBlock() []ast.Stmt {
	t := p.peek()
	if !p.accept(kElse) {
		return nil
	}
	return p.block("'else' statement", t)
}

// ifStatement reads an if with all its branches. Each elif is an if in the else of the one before.
func (p *parser) ifStatement() ast.Stmt {
	nested := p.nested
	defer func() { p.nested = nested }()
	var first, last *ast.If
	word := "if"
	for t := p.peek(); t.kind == kIf || t.kind == kElif; t = p.peek() {
		if t.kind == kIf && last != nil {
			return first // a statement of its own
		}
		p.next()
		p.deeper()
		s := &ast.If{StmtBase: stmtBase(t)}
		s.Test = p.condition()
		s.Body = p.block("'"+word+"' statement", t)
		if last == nil {
			first = s
		} else {
			last.Orelse = []ast.Stmt{s}
		}
		last, word = s, "elif"
	}
	last.Orelse = p.elseBlock()
	return first
}

func (p *parser) try() ast.Stmt {
	start := p.expect(kTry)
	s := &ast.Try{StmtBase: stmtBase(start), Body: p.block("'try' statement", start)}
	for p.kind() == kExcept {
		if n := len(s.Handlers); n > 0 && s.Handlers[n-1].ExprType == nil {
			p.failAt(at(s.Handlers[n-1], start), "default 'except:' must be last")
		}
		s.Handlers = append(s.Handlers, p.handler())
	}
	if len(s.Handlers) > 0 {
		s.Orelse = p.elseBlock()
	}
	if t := p.peek(); p.accept(kFinally) {
		outer := p.scope
		p.scope.finally = true
		s.Finalbody = p.block("'finally' statement", t)
		p.scope = outer
	} else if len(s.Handlers) == 0 {
		if t.kind == kBad {
			p.fail()
		}
		if t.kind == kEnd || t.kind == kDedent {
			t = p.tokens[p.at-1]
		}
		p.failAt(t, "expected 'except' or 'finally' block")
	}
	return s
}

func (p *parser) handler() *ast.ExceptHandler {
	t := p.expect(kExcept)
	if p.kind() == kStar {
		p.refuse(t, "except* clauses")
	}
	h := &ast.ExceptHandler{Pos: pos(t)}
	if p.kind() != kColon {
		first := p.peek()
		h.ExprType = p.expression()
		several := p.kind() == kComma // without parentheses since Python 3.14
		if several {
			h.ExprType = p.tuple(first, h.ExprType, p.expression)
		}
		if p.accept(kAs) {
			if several {
				p.failAt(first, "multiple exception types must be parenthesized when using 'as'")
			}
			var as token
			h.Name, as = p.name()
			p.checkName(as, h.Name)
		}
	}
	h.Body = p.block("'except' statement", t)
	return h
}

func (p *parser) with() ast.Stmt {
	start := p.expect(kWith)
	s := &ast.With{StmtBase: stmtBase(start)}
	grouped := p.kind() == kOpenParen && p.attempt(func() {
		s.Items = nil
		p.next()
		for {
			s.Items = append(s.Items, p.withItem())
			if !p.accept(kComma) || p.kind() == kCloseParen {
				break
			}
		}
		p.expect(kCloseParen)
		if p.kind() != kColon {
			p.fail()
		}
	})
	if !grouped {
		s.Items = nil
		for {
			s.Items = append(s.Items, p.withItem())
			if !p.accept(kComma) {
				break
			}
		}
	}
	s.Body = p.block("'with' statement", start)
	return s
}

func (p *parser) withItem() *ast.WithItem {
	t := p.peek()
	item := &ast.WithItem{Pos: pos(t), ContextExpr: p.expression()}
	if p.accept(kAs) {
		t := p.peek()
		item.OptionalVars = p.target()
		if s, starred := item.OptionalVars.(*ast.Starred); starred {
			p.failAt(at(s, t), "starred assignment target must be in a list or tuple")
		}
		p.store(item.OptionalVars, t, "cannot assign to %s")
	}
	return item
}
