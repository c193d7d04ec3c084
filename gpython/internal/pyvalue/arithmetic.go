package pyvalue

// Arithmetic of numbers: what + - * / // % ** and the shifts do with bools, ints of any size,
// floats and complex numbers. gpython v0.2.0 rounds both ints before it divides (10**30 / 10**29 is
// 10.000000000000002), has no -True, and does not bound the size of a result. The results here are
// CPython's.

import (
	"math"
	"math/big"
	"math/cmplx"

	"github.com/go-python/gpython/py"
)

// smallDivision is x / y where both are floats exactly.
func smallDivision(x, y py.Int) (py.Object, bool) {
	if y == 0 || x < -exactFloat || x > exactFloat || y < -exactFloat || y > exactFloat {
		return nil, false
	}
	return py.Float(x) / py.Float(y), true
}

// arithmetic does op on two numbers. It returns nil without an error when op is not defined for
// them.
func arithmetic(op Operator, a, b py.Object) (py.Object, error) {
	_, aComplex := a.(py.Complex)
	_, bComplex := b.(py.Complex)
	if aComplex || bComplex {
		return complexArithmetic(op, a, b)
	}
	_, aFloat := a.(py.Float)
	_, bFloat := b.(py.Float)
	if aFloat || bFloat {
		return floatArithmetic(op, a, b)
	}
	if x, ok := a.(py.Bool); ok {
		if y, ok := b.(py.Bool); ok {
			switch op {
			case OpAnd:
				return x && y, nil
			case OpOr:
				return x || y, nil
			case OpXor:
				return py.Bool(x != y), nil
			}
		}
	}
	x, _ := asInt(a)
	y, _ := asInt(b)
	return intArithmetic(op, x, y)
}

// intArithmetic does op on two ints.
func intArithmetic(op Operator, x, y *big.Int) (py.Object, error) {
	z := new(big.Int)
	switch op {
	case OpAdd:
		z.Add(x, y)
	case OpSub:
		z.Sub(x, y)
	case OpMul:
		if err := fitsBits(float64(x.BitLen() + y.BitLen())); err != nil {
			return nil, err
		}
		z.Mul(x, y)
	case OpTrueDiv:
		return intTrueDiv(x, y)
	case OpFloorDiv, OpMod:
		if y.Sign() == 0 {
			if op == OpMod {
				return nil, py.ExceptionNewf(py.ZeroDivisionError, "integer modulo by zero")
			}
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "integer division or modulo by zero")
		}
		q, m := floorDiv(x, y)
		if op == OpMod {
			q = m
		}
		z = q
	case OpPow:
		return intPow(x, y)
	case OpLshift, OpRshift:
		return intShift(op, x, y)
	case OpAnd:
		z.And(x, y)
	case OpOr:
		z.Or(x, y)
	case OpXor:
		z.Xor(x, y)
	default:
		return nil, nil
	}
	return intObject(z), nil
}

// floorDiv rounds the quotient down; the remainder has the sign of y.
func floorDiv(x, y *big.Int) (q, m *big.Int) {
	q, m = new(big.Int).QuoRem(x, y, new(big.Int))
	if m.Sign() != 0 && (m.Sign() < 0) != (y.Sign() < 0) {
		q.Sub(q, big.NewInt(1))
		m.Add(m, y)
	}
	return q, m
}

// intTrueDiv is x / y, rounded once.
func intTrueDiv(x, y *big.Int) (py.Object, error) {
	if y.Sign() == 0 {
		return nil, py.ExceptionNewf(py.ZeroDivisionError, "division by zero")
	}
	f, _ := new(big.Rat).SetFrac(x, y).Float64()
	if math.IsInf(f, 0) {
		return nil, py.ExceptionNewf(py.OverflowError, "integer division result too large for a float")
	}
	return py.Float(f), nil
}

// intPow is x ** y; a negative y makes a float.
func intPow(x, y *big.Int) (py.Object, error) {
	if y.Sign() < 0 {
		f, _, err := asFloat(intObject(x))
		if err != nil {
			return nil, err
		}
		g, _, err := asFloat(intObject(y))
		if err != nil {
			return nil, err
		}
		return floatPow(f, g)
	}
	if x.BitLen() > 1 {
		times, _ := new(big.Float).SetInt(y).Float64()
		if err := fitsBits(float64(x.BitLen()-1) * times); err != nil {
			return nil, err
		}
	}
	if x.BitLen() <= 1 && !y.IsInt64() { // 0, 1, -1
		y = new(big.Int).And(y, big.NewInt(1))
		if y.Sign() == 0 {
			y.SetInt64(2)
		}
	}
	return intObject(new(big.Int).Exp(x, y, nil)), nil
}

// intShift is << or >>.
func intShift(op Operator, x, n *big.Int) (py.Object, error) {
	if n.Sign() < 0 {
		return nil, py.ExceptionNewf(py.ValueError, "negative shift count")
	}
	if op == OpRshift {
		if !n.IsInt64() || n.Int64() > int64(x.BitLen()) {
			return py.Int(min(0, x.Sign())), nil
		}
		return intObject(new(big.Int).Rsh(x, uint(n.Int64()))), nil
	}
	if x.Sign() == 0 {
		return py.Int(0), nil
	}
	by, _ := new(big.Float).SetInt(n).Float64()
	if err := fitsBits(float64(x.BitLen()) + by); err != nil {
		return nil, err
	}
	return intObject(new(big.Int).Lsh(x, uint(n.Int64()))), nil
}

// floatArithmetic does op on two real numbers, one of which is a float.
func floatArithmetic(op Operator, a, b py.Object) (py.Object, error) {
	switch op {
	case OpLshift, OpRshift, OpAnd, OpOr, OpXor:
		return nil, nil
	}
	x, _, err := asFloat(a)
	if err != nil {
		return nil, err
	}
	y, _, err := asFloat(b)
	if err != nil {
		return nil, err
	}
	switch op {
	case OpAdd:
		return py.Float(x + y), nil
	case OpSub:
		return py.Float(x - y), nil
	case OpMul:
		return py.Float(x * y), nil
	case OpTrueDiv:
		if y == 0 {
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "float division by zero")
		}
		return py.Float(x / y), nil
	case OpFloorDiv:
		if y == 0 {
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "float floor division by zero")
		}
		q, _ := floatDivMod(x, y)
		return py.Float(q), nil
	case OpMod:
		if y == 0 {
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "float modulo")
		}
		_, m := floatDivMod(x, y)
		return py.Float(m), nil
	case OpPow:
		return floatPow(x, y)
	}
	return nil, nil
}

// floatDivMod is divmod of floats, by CPython's steps and so with its rounding.
func floatDivMod(x, y float64) (q, m float64) {
	m = math.Mod(x, y)
	q = (x - m) / y
	if m != 0 {
		if (y < 0) != (m < 0) {
			m += y
			q--
		}
	} else {
		m = math.Copysign(0, y)
	}
	if q != 0 {
		floor := math.Floor(q)
		if q-floor > 0.5 {
			floor++
		}
		q = floor
	} else {
		q = math.Copysign(0, x/y)
	}
	return q, m
}

// floatPow is x ** y; a negative x with a fraction as y makes a complex number.
func floatPow(x, y float64) (py.Object, error) {
	switch {
	case x == 0 && y < 0:
		return nil, py.ExceptionNewf(py.ZeroDivisionError, "0.0 cannot be raised to a negative power")
	case x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0):
		return py.Complex(complexPow(complex(x, 0), complex(y, 0))), nil
	}
	z := math.Pow(x, y)
	if math.IsInf(z, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, &py.Exception{
			Base: py.OverflowError, Args: py.Tuple{py.Int(34), py.String("Numerical result out of range")}, Dict: py.StringDict{},
		}
	}
	return py.Float(z), nil
}

func asComplex(o py.Object) (complex128, error) {
	if c, ok := o.(py.Complex); ok {
		return complex128(c), nil
	}
	f, _, err := asFloat(o)
	return complex(f, 0), err
}

// complexArithmetic does op on two numbers, one of which is complex.
func complexArithmetic(op Operator, a, b py.Object) (py.Object, error) {
	x, err := asComplex(a)
	if err != nil {
		return nil, err
	}
	y, err := asComplex(b)
	if err != nil {
		return nil, err
	}
	switch op {
	case OpAdd:
		return py.Complex(x + y), nil
	case OpSub:
		return py.Complex(x - y), nil
	case OpMul:
		return py.Complex(x * y), nil
	case OpTrueDiv:
		if y == 0 {
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "complex division by zero")
		}
		return py.Complex(x / y), nil
	case OpPow:
		if x == 0 && (real(y) < 0 || imag(y) != 0) {
			return nil, py.ExceptionNewf(py.ZeroDivisionError, "0.0 to a negative or complex power")
		}
		if n := real(y); imag(y) == 0 && n == math.Trunc(n) && math.Abs(n) <= 100 {
			return py.Complex(complexIntPow(x, int(n))), nil
		}
		return py.Complex(complexPow(x, y)), nil
	}
	return nil, nil
}

// complexPow goes by the polar form, with the same steps and so the same rounding as CPython.
func complexPow(x, y complex128) complex128 {
	if y == 0 {
		return 1
	}
	if x == 0 {
		return 0
	}
	abs, at := cmplx.Polar(x)
	length := math.Pow(abs, real(y))
	phase := at * real(y)
	if imag(y) != 0 {
		length *= math.Exp(-at * imag(y))
		phase += imag(y) * math.Log(abs)
	}
	return complex(length*math.Cos(phase), length*math.Sin(phase))
}

// complexIntPow multiplies, which is exact for small whole parts.
func complexIntPow(x complex128, n int) complex128 {
	if n < 0 {
		return 1 / complexIntPow(x, -n)
	}
	z := complex(1, 0)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			z *= x
		}
		x *= x
	}
	return z
}

var (
	zero     = new(big.Int)
	minusOne = big.NewInt(-1)
)
