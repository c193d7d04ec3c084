package syntax

import (
	"fmt"
	"slices"

	"github.com/go-python/gpython/ast"
)

func (p *parser) decorated() ast.Stmt {
	var decorators []ast.Expr
	for p.accept(kAt) {
		decorators = append(decorators, p.named())
		p.expect(kNewline)
		for p.accept(kNewline) {
		}
	}
	switch t := p.peek(); t.kind {
	case kDef:
		return p.function(decorators)
	case kClass:
		return p.class(decorators)
	case kAsync:
		p.refuse(t, "async functions")
	}
	p.fail()
	return nil
}

// inScope reads code whose surroundings are others.
func (p *parser) inScope(inner scope, read func()) {
	outer := p.scope
	p.scope = inner
	read()
	p.scope = outer
}

func (p *parser) function(decorators []ast.Expr) ast.Stmt {
	start := p.expect(kDef)
	f := &ast.FunctionDef{StmtBase: stmtBase(start), DecoratorList: decorators}
	name, t := p.name()
	p.checkName(t, name)
	f.Name = name
	p.refuseTypeParameters()
	if t := p.peek(); t.kind != kOpenParen && t.kind != kBad {
		p.failAt(t, "expected '('")
	}
	p.next()
	f.Args = p.parameters(kCloseParen, true)
	p.expect(kCloseParen)
	if p.accept(kArrow) {
		f.Returns = p.expression()
	}
	if t := p.peek(); t.kind != kColon && t.kind != kBad {
		p.failAt(t, "expected ':'")
	}
	p.inScope(scope{function: true}, func() { f.Body = p.block("function definition", start) })
	return f
}

func (p *parser) refuseTypeParameters() {
	if t := p.peek(); t.kind == kOpenBracket {
		p.refuse(t, "type parameters")
	}
}

func (p *parser) class(decorators []ast.Expr) ast.Stmt {
	start := p.expect(kClass)
	c := &ast.ClassDef{StmtBase: stmtBase(start), DecoratorList: decorators}
	name, t := p.name()
	p.checkName(t, name)
	c.Name = name
	p.refuseTypeParameters()
	if p.kind() == kOpenParen {
		p.arguments(&c.Bases, &c.Keywords)
	}
	p.inScope(scope{class: true}, func() { c.Body = p.block("class definition", start) })
	return c
}

func (p *parser) lambda() ast.Expr {
	start := p.expect(kLambda)
	l := &ast.Lambda{ExprBase: exprBase(start), Args: p.parameters(kColon, false)}
	p.expect(kColon)
	p.inScope(scope{function: true}, func() { l.Body = p.expression() })
	return l
}

// parameters reads the parameters of a function up to what ends them. Only those of def can have
// annotations.
func (p *parser) parameters(end kind, annotated bool) *ast.Arguments {
	start := p.peek()
	a := &ast.Arguments{Pos: pos(start)}
	names := make(map[ast.Identifier]bool)
	var star *token // that only keyword arguments follow
	parameter := func(starred bool) *ast.Arg {
		name, t := p.name()
		p.checkName(t, name)
		if names[name] {
			p.failAt(t, "duplicate argument '%s' in function definition", name)
		}
		names[name] = true
		arg := p.nodes.parameters.new(ast.Arg{Pos: pos(t), Arg: name})
		if annotated && p.accept(kColon) {
			if starred && p.kind() == kStar {
				arg.Annotation = p.starExpression()
			} else {
				arg.Annotation = p.expression()
			}
		}
		return arg
	}
	var slash token
	for p.kind() != end {
		t := p.peek()
		switch {
		case a.Kwarg != nil:
			p.failAt(t, "arguments cannot follow var-keyword argument")
		case t.kind == kSlash:
			p.next()
			switch {
			case slash.kind == kSlash:
				p.failAt(t, "/ may appear only once")
			case star != nil:
				p.failAt(t, "/ must be ahead of *")
			case len(a.Args) == 0:
				p.failAt(t, "at least one argument must precede /")
			}
			slash = t
			a.Args = append(a.Args, &ast.Arg{Pos: pos(t), Arg: Slash})
		case t.kind == kStar:
			p.next()
			if star != nil {
				p.failAt(t, "* argument may appear only once")
			}
			star = &t
			switch p.kind() {
			case kComma:
				if p.ahead(1) == end || p.ahead(1) == kPower {
					p.failAt(t, "named arguments must follow bare *")
				}
			case end:
				if end == kColon {
					t = p.peek()
				}
				p.failAt(t, "named arguments must follow bare *")
			default:
				a.Vararg = parameter(true)
				if p.kind() == kAssign {
					p.failAt(p.peek(), "var-positional argument cannot have default value")
				}
			}
		case t.kind == kPower:
			p.next()
			a.Kwarg = parameter(false)
			if p.kind() == kAssign {
				p.failAt(p.peek(), "var-keyword argument cannot have default value")
			}
		case t.kind == kOpenParen && annotated:
			p.failAt(t, "Function parameters cannot be parenthesized")
		case t.kind == kOpenParen:
			p.failAt(t, "Lambda expression parameters cannot be parenthesized")
		default:
			p.parameter(a, parameter(false), star != nil, t)
		}
		if !p.accept(kComma) {
			break
		}
	}
	return a
}

// Slash is the name of what stands among the parameters of a parsed tree for "/".
const Slash = "/"

// takeSlash takes "/" out of the parameters. It returns how many stood before it, which can be
// given by position only.
func takeSlash(a *ast.Arguments) int {
	at := slices.IndexFunc(a.Args, func(arg *ast.Arg) bool { return arg.Arg == Slash })
	if at >= 0 {
		a.Args = slices.Delete(a.Args, at, at+1)
	}
	return max(at, 0)
}

// decorated adds a function to other statements. gpython evaluates the defaults before the
// decorators. If that can be noticed, the decorators are evaluated first, and kept in variables
// whose names no program can write.
func (l *lowerer) decorated(to []ast.Stmt, f *ast.FunctionDef) []ast.Stmt {
	if !slices.ContainsFunc(f.DecoratorList, acts) || !slices.ContainsFunc(slices.Concat(f.Args.Defaults, f.Args.KwDefaults), acts) {
		return append(to, f)
	}
	forget := &ast.Delete{StmtBase: f.StmtBase}
	for i, d := range f.DecoratorList {
		name := func(ctx ast.ExprContext) *ast.Name {
			return &ast.Name{ExprBase: base(d), Id: ast.Identifier(fmt.Sprintf("\x01d%d", i)), Ctx: ctx}
		}
		to = append(to, &ast.Assign{StmtBase: ast.StmtBase{Pos: base(d).Pos}, Targets: []ast.Expr{name(ast.Store)}, Value: d})
		f.DecoratorList[i] = name(ast.Load)
		forget.Targets = append(forget.Targets, name(ast.Del))
	}
	return append(to, f, forget)
}

// acts reports whether evaluating an expression may do more than find a value.
func acts(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Name, *ast.Lambda:
		return false
	case *ast.UnaryOp:
		return !isConstant(e.Operand)
	case *ast.Attribute:
		return acts(e.Value)
	case *ast.Tuple:
		return slices.ContainsFunc(e.Elts, acts)
	case *ast.List:
		return slices.ContainsFunc(e.Elts, acts)
	case *ast.Dict:
		return slices.ContainsFunc(e.Keys, acts) || slices.ContainsFunc(e.Values, acts)
	}
	return !isConstant(e)
}

// slash makes a function know how many parameters stand before "/", by a constant in its code that
// does nothing.
func (l *lowerer) slash(f *ast.FunctionDef) {
	only := takeSlash(f.Args)
	if only == 0 {
		return
	}
	at := 0
	if isDocstring(f.Body[0]) {
		at = 1
	}
	base := ast.ExprBase{Pos: f.Pos}
	note := &ast.ExprStmt{StmtBase: f.StmtBase, Value: &ast.NameConstant{ExprBase: base, Value: PositionalOnly(only)}}
	f.Body = slices.Insert(f.Body, at, ast.Stmt(note))
}

// parameter adds a parameter, with its default if one follows.
func (p *parser) parameter(a *ast.Arguments, arg *ast.Arg, keywordOnly bool, t token) {
	var value ast.Expr
	if p.accept(kAssign) {
		value = p.expression()
	}
	if keywordOnly {
		a.Kwonlyargs = append(a.Kwonlyargs, arg)
		if value != nil {
			a.KwDefaults = p.nodes.expressions.append(a.KwDefaults, value)
		}
		return
	}
	a.Args = append(a.Args, arg)
	if value != nil {
		a.Defaults = p.nodes.expressions.append(a.Defaults, value)
	} else if len(a.Defaults) > 0 {
		p.failAt(t, "parameter without a default follows parameter with a default")
	}
}
