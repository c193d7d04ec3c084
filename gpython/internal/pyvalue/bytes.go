package pyvalue

import (
	"bytes"

	"github.com/go-python/gpython/py"
)

func bytesContains(b py.Bytes, item py.Object) (bool, error) {
	switch x := item.(type) {
	case py.Bytes:
		return bytes.Contains(b, x), nil
	}
	c, err := asByte(item)
	if err != nil {
		return false, err
	}
	return bytes.IndexByte(b, c) >= 0, nil
}

func asByte(o py.Object) (byte, error) {
	if !isNumber(o) {
		return 0, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", typeName(o))
	}
	i, err := asIndex(o)
	if err != nil {
		return 0, err
	}
	if !i.IsInt64() || i.Int64() < 0 || i.Int64() > 255 {
		return 0, py.ExceptionNewf(py.ValueError, "byte must be in range(0, 256)")
	}
	return byte(i.Int64()), nil
}
