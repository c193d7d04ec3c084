package pyvalue

// The methods and attributes of bool, int, float and complex: to_bytes, bit_length, hex, real and
// so on. gpython v0.2.0 has real, imag and conjugate of complex, and is_integer.

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/go-python/gpython/py"
)

func property(t *py.Type, name string, get func(self py.Object) (py.Object, error)) {
	if t != py.ObjectType && t != py.TypeType {
		of := get
		get = func(self py.Object) (py.Object, error) { return of(plain(self)) }
	}
	t.Dict[name] = &py.Property{Fget: get}
}

// intTypes are the types of ints: gpython has one of its own for those that an int64 cannot hold.
var intTypes = []*py.Type{py.IntType, py.BoolType, py.BigIntType}

// intMethod gives int and bool a method.
func intMethod(text string, f func(i *big.Int, a []py.Object) (py.Object, error)) {
	for _, t := range intTypes {
		addMethod(t, text, func(self py.Object, a []py.Object) (py.Object, error) {
			i, _ := asInt(self)
			return f(i, a)
		})
	}
}

func init() {
	py.IntType.New, py.FloatType.New, py.ComplexType.New = newInt, newFloat, newComplex
	py.BoolType.New = newBool
	intMethod("bit_length()", func(i *big.Int, _ []py.Object) (py.Object, error) { return py.Int(i.BitLen()), nil })
	intMethod("bit_count()", func(i *big.Int, _ []py.Object) (py.Object, error) {
		n := 0
		for _, word := range i.Bits() {
			n += bits.OnesCount(uint(word))
		}
		return py.Int(n), nil
	})
	intMethod("conjugate()", func(i *big.Int, _ []py.Object) (py.Object, error) { return intObject(i), nil })
	intMethod("as_integer_ratio()", func(i *big.Int, _ []py.Object) (py.Object, error) {
		return py.Tuple{intObject(i), py.Int(1)}, nil
	})
	intMethod("to_bytes(length=, byteorder=, *, signed=)", intToBytes)
	for _, t := range intTypes {
		addStatic(t, "from_bytes(bytes, byteorder=, *, signed=)", intFromBytes)
		for name, get := range map[string]func(self py.Object) py.Object{
			"real": integer, "numerator": integer,
			"imag":        func(py.Object) py.Object { return py.Int(0) },
			"denominator": func(py.Object) py.Object { return py.Int(1) },
		} {
			property(t, name, func(self py.Object) (py.Object, error) { return get(self), nil })
		}
	}
	addFloatMethods()
	property(py.ComplexType, "real", func(self py.Object) (py.Object, error) {
		return py.Float(real(complex128(self.(py.Complex)))), nil
	})
	property(py.ComplexType, "imag", func(self py.Object) (py.Object, error) {
		return py.Float(imag(complex128(self.(py.Complex)))), nil
	})
	addMethod(py.ComplexType, "conjugate()", func(self py.Object, _ []py.Object) (py.Object, error) {
		c := complex128(self.(py.Complex))
		return py.Complex(complex(real(c), -imag(c))), nil
	})
}

func integer(self py.Object) py.Object {
	i, _ := asInt(self)
	return intObject(i)
}

// newBool is bool(o).
func newBool(_ *py.Type, args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	switch {
	case len(kwargs) > 0:
		return nil, py.ExceptionNewf(py.TypeError, "bool() takes no keyword arguments")
	case len(args) == 0:
		return py.False, nil
	case len(args) > 1:
		return nil, py.ExceptionNewf(py.TypeError, "bool expected at most 1 argument, got %d", len(args))
	}
	yes, err := Truth(args[0])
	return py.NewBool(yes), err
}

// littleEndian reads a byteorder argument.
func littleEndian(o py.Object) (bool, error) {
	switch order, _ := optional(o, py.String("big")).(py.String); order {
	case "little":
		return true, nil
	case "big":
		return false, nil
	}
	return false, py.ExceptionNewf(py.ValueError, "byteorder must be either 'little' or 'big'")
}

// intToBytes is i.to_bytes(length, byteorder, signed).
func intToBytes(i *big.Int, a []py.Object) (py.Object, error) {
	n, err := sizeOr(a[0], 1)
	if err != nil {
		return nil, err
	}
	little, err := littleEndian(a[1])
	if err != nil {
		return nil, err
	}
	signed, err := Truth(optional(a[2], py.False))
	if err != nil {
		return nil, err
	}
	switch {
	case n < 0:
		return nil, py.ExceptionNewf(py.ValueError, "length argument must be non-negative")
	case i.Sign() < 0 && !signed:
		return nil, py.ExceptionNewf(py.OverflowError, "can't convert negative int to unsigned")
	}
	if err := Fits(1, n); err != nil {
		return nil, err
	}
	value := new(big.Int).Set(i)
	need := i.BitLen()
	if signed {
		if i.Sign() < 0 {
			need = new(big.Int).Not(i).BitLen()
			value.Add(value, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
		}
		if i.Sign() != 0 {
			need++
		}
	}
	if need > 8*n {
		return nil, py.ExceptionNewf(py.OverflowError, "int too big to convert")
	}
	b := value.FillBytes(make([]byte, n))
	if little {
		slices.Reverse(b)
	}
	return py.Bytes(b), nil
}

// intFromBytes is int.from_bytes(bytes, byteorder, signed).
func intFromBytes(a []py.Object) (py.Object, error) {
	o, err := newBytes(nil, py.Tuple{a[0]}, nil)
	if _, isInt := asInt(a[0]); isInt {
		return nil, py.ExceptionNewf(py.TypeError, "cannot convert 'int' object to bytes")
	}
	if err != nil {
		return nil, err
	}
	b := slices.Clone(o.(py.Bytes))
	if err := fitsBits(8 * float64(len(b))); err != nil {
		return nil, err
	}
	little, err := littleEndian(a[1])
	if err != nil {
		return nil, err
	}
	if little {
		slices.Reverse(b)
	}
	signed, err := Truth(optional(a[2], py.False))
	if err != nil {
		return nil, err
	}
	i := new(big.Int).SetBytes(b)
	if signed && len(b) > 0 && b[0] >= 0x80 {
		i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return intObject(i), nil
}

// floatMethod gives float a method.
func floatMethod(text string, f func(x float64) (py.Object, error)) {
	addMethod(py.FloatType, text, func(self py.Object, _ []py.Object) (py.Object, error) {
		return f(float64(self.(py.Float)))
	})
}

func addFloatMethods() {
	floatMethod("is_integer()", func(x float64) (py.Object, error) {
		return py.NewBool(x == math.Trunc(x) && !math.IsInf(x, 0)), nil
	})
	floatMethod("conjugate()", func(x float64) (py.Object, error) { return py.Float(x), nil })
	floatMethod("hex()", func(x float64) (py.Object, error) { return py.String(hexFloat(x)), nil })
	floatMethod("as_integer_ratio()", func(x float64) (py.Object, error) {
		switch {
		case math.IsInf(x, 0):
			return nil, py.ExceptionNewf(py.OverflowError, "cannot convert Infinity to integer ratio")
		case x != x:
			return nil, py.ExceptionNewf(py.ValueError, "cannot convert NaN to integer ratio")
		}
		r := new(big.Rat).SetFloat64(x)
		return py.Tuple{intObject(r.Num()), intObject(r.Denom())}, nil
	})
	property(py.FloatType, "real", func(self py.Object) (py.Object, error) { return self, nil })
	property(py.FloatType, "imag", func(py.Object) (py.Object, error) { return py.Float(0), nil })
	addStatic(py.FloatType, "fromhex(string, /)", func(a []py.Object) (py.Object, error) {
		s, ok := a[0].(py.String)
		if !ok {
			return nil, py.ExceptionNewf(py.TypeError, "bad argument type for built-in Operator")
		}
		text := strings.ToLower(strings.TrimSpace(string(s)))
		if !strings.ContainsAny(text, "in") { // inf and nan
			body := strings.TrimLeft(text, "+-")
			if !strings.HasPrefix(body, "0x") {
				text = text[:len(text)-len(body)] + "0x" + body
			}
			if !strings.Contains(text, "p") {
				text += "p0"
			}
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, py.ExceptionNewf(py.ValueError, "invalid hexadecimal floating-point string")
		}
		return py.Float(f), nil
	})
}

// hexFloat is float.hex: 13 hexadecimal digits after the point.
func hexFloat(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	case x != x:
		return "nan"
	case x == 0:
		return strings.Replace(strconv.FormatFloat(x, 'x', -1, 64), "0x0p+00", "0x0.0p+0", 1)
	}
	s := strconv.FormatFloat(x, 'x', 13, 64)
	mantissa, exponent, _ := strings.Cut(s, "p")
	n, _ := strconv.Atoi(exponent)
	if n < -1022 { // a subnormal number is written without normalizing
		sign := ""
		if x < 0 {
			sign = "-"
		}
		return sign + "0x0." + leadingZeros(strconv.FormatUint(math.Float64bits(math.Abs(x)), 16), 13) + "p-1022"
	}
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	return mantissa + "p" + sign + strconv.Itoa(n)
}

func leadingZeros(s string, n int) string { return strings.Repeat("0", max(n-len(s), 0)) + s }
