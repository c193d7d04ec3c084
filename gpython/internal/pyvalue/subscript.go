package pyvalue

// o[key], o[key] = value and del o[key], with slices and negative positions, for all types. gpython
// v0.2.0 has them for some types only: bytes cannot be indexed. An index is checked with CPython's
// errors.

import (
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// GetItem is o[key].
func GetItem(o, key py.Object) (py.Object, error) {
	switch x := o.(type) {
	case *Dict:
		return x.M__getitem__(key)
	case *py.List:
		if slice, ok := key.(*py.Slice); ok {
			return sliced(slice, len(x.Items), func(at []int) py.Object { return &py.List{Items: pick(x.Items, at)} })
		}
		i, err := position("list", key, len(x.Items))
		if err != nil {
			return nil, err
		}
		return x.Items[i], nil
	case py.Tuple:
		if slice, ok := key.(*py.Slice); ok {
			return sliced(slice, len(x), func(at []int) py.Object { return py.Tuple(pick(x, at)) })
		}
		i, err := position("tuple", key, len(x))
		if err != nil {
			return nil, err
		}
		return x[i], nil
	case py.Bytes:
		if slice, ok := key.(*py.Slice); ok {
			return sliced(slice, len(x), func(at []int) py.Object { return py.Bytes(pick(x, at)) })
		}
		i, err := position("byte", key, len(x))
		if err != nil {
			return nil, err
		}
		return py.Int(x[i]), nil
	case py.String:
		return stringItem(string(x), key)
	case *py.Range: // gpython's slices of it are wrong if a step is negative
		slice, ok := key.(*py.Slice)
		if !ok {
			return py.GetItem(o, key)
		}
		start, stop, step, count, err := sliceIndices(slice, int(x.Length))
		return &py.Range{Start: x.Start + py.Int(start)*x.Step, Stop: x.Start + py.Int(stop)*x.Step, Step: x.Step * py.Int(step), Length: py.Int(count)}, err
	case py.StringDict:
		if name, ok := key.(py.String); ok {
			if value, ok := x[string(name)]; ok {
				return value, nil
			}
		}
		if _, err := hash(key); err != nil {
			return nil, err
		}
		return nil, keyError(key)
	case *py.Type, *py.Exception:
		if method := instanceMethod(o, "__getitem__"); method != nil {
			return py.Call(method, py.Tuple{o, key}, nil)
		}
		return nil, py.ExceptionNewf(py.TypeError, "'%s' object is not subscriptable", typeName(o))
	}
	return py.GetItem(o, key)
}

// stringItem is s[key], which counts characters.
func stringItem(s string, key py.Object) (py.Object, error) {
	ascii := isASCII(s)
	n := len(s)
	var runes []rune
	if !ascii {
		runes = []rune(s)
		n = len(runes)
	}
	if slice, ok := key.(*py.Slice); ok {
		return sliced(slice, n, func(at []int) py.Object {
			if ascii {
				return py.String(pick([]byte(s), at))
			}
			return py.String(string(pick(runes, at)))
		})
	}
	i, err := position("string", key, n)
	if err != nil {
		return nil, err
	}
	if ascii {
		return py.String(s[i : i+1]), nil
	}
	return py.String(runes[i]), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// sliced makes the positions that a slice takes out of n.
func sliced(slice *py.Slice, n int, take func(at []int) py.Object) (py.Object, error) {
	start, _, step, count, err := sliceIndices(slice, n)
	if err != nil {
		return nil, err
	}
	at := make([]int, count)
	for i := range at {
		at[i] = start + i*step
	}
	return take(at), nil
}

// pick returns the items at some positions.
func pick[T any](from []T, at []int) []T {
	out := make([]T, len(at))
	for i, j := range at {
		out[i] = from[j]
	}
	return out
}

// sliceIndices is slice.indices(n), and how many items those are.
func sliceIndices(slice *py.Slice, n int) (start, stop, step, count int, err error) {
	for _, o := range []py.Object{slice.Start, slice.Stop, slice.Step} {
		if o == py.Object(py.None) {
			continue
		}
		if _, err := asIndex(o); err != nil {
			return 0, 0, 0, 0, py.ExceptionNewf(py.TypeError, "slice indices must be integers or None or have an __index__ method")
		}
	}
	limit := func(o py.Object, otherwise, low, high int) int {
		if o == py.Object(py.None) {
			return otherwise
		}
		i, _ := asIndex(o)
		if !i.IsInt64() {
			if i.Sign() < 0 {
				return low
			}
			return high
		}
		at := i.Int64()
		if at < 0 {
			at += int64(n)
		}
		return int(max(min(at, int64(high)), int64(low)))
	}
	step = 1
	if slice.Step != py.Object(py.None) {
		i, _ := asIndex(slice.Step)
		switch {
		case i.Sign() == 0:
			return 0, 0, 0, 0, py.ExceptionNewf(py.ValueError, "slice step cannot be zero")
		case i.IsInt64():
			step = int(max(min(i.Int64(), int64(n)+2), -int64(n)-2)) // and not 1 if it was more
		default:
			step = (n + 2) * i.Sign()
		}
	}
	if step > 0 {
		start, stop = limit(slice.Start, 0, 0, n), limit(slice.Stop, n, 0, n)
		count = max(0, (stop-start+step-1)/step)
	} else {
		start, stop = limit(slice.Start, n-1, -1, n-1), limit(slice.Stop, -1, -1, n-1)
		count = max(0, (start-stop-step-1)/-step)
	}
	return start, stop, step, count, nil
}

// position checks an index into n items.
func position(what string, key py.Object, n int) (int, error) {
	big, err := asIndex(key)
	if err != nil {
		kind := strings.TrimSuffix(what, " assignment")
		if what == "byte" || what == "string" {
			return 0, py.ExceptionNewf(py.TypeError, "%s indices must be integers%s", kind, indexHint(what, key))
		}
		return 0, py.ExceptionNewf(py.TypeError, "%s indices must be integers or slices, not %s", kind, typeName(key))
	}
	if big.IsInt64() {
		i := big.Int64()
		if i < 0 {
			i += int64(n)
		}
		if i >= 0 && i < int64(n) {
			return int(i), nil
		}
	} else {
		return 0, py.ExceptionNewf(py.IndexError, "cannot fit '%s' into an index-sized integer", typeName(key))
	}
	if what == "byte" {
		return 0, py.ExceptionNewf(py.IndexError, "index out of range")
	}
	return 0, py.ExceptionNewf(py.IndexError, "%s index out of range", what)
}

func indexHint(what string, key py.Object) string {
	if what == "string" {
		return ", not '" + typeName(key) + "'"
	}
	return " or slices, not " + typeName(key)
}

// SetItem is o[key] = value.
func SetItem(o, key, value py.Object) error {
	switch x := o.(type) {
	case *Dict:
		if x.proxy {
			return py.ExceptionNewf(py.TypeError, "'mappingproxy' object does not support item assignment")
		}
		return x.put(key, value)
	case *py.List:
		return assignToList(x, key, value)
	case *py.Type, *py.Exception:
		if method := instanceMethod(o, "__setitem__"); method != nil {
			_, err := py.Call(method, py.Tuple{o, key, value}, nil)
			return err
		}
		if instanceMethod(o, "__delitem__") != nil {
			return py.ExceptionNewf(py.AttributeError, "__setitem__")
		}
	case py.I__setitem__:
		_, err := x.M__setitem__(key, value)
		return err
	}
	if err := positionFits(o, key); err != nil {
		return err
	}
	return py.ExceptionNewf(py.TypeError, "'%s' object does not support item assignment", typeName(o))
}

// assignToList is l[key] = value, for an index or a slice.
func assignToList(x *py.List, key, value py.Object) error {
	slice, ok := key.(*py.Slice)
	if !ok {
		i, err := position("list assignment", key, len(x.Items))
		if err != nil {
			return err
		}
		x.Items[i] = value
		return nil
	}
	start, stop, step, count, err := sliceIndices(slice, len(x.Items))
	if err != nil {
		return err
	}
	if !iterable(value) {
		if step != 1 {
			return py.ExceptionNewf(py.TypeError, "must assign iterable to extended slice")
		}
		return py.ExceptionNewf(py.TypeError, "can only assign an iterable")
	}
	it, err := Iter(value)
	if err != nil {
		return err
	}
	all, err := items(it)
	if err != nil {
		return err
	}
	if step == 1 {
		stop = max(start, stop)
		rest := append(all, x.Items[stop:]...)
		x.Items = append(x.Items[:start:start], rest...)
		return nil
	}
	if len(all) != count {
		return py.ExceptionNewf(py.ValueError, "attempt to assign sequence of size %d to extended slice of size %d", len(all), count)
	}
	for i, item := range all {
		x.Items[start+i*step] = item
	}
	return nil
}

// hasPositions reports whether CPython takes a key of an object, whose items cannot be changed, for
// a position in a sequence.
func hasPositions(o py.Object) bool {
	switch x := o.(type) {
	case *Set, *FrozenSet, *view, *py.Range:
		return true
	case *py.Exception:
		return !isBuiltin(x.Base)
	}
	return isSequence(o) || isInstanceOfProgram(o)
}

// positionFits is the error for a position that no sequence can have, where the items of o cannot
// be changed.
func positionFits(o, key py.Object) error {
	if i, ok := asInt(plain(key)); ok && !i.IsInt64() && hasPositions(o) {
		return py.ExceptionNewf(py.IndexError, "cannot fit '%s' into an index-sized integer", typeName(key))
	}
	return nil
}

// DelItem is del o[key].
func DelItem(o, key py.Object) error {
	switch x := o.(type) {
	case *Dict:
		if x.proxy {
			return py.ExceptionNewf(py.TypeError, "'mappingproxy' object does not support item deletion")
		}
		_, err := x.M__delitem__(key)
		return err
	case *py.List:
		slice, ok := key.(*py.Slice)
		if !ok {
			i, err := position("list assignment", key, len(x.Items))
			if err == nil {
				x.Items = append(x.Items[:i], x.Items[i+1:]...)
			}
			return err
		}
		start, _, step, count, err := sliceIndices(slice, len(x.Items))
		if err != nil {
			return err
		}
		gone := make(map[int]bool, count)
		for i := range count {
			gone[start+i*step] = true
		}
		left := make([]py.Object, 0, len(x.Items)-count)
		for i, item := range x.Items {
			if !gone[i] {
				left = append(left, item)
			}
		}
		x.Items = left
		return nil
	case *py.Type, *py.Exception:
		if method := instanceMethod(o, "__delitem__"); method != nil {
			_, err := py.Call(method, py.Tuple{o, key}, nil)
			return err
		}
		if instanceMethod(o, "__setitem__") != nil {
			return py.ExceptionNewf(py.AttributeError, "__delitem__")
		}
	case py.StringDict:
		if name, ok := key.(py.String); ok {
			if DeleteName(x, string(name)) {
				return nil
			}
		}
		return keyError(key)
	case py.I__delitem__:
		_, err := x.M__delitem__(key)
		return err
	}
	if err := positionFits(o, key); err != nil {
		return err
	}
	not := "does not"
	if _, err := asIndex(key); err == nil && hasPositions(o) {
		not = "doesn't" // CPython's words for a position
	}
	return py.ExceptionNewf(py.TypeError, "'%s' object %s support item deletion", typeName(o), not)
}
