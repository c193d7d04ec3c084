package syntax

import (
	"github.com/go-python/gpython/ast"
)

// joined is an f-string. One without replacement fields is a str, if that is wanted.
func (l *lowerer) joined(j *JoinedStr, plain bool) ast.Expr {
	parts := make([]ast.Expr, len(j.Values))
	for i, v := range j.Values {
		if f, ok := v.(*FormattedValue); ok {
			parts[i] = l.formatted(f)
		} else {
			parts[i] = v
		}
	}
	switch len(parts) {
	case 0:
		parts = []ast.Expr{str(j, "")}
		fallthrough
	case 1:
		if _, text := parts[0].(*ast.Str); !text || plain {
			return parts[0]
		}
	}
	return operation(j, Join, &ast.Tuple{ExprBase: j.ExprBase, Elts: parts, Ctx: ast.Load})
}

// formatted is a replacement field.
func (l *lowerer) formatted(f *FormattedValue) ast.Expr {
	value := l.expr(f.Value)
	var format ast.Expr = str(f, "")
	if f.Format != nil {
		format = l.joined(f.Format, true)
	}
	if f.Conversion == 0 {
		return operation(f, Format, value, format)
	}
	return operation(f, Format, value, format, str(f, string(f.Conversion)))
}

func hasStar(elts []ast.Expr) bool {
	for _, e := range elts {
		if _, ok := e.(*ast.Starred); ok {
			return true
		}
	}
	return false
}

// groups calls plain with the items between those that are unpacked, and star with these.
func (l *lowerer) groups(elts []ast.Expr, plain func(group []ast.Expr), star func(e ast.Expr)) {
	begin := 0
	for i, e := range elts {
		s, ok := e.(*ast.Starred)
		if ok {
			s.Value = l.expr(s.Value)
			if begin < i {
				plain(elts[begin:i])
			}
			star(s.Value)
			begin = i + 1
			continue
		}
		elts[i] = l.expr(e)
	}
	if begin < len(elts) {
		plain(elts[begin:])
	}
}

// list is a list some of whose items are unpacked. Each call gets the list of the one before, so
// that all is evaluated in the order of the source.
func (l *lowerer) list(at ast.Ast, elts []ast.Expr) ast.Expr {
	var made ast.Expr
	list := func(group []ast.Expr) ast.Expr {
		return &ast.List{ExprBase: base(at), Elts: group, Ctx: ast.Load}
	}
	extend := func(e ast.Expr) {
		if made == nil {
			made = list(nil)
		}
		made = operation(at, ExtendList, made, e)
	}
	l.groups(elts, func(group []ast.Expr) {
		if made == nil {
			made = list(group)
		} else {
			extend(list(group))
		}
	}, extend)
	return made
}

func base(at ast.Ast) ast.ExprBase {
	return ast.ExprBase{Pos: ast.Pos{Lineno: at.GetLineno(), ColOffset: at.GetColOffset()}}
}

func (l *lowerer) set(e *ast.Set) ast.Expr {
	if !hasStar(e.Elts) {
		l.exprs(e.Elts)
		return e
	}
	var made ast.Expr
	set := func(group []ast.Expr) ast.Expr { return &ast.Set{ExprBase: e.ExprBase, Elts: group} }
	update := func(x ast.Expr) {
		if made == nil {
			made = set(nil)
		}
		made = operation(e, UpdateSet, made, x)
	}
	l.groups(e.Elts, func(group []ast.Expr) {
		if made == nil {
			made = set(group)
		} else {
			update(set(group))
		}
	}, update)
	return made
}

func (l *lowerer) dict(e *ast.Dict) ast.Expr {
	var made ast.Expr
	group := &ast.Dict{ExprBase: e.ExprBase}
	flush := func() {
		switch {
		case made == nil:
			made = display(group)
		case len(group.Keys) > 0:
			made = operation(e, UpdateDict, made, display(group))
		}
		group = &ast.Dict{ExprBase: e.ExprBase}
	}
	for i, key := range e.Keys {
		if key != nil {
			key = l.expr(key)
			group.Keys, group.Values = append(group.Keys, key), append(group.Values, l.expr(e.Values[i]))
			if len(group.Keys) == mostTogether+2 {
				flush()
			}
			continue
		}
		value := l.expr(e.Values[i])
		flush()
		made = operation(e, UpdateDict, made, value)
	}
	flush()
	return made
}

// mostTogether is up to how many entries of a dict CPython evaluates before it hashes the first of
// their keys. It takes two more together, but hashes those one by one.
const mostTogether = 15

// display is a dict display without "**". Python 3.4 hashes each key before it evaluates the next
// one, which shows unless all are constants.
func display(d *ast.Dict) ast.Expr {
	together := false
	for _, key := range d.Keys {
		switch key.(type) {
		case *ast.Num, *ast.Str, *ast.Bytes, *ast.NameConstant:
		default:
			together = true
		}
	}
	if !together || len(d.Keys) == 1 || len(d.Keys) > mostTogether {
		return d
	}
	var pairs []ast.Expr
	for i, key := range d.Keys {
		pairs = append(pairs, key, d.Values[i])
	}
	return operation(d, DictOf, pairs...)
}

const mostDirect = 255 // what the instruction for a call has room for

// isDirect reports whether Python 3.4 can say a call: at most one argument with "*", and at most
// one with "**", each the last of its kind. Where Python 3.4 evaluates them in another order,
// keywords before "*", nobody must be able to see it.
func isDirect(c *ast.Call) bool {
	if len(c.Args) > mostDirect || len(c.Keywords) > mostDirect {
		return false
	}
	star := hasStar(c.Args)
	if star && hasStar(c.Args[:len(c.Args)-1]) {
		return false
	}
	if _, last := lastOf(c.Args).(*ast.Starred); star && !last {
		return false
	}
	for i, k := range c.Keywords {
		switch {
		case k.Arg == "" && i < len(c.Keywords)-1:
			return false
		case k.Arg != "" && star && !isConstant(k.Value):
			return false
		}
	}
	return true
}

func lastOf(all []ast.Expr) ast.Expr {
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func isConstant(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Num, *ast.Str, *ast.Bytes, *ast.NameConstant, *ast.Ellipsis:
		return true
	}
	return false
}

// direct lowers a call that Python 3.4 can say.
func (l *lowerer) direct(c *ast.Call) {
	if s, ok := lastOf(c.Args).(*ast.Starred); ok {
		c.Args, c.Starargs = c.Args[:len(c.Args)-1], s.Value
	}
	l.exprs(c.Args)
	if c.Starargs != nil {
		c.Starargs = l.expr(c.Starargs)
	}
	if n := len(c.Keywords); n > 0 && c.Keywords[n-1].Arg == "" {
		c.Keywords, c.Kwargs = c.Keywords[:n-1], c.Keywords[n-1].Value
	}
	for _, k := range c.Keywords {
		k.Value = l.expr(k.Value)
	}
	if c.Kwargs != nil {
		c.Kwargs = l.expr(c.Kwargs)
	}
}

// call is a call. One that Python 3.4 cannot say collects its arguments one by one.
func (l *lowerer) call(c *ast.Call) ast.Expr {
	c.Func = l.expr(c.Func)
	if isDirect(c) {
		l.direct(c)
		return c
	}
	made := operation(c, BeginCall, c.Func)
	l.groups(c.Args, func(group []ast.Expr) {
		made = operation(c, AddPositional, made, &ast.Tuple{ExprBase: c.ExprBase, Elts: group, Ctx: ast.Load})
	}, func(e ast.Expr) {
		op := AddStar
		if len(c.Args) == 1 {
			op = OnlyStar
		}
		made = operation(c, op, made, e)
	})
	for _, k := range c.Keywords {
		value := l.expr(k.Value)
		if k.Arg == "" {
			made = operation(c, AddMapping, made, value)
		} else {
			made = operation(c, AddKeyword, made, str(k, string(l.mangle(k.Arg))), value)
		}
	}
	return operation(c, EndCall, made)
}

// Named is a name that ":=" gives a value in a comprehension: it belongs to the code around.
type Named struct {
	// Loops are the comprehensions between that code and the name, the outermost first.
	Loops []ast.Expr
	// Name is the target.
	Name *ast.Name
}

// comprehensionLoop is a comprehension around an expression.
type comprehensionLoop struct {
	node    ast.Expr
	targets map[ast.Identifier]bool
	inIter  bool // the expression is in what it iterates over
	inClass bool
}

// NamedAttribute marks target := value, which is (value.:=).:= | target: the attributes have the
// context AugLoad, and the target Store. What the compiler makes of that balances its stack;
// package gpython puts the right instructions in its place.
const NamedAttribute = ":="

// name is target := value.
func (l *lowerer) name(e *NamedExpr) ast.Expr {
	loops := l.loops[l.outer:]
	for _, loop := range loops {
		switch {
		case loop.targets[e.Target.Id]:
			l.failAt(e, "assignment expression cannot rebind comprehension iteration variable '%s'", e.Target.Id)
		case loop.inIter:
			l.failAt(e, "assignment expression cannot be used in a comprehension iterable expression")
		case loop.inClass:
			l.failAt(e, "assignment expression within a comprehension cannot be used in a class body")
		}
	}
	if len(loops) > 0 {
		named := Named{Name: e.Target}
		for _, loop := range loops {
			named.Loops = append(named.Loops, loop.node)
		}
		l.named = append(l.named, named)
	}
	value := l.expr(e.Value)
	for range 2 {
		value = &ast.Attribute{ExprBase: base(value), Value: value, Attr: NamedAttribute, Ctx: ast.AugLoad}
	}
	return &ast.BinOp{ExprBase: e.ExprBase, Left: value, Op: ast.BitOr, Right: e.Target}
}

// comprehension lowers the parts of a comprehension.
func (l *lowerer) comprehension(e ast.Expr, generators []ast.Comprehension, elt, value *ast.Expr) {
	loop := comprehensionLoop{node: e, targets: make(map[ast.Identifier]bool), inClass: l.class != "" && !l.function}
	for i := range generators {
		collectNames(generators[i].Target, loop.targets)
	}
	l.loops = append(l.loops, loop)
	at := len(l.loops) - 1
	for i := range generators {
		c := &generators[i]
		l.loops[at].inIter = true
		c.Iter = l.expr(c.Iter)
		l.loops[at].inIter = false
		c.Target = l.expr(c.Target)
		l.exprs(c.Ifs)
	}
	*elt = l.expr(*elt)
	if value != nil {
		*value = l.expr(*value)
	}
	l.loops = l.loops[:at]
}

// collectNames adds the names that a target sets.
func collectNames(target ast.Expr, names map[ast.Identifier]bool) {
	switch e := target.(type) {
	case *ast.Name:
		names[e.Id] = true
	case *ast.Starred:
		collectNames(e.Value, names)
	case *ast.Tuple:
		for _, x := range e.Elts {
			collectNames(x, names)
		}
	case *ast.List:
		for _, x := range e.Elts {
			collectNames(x, names)
		}
	}
}
