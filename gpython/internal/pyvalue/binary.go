package pyvalue

// The operators + - * / // % ** << >> & ^ | and the unary - + ~, for all types. gpython v0.2.0 asks
// Go methods of its types, which cannot be added from outside, and does not ask __add__ and its
// like of a program's classes. Here the operand's types decide; types that this package does not
// know are left to gpython.

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-python/gpython/py"
)

// Operator is one of Python's binary operators.
type Operator int

const (
	OpAdd Operator = iota
	OpSub
	OpMul
	OpTrueDiv
	OpFloorDiv
	OpMod
	OpPow
	OpLshift
	OpRshift
	OpAnd
	OpXor
	OpOr
)

var operations = [...]struct {
	symbol, name string // name is "add" for __add__, __radd__ and __iadd__
	gpython      func(a, b py.Object) (py.Object, error)
}{
	OpAdd:      {"+", "add", py.Add},
	OpSub:      {"-", "sub", py.Sub},
	OpMul:      {"*", "mul", py.Mul},
	OpTrueDiv:  {"/", "truediv", py.TrueDiv},
	OpFloorDiv: {"//", "floordiv", py.FloorDiv},
	OpMod:      {"%", "mod", py.Mod},
	OpPow:      {"**", "pow", func(a, b py.Object) (py.Object, error) { return py.Pow(a, b, py.None) }},
	OpLshift:   {"<<", "lshift", py.Lshift},
	OpRshift:   {">>", "rshift", py.Rshift},
	OpAnd:      {"&", "and", py.And},
	OpXor:      {"^", "xor", py.Xor},
	OpOr:       {"|", "or", py.Or},
}

// Binary is a op b.
func Binary(op Operator, a, b py.Object) (py.Object, error) {
	if x, ok := a.(py.Int); ok {
		if y, ok := b.(py.Int); ok {
			if z, ok := smallArithmetic(op, int64(x), int64(y)); ok {
				return py.Int(z), nil
			}
			if op == OpTrueDiv {
				if f, ok := smallDivision(x, y); ok {
					return f, nil
				}
			}
		}
	}
	if isNumber(a) && isNumber(b) {
		res, err := arithmetic(op, a, b)
		if res == nil && err == nil {
			err = unsupported(op, "", a, b)
		}
		return res, err
	}
	if isInstanceOfProgram(a) || isInstanceOfProgram(b) {
		return binaryInstances(op, a, b)
	}
	res, err := sequenceOperation(op, a, b)
	if res != nil || err != nil {
		return res, err
	}
	res, err = setOperation(op, a, b)
	if res != nil || err != nil {
		return res, err
	}
	if !knownType(a) || !knownType(b) {
		res, err := operations[op].gpython(a, b)
		if err == nil || !py.IsException(py.TypeError, err) {
			return res, err
		}
	}
	return nil, unsupported(op, "", a, b)
}

// InPlace is a op= b.
func InPlace(op Operator, a, b py.Object) (py.Object, error) {
	switch x := a.(type) {
	case *py.List:
		switch op {
		case OpAdd:
			all, err := items(b)
			if tooMany := Fits(len(x.Items)+len(all), itemBytes); tooMany != nil {
				return nil, tooMany
			}
			x.Items = append(x.Items, all...)
			return x, err
		case OpMul:
			res, err := sequenceOperation(op, a, b)
			if l, ok := res.(*py.List); ok {
				x.Items = l.Items
				return x, nil
			}
			if err != nil {
				return nil, err
			}
		}
	case *Set:
		if res, err := setOperation(op, a, b); err != nil {
			return nil, err
		} else if s, ok := res.(*Set); ok {
			version := x.version + 1
			x.table = s.table
			x.version = version
			return x, nil
		}
	case *Dict:
		if op == OpOr {
			if err := x.refusesOperators(); err != nil {
				return nil, err
			}
			return x, x.Update(b)
		}
	case *py.Type, *py.Exception:
		if method := instanceMethod(a, "__i"+operations[op].name+"__"); method != nil {
			res, err := py.Call(method, py.Tuple{a, b}, nil)
			if err != nil || res != py.NotImplemented {
				return res, err
			}
		}
	}
	res, err := Binary(op, a, b)
	if e, ok := err.(*py.Exception); ok && e.Base == py.TypeError {
		if e.Args.(py.Tuple)[0] == unsupported(op, "", a, b).(*py.Exception).Args.(py.Tuple)[0] {
			return nil, unsupported(op, "=", a, b)
		}
	}
	return res, err
}

func unsupported(op Operator, suffix string, a, b py.Object) error {
	symbol := operations[op].symbol + suffix
	if op == OpPow && suffix == "" {
		symbol = "** or pow()"
	}
	return py.ExceptionNewf(py.TypeError, "unsupported operand type(s) for %s: '%s' and '%s'", symbol, typeName(a), typeName(b))
}

// smallArithmetic does what cannot overflow.
func smallArithmetic(op Operator, x, y int64) (int64, bool) {
	switch op {
	case OpAdd:
		z := x + y
		return z, (z > x) == (y > 0)
	case OpSub:
		z := x - y
		return z, (z < x) == (y > 0)
	case OpMul:
		const half = 1 << 31
		return x * y, -half < x && x < half && -half < y && y < half
	case OpFloorDiv, OpMod:
		if y == 0 || y == -1 {
			return 0, false
		}
		q, m := x/y, x%y
		if m != 0 && (m < 0) != (y < 0) {
			q, m = q-1, m+y
		}
		if op == OpMod {
			return m, true
		}
		return q, true
	case OpLshift:
		return x << uint64(y&31), 0 <= y && y < 32 && -1<<31 < x && x < 1<<31
	case OpRshift:
		return x >> uint64(min(y, 63)), y >= 0
	case OpAnd:
		return x & y, true
	case OpOr:
		return x | y, true
	case OpXor:
		return x ^ y, true
	}
	return 0, false
}

// binaryInstances is a op b where one of them is an instance of a class of the program.
func binaryInstances(op Operator, a, b py.Object) (py.Object, error) {
	name := operations[op].name
	if op == OpMod {
		switch a.(type) {
		case py.String, py.Bytes:
			return sequenceOperation(op, a, b)
		}
	}
	method, reflected := instanceMethod(a, "__"+name+"__"), instanceMethod(b, "__r"+name+"__")
	first := func() (py.Object, error) {
		if method != nil {
			return py.Call(method, py.Tuple{a, b}, nil)
		}
		if value := valueOf(b); value != nil && !isInstanceOfProgram(a) {
			if d, ok := a.(*Dict); ok && op == OpOr && d.kind == nil && sameKind(d, value) {
				return dictUnion(a, b)
			}
			if res, err := Binary(op, a, value); !py.IsException(py.TypeError, err) {
				return res, err
			}
		}
		return py.NotImplemented, nil
	}
	second := func() (py.Object, error) {
		if reflected != nil {
			return py.Call(reflected, py.Tuple{b, a}, nil)
		}
		if value := valueOf(a); value != nil && !isInstanceOfProgram(b) {
			if res, err := Binary(op, value, b); !py.IsException(py.TypeError, err) {
				return res, err
			}
		}
		return py.NotImplemented, nil
	}
	switch of, other := a.Type(), b.Type(); {
	case isInstanceOfProgram(a) && of == other:
		reflected = nil
	case of == other || reflected == nil:
	case other.IsSubtype(of) && reflected != of.Lookup("__r"+name+"__"):
		first, second = second, first
	}
	for _, try := range []func() (py.Object, error){first, second} {
		if res, err := try(); err != nil || res != py.NotImplemented {
			return res, err
		}
	}
	if res, err := sequenceOperation(op, plain(a), b); res != nil || err != nil {
		return res, err
	}
	return nil, unsupported(op, "", a, b)
}

// sequenceOperation is + and * of sequences, and % of str and bytes. It returns nil without an
// error for other operands.
func sequenceOperation(op Operator, a, b py.Object) (py.Object, error) {
	switch op {
	case OpAdd:
		return concatenate(a, b)
	case OpMul:
		if isSequence(a) {
			return repeat(a, b)
		}
		if isSequence(b) {
			return repeat(b, a)
		}
	case OpMod:
		switch x := a.(type) {
		case py.String:
			s, err := formatPercent(string(x), b)
			return s, err
		case py.Bytes:
			return formatPercentBytes(x, b)
		}
	}
	return nil, nil
}

func isSequence(o py.Object) bool {
	switch o.(type) {
	case py.String, py.Bytes, py.Tuple, *py.List:
		return true
	}
	return false
}

func concatenate(a, b py.Object) (py.Object, error) {
	if err := Fits(1, sizeOf(a)+sizeOf(b)); err != nil {
		return nil, err
	}
	switch x := a.(type) {
	case py.String:
		if y, ok := b.(py.String); ok {
			return x + y, nil
		}
		return nil, py.ExceptionNewf(py.TypeError, "can only concatenate str (not \"%s\") to str", typeName(b))
	case py.Bytes:
		if y, ok := b.(py.Bytes); ok {
			return py.Bytes(bytes.Join([][]byte{x, y}, nil)), nil
		}
		return nil, py.ExceptionNewf(py.TypeError, "can't concat %s to bytes", typeName(b))
	case py.Tuple:
		if y, ok := b.(py.Tuple); ok {
			return slices.Concat(x, y), nil
		}
		return nil, py.ExceptionNewf(py.TypeError, "can only concatenate tuple (not \"%s\") to tuple", typeName(b))
	case *py.List:
		if y, ok := b.(*py.List); ok {
			return &py.List{Items: slices.Concat(x.Items, y.Items)}, nil
		}
		return nil, py.ExceptionNewf(py.TypeError, "can only concatenate list (not \"%s\") to list", typeName(b))
	}
	return nil, nil
}

// sizeOf is how many bytes a sequence takes, without what its items do.
func sizeOf(o py.Object) int {
	switch x := o.(type) {
	case py.String:
		return len(x)
	case py.Bytes:
		return len(x)
	case py.Tuple:
		return len(x) * itemBytes
	case *py.List:
		return len(x.Items) * itemBytes
	}
	return 0
}

func repeat(a, count py.Object) (py.Object, error) {
	if _, err := asIndex(count); err != nil {
		return nil, py.ExceptionNewf(py.TypeError, "can't multiply sequence by non-int of type '%s'", typeName(count))
	}
	n, err := asSize(count)
	if err != nil {
		return nil, py.ExceptionNewf(py.OverflowError, "cannot fit '%s' into an index-sized integer", typeName(count))
	}
	n = max(n, 0)
	if err := Fits(n, sizeOf(a)); err != nil {
		return nil, err
	}
	switch x := a.(type) {
	case py.String:
		return py.String(strings.Repeat(string(x), n)), nil
	case py.Bytes:
		return py.Bytes(bytes.Repeat(x, n)), nil
	case py.Tuple:
		return py.Tuple(slices.Repeat(x, n)), nil
	case *py.List:
		return &py.List{Items: slices.Repeat(x.Items, n)}, nil
	}
	return nil, nil
}

// Unary is -a, +a or ~a.
func Unary(name, symbol string, a py.Object) (py.Object, error) {
	switch x := a.(type) {
	case py.Float:
		if name == "neg" {
			return -x, nil
		} else if name == "pos" {
			return x, nil
		}
	case py.Complex:
		if name == "neg" {
			return -x, nil
		} else if name == "pos" {
			return x, nil
		}
	}
	if i, ok := asInt(a); ok {
		switch name {
		case "neg":
			return intArithmetic(OpSub, zero, i)
		case "pos":
			return intObject(i), nil
		}
		return intArithmetic(OpSub, minusOne, i)
	}
	if method := instanceMethod(a, "__"+name+"__"); method != nil {
		return py.Call(method, py.Tuple{a}, nil)
	}
	return nil, py.ExceptionNewf(py.TypeError, "bad operand type for unary %s: '%s'", symbol, typeName(a))
}
