package pyvalue

// range's methods, which gpython v0.2.0 lacks.

import "github.com/go-python/gpython/py"

func init() {
	rangeMethod := func(text string, f func(at int, item py.Object) (py.Object, error)) {
		addMethod(py.RangeType, text, func(self py.Object, a []py.Object) (py.Object, error) {
			at, err := inRange(self.(*py.Range), a[0])
			if err != nil {
				return nil, err
			}
			return f(at, a[0])
		})
	}
	rangeMethod("count(item, /)", func(at int, _ py.Object) (py.Object, error) {
		if at < 0 {
			return py.Int(0), nil
		}
		return py.Int(1), nil
	})
	rangeMethod("index(item, /)", func(at int, item py.Object) (py.Object, error) {
		if at >= 0 {
			return py.Int(at), nil
		}
		if _, isInt := item.(py.Int); !isInt {
			return nil, py.ExceptionNewf(py.ValueError, "sequence.index(x): x not in sequence")
		}
		text, err := Repr(item)
		if err != nil {
			return nil, err
		}
		return nil, py.ExceptionNewf(py.ValueError, "%s is not in range", text)
	})
}

// inRange returns where a range has an item, -1 if it has not.
func inRange(r *py.Range, item py.Object) (int, error) {
	if n, ok := item.(py.Int); ok {
		from := n - r.Start
		if at := int(from / r.Step); from%r.Step == 0 && at >= 0 && at < int(r.Length) {
			return at, nil
		}
		return -1, nil
	}
	for at := range int(r.Length) {
		if same, err := sameOrEqual(r.Start+py.Int(at)*r.Step, item); same || err != nil {
			return at, err
		}
	}
	return -1, nil
}
