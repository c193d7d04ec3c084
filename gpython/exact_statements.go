package gpython

// What exact.go looks for in statements and definitions.

import (
	"strings"

	"github.com/go-python/gpython/ast"

	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

func (r *reading) statement(s ast.Stmt) {
	line := s.GetLineno()
	switch s := s.(type) {
	case *ast.FunctionDef:
		r.function(s)
	case *ast.ClassDef:
		r.class(s)
	case *ast.Return:
		if s.Value != nil {
			if r.scope != nil && r.scope.isInit {
				r.differs(line, "a result of __init__")
			}
			r.expression(s.Value)
		}
	case *ast.Delete:
		r.expressions(s.Targets)
	case *ast.Assign:
		r.expression(s.Value)
		r.expressions(s.Targets)
	case *syntax.AnnAssign: // nothing computes the annotation
		r.optional(s.Value)
		r.expression(s.Target)
	case *ast.AugAssign:
		r.expression(s.Target)
		r.expression(s.Value)
	case *ast.For:
		r.expressions([]ast.Expr{s.Iter, s.Target})
		r.block(s.Body)
		r.block(s.Orelse)
	case *ast.While:
		r.expression(s.Test)
		r.block(s.Body)
		r.block(s.Orelse)
	case *ast.If:
		r.expression(s.Test)
		r.block(s.Body)
		r.block(s.Orelse)
	case *ast.With:
		r.cleansUp()
		for _, item := range s.Items {
			r.expression(item.ContextExpr)
			r.optional(item.OptionalVars)
		}
		r.block(s.Body)
	case *ast.Raise:
		r.optional(s.Exc)
		r.optional(s.Cause)
	case *ast.Try:
		r.cleansUp()
		r.block(s.Body)
		for _, h := range s.Handlers {
			r.optional(h.ExprType)
			r.catches = r.catches || h.Name != ""
			r.bind(string(h.Name), h.GetLineno())
			r.block(h.Body)
		}
		r.block(s.Orelse)
		r.block(s.Finalbody)
	case *ast.Assert:
		r.expression(s.Test)
		r.optional(s.Msg)
	case *ast.Import:
		r.imports(s)
	case *ast.ImportFrom:
		r.importsFrom(s)
	case *ast.ExprStmt:
		r.expression(s.Value)
	case *ast.Global, *ast.Nonlocal, *ast.Pass, *ast.Break, *ast.Continue:
	default:
		r.differs(line, "a statement that is not in the list")
	}
}

// cleansUp notes a try or with. In a generator it differs: one that is dropped before its end is
// not closed here.
func (r *reading) cleansUp() {
	if r.scope != nil {
		r.scope.cleansUp = true
	}
}

func (r *reading) optional(e ast.Expr) {
	if e != nil {
		r.expression(e)
	}
}

func (r *reading) expressions(list []ast.Expr) {
	for _, e := range list {
		r.expression(e)
	}
}

func (r *reading) function(f *ast.FunctionDef) {
	line := f.GetLineno()
	name := string(f.Name)
	isMethod := r.scope != nil && r.scope.class
	if isMethod {
		r.attributes[name] = true
		if isSpecial(name) && !exactSpecial[name] {
			r.differs(line, "the method %s", name)
		}
	} else {
		r.bind(name, line)
	}
	for _, d := range f.DecoratorList {
		if n, ok := d.(*ast.Name); ok && isMethod && exactDecorators[string(n.Id)] {
			continue
		}
		r.expression(d)
	}
	r.parameters(f.Args, line)
	if isMethod && len(f.Args.Args) > 0 {
		r.selves[string(f.Args.Args[0].Arg)] = true
	}
	in := &scope{around: r.scope, isInit: isMethod && name == "__init__"}
	r.scope = in
	r.block(f.Body)
	r.scope = in.around
	if in.yields && (in.cleansUp || in.isInit) {
		r.differs(line, "a generator with try or with")
	}
}

func (r *reading) parameters(a *ast.Arguments, line int) {
	r.expressions(a.Defaults)
	for _, d := range a.KwDefaults {
		r.optional(d)
	}
	for _, list := range [][]*ast.Arg{a.Args, a.Kwonlyargs, {a.Vararg, a.Kwarg}} {
		for _, p := range list {
			if p != nil {
				r.bind(string(p.Arg), line)
			}
		}
	}
}

func (r *reading) class(c *ast.ClassDef) {
	line := c.GetLineno()
	r.bind(string(c.Name), line)
	if len(c.Keywords) > 0 || len(c.DecoratorList) > 0 || len(c.Bases) > 1 || r.scope != nil && r.scope.class {
		r.differs(line, "the class %s, which has more than one base, keywords, a decorator, or a class around it", c.Name)
	}
	for _, base := range c.Bases {
		n, ok := base.(*ast.Name)
		switch {
		case !ok:
			r.differs(line, "a base of class %s", c.Name)
		case string(n.Id) == "object":
		case exactBuiltins[string(n.Id)] != nil && !isException(string(n.Id)):
			r.differs(line, "class %s, which is derived from %s", c.Name, n.Id)
		default:
			r.expression(n)
		}
	}
	r.scope = &scope{around: r.scope, class: true}
	for i, s := range c.Body {
		switch s := s.(type) {
		case *ast.FunctionDef, *ast.Pass:
			r.statement(s)
		case *ast.Assign:
			r.classVariable(s.GetLineno(), s.Value, s.Targets...)
		case *syntax.AnnAssign:
			if s.Value != nil {
				r.classVariable(s.GetLineno(), s.Value, s.Target)
			}
		case *ast.ExprStmt:
			if _, isText := s.Value.(*ast.Str); !isText || i > 0 {
				r.differs(s.GetLineno(), "an expression in a class")
			}
			r.expression(s.Value)
		default:
			r.differs(s.GetLineno(), "a statement in a class that is not in the list")
		}
	}
	r.scope = r.scope.around
}

// classVariable reads an assignment in a class. A function there would become a method.
func (r *reading) classVariable(line int, value ast.Expr, targets ...ast.Expr) {
	for _, target := range targets {
		name, ok := target.(*ast.Name)
		if !ok || isSpecial(string(name.Id)) {
			r.differs(line, "an assignment in a class")
			continue
		}
		r.attributes[string(name.Id)] = true
	}
	switch value.(type) {
	case *ast.Num, *ast.Str, *ast.Bytes, *ast.NameConstant, *ast.List, *ast.Tuple, *ast.Dict:
	default:
		r.differs(line, "an assignment in a class")
	}
	r.expression(value)
}

// isSpecial tells whether a name is one that Python gives a meaning.
func isSpecial(name string) bool {
	return strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

func isException(name string) bool {
	return strings.HasSuffix(name, "Error") || strings.HasSuffix(name, "Exception") || name == "StopIteration"
}
