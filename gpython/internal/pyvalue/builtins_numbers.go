package pyvalue

// The builtins about numbers: abs, divmod, pow, round, bin, hex, chr, ord, hash and so on. gpython
// v0.2.0 has no hash, makes 0.0 of round(2.675, 2) and a float of round(2.5); CPython rounds halves
// to even, exactly, and to an int.

import (
	"math"
	"math/big"
	"math/cmplx"
	"strconv"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

func init() {
	addFunction("abs(x, /)", func(a []py.Object) (py.Object, error) { return absolute(a[0]) })
	addFunction("divmod(x, y, /)", func(a []py.Object) (py.Object, error) { return divMod(a[0], a[1]) })
	addFunction("pow(base, exp, mod=)", func(a []py.Object) (py.Object, error) {
		if isNone(a[2]) {
			return Binary(OpPow, a[0], a[1])
		}
		return powMod(a[0], a[1], a[2])
	})
	addFunction("round(number, ndigits=)", func(a []py.Object) (py.Object, error) { return round(a[0], a[1]) })
	for name, base := range map[string]int{"hex": 16, "oct": 8, "bin": 2} {
		prefix := map[int]string{16: "0x", 8: "0o", 2: "0b"}[base]
		addFunction(name+"(number, /)", func(a []py.Object) (py.Object, error) {
			i, err := asIndex(a[0])
			if err != nil {
				return nil, err
			}
			s := prefix + new(big.Int).Abs(i).Text(base)
			if i.Sign() < 0 {
				s = "-" + s
			}
			return py.String(s), nil
		})
	}
	addFunction("chr(i, /)", func(a []py.Object) (py.Object, error) {
		i, err := asIndex(a[0])
		if err != nil {
			return nil, err
		}
		if !i.IsInt64() {
			return nil, py.ExceptionNewf(py.OverflowError, "Python int too large to convert to C int")
		}
		if i.Int64() < 0 || i.Int64() > utf8.MaxRune {
			return nil, py.ExceptionNewf(py.ValueError, "chr() arg not in range(0x110000)")
		}
		r := rune(i.Int64())
		if !utf8.ValidRune(r) {
			return nil, py.ExceptionNewf(py.ValueError, "chr() of a surrogate: a str here is always valid Unicode")
		}
		return py.String(r), nil
	})
	addFunction("ord(c, /)", func(a []py.Object) (py.Object, error) {
		n := 0
		switch x := plain(a[0]).(type) {
		case py.String:
			if n = utf8.RuneCountInString(string(x)); n == 1 {
				r, _ := utf8.DecodeRuneInString(string(x))
				return py.Int(r), nil
			}
		case py.Bytes:
			if n = len(x); n == 1 {
				return py.Int(x[0]), nil
			}
		default:
			return nil, py.ExceptionNewf(py.TypeError, "ord() expected string of length 1, but %s found", typeName(a[0]))
		}
		return nil, py.ExceptionNewf(py.TypeError, "ord() expected a character, but string of length %d found", n)
	})
	addFunction("sum(iterable, /, start=)", func(a []py.Object) (py.Object, error) {
		total := optional(a[1], py.Int(0))
		switch plain(total).(type) {
		case py.String:
			return nil, py.ExceptionNewf(py.TypeError, "sum() can't sum strings [use ''.join(seq) instead]")
		case py.Bytes:
			return nil, py.ExceptionNewf(py.TypeError, "sum() can't sum bytes [use b''.join(seq) instead]")
		}
		err := iterate(a[0], func(item py.Object) error {
			var err error
			total, err = Binary(OpAdd, total, item)
			return err
		})
		return total, err
	})
}

// absolute is abs(o).
func absolute(o py.Object) (py.Object, error) {
	switch x := o.(type) {
	case py.Float:
		return py.Float(math.Abs(float64(x))), nil
	case py.Complex:
		return py.Float(cmplx.Abs(complex128(x))), nil
	}
	if i, ok := asInt(o); ok {
		return intObject(new(big.Int).Abs(i)), nil
	}
	if method := instanceMethod(o, "__abs__"); method != nil {
		return py.Call(method, py.Tuple{o}, nil)
	}
	return nil, py.ExceptionNewf(py.TypeError, "bad operand type for abs(): '%s'", typeName(o))
}

// divMod is divmod(a, b).
func divMod(a, b py.Object) (py.Object, error) {
	_, aFloat := a.(py.Float)
	_, bFloat := b.(py.Float)
	_, aComplex := a.(py.Complex)
	_, bComplex := b.(py.Complex)
	if !isNumber(a) || !isNumber(b) || aComplex || bComplex {
		if method := instanceMethod(a, "__divmod__"); method != nil {
			if res, err := py.Call(method, py.Tuple{a, b}, nil); err != nil || res != py.NotImplemented {
				return res, err
			}
		}
		if method := instanceMethod(b, "__rdivmod__"); method != nil {
			if res, err := py.Call(method, py.Tuple{b, a}, nil); err != nil || res != py.NotImplemented {
				return res, err
			}
		}
		return nil, py.ExceptionNewf(py.TypeError, "unsupported operand type(s) for divmod(): '%s' and '%s'", typeName(a), typeName(b))
	}
	if aFloat || bFloat {
		x, _, err := asFloat(a)
		if err != nil {
			return nil, err
		}
		y, _, err := asFloat(b)
		if err != nil {
			return nil, err
		}
		if y == 0 {
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "float divmod()")
		}
		q, m := floatDivMod(x, y)
		return py.Tuple{py.Float(q), py.Float(m)}, nil
	}
	x, _ := asInt(a)
	y, _ := asInt(b)
	if y.Sign() == 0 {
		return nil, py.ExceptionNewf(py.ZeroDivisionError, "integer division or modulo by zero")
	}
	q, m := floorDiv(x, y)
	return py.Tuple{intObject(q), intObject(m)}, nil
}

// powMod is pow(base, exp, mod).
func powMod(base, exp, mod py.Object) (py.Object, error) {
	x, ok := asInt(plain(base))
	y, ok2 := asInt(plain(exp))
	m, ok3 := asInt(plain(mod))
	if !ok || !ok2 || !ok3 {
		if isNumber(base) && isNumber(exp) && isNumber(mod) {
			return nil, py.ExceptionNewf(py.TypeError, "pow() 3rd argument not allowed unless all arguments are integers")
		}
		return nil, py.ExceptionNewf(py.TypeError, "unsupported operand type(s) for ** or pow(): '%s', '%s', '%s'", typeName(base), typeName(exp), typeName(mod))
	}
	if m.Sign() == 0 {
		return nil, py.ExceptionNewf(py.ValueError, "pow() 3rd argument cannot be 0")
	}
	positive := new(big.Int).Abs(m)
	if y.Sign() < 0 {
		if x = new(big.Int).ModInverse(x, positive); x == nil {
			return nil, py.ExceptionNewf(py.ValueError, "base is not invertible for the given modulus")
		}
		y = new(big.Int).Neg(y)
	}
	z := new(big.Int).Exp(x, y, positive)
	z.Mod(z, positive)
	if m.Sign() < 0 && z.Sign() != 0 {
		z.Add(z, m)
	}
	return intObject(z), nil
}

// round rounds halves to even, exactly.
func round(o, digits py.Object) (py.Object, error) {
	if f, ok := o.(py.Float); ok {
		return roundFloat(float64(f), digits)
	}
	i, ok := asInt(o)
	if !ok {
		if method := instanceMethod(o, "__round__"); method != nil {
			args := py.Tuple{o}
			if digits != nil {
				args = append(args, digits)
			}
			return py.Call(method, args, nil)
		}
		return nil, py.ExceptionNewf(py.TypeError, "type %s doesn't define __round__ method", typeName(o))
	}
	n, err := sizeOr(digits, 0)
	if err != nil || n >= 0 {
		return intObject(i), err
	}
	if -n > i.BitLen() { // 10**-n is far beyond
		return py.Int(0), nil
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q, m := floorDiv(i, unit)
	switch c := new(big.Int).Lsh(m, 1).Cmp(unit); {
	case c > 0, c == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(1))
	}
	return intObject(q.Mul(q, unit)), nil
}

// roundFloat is round(f, digits). It is exact: what counts as a half is half by the value of the
// float.
func roundFloat(f float64, digits py.Object) (py.Object, error) {
	if isNone(digits) {
		return floatToInt(math.RoundToEven(f))
	}
	n, err := asSize(digits)
	if err != nil {
		return nil, err
	}
	switch {
	case math.IsInf(f, 0) || f != f || n > 323:
		return py.Float(f), nil
	case n < -308:
		return py.Float(math.Copysign(0, f)), nil
	case n >= 0:
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', n, 64), 64)
		return py.Float(rounded), err
	}
	whole, _ := big.NewFloat(f).Int(nil)
	exact := new(big.Rat).SetFloat64(f)
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q, _ := floorDiv(whole, unit)
	if f < 0 && !exact.IsInt() { // whole was rounded towards zero
		q, _ = floorDiv(new(big.Int).Sub(whole, big.NewInt(1)), unit)
	}
	rest := new(big.Rat).Sub(exact, new(big.Rat).SetInt(new(big.Int).Mul(q, unit)))
	switch c := rest.Mul(rest, big.NewRat(2, 1)).Cmp(new(big.Rat).SetInt(unit)); {
	case c > 0, c == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(1))
	}
	rounded, _ := new(big.Rat).SetInt(q.Mul(q, unit)).Float64()
	if math.IsInf(rounded, 0) {
		return nil, py.ExceptionNewf(py.OverflowError, "rounded value too large to represent")
	}
	return py.Float(math.Copysign(rounded, f)), nil
}
