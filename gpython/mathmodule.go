package gpython

// math: gpython v0.2.0's module, with what Python has got since 3.4 (gcd, isclose, prod, inf and so
// on), and with corrected arguments: gpython's sqrt refuses True, and its floor makes -1024 of an
// infinity.

import (
	"math"
	"math/big"

	"github.com/go-python/gpython/py"
)

// mathModule is gpython's, with what Python has got since 3.4 and what gpython's functions do not
// take.
func (in *interp) mathModule() (*py.Module, error) {
	module, err := in.ModuleInit(py.GetModuleImpl("math"))
	if err != nil {
		return nil, err
	}
	for name, o := range module.Globals {
		if method, ok := o.(*py.Method); ok {
			module.Globals[name] = realFunction(name, method)
		}
	}
	delete(module.Globals, "to_ulps") // a help of gpython's tests
	for name, value := range map[string]float64{"inf": math.Inf(1), "nan": math.NaN(), "tau": 2 * math.Pi} {
		module.Globals[name] = py.Float(value)
	}
	for name, f := range map[string]func(args py.Tuple, kwargs py.StringDict) (py.Object, error){
		"gcd": folded("gcd", 0, func(a, b *big.Int) *big.Int { return new(big.Int).GCD(nil, nil, a, b) }),
		"lcm": folded("lcm", 1, lcm), "isclose": isClose, "isqrt": intSqrt, "prod": product,
		"comb": chosen("comb", 2, new(big.Int).Binomial),
		"perm": chosen("perm", 1, func(n, k int64) *big.Int { return new(big.Int).MulRange(n-k+1, n) }),
	} {
		module.Globals[name] = &function{name, f}
	}
	return module, nil
}

// realFunction is a function of gpython's that takes a bool for the number it is, and no infinity
// for an int.
func realFunction(name string, method *py.Method) *function {
	return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		numbers := append(py.Tuple(nil), args...)
		for i, o := range args {
			switch x := o.(type) {
			case py.Bool:
				numbers[i] = bigObject(boolInt(x))
			case py.Float:
				if name != "floor" && name != "ceil" && name != "trunc" {
					continue
				}
				if math.IsInf(float64(x), 0) {
					return nil, py.ExceptionNewf(py.OverflowError, "cannot convert float infinity to integer")
				}
				if math.IsNaN(float64(x)) {
					return nil, py.ExceptionNewf(py.ValueError, "cannot convert float NaN to integer")
				}
			case py.String, py.Bytes, py.NoneType:
				return nil, notReal(o)
			}
		}
		return py.Call(method, numbers, kwargs)
	}}
}

func notReal(o py.Object) error {
	return py.ExceptionNewf(py.TypeError, "must be real number, not %s", o.Type().Name)
}

func boolInt(b py.Bool) *big.Int {
	if b {
		return big.NewInt(1)
	}
	return new(big.Int)
}

// bigInt is the value of an int.
func bigInt(o py.Object) (*big.Int, error) {
	switch x := o.(type) {
	case py.Bool:
		return boolInt(x), nil
	case py.Int:
		return big.NewInt(int64(x)), nil
	case *py.BigInt:
		return (*big.Int)(x), nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "'%s' object cannot be interpreted as an integer", o.Type().Name)
}

func bigObject(i *big.Int) py.Object { return (*py.BigInt)(i).MaybeInt() }

// folded is a function of any number of ints that begins with one.
func folded(name string, first int64, f func(a, b *big.Int) *big.Int) func(py.Tuple, py.StringDict) (py.Object, error) {
	return func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		if len(kwargs) > 0 {
			return nil, py.ExceptionNewf(py.TypeError, "math.%s() takes no keyword arguments", name)
		}
		sum := big.NewInt(first)
		for _, o := range args {
			i, err := bigInt(o)
			if err != nil {
				return nil, err
			}
			sum = f(sum, i)
		}
		return bigObject(sum), nil
	}
}

// lcm is the least common multiple of two ints; 0 if one of them is 0.
func lcm(a, b *big.Int) *big.Int {
	if a.Sign() == 0 || b.Sign() == 0 {
		return new(big.Int)
	}
	gcd := new(big.Int).GCD(nil, nil, a, b)
	product := new(big.Int).Mul(a, b)
	return product.Quo(product.Abs(product), gcd)
}

// isClose is math.isclose.
func isClose(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	if len(args) > 2 {
		return nil, py.ExceptionNewf(py.TypeError, "isclose() takes exactly 2 positional arguments (%d given)", len(args))
	}
	given, err := arguments("isclose", args, kwargs, 2, "a", "b", "rel_tol", "abs_tol")
	if err != nil {
		return nil, err
	}
	n := [4]float64{2: 1e-9}
	for i, o := range given {
		if o == nil {
			continue
		}
		if b, ok := o.(py.Bool); ok {
			o = bigObject(boolInt(b))
		}
		if n[i], err = py.FloatAsFloat64(o); err != nil {
			return nil, notReal(o)
		}
	}
	a, b, relative, absolute := n[0], n[1], n[2], n[3]
	if relative < 0 || absolute < 0 {
		return nil, py.ExceptionNewf(py.ValueError, "tolerances must be non-negative")
	}
	if a == b || math.IsInf(a, 0) || math.IsInf(b, 0) {
		return py.NewBool(a == b), nil
	}
	return py.NewBool(math.Abs(a-b) <= max(relative*math.Abs(a), relative*math.Abs(b), absolute)), nil
}

// intSqrt is math.isqrt.
func intSqrt(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("isqrt", args, kwargs, 1, "n")
	if err != nil {
		return nil, err
	}
	n, err := bigInt(a[0])
	if err != nil {
		return nil, err
	}
	if n.Sign() < 0 {
		return nil, py.ExceptionNewf(py.ValueError, "isqrt() argument must be nonnegative")
	}
	return bigObject(new(big.Int).Sqrt(n)), nil
}

// product is math.prod.
func product(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("prod", args, kwargs, 1, "iterable", "start")
	if err != nil {
		return nil, err
	}
	result := a[1]
	if result == nil {
		result = py.Int(1)
	}
	it, err := py.Iter(a[0])
	for err == nil {
		var item py.Object
		if item, err = py.Next(it); err == nil {
			result, err = py.Mul(result, item)
		}
	}
	if py.IsException(py.StopIteration, err) {
		return result, nil
	}
	return nil, err
}

// mostChosen bounds what comb and perm are asked for: their results have millions of digits then.
const mostChosen = 1 << 20

// chosen is comb or perm.
func chosen(name string, required int, f func(n, k int64) *big.Int) func(py.Tuple, py.StringDict) (py.Object, error) {
	return func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments(name, args, kwargs, required, "n", "k")
		if err != nil {
			return nil, err
		}
		if a[1] == nil || a[1] == py.None {
			a[1] = a[0]
		}
		var n [2]int64
		for i, letter := range []string{"n", "k"} {
			value, err := bigInt(a[i])
			switch {
			case err != nil:
				return nil, err
			case value.Sign() < 0:
				return nil, py.ExceptionNewf(py.ValueError, "%s must be a non-negative integer", letter)
			case value.Cmp(big.NewInt(mostChosen)) > 0:
				return nil, py.ExceptionNewf(py.OverflowError, "%s must not exceed %d", letter, mostChosen)
			}
			n[i] = value.Int64()
		}
		if n[1] > n[0] {
			return py.Int(0), nil
		}
		return bigObject(f(n[0], n[1])), nil
	}
}
