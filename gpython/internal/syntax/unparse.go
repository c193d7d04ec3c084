package syntax

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/go-python/gpython/ast"
	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// How tight the parts of an expression bind, from the loosest on, as CPython's unparser has it.
const (
	bindTuple = iota
	bindTest
	bindOr
	bindAnd
	bindNot
	bindCompare
	bindBitOr // and the other binary operators, by their level
	bindTerm  = bindBitOr + 5
	bindUnary = bindTerm + 1
	bindPower = bindUnary + 1
	bindAwait = bindPower + 1
	bindAtom  = bindAwait + 1
)

// unparse is the text of an annotation.
func (l *lowerer) unparse(e ast.Expr) string {
	u := unparser{l: l}
	u.expr(e, bindTest)
	return u.b.String()
}

type unparser struct {
	l *lowerer
	b strings.Builder
}

func (u *unparser) add(texts ...string) {
	for _, text := range texts {
		u.b.WriteString(text)
	}
}

// within adds an expression that binds at a level, in parentheses if around it something binds
// tighter.
func (u *unparser) within(level, around int, write func()) {
	if around > level {
		u.add("(")
		defer u.add(")")
	}
	write()
}

func (u *unparser) list(elts []ast.Expr) {
	for i, e := range elts {
		if i > 0 {
			u.add(", ")
		}
		u.expr(e, bindTest)
	}
}

func (u *unparser) expr(e ast.Expr, around int) {
	switch e := e.(type) {
	case *ast.Name:
		u.add(string(e.Id))
	case *ast.Str, *ast.Bytes, *ast.Num, *ast.NameConstant, *ast.Ellipsis:
		u.constant(e)
	case *ast.Attribute:
		u.expr(e.Value, bindAtom)
		if n, ok := e.Value.(*ast.Num); ok {
			if _, isInt := n.N.(py.Int); isInt {
				u.add(" ")
			}
		}
		u.add(".", string(e.Attr))
	case *ast.Subscript:
		u.expr(e.Value, bindAtom)
		u.add("[")
		u.slice(e.Slice)
		u.add("]")
	case *ast.Call:
		u.call(e)
	case *ast.Tuple:
		if len(e.Elts) == 0 {
			u.add("()")
			return
		}
		u.within(bindTuple, around, func() {
			u.list(e.Elts)
			if len(e.Elts) == 1 {
				u.add(",")
			}
		})
	case *ast.List:
		u.add("[")
		u.list(e.Elts)
		u.add("]")
	case *ast.Starred:
		u.add("*")
		u.expr(e.Value, bindBitOr)
	case *ast.BinOp:
		u.binary(e, around)
	case *ast.UnaryOp:
		u.unary(e, around)
	case *ast.BoolOp:
		level, word := bindOr, " or "
		if e.Op == ast.And {
			level, word = bindAnd, " and "
		}
		u.within(level, around, func() {
			for i, v := range e.Values {
				if i > 0 {
					u.add(word)
				}
				u.expr(v, level+1)
			}
		})
	case *ast.IfExp:
		u.within(bindTest, around, func() {
			u.expr(e.Body, bindTest+1)
			u.add(" if ")
			u.expr(e.Test, bindTest+1)
			u.add(" else ")
			u.expr(e.Orelse, bindTest)
		})
	default:
		u.l.refuse(e, describe(e)+"s in annotations")
	}
}

func (u *unparser) constant(e ast.Expr) {
	var value py.Object
	switch e := e.(type) {
	case *ast.Str:
		value = e.S
	case *ast.Bytes:
		value = e.S
	case *ast.Num:
		value = e.N
	case *ast.NameConstant:
		value = e.Value
	case *ast.Ellipsis:
		u.add("...")
		return
	}
	if n, ok := value.(*py.BigInt); ok {
		u.add((*big.Int)(n).String())
		return
	}
	text, err := pyvalue.Repr(value)
	if err != nil {
		u.l.failAt(e, "%v", err)
	}
	u.add(strings.ReplaceAll(text, "inf", "1e309"))
}

func (u *unparser) slice(s ast.Slicer) {
	switch s := s.(type) {
	case *ast.Index:
		u.expr(s.Value, bindTuple)
	case *ast.Slice:
		if s.Lower != nil {
			u.expr(s.Lower, bindTest)
		}
		u.add(":")
		if s.Upper != nil {
			u.expr(s.Upper, bindTest)
		}
		if s.Step != nil {
			u.add(":")
			u.expr(s.Step, bindTest)
		}
	case *ast.ExtSlice:
		for i, dim := range s.Dims {
			if i > 0 {
				u.add(", ")
			}
			u.slice(dim)
		}
		if len(s.Dims) == 1 {
			u.add(",")
		}
	}
}

func (u *unparser) call(e *ast.Call) {
	u.expr(e.Func, bindAtom)
	u.add("(")
	u.list(e.Args)
	for i, k := range e.Keywords {
		if i > 0 || len(e.Args) > 0 {
			u.add(", ")
		}
		if k.Arg == "" {
			u.add("**")
		} else {
			u.add(string(k.Arg), "=")
		}
		u.expr(k.Value, bindTest)
	}
	u.add(")")
}

func (u *unparser) binary(e *ast.BinOp, around int) {
	symbols := map[ast.OperatorNumber]string{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Modulo: "%",
		ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.FloorDiv: "//", ast.Pow: "**"}
	levels := map[ast.OperatorNumber]int{ast.BitOr: bindBitOr, ast.BitXor: bindBitOr + 1, ast.BitAnd: bindBitOr + 2,
		ast.LShift: bindBitOr + 3, ast.RShift: bindBitOr + 3, ast.Add: bindBitOr + 4, ast.Sub: bindBitOr + 4, ast.Pow: bindPower}
	level, ok := levels[e.Op]
	if !ok {
		level = bindTerm
	}
	left, right := level, level+1
	if e.Op == ast.Pow {
		left, right = level+1, level
	}
	u.within(level, around, func() {
		u.expr(e.Left, left)
		u.add(fmt.Sprintf(" %s ", symbols[e.Op]))
		u.expr(e.Right, right)
	})
}

func (u *unparser) unary(e *ast.UnaryOp, around int) {
	level, symbol := bindUnary, "-"
	switch e.Op {
	case ast.Not:
		level, symbol = bindNot, "not "
	case ast.UAdd:
		symbol = "+"
	case ast.Invert:
		symbol = "~"
	}
	u.within(level, around, func() {
		u.add(symbol)
		u.expr(e.Operand, level)
	})
}
