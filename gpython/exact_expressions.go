package gpython

// What exact.go looks for in expressions.

import (
	"slices"

	"github.com/go-python/gpython/ast"

	"github.com/go-execnet/execnet/gpython/internal/syntax"
)

func (r *reading) expression(e ast.Expr) {
	line := e.GetLineno()
	switch e := e.(type) {
	case *ast.BoolOp:
		r.expressions(e.Values)
	case *ast.BinOp:
		r.expression(e.Left)
		r.expression(e.Right)
	case *ast.UnaryOp:
		r.expression(e.Operand)
	case *ast.Lambda:
		r.parameters(e.Args, line)
		in := &scope{around: r.scope}
		r.scope = in
		r.expression(e.Body)
		r.scope = in.around
		if in.yields {
			r.differs(line, "yield in a lambda")
		}
	case *ast.IfExp:
		r.expressions([]ast.Expr{e.Test, e.Body, e.Orelse})
	case *ast.Dict:
		for _, key := range e.Keys {
			r.optional(key) // nil stands for **
		}
		r.expressions(e.Values)
	case *ast.ListComp:
		r.comprehension(e.Generators)
		r.expression(e.Elt)
	case *ast.GeneratorExp:
		r.comprehension(e.Generators)
		r.expression(e.Elt)
	case *ast.DictComp:
		r.comprehension(e.Generators)
		r.expression(e.Key)
		r.expression(e.Value)
	case *ast.Yield:
		r.yields(line)
		r.optional(e.Value)
	case *ast.YieldFrom:
		r.yields(line)
		r.expression(e.Value)
	case *ast.Compare:
		r.compare(e)
	case *ast.Call:
		r.call(e)
	case *ast.Num, *ast.Str, *ast.Bytes, *ast.NameConstant:
	case *syntax.JoinedStr:
		r.expressions(e.Values)
	case *syntax.FormattedValue:
		r.expression(e.Value)
		if e.Format != nil {
			r.expression(e.Format)
		}
	case *syntax.NamedExpr:
		r.expression(e.Target)
		r.expression(e.Value)
	case *ast.Attribute:
		r.attribute(e, nil, false)
	case *ast.Subscript:
		r.expression(e.Value)
		r.slice(e.Slice)
	case *ast.Name:
		r.name(e)
	case *ast.List:
		r.items(e.Elts)
	case *ast.Tuple:
		r.items(e.Elts)
	case *ast.Set, *ast.SetComp:
		r.differs(line, "the order of a set")
	default:
		r.differs(line, "an expression that is not in the list")
	}
}

// items reads the items of a list or tuple.
func (r *reading) items(list []ast.Expr) {
	for _, e := range list {
		if star, ok := e.(*ast.Starred); ok {
			e = star.Value
		}
		r.expression(e)
	}
}

func (r *reading) comprehension(list []ast.Comprehension) {
	for _, c := range list {
		r.expressions([]ast.Expr{c.Iter, c.Target})
		r.expressions(c.Ifs)
	}
}

func (r *reading) yields(line int) {
	if r.scope == nil || r.scope.class {
		r.differs(line, "yield outside of a function")
		return
	}
	r.scope.yields = true
}

// compare reads comparisons. Which equal values are the same object differs.
func (r *reading) compare(c *ast.Compare) {
	left := c.Left
	r.expression(left)
	for i, right := range c.Comparators {
		switch c.Ops[i] {
		case ast.Is, ast.IsNot:
			_, constant := left.(*ast.NameConstant)
			if _, ok := right.(*ast.NameConstant); !ok && !constant {
				r.differs(c.GetLineno(), "is")
			}
			r.expression(right)
		case ast.In, ast.NotIn:
			r.unordered(right)
		default:
			r.expression(right)
		}
		left = right
	}
}

// unordered reads an expression that may be a set, because nothing depends on its order.
func (r *reading) unordered(e ast.Expr) {
	switch e := e.(type) {
	case *ast.Set:
		r.expressions(e.Elts)
		return
	case *ast.SetComp:
		r.comprehension(e.Generators)
		r.expression(e.Elt)
		return
	case *ast.Call:
		if n, ok := e.Func.(*ast.Name); ok && (n.Id == "set" || n.Id == "frozenset") && len(e.Args) < 2 && len(e.Keywords) == 0 {
			r.expressions(e.Args)
			return
		}
	}
	r.expression(e)
}

// call reads a call.
func (r *reading) call(c *ast.Call) {
	line := c.GetLineno()
	f, isName := c.Func.(*ast.Name)
	orderless := isName && len(c.Args) == 1 && len(c.Keywords) == 0 && exactOrderless[string(f.Id)]
	for _, arg := range c.Args {
		star, isStar := arg.(*ast.Starred)
		switch {
		case isStar:
			r.expression(star.Value)
		case orderless:
			r.unordered(arg)
		case isName && (f.Id == "map" || f.Id == "filter"):
			r.argument(arg)
		default:
			r.expression(arg)
		}
	}
	for _, k := range c.Keywords {
		r.argument(k.Value)
	}
	switch f := c.Func.(type) {
	case *ast.Name:
		if len(c.Keywords) == 0 {
			r.use(string(f.Id), line)
		} else {
			r.uses = append(r.uses, use{name: string(f.Id), line: line, keywords: c.Keywords})
		}
	case *ast.Attribute:
		r.attribute(f, c.Keywords, true)
	default:
		r.expression(f)
	}
}

// argument reads an argument that is called, as key=str.lower is.
func (r *reading) argument(e ast.Expr) {
	if a, ok := e.(*ast.Attribute); ok {
		r.attribute(a, nil, true)
		return
	}
	r.expression(e)
}

// attribute reads an attribute, with the keywords if it is called.
func (r *reading) attribute(a *ast.Attribute, keywords []*ast.Keyword, called bool) {
	start := len(r.paths)
	r.paths = append(r.paths, string(a.Attr))
	root := a.Value
	for {
		inner, ok := root.(*ast.Attribute)
		if !ok {
			break
		}
		r.paths = append(r.paths, string(inner.Attr))
		root = inner.Value
	}
	attributes := r.paths[start:len(r.paths):len(r.paths)]
	slices.Reverse(attributes)
	var name string
	switch root := root.(type) {
	case *ast.Name:
		name = string(root.Id)
	case *ast.Call:
		if f, ok := root.Func.(*ast.Name); ok && f.Id == "super" && len(root.Args) == 0 && len(attributes) == 1 && a.Attr == "__init__" {
			return
		}
		r.expression(root)
	default:
		r.expression(root)
	}
	stores := a.Ctx != ast.Load
	if stores {
		r.attributes[string(a.Attr)] = true
	}
	r.uses = append(r.uses, use{name: name, attributes: attributes, line: a.GetLineno(), keywords: keywords, called: called, stores: stores})
}

// name reads a name, or binds it.
func (r *reading) name(n *ast.Name) {
	if n.Ctx != ast.Load {
		r.bind(string(n.Id), n.GetLineno())
		return
	}
	r.use(string(n.Id), n.GetLineno())
}

// use notes that a name is read, if it has not been read in a line before.
func (r *reading) use(name string, line int) {
	if first, ok := r.noted[name]; ok && first <= line {
		return
	}
	r.noted[name] = line
	r.uses = append(r.uses, use{name: name, line: line})
}

func (r *reading) slice(s ast.Slicer) {
	switch s := s.(type) {
	case *ast.Index:
		r.expression(s.Value)
	case *ast.Slice:
		r.optional(s.Lower)
		r.optional(s.Upper)
		r.optional(s.Step)
	default:
		r.differs(s.GetLineno(), "an index of several slices")
	}
}
