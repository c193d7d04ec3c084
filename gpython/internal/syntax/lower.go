package syntax

import (
	"strings"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// lowerer makes a parsed tree one that gpython compiles: it replaces nodes in place.
type lowerer struct {
	source   string
	function bool                // in a function, rather than in a module or class
	class    string              // the innermost class
	loops    []comprehensionLoop // the comprehensions around, the innermost last
	outer    int                 // how many of them are outside of the innermost function
	named    []Named
	// holds tells that there may be generators with something to do when they are dropped.
	holds bool
	// annotates tells that a variable of the module or class is annotated.
	annotates bool
}

func (l *lowerer) failAt(node ast.Ast, format string, args ...any) {
	panic(failure{errorAt(l.source, syntaxError, node.GetLineno(), node.GetColOffset(), format, args...)})
}

func (l *lowerer) refuse(node ast.Ast, feature string) {
	panic(failure{refusal(l.source, node.GetLineno(), node.GetColOffset(), feature)})
}

// lower lowers a tree.
func (l *lowerer) lower(tree ast.Mod) {
	switch m := tree.(type) {
	case *ast.Module:
		l.checkFuture(m.Body)
		m.Body = l.block(m.Body)
	case *ast.Interactive:
		m.Body = l.block(m.Body)
	case *ast.Expression:
		m.Body = l.expr(m.Body)
	}
}

// checkFuture fails if an import from __future__ is not at the beginning, or asks for something
// that no Python has.
func (l *lowerer) checkFuture(body []ast.Stmt) {
	begin := true
	for i, s := range body {
		if !isFuture(s) {
			begin = begin && i == 0 && isDocstring(s)
			continue
		}
		if !begin {
			l.failAt(s, "from __future__ imports must occur at the beginning of the file")
		}
		for _, alias := range s.(*ast.ImportFrom).Names {
			switch alias.Name {
			case "nested_scopes", "generators", "division", "absolute_import", "with_statement", "print_function",
				"unicode_literals", "generator_stop", "annotations":
			case "braces":
				l.failAt(s, "not a chance")
			case "barry_as_FLUFL":
				l.refuse(s, "the operators of PEP 401")
			default:
				l.failAt(s, "future feature %s is not defined", alias.Name)
			}
		}
	}
}

// mangle is a name as the innermost class has it.
func (l *lowerer) mangle(name ast.Identifier) ast.Identifier {
	class := strings.TrimLeft(l.class, "_")
	if class == "" || !strings.HasPrefix(string(name), "__") || strings.HasSuffix(string(name), "__") {
		return name
	}
	return "_" + ast.Identifier(class) + name
}

// operation is the call of an operation.
func operation(at ast.Ast, op Operation, args ...ast.Expr) ast.Expr {
	base := ast.ExprBase{Pos: ast.Pos{Lineno: at.GetLineno(), ColOffset: at.GetColOffset()}}
	return &ast.Call{ExprBase: base, Func: &ast.Num{ExprBase: base, N: op}, Args: args}
}

// str is a str as an expression.
func str(at ast.Ast, text string) *ast.Str {
	base := ast.ExprBase{Pos: ast.Pos{Lineno: at.GetLineno(), ColOffset: at.GetColOffset()}}
	return &ast.Str{ExprBase: base, S: py.String(text)}
}

// exprs lowers expressions in their places.
func (l *lowerer) exprs(all []ast.Expr) {
	for i, e := range all {
		all[i] = l.expr(e)
	}
}

// expr lowers an expression, and returns what takes its place.
func (l *lowerer) expr(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *JoinedStr:
		return l.joined(e, true)
	case *NamedExpr:
		return l.name(e)
	case *ast.BoolOp:
		l.exprs(e.Values)
	case *ast.BinOp:
		e.Left, e.Right = l.expr(e.Left), l.expr(e.Right)
	case *ast.UnaryOp:
		e.Operand = l.expr(e.Operand)
	case *ast.Lambda:
		if only := takeSlash(e.Args); only > 0 {
			l.refuse(e, "positional-only parameters of lambdas")
		}
		l.arguments(e.Args)
		l.inFunction(func() { e.Body = l.expr(e.Body) })
	case *ast.IfExp:
		e.Test, e.Body, e.Orelse = l.expr(e.Test), l.expr(e.Body), l.expr(e.Orelse)
	case *ast.Dict:
		return l.dict(e)
	case *ast.Set:
		return l.set(e)
	case *ast.ListComp:
		l.comprehension(e, e.Generators, &e.Elt, nil)
	case *ast.SetComp:
		l.comprehension(e, e.Generators, &e.Elt, nil)
	case *ast.DictComp:
		l.comprehension(e, e.Generators, &e.Key, &e.Value)
	case *ast.GeneratorExp:
		l.comprehension(e, e.Generators, &e.Elt, nil)
	case *ast.Yield:
		if e.Value != nil {
			e.Value = l.expr(e.Value)
		}
	case *ast.YieldFrom:
		e.Value = l.expr(e.Value)
	case *ast.Compare:
		e.Left = l.expr(e.Left)
		l.exprs(e.Comparators)
	case *ast.Call:
		return l.call(e)
	case *ast.Attribute:
		e.Value = l.expr(e.Value)
	case *ast.Subscript:
		e.Value = l.expr(e.Value)
		l.slice(e.Slice)
	case *ast.Starred:
		if e.Ctx == ast.Load {
			l.failAt(e, "can't use starred expression here")
		}
		e.Value = l.expr(e.Value)
	case *ast.List:
		if e.Ctx == ast.Load && hasStar(e.Elts) {
			return l.list(e, e.Elts)
		}
		l.exprs(e.Elts)
	case *ast.Tuple:
		if e.Ctx == ast.Load && hasStar(e.Elts) {
			return operation(e, TupleOf, l.list(e, e.Elts))
		}
		l.exprs(e.Elts)
	}
	return e
}

func (l *lowerer) slice(s ast.Slicer) {
	switch s := s.(type) {
	case *ast.Index:
		s.Value = l.expr(s.Value)
	case *ast.Slice:
		for _, part := range []*ast.Expr{&s.Lower, &s.Upper, &s.Step} {
			if *part != nil {
				*part = l.expr(*part)
			}
		}
	case *ast.ExtSlice:
		for _, dim := range s.Dims {
			l.slice(dim)
		}
	}
}

func (l *lowerer) arguments(a *ast.Arguments) {
	l.exprs(a.Defaults)
	l.exprs(a.KwDefaults)
}

// inFunction lowers code that is in a function.
func (l *lowerer) inFunction(lower func()) {
	function, class, outer := l.function, l.class, l.outer
	l.function, l.outer = true, len(l.loops)
	lower()
	l.function, l.class, l.outer = function, class, outer
}

func (l *lowerer) stmts(all []ast.Stmt) []ast.Stmt {
	lowered := make([]ast.Stmt, 0, len(all))
	for _, s := range all {
		lowered = l.stmt(lowered, s)
	}
	return lowered
}

// stmt lowers a statement, and adds what takes its place to others.
func (l *lowerer) stmt(to []ast.Stmt, s ast.Stmt) []ast.Stmt {
	switch s := s.(type) {
	case *AnnAssign:
		return append(to, l.annotated(s)...)
	case *ast.FunctionDef:
		if s.Name == "__del__" && l.class != "" && !l.function {
			l.refuse(s, "__del__ methods")
		}
		l.exprs(s.DecoratorList)
		l.arguments(s.Args)
		l.signature(s)
		l.inFunction(func() { s.Body = l.stmts(s.Body) })
		l.slash(s)
		return l.decorated(to, s)
	case *ast.ClassDef:
		l.classDef(s)
	case *ast.Return:
		if s.Value != nil {
			s.Value = l.expr(s.Value)
		}
	case *ast.Delete:
		l.exprs(s.Targets)
	case *ast.Assign:
		s.Value = l.expr(s.Value)
		l.exprs(s.Targets)
	case *ast.AugAssign:
		s.Target, s.Value = l.expr(s.Target), l.expr(s.Value)
	case *ast.For:
		s.Target, s.Iter = l.expr(s.Target), l.expr(s.Iter)
		s.Body, s.Orelse = l.stmts(s.Body), l.stmts(s.Orelse)
		return append(to, l.hold(s))
	case *ast.While:
		s.Test = l.expr(s.Test)
		s.Body, s.Orelse = l.stmts(s.Body), l.stmts(s.Orelse)
	case *ast.If:
		s.Test = l.expr(s.Test)
		s.Body, s.Orelse = l.stmts(s.Body), l.stmts(s.Orelse)
	case *ast.With:
		for _, item := range s.Items {
			item.ContextExpr = l.expr(item.ContextExpr)
			if item.OptionalVars != nil {
				item.OptionalVars = l.expr(item.OptionalVars)
			}
		}
		s.Body = l.stmts(s.Body)
	case *ast.Raise:
		if s.Exc != nil {
			s.Exc = l.expr(s.Exc)
		}
		if s.Cause != nil {
			s.Cause = l.expr(s.Cause)
		}
	case *ast.Try:
		s.Body = l.stmts(s.Body)
		for _, h := range s.Handlers {
			if h.ExprType != nil {
				h.ExprType = l.expr(h.ExprType)
			}
			h.Body = l.stmts(h.Body)
		}
		s.Orelse, s.Finalbody = l.stmts(s.Orelse), l.stmts(s.Finalbody)
	case *ast.Assert:
		s.Test = l.expr(s.Test)
		if s.Msg != nil {
			s.Msg = l.expr(s.Msg)
		}
	case *ast.ExprStmt:
		// A str here could be a docstring, and an f-string is none.
		if j, ok := s.Value.(*JoinedStr); ok {
			s.Value = l.joined(j, false)
		} else {
			s.Value = l.expr(s.Value)
		}
	}
	return append(to, s)
}

// hold puts a loop over what a call returns into a with statement that closes a generator which the
// call has made: CPython does that when the loop is left. The call may be within one of enumerate.
func (l *lowerer) hold(s *ast.For) ast.Stmt {
	if !l.holds {
		return s
	}
	iter := &s.Iter
	call, ok := s.Iter.(*ast.Call)
	if !ok {
		return s
	}
	if name, ok := call.Func.(*ast.Name); ok && name.Id == "enumerate" && len(call.Args) > 0 {
		iter = &call.Args[0]
		if call, ok = call.Args[0].(*ast.Call); !ok {
			return s
		}
	}
	if _, ok := call.Func.(*ast.Num); ok || len(call.Args) == mostDirect {
		return s // an operation, among others
	}
	*iter = operation(s, Held)
	held := *call
	held.Func, held.Args = &ast.Num{ExprBase: base(call), N: HoldCall}, append([]ast.Expr{call.Func}, call.Args...)
	return &ast.With{StmtBase: s.StmtBase, Items: []*ast.WithItem{{Pos: call.Pos, ContextExpr: &held}}, Body: []ast.Stmt{s}}
}

func (l *lowerer) classDef(s *ast.ClassDef) {
	l.exprs(s.DecoratorList)
	call := &ast.Call{ExprBase: ast.ExprBase{Pos: s.Pos}, Args: s.Bases, Keywords: s.Keywords}
	if !isDirect(call) {
		l.refuse(s, "some forms of unpacking among the bases of a class")
	}
	l.direct(call)
	s.Bases, s.Keywords, s.Starargs, s.Kwargs = call.Args, call.Keywords, call.Starargs, call.Kwargs
	function, class := l.function, l.class
	l.function, l.class = false, string(s.Name)
	loops := l.loops
	l.loops = nil
	s.Body = l.block(s.Body)
	l.function, l.class, l.loops = function, class, loops
}
