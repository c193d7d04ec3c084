package syntax

import (
	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// Annotations are not evaluated: pip's worker compiles programs with the annotations of PEP 563, so
// each is a str, with the expression as CPython's ast.unparse writes it.

// signature makes the annotations of a function their texts.
func (l *lowerer) signature(f *ast.FunctionDef) {
	a := f.Args
	all := append(append([]*ast.Arg{a.Vararg, a.Kwarg}, a.Args...), a.Kwonlyargs...)
	for _, arg := range all {
		if arg != nil && arg.Annotation != nil {
			arg.Annotation = str(arg.Annotation, l.unparse(arg.Annotation))
		}
	}
	if f.Returns != nil {
		f.Returns = str(f.Returns, l.unparse(f.Returns))
	}
}

// annotated is target: annotation = value.
func (l *lowerer) annotated(s *AnnAssign) []ast.Stmt {
	var all []ast.Stmt
	base := s.StmtBase
	target := l.expr(s.Target)
	name, isName := target.(*ast.Name)
	switch {
	case s.Value != nil:
		all = append(all, &ast.Assign{StmtBase: base, Targets: []ast.Expr{target}, Value: l.expr(s.Value)})
	case isName && l.function:
		// It makes the name local, and does nothing.
		never := &ast.NameConstant{ExprBase: name.ExprBase, Value: py.False}
		set := &ast.Assign{StmtBase: base, Targets: []ast.Expr{name}, Value: never}
		all = append(all, &ast.If{StmtBase: base, Test: never, Body: []ast.Stmt{set}})
	case !isName:
		all = append(all, l.evaluated(target)...)
	}
	if !s.Simple || l.function {
		if len(all) == 0 {
			all = append(all, &ast.Pass{StmtBase: base})
		}
		return all
	}
	l.annotates = true
	annotations := &ast.Name{ExprBase: name.ExprBase, Id: "__annotations__", Ctx: ast.Load}
	key := &ast.Index{SliceBase: ast.SliceBase{Pos: s.Pos}, Value: str(s, string(l.mangle(name.Id)))}
	item := &ast.Subscript{ExprBase: name.ExprBase, Value: annotations, Slice: key, Ctx: ast.Store}
	return append(all, &ast.Assign{StmtBase: base, Targets: []ast.Expr{item}, Value: str(s.Annotation, l.unparse(s.Annotation))})
}

// evaluated are the parts of a target that is annotated and gets no value: CPython evaluates them.
func (l *lowerer) evaluated(target ast.Expr) []ast.Stmt {
	statement := func(e ast.Expr) ast.Stmt {
		return &ast.ExprStmt{StmtBase: ast.StmtBase{Pos: ast.Pos{Lineno: e.GetLineno(), ColOffset: e.GetColOffset()}}, Value: e}
	}
	switch t := target.(type) {
	case *ast.Attribute:
		return []ast.Stmt{statement(t.Value)}
	case *ast.Subscript:
		index, ok := t.Slice.(*ast.Index)
		if !ok {
			l.refuse(t, "annotations of slices")
		}
		return []ast.Stmt{statement(t.Value), statement(index.Value)}
	}
	return nil
}

// block lowers the statements of a module or class. If variables are annotated there, the first
// thing that it does is to have __annotations__.
func (l *lowerer) block(body []ast.Stmt) []ast.Stmt {
	outer := l.annotates
	l.annotates = false
	body = l.stmts(body)
	annotates := l.annotates
	l.annotates = outer
	if !annotates {
		return body
	}
	at := 0
	if len(body) > 0 && isDocstring(body[0]) {
		at = 1
	}
	for at < len(body) && isFuture(body[at]) {
		at++
	}
	place := body[min(at, len(body)-1)]
	name := &ast.Name{ExprBase: base(place), Id: "__annotations__", Ctx: ast.Store}
	set := &ast.Assign{StmtBase: ast.StmtBase{Pos: name.Pos}, Targets: []ast.Expr{name}, Value: operation(place, Annotations)}
	return append(body[:at:at], append([]ast.Stmt{set}, body[at:]...)...)
}

func isDocstring(s ast.Stmt) bool {
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	_, ok = e.Value.(*ast.Str)
	return ok
}

func isFuture(s ast.Stmt) bool {
	i, ok := s.(*ast.ImportFrom)
	return ok && i.Module == "__future__" && i.Level == 0
}
