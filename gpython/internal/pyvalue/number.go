package pyvalue

// What numbers are to each other: bool, int of both sizes, float and complex, how one becomes
// another, and how they compare. gpython v0.2.0 has two types for ints, one for those that an int64
// cannot hold.

import (
	"cmp"
	"math"
	"math/big"

	"github.com/go-python/gpython/py"
)

// isNumber reports whether o is a bool, an int, a float or a complex.
func isNumber(o py.Object) bool {
	switch o.(type) {
	case py.Int, *py.BigInt, py.Bool, py.Float, py.Complex:
		return true
	}
	return false
}

// asInt gives a bool or an int as a big.Int, which the caller must not change.
func asInt(o py.Object) (*big.Int, bool) {
	switch x := o.(type) {
	case py.Int:
		return big.NewInt(int64(x)), true
	case *py.BigInt:
		return (*big.Int)(x), true
	case py.Bool:
		if x {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	}
	return nil, false
}

// intObject makes the object for an int: a py.Int where it fits.
func intObject(i *big.Int) py.Object {
	if i.IsInt64() {
		return py.Int(i.Int64())
	}
	return (*py.BigInt)(i)
}

// asFloat gives a real number as a float. It returns an OverflowError for an int that is too large.
func asFloat(o py.Object) (float64, bool, error) {
	switch x := o.(type) {
	case py.Float:
		return float64(x), true, nil
	case py.Int:
		return float64(x), true, nil
	case py.Bool:
		if x {
			return 1, true, nil
		}
		return 0, true, nil
	case *py.BigInt:
		f, _ := new(big.Float).SetInt((*big.Int)(x)).Float64()
		if math.IsInf(f, 0) {
			return 0, true, py.ExceptionNewf(py.OverflowError, "int too large to convert to float")
		}
		return f, true, nil
	}
	return 0, false, nil
}

// Index is operator.index(o): what may stand for an int.
func Index(o py.Object) (*big.Int, error) { return asIndex(o) }

// asIndex gives what may index a sequence as an int. It returns a TypeError for other objects.
func asIndex(o py.Object) (*big.Int, error) {
	if i, ok := asInt(plain(o)); ok {
		return i, nil
	}
	if method := instanceMethod(o, "__index__"); method != nil {
		res, err := py.Call(method, py.Tuple{o}, nil)
		if err != nil {
			return nil, err
		}
		if i, ok := asInt(plain(res)); ok {
			return i, nil
		}
		return nil, py.ExceptionNewf(py.TypeError, "__index__ returned non-int (type %s)", typeName(res))
	}
	return nil, py.ExceptionNewf(py.TypeError, "'%s' object cannot be interpreted as an integer", typeName(o))
}

// asSize is asIndex for a count or a position. It returns an OverflowError for what memory cannot
// hold.
func asSize(o py.Object) (int, error) {
	if i, ok := o.(py.Int); ok && int64(int(i)) == int64(i) {
		return int(i), nil
	}
	i, err := asIndex(o)
	if err != nil {
		return 0, err
	}
	if !i.IsInt64() || int64(int(i.Int64())) != i.Int64() {
		return 0, py.ExceptionNewf(py.OverflowError, "Python int too large to convert to C ssize_t")
	}
	return int(i.Int64()), nil
}

// exactFloat is the bound up to which every int is a float, without rounding.
const exactFloat = 1 << 53

// compareNumbers compares exactly: an int is not rounded to be compared with a float.
func compareNumbers(op Comparison, a, b py.Object) (py.Object, error) {
	x, xComplex := a.(py.Complex)
	y, yComplex := b.(py.Complex)
	if xComplex || yComplex {
		if op != equal && op != notEqual {
			return nil, notOrdered(op, a, b)
		}
		if xComplex && yComplex {
			return py.NewBool((x == y) == (op == equal)), nil
		}
		if yComplex {
			x, b = y, a
		}
		if imag(complex128(x)) != 0 {
			return py.NewBool(op == notEqual), nil
		}
		return compareNumbers(op, py.Float(real(complex128(x))), b)
	}
	f, fIsFloat := a.(py.Float)
	g, gIsFloat := b.(py.Float)
	switch {
	case fIsFloat && gIsFloat:
		if f != f || g != g {
			return py.NewBool(op == notEqual), nil
		}
		return py.NewBool(op.holds(cmp.Compare(f, g))), nil
	case fIsFloat:
		return compareNumbers(comparisons[op].mirror, b, a)
	case gIsFloat:
		if g != g {
			return py.NewBool(op == notEqual), nil
		}
		if i, ok := a.(py.Int); ok && -exactFloat <= i && i <= exactFloat {
			return py.NewBool(op.holds(cmp.Compare(py.Float(i), g))), nil
		}
		i, _ := asInt(a)
		return py.NewBool(op.holds(new(big.Float).SetInt(i).Cmp(big.NewFloat(float64(g))))), nil
	}
	i, _ := asInt(a)
	j, _ := asInt(b)
	return py.NewBool(op.holds(i.Cmp(j))), nil
}
