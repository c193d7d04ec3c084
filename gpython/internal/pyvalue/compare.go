package pyvalue

// < <= == != > >=, "is" and "in". gpython v0.2.0 has no order of lists and tuples and none between
// large ints and floats, rounds 2**53 + 1 to compare it with a float, and does not ask __eq__ of a
// program's classes. CPython compares exactly, item by item, and asks both operands.

import (
	"bytes"
	"cmp"
	"strings"
	"unsafe"

	"github.com/go-python/gpython/py"
)

// Comparison is one of Python's six rich comparisons.
type Comparison int

const (
	less Comparison = iota
	lessEqual
	equal
	notEqual
	greater
	greaterEqual
)

var comparisons = [...]struct {
	symbol, slot string
	mirror       Comparison // the one that is asked of the other operand
}{
	less:         {"<", "__lt__", greater},
	lessEqual:    {"<=", "__le__", greaterEqual},
	equal:        {"==", "__eq__", equal},
	notEqual:     {"!=", "__ne__", notEqual},
	greater:      {">", "__gt__", less},
	greaterEqual: {">=", "__ge__", lessEqual},
}

// RecursionError is the class that gpython lacks.
var RecursionError = recursionError()

func recursionError() *py.Type {
	base := py.RuntimeError
	t := base.NewTypeFlags("RecursionError", "Recursion limit exceeded.", nil, nil, base.Flags&^py.TPFLAGS_READY)
	if err := t.Ready(); err != nil {
		panic(err)
	}
	return t
}

// deepest is how deep containers are compared: one may hold itself.
const deepest = 1000

func tooDeep(where string) error {
	return py.ExceptionNewf(RecursionError, "maximum recursion depth exceeded %s", where)
}

// holds says what the comparison makes of an ordering c, which is negative, zero or positive.
func (op Comparison) holds(c int) bool {
	switch op {
	case less:
		return c < 0
	case lessEqual:
		return c <= 0
	case equal:
		return c == 0
	case notEqual:
		return c != 0
	case greater:
		return c > 0
	}
	return c >= 0
}

// Equal is a == b, made a bool.
func Equal(a, b py.Object) (bool, error) { return equalAt(a, b, 0) }

// sameOrEqual is how containers compare their items: a is b or a == b.
func sameOrEqual(a, b py.Object) (bool, error) {
	if Identical(a, b) {
		return true, nil
	}
	return Equal(a, b)
}

// lessThan is a < b, made a bool.
func lessThan(a, b py.Object) (bool, error) {
	res, err := compareAt(less, a, b, 0)
	if err != nil {
		return false, err
	}
	return Truth(res)
}

// Identical is Python's a is b.
func Identical(a, b py.Object) bool {
	switch x := a.(type) {
	case py.Tuple:
		y, ok := b.(py.Tuple)
		return ok && len(x) == len(y) && (len(x) == 0 || unsafe.SliceData(x) == unsafe.SliceData(y))
	case py.Bytes:
		y, ok := b.(py.Bytes)
		return ok && len(x) == len(y) && (len(x) == 0 || unsafe.SliceData(x) == unsafe.SliceData(y))
	case py.StringDict:
		_, ok := b.(py.StringDict)
		return ok && identity(a) == identity(b)
	case py.Float:
		y, ok := b.(py.Float)
		return ok && (x == y || identity(a) == identity(b))
	case *py.Exception: // NotImplemented is one
		y, ok := b.(*py.Exception)
		return ok && x == y
	}
	switch b.(type) {
	case py.Tuple, py.Bytes, py.StringDict:
		return false
	}
	return a == b
}

// equalAt is a == b within containers so deep.
func equalAt(a, b py.Object, depth int) (bool, error) {
	res, err := compareAt(equal, a, b, depth)
	if err != nil {
		return false, err
	}
	return Truth(res)
}

// Compare is one of < <= == != > >=. The result need not be a bool.
func Compare(op Comparison, a, b py.Object) (py.Object, error) { return compareAt(op, a, b, 0) }

// compareAt is Compare within containers so deep.
func compareAt(op Comparison, a, b py.Object, depth int) (py.Object, error) {
	if depth > deepest {
		return nil, tooDeep("in Comparison")
	}
	switch x := a.(type) {
	case py.Int:
		if y, ok := b.(py.Int); ok {
			return py.NewBool(op.holds(cmp.Compare(x, y))), nil
		}
	case py.String:
		if y, ok := b.(py.String); ok {
			return py.NewBool(op.holds(strings.Compare(string(x), string(y)))), nil
		}
	case py.Bytes:
		if y, ok := b.(py.Bytes); ok {
			return py.NewBool(op.holds(bytes.Compare(x, y))), nil
		}
	case py.Tuple:
		if y, ok := b.(py.Tuple); ok {
			return compareItems(op, x, y, depth)
		}
	case *py.List:
		if y, ok := b.(*py.List); ok {
			return compareItems(op, x.Items, y.Items, depth)
		}
	case *py.BoundMethod:
		if y, ok := b.(*py.BoundMethod); ok && (op == equal || op == notEqual) {
			same := Identical(x.Self, y.Self) && Identical(x.Method, y.Method)
			return py.NewBool(same == (op == equal)), nil
		}
	case *py.Type, *py.Exception:
		return compareInstances(op, a, b)
	}
	switch b.(type) {
	case *py.Type, *py.Exception:
		return compareInstances(op, a, b)
	}
	if isNumber(a) && isNumber(b) {
		return compareNumbers(op, a, b)
	}
	if x, ok := setTable(a); ok {
		if y, ok := setTable(b); ok {
			return compareSets(op, x, y)
		}
	}
	if op == equal || op == notEqual {
		if x, ok := asDict(a); ok {
			if y, ok := asDict(b); ok {
				same, err := dictsEqualAt(x, y, depth)
				if same && x.kind != nil && y.kind != nil && x.kind.Ordered && y.kind.Ordered {
					same, err = sameOrder(x, y)
				}
				return py.NewBool(same == (op == equal)), err
			}
		}
		if !knownType(a) || !knownType(b) {
			return gpythonCompare(op, a, b)
		}
		return py.NewBool(Identical(a, b) == (op == equal)), nil
	}
	if !knownType(a) || !knownType(b) {
		return gpythonCompare(op, a, b)
	}
	return nil, notOrdered(op, a, b)
}

// knownType reports whether this package alone decides how o compares: gpython is not asked.
func knownType(o py.Object) bool {
	switch o.(type) {
	case py.Int, *py.BigInt, py.Bool, py.Float, py.Complex, py.String, py.Bytes, py.Tuple, *py.List, *Dict, py.StringDict,
		*Set, *FrozenSet, *view, py.NoneType, *py.Exception, *py.Function, *py.Method:
		return true
	}
	return false
}

func notOrdered(op Comparison, a, b py.Object) error {
	return py.ExceptionNewf(py.TypeError, "'%s' not supported between instances of '%s' and '%s'",
		comparisons[op].symbol, typeName(a), typeName(b))
}

// compareItems compares two sequences by their first items that differ.
func compareItems(op Comparison, a, b []py.Object, depth int) (py.Object, error) {
	if (op == equal || op == notEqual) && len(a) != len(b) {
		return py.NewBool(op == notEqual), nil
	}
	for i := 0; i < len(a) && i < len(b); i++ {
		if Identical(a[i], b[i]) {
			continue
		}
		same, err := equalAt(a[i], b[i], depth+1)
		if err != nil {
			return nil, err
		}
		if same {
			continue
		}
		if op == equal || op == notEqual {
			return py.NewBool(op == notEqual), nil
		}
		return compareAt(op, a[i], b[i], depth+1)
	}
	return py.NewBool(op.holds(cmp.Compare(len(a), len(b)))), nil
}

// compareInstances compares when one operand is a class of the program or an instance of one.
func compareInstances(op Comparison, a, b py.Object) (py.Object, error) {
	ask := func(self, other py.Object, op Comparison) (py.Object, error) {
		method := instanceMethod(self, comparisons[op].slot)
		if method == nil && op == notEqual {
			if method = instanceMethod(self, "__eq__"); method != nil {
				res, err := py.Call(method, py.Tuple{self, other}, nil)
				if err != nil || res == py.NotImplemented {
					return res, err
				}
				yes, err := Truth(res)
				return py.NewBool(!yes), err
			}
		}
		if method != nil {
			return py.Call(method, py.Tuple{self, other}, nil)
		}
		if value := valueOf(other); value != nil && !isInstanceOfProgram(self) && (sameKind(self, value) || isNumber(self) && isNumber(value)) {
			if _, isDict := asDict(value); !isDict || op == equal || op == notEqual {
				return compareAt(op, self, value, 0)
			}
		}
		return py.NotImplemented, nil
	}
	first := func() (py.Object, error) { return ask(a, b, op) }
	second := func() (py.Object, error) { return ask(b, a, comparisons[op].mirror) }
	if of, other := a.Type(), b.Type(); of != other && other.IsSubtype(of) {
		first, second = second, first
	}
	if res, err := first(); err != nil || res != py.NotImplemented {
		return res, err
	}
	if res, err := second(); err != nil || res != py.NotImplemented {
		return res, err
	}
	return compareIdentity(op, a, b)
}

// compareIdentity compares objects whose types say nothing about each other: they are equal if they
// are the same object, and have no order.
func compareIdentity(op Comparison, a, b py.Object) (py.Object, error) {
	switch op {
	case equal:
		return py.NewBool(Identical(a, b)), nil
	case notEqual:
		return py.NewBool(!Identical(a, b)), nil
	}
	return nil, notOrdered(op, a, b)
}

// gpythonCompare leaves a type that this package does not know to gpython.
func gpythonCompare(op Comparison, a, b py.Object) (py.Object, error) {
	res, err := [...]func(a, b py.Object) (py.Object, error){py.Lt, py.Le, py.Eq, py.Ne, py.Gt, py.Ge}[op](a, b)
	if py.IsException(py.TypeError, err) {
		return compareIdentity(op, a, b)
	}
	return res, err
}

// eqSlot and neSlot are the methods by which gpython itself compares this package's types. For a
// type that they do not know they return NotImplemented, so that gpython asks that type.
func eqSlot(a, b py.Object) (py.Object, error) { return equalitySlot(equal, a, b) }
func neSlot(a, b py.Object) (py.Object, error) { return equalitySlot(notEqual, a, b) }

func equalitySlot(op Comparison, a, b py.Object) (py.Object, error) {
	if !knownType(b) {
		return py.NotImplemented, nil
	}
	return Compare(op, a, b)
}

// Holder is an object of another package that says itself what is in it, rather than by its
// iterator.
type Holder interface {
	Holds(item py.Object) (bool, error)
}

// Contains is item in o.
func Contains(o, item py.Object) (bool, error) {
	switch x := o.(type) {
	case py.String:
		sub, ok := plain(item).(py.String)
		if !ok {
			return false, py.ExceptionNewf(py.TypeError, "'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(string(x), string(sub)), nil
	case py.Bytes:
		return bytesContains(x, item)
	case *Dict:
		_, ok, err := x.get(item)
		return ok, err
	case py.StringDict:
		key, ok := item.(py.String)
		if !ok {
			_, err := hash(item)
			return false, err
		}
		_, ok = x[string(key)]
		return ok, nil
	case *Set:
		i, err := x.find(setItem(item))
		return i >= 0, err
	case *FrozenSet:
		i, err := x.find(setItem(item))
		return i >= 0, err
	case *view:
		res, err := x.M__contains__(item)
		return res == py.Object(py.True), err
	case Holder:
		return x.Holds(item)
	case *py.Type, *py.Exception:
		if method := instanceMethod(o, "__contains__"); method != nil {
			res, err := py.Call(method, py.Tuple{o, item}, nil)
			if err != nil {
				return false, err
			}
			return Truth(res)
		}
		if instanceMethod(o, "__iter__") != nil {
			if _, err := Iter(o); py.IsException(py.TypeError, err) {
				return false, py.ExceptionNewf(py.TypeError, "argument of type '%s' is not iterable", typeName(o))
			}
		}
	}
	if !iterable(o) {
		if s, ok := o.(py.I__contains__); ok {
			res, err := s.M__contains__(item)
			return res == py.Object(py.True), err
		}
		return false, py.ExceptionNewf(py.TypeError, "argument of type '%s' is not iterable", typeName(o))
	}
	found := false
	err := iterate(o, func(one py.Object) error {
		same, err := sameOrEqual(one, item)
		if same {
			found = true
			return errStop
		}
		return err
	})
	return found, err
}
