package pyvalue

import (
	"github.com/go-python/gpython/py"
	"github.com/go-python/gpython/vm"
)

// replaceUnpacking makes a, b = x and a, *b = x take any iterable, and pass on the exceptions of
// its iterator.
func replaceUnpacking() {
	jumpTable[vm.UNPACK_SEQUENCE] = func(v *vm.Vm, count int32) error {
		all, err := unpacked(v.TOP(), int(count))
		if err != nil {
			return err
		}
		if len(all) < int(count) {
			return py.ExceptionNewf(py.ValueError, "not enough values to unpack (expected %d, got %d)", count, len(all))
		}
		v.DROP()
		v.EXTEND_REVERSED(all)
		return nil
	}
	jumpTable[vm.UNPACK_EX] = func(v *vm.Vm, counts int32) error {
		before, after := int(counts&0xff), int(counts>>8)
		all, err := unpacked(v.TOP(), -1)
		if err != nil {
			return err
		}
		if len(all) < before+after {
			return py.ExceptionNewf(py.ValueError, "not enough values to unpack (expected at least %d, got %d)", before+after, len(all))
		}
		middle := &py.List{Items: append([]py.Object(nil), all[before:len(all)-after]...)}
		v.DROP()
		v.EXTEND_REVERSED(all[len(all)-after:])
		v.PUSH(middle)
		v.EXTEND_REVERSED(all[:before])
		return nil
	}
}

// unpacked collects what o gives. It returns a ValueError when that is more than most, unless most
// is negative.
func unpacked(o py.Object, most int) (py.Tuple, error) {
	if !iterable(o) {
		return nil, py.ExceptionNewf(py.TypeError, "cannot unpack non-iterable %s object", typeName(o))
	}
	var all py.Tuple
	err := iterate(o, func(item py.Object) error {
		if len(all) == most {
			return py.ExceptionNewf(py.ValueError, "too many values to unpack (expected %d)", most)
		}
		all = append(all, item)
		return nil
	})
	return all, err
}
