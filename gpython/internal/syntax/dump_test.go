package syntax

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"
)

// dumper writes a tree as testdata/dump.py does. Places within f-strings are those of Python 3.12.
type dumper struct {
	out            []string
	exactFStrings  bool
	unplaced       int // more than 0 where places are not written
	unplacedInText bool
}

func (d *dumper) add(texts ...string) { d.out = append(d.out, texts...) }

func (d *dumper) open(name string, node ast.Ast) {
	d.add("(" + name)
	if d.unplaced == 0 {
		d.add(fmt.Sprintf("%d:%d", node.GetLineno(), node.GetColOffset()))
	}
}

// node writes a node with its parts.
func (d *dumper) node(name string, node ast.Ast, parts ...any) {
	d.open(name, node)
	d.parts(parts)
	d.add(")")
}

func (d *dumper) parts(parts []any) {
	for _, part := range parts {
		switch x := part.(type) {
		case string:
			d.add(x)
		case ast.Identifier:
			d.add(name(x))
		case []ast.Identifier:
			d.add("[")
			for _, n := range x {
				d.add(string(n))
			}
			d.add("]")
		case []ast.Expr:
			d.add("[")
			for _, e := range x {
				d.expr(e)
			}
			d.add("]")
		case []ast.Stmt:
			d.add("[")
			for _, s := range x {
				d.stmt(s)
			}
			d.add("]")
		case []*ast.Keyword:
			d.add("[")
			for _, k := range x {
				d.node("keyword", k, k.Arg, k.Value)
			}
			d.add("]")
		case []*ast.Alias:
			d.add("[")
			for _, a := range x {
				d.node("alias", a, string(a.Name), a.AsName)
			}
			d.add("]")
		case []ast.Comprehension:
			d.add("[")
			for _, c := range x {
				d.add("(comprehension")
				d.parts([]any{c.Target, c.Iter, c.Ifs})
				d.add(")")
			}
			d.add("]")
		case *ast.Arguments:
			d.add("(arguments")
			slash := slices.IndexFunc(x.Args, func(a *ast.Arg) bool { return a.Arg == Slash })
			d.parts([]any{x.Args[:max(slash, 0)], x.Args[slash+1:], x.Vararg, x.Kwonlyargs, x.KwDefaults, x.Kwarg, x.Defaults})
			d.add(")")
		case []*ast.Arg:
			d.add("[")
			for _, a := range x {
				d.parts([]any{a})
			}
			d.add("]")
		case *ast.Arg:
			if x == nil {
				d.add("-")
			} else {
				d.node("arg", x, string(x.Arg), x.Annotation)
			}
		case ast.Slicer:
			d.slice(x)
		case ast.Expr:
			d.expr(x)
		case nil:
			d.add("-")
		default:
			panic(fmt.Sprintf("%T", x))
		}
	}
}

func name(n ast.Identifier) string {
	if n == "" {
		return "-"
	}
	return string(n)
}

func (d *dumper) slice(s ast.Slicer) {
	switch s := s.(type) {
	case nil:
		d.add("-")
	case *ast.Index:
		d.expr(s.Value)
	case *ast.Slice:
		d.node("Slice", s, s.Lower, s.Upper, s.Step)
	case *ast.ExtSlice:
		d.open("Tuple", s)
		d.add("[")
		for _, dim := range s.Dims {
			d.slice(dim)
		}
		d.add("]", "Load", ")")
	}
}

func context(c ast.ExprContext) string { return strings.TrimSuffix(c.String(), "()") }

func operatorName(op ast.OperatorNumber) string {
	return strings.TrimSuffix(op.String(), "()")
}

func (d *dumper) constant(e ast.Expr, text string) {
	if d.unplacedInText {
		d.unplaced++
		defer func() { d.unplaced-- }()
	}
	d.node("Constant", e, text)
}

func float(f float64) string {
	b := math.Float64bits(f)
	return hex.EncodeToString([]byte{byte(b >> 56), byte(b >> 48), byte(b >> 40), byte(b >> 32), byte(b >> 24), byte(b >> 16), byte(b >> 8), byte(b)})
}

func (d *dumper) number(e *ast.Num) {
	switch n := e.N.(type) {
	case py.Int:
		d.constant(e, "i"+strconv.FormatInt(int64(n), 16))
	case *py.BigInt:
		d.constant(e, "i"+(*big.Int)(n).Text(16))
	case py.Float:
		d.constant(e, "f"+float(float64(n)))
	case py.Complex:
		d.constant(e, "c"+float(imag(n)))
	}
}

// values writes the values of an f-string, or of a format.
func (d *dumper) values(j *JoinedStr) {
	if !d.exactFStrings {
		d.unplaced++
		defer func() { d.unplaced-- }()
	}
	for _, v := range j.Values {
		d.unplacedInText = true
		if _, text := v.(*ast.Str); !text {
			d.unplacedInText = false
		}
		d.expr(v)
		d.unplacedInText = false
	}
}

func (d *dumper) expr(e ast.Expr) {
	switch e := e.(type) {
	case nil:
		d.add("-")
	case *JoinedStr:
		d.open("JoinedStr", e)
		d.values(e)
		d.add(")")
	case *FormattedValue:
		d.open("FormattedValue", e)
		d.expr(e.Value)
		conversion := -1
		if e.Conversion != 0 {
			conversion = int(e.Conversion)
		}
		d.add(strconv.Itoa(conversion))
		if e.Format == nil {
			d.add("-")
		} else {
			d.add("(format")
			d.values(e.Format)
			d.add(")")
		}
		d.add(")")
	case *NamedExpr:
		d.node("NamedExpr", e, e.Target, e.Value)
	case *ast.BoolOp:
		d.node("BoolOp", e, strings.TrimSuffix(e.Op.String(), "()"), e.Values)
	case *ast.BinOp:
		d.node("BinOp", e, e.Left, operatorName(e.Op), e.Right)
	case *ast.UnaryOp:
		d.node("UnaryOp", e, strings.TrimSuffix(e.Op.String(), "()"), e.Operand)
	case *ast.Lambda:
		d.node("Lambda", e, e.Args, e.Body)
	case *ast.IfExp:
		d.node("IfExp", e, e.Test, e.Body, e.Orelse)
	case *ast.Dict:
		d.node("Dict", e, e.Keys, e.Values)
	case *ast.Set:
		d.node("Set", e, e.Elts)
	case *ast.ListComp:
		d.node("ListComp", e, e.Elt, e.Generators)
	case *ast.SetComp:
		d.node("SetComp", e, e.Elt, e.Generators)
	case *ast.DictComp:
		d.node("DictComp", e, e.Key, e.Value, e.Generators)
	case *ast.GeneratorExp:
		d.node("GeneratorExp", e, e.Elt, e.Generators)
	case *ast.Yield:
		d.node("Yield", e, e.Value)
	case *ast.YieldFrom:
		d.node("YieldFrom", e, e.Value)
	case *ast.Compare:
		d.open("Compare", e)
		d.expr(e.Left)
		d.add("[")
		for _, op := range e.Ops {
			d.add(strings.TrimSuffix(op.String(), "()"))
		}
		d.add("]")
		d.parts([]any{e.Comparators})
		d.add(")")
	case *ast.Call:
		d.node("Call", e, e.Func, e.Args, e.Keywords)
	case *ast.Num:
		d.number(e)
	case *ast.Str:
		d.constant(e, fmt.Sprintf("s%d:%s", utf8.RuneCountInString(string(e.S)), e.S))
	case *ast.Bytes:
		var text strings.Builder
		for _, c := range e.S {
			text.WriteRune(rune(c))
		}
		d.constant(e, fmt.Sprintf("b%d:%s", len(e.S), text.String()))
	case *ast.NameConstant:
		d.constant(e, map[py.Object]string{py.None: "None", py.True: "True", py.False: "False"}[e.Value])
	case *ast.Ellipsis:
		d.constant(e, "Ellipsis")
	case *ast.Attribute:
		d.node("Attribute", e, e.Value, e.Attr, context(e.Ctx))
	case *ast.Subscript:
		d.node("Subscript", e, e.Value, e.Slice, context(e.Ctx))
	case *ast.Starred:
		d.node("Starred", e, e.Value, context(e.Ctx))
	case *ast.Name:
		d.node("Name", e, e.Id, context(e.Ctx))
	case *ast.List:
		d.node("List", e, e.Elts, context(e.Ctx))
	case *ast.Tuple:
		d.node("Tuple", e, e.Elts, context(e.Ctx))
	default:
		panic(fmt.Sprintf("%T", e))
	}
}

func (d *dumper) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *AnnAssign:
		simple := "0"
		if s.Simple {
			simple = "1"
		}
		d.node("AnnAssign", s, s.Target, s.Annotation, s.Value, simple)
	case *ast.FunctionDef:
		d.node("FunctionDef", s, s.Name, s.Args, s.Body, s.DecoratorList, s.Returns)
	case *ast.ClassDef:
		d.node("ClassDef", s, s.Name, s.Bases, s.Keywords, s.Body, s.DecoratorList)
	case *ast.Return:
		d.node("Return", s, s.Value)
	case *ast.Delete:
		d.node("Delete", s, s.Targets)
	case *ast.Assign:
		d.node("Assign", s, s.Targets, s.Value)
	case *ast.AugAssign:
		d.node("AugAssign", s, s.Target, operatorName(s.Op), s.Value)
	case *ast.For:
		d.node("For", s, s.Target, s.Iter, s.Body, s.Orelse)
	case *ast.While:
		d.node("While", s, s.Test, s.Body, s.Orelse)
	case *ast.If:
		d.node("If", s, s.Test, s.Body, s.Orelse)
	case *ast.With:
		d.open("With", s)
		d.add("[")
		for _, item := range s.Items {
			d.add("(withitem")
			d.parts([]any{item.ContextExpr, item.OptionalVars})
			d.add(")")
		}
		d.add("]")
		d.parts([]any{s.Body})
		d.add(")")
	case *ast.Raise:
		d.node("Raise", s, s.Exc, s.Cause)
	case *ast.Try:
		d.open("Try", s)
		d.parts([]any{s.Body})
		d.add("[")
		for _, h := range s.Handlers {
			d.node("ExceptHandler", h, h.ExprType, h.Name, h.Body)
		}
		d.add("]")
		d.parts([]any{s.Orelse, s.Finalbody})
		d.add(")")
	case *ast.Assert:
		d.node("Assert", s, s.Test, s.Msg)
	case *ast.Import:
		d.node("Import", s, s.Names)
	case *ast.ImportFrom:
		d.node("ImportFrom", s, s.Module, s.Names, strconv.Itoa(s.Level))
	case *ast.Global:
		d.node("Global", s, s.Names)
	case *ast.Nonlocal:
		d.node("Nonlocal", s, s.Names)
	case *ast.ExprStmt:
		d.node("Expr", s, s.Value)
	case *ast.Pass:
		d.node("Pass", s)
	case *ast.Break:
		d.node("Break", s)
	case *ast.Continue:
		d.node("Continue", s)
	default:
		panic(fmt.Sprintf("%T", s))
	}
}

// dump is a module as testdata/dump.py writes it.
func dump(tree ast.Mod, exactFStrings bool) string {
	d := &dumper{exactFStrings: exactFStrings}
	d.add("(Module")
	d.parts([]any{tree.(*ast.Module).Body})
	d.add(")")
	return strings.Join(d.out, "\n")
}
