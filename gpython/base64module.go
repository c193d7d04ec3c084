package gpython

// base64, which gpython v0.2.0 lacks, and binascii's functions for it. CPython's decoder skips what
// is no letter of the alphabet unless it is told to validate, and has errors of its own; Go's does
// neither, so the decoding is done here.

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// binascii's exceptions.
var (
	binasciiError      = newType(py.ValueError, "Error", "Data that cannot be decoded.")
	binasciiIncomplete = newType(py.ExceptionType, "Incomplete", "Data that breaks off.")
)

func init() {
	binasciiError.Dict["__module__"] = py.String("binascii")
	binasciiIncomplete.Dict["__module__"] = py.String("binascii")
}

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// base64Module makes the module.
func (in *interp) base64Module() (*py.Module, error) {
	globals := py.StringDict{}
	add := func(name string, required int, call func(a []py.Object) (py.Object, error), parameters ...string) {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, required, parameters...)
			if err != nil {
				return nil, err
			}
			return call(a)
		}}
	}
	encode := func(o py.Object, altchars py.Object) (py.Object, error) {
		b, err := bytesLike(o)
		if err != nil {
			return nil, err
		}
		text := base64.StdEncoding.AppendEncode(nil, b)
		if altchars != nil && altchars != py.None {
			other, err := bytesLike(altchars)
			if err != nil {
				return nil, err
			}
			if len(other) != 2 {
				shown, err := pyvalue.Repr(altchars)
				if err != nil {
					return nil, err
				}
				return nil, newException(py.AssertionError, py.String(shown))
			}
			for i, c := range text {
				switch c {
				case '+':
					text[i] = other[0]
				case '/':
					text[i] = other[1]
				}
			}
		}
		return py.Bytes(text), nil
	}
	decode := func(o, altchars, validate py.Object) (py.Object, error) {
		b, err := asciiBytes(o)
		if err != nil {
			return nil, err
		}
		if altchars != nil && altchars != py.None {
			other, err := asciiBytes(altchars)
			if err != nil {
				return nil, err
			}
			if len(other) != 2 {
				shown, err := pyvalue.Repr(py.Bytes(other))
				if err != nil {
					return nil, err
				}
				return nil, newException(py.AssertionError, py.String(shown))
			}
			b = slices.Clone(b)
			for i, c := range b {
				switch c {
				case other[0]:
					b[i] = '+'
				case other[1]:
					b[i] = '/'
				}
			}
		}
		strict, err := truth(validate, false)
		if err != nil {
			return nil, err
		}
		return decodeBase64(b, strict)
	}
	none := py.Object(nil)
	safe := py.Object(py.Bytes("-_"))
	add("b64encode", 1, func(a []py.Object) (py.Object, error) { return encode(a[0], a[1]) }, "s", "altchars")
	add("b64decode", 1, func(a []py.Object) (py.Object, error) { return decode(a[0], a[1], a[2]) }, "s", "altchars", "validate")
	add("standard_b64encode", 1, func(a []py.Object) (py.Object, error) { return encode(a[0], none) }, "s")
	add("standard_b64decode", 1, func(a []py.Object) (py.Object, error) { return decode(a[0], none, none) }, "s")
	add("urlsafe_b64encode", 1, func(a []py.Object) (py.Object, error) { return encode(a[0], safe) }, "s")
	add("urlsafe_b64decode", 1, func(a []py.Object) (py.Object, error) { return decode(a[0], safe, none) }, "s")
	add("b16encode", 1, func(a []py.Object) (py.Object, error) {
		b, err := bytesLike(a[0])
		return py.Bytes(strings.ToUpper(hex.EncodeToString(b))), err
	}, "s")
	add("b16decode", 1, func(a []py.Object) (py.Object, error) {
		b, err := asciiBytes(a[0])
		if err != nil {
			return nil, err
		}
		fold, err := truth(a[1], false)
		if err != nil {
			return nil, err
		}
		if fold {
			b = []byte(strings.ToUpper(string(b)))
		}
		if strings.Trim(string(b), "0123456789ABCDEF") != "" || strings.ContainsAny(string(b), "abcdef") {
			return nil, newException(binasciiError, py.String("Non-base16 digit found"))
		}
		if len(b)%2 != 0 {
			return nil, newException(binasciiError, py.String("Odd-length string"))
		}
		out, err := hex.DecodeString(string(b))
		if err != nil {
			return nil, newException(binasciiError, py.String("Non-base16 digit found"))
		}
		return py.Bytes(out), nil
	}, "s", "casefold")
	add("b32encode", 1, func(a []py.Object) (py.Object, error) {
		b, err := bytesLike(a[0])
		return py.Bytes(base32.StdEncoding.EncodeToString(b)), err
	}, "s")
	add("encodebytes", 1, func(a []py.Object) (py.Object, error) {
		b, err := bytesLike(a[0])
		if err != nil {
			return nil, err
		}
		var out []byte
		for line := range slices.Chunk(b, 57) {
			out = append(base64.StdEncoding.AppendEncode(out, line), '\n')
		}
		return py.Bytes(out), nil
	}, "s")
	add("decodebytes", 1, func(a []py.Object) (py.Object, error) {
		b, err := bytesLike(a[0])
		if err != nil {
			return nil, err
		}
		return decodeBase64(b, false)
	}, "s")
	return in.newModule("base64", globals)
}

// bytesLike are the bytes that an object is.
func bytesLike(o py.Object) ([]byte, error) {
	if b, ok := o.(py.Bytes); ok {
		return b, nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "a bytes-like object is required, not '%s'", o.Type().Name)
}

// asciiBytes are the bytes of bytes, or of a str that has nothing but ASCII.
func asciiBytes(o py.Object) ([]byte, error) {
	switch x := pyvalue.Plain(o).(type) {
	case py.Bytes:
		return x, nil
	case py.String:
		for _, c := range []byte(x) {
			if c >= 0x80 {
				return nil, py.ExceptionNewf(py.ValueError, "string argument should contain only ASCII characters")
			}
		}
		return []byte(x), nil
	}
	return nil, py.ExceptionNewf(py.TypeError, "argument should be a bytes-like object or ASCII string, not '%s'", o.Type().Name)
}

// decodeBase64 is binascii.a2b_base64.
func decodeBase64(b []byte, strict bool) (py.Object, error) {
	fail := func(text string) (py.Object, error) { return nil, newException(binasciiError, py.String(text)) }
	out := make([]byte, 0, len(b)/4*3+3)
	quad, pads, padded := 0, 0, false
	var left byte
	if strict && len(b) > 0 && b[0] == '=' {
		return fail("Leading padding not allowed")
	}
	for i, c := range b {
		if c == '=' {
			padded = true
			if quad >= 2 {
				pads++
			}
			if quad >= 2 && quad+pads >= 4 {
				if strict && i+1 < len(b) {
					return fail("Excess data after padding")
				}
				return py.Bytes(out), nil
			}
			continue
		}
		value := strings.IndexByte(base64Letters, c)
		if value < 0 {
			if strict {
				return fail("Only base64 data is allowed")
			}
			continue
		}
		if strict && padded {
			return fail("Discontinuous padding not allowed")
		}
		pads = 0
		v := byte(value)
		switch quad {
		case 0:
			left = v
		case 1:
			out = append(out, left<<2|v>>4)
			left = v & 0xf
		case 2:
			out = append(out, left<<4|v>>2)
			left = v & 3
		case 3:
			out = append(out, left<<6|v)
			left = 0
		}
		quad = (quad + 1) % 4
	}
	switch quad {
	case 0:
		return py.Bytes(out), nil
	case 1:
		return nil, newException(binasciiError, py.String("Invalid base64-encoded string: number of data characters ("+
			strconv.Itoa(len(out)/3*4+1)+") cannot be 1 more than a multiple of 4"))
	}
	return fail("Incorrect padding")
}

// binasciiModule is in the place of gpython's, whose errors and strictness differ.
func (in *interp) binasciiModule() (*py.Module, error) {
	globals := py.StringDict{"Error": binasciiError, "Incomplete": binasciiIncomplete}
	for _, name := range []string{"hexlify", "b2a_hex"} {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "data", "sep", "bytes_per_sep")
			if err != nil {
				return nil, err
			}
			if a[1] != nil {
				return nil, py.ExceptionNewf(py.NotImplementedError, "this Go worker's Python has no binascii.%s(sep=...)", name)
			}
			b, err := bytesLike(a[0])
			return py.Bytes(hex.EncodeToString(b)), err
		}}
	}
	for _, name := range []string{"unhexlify", "a2b_hex"} {
		globals[name] = &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			a, err := arguments(name, args, kwargs, 1, "hexstr")
			if err != nil {
				return nil, err
			}
			b, err := asciiBytes(a[0])
			if err != nil {
				return nil, err
			}
			if len(b)%2 != 0 {
				return nil, newException(binasciiError, py.String("Odd-length string"))
			}
			out := make([]byte, len(b)/2)
			if _, err := hex.Decode(out, b); err != nil {
				return nil, newException(binasciiError, py.String("Non-hexadecimal digit found"))
			}
			return py.Bytes(out), nil
		}}
	}
	globals["b2a_base64"] = &function{"b2a_base64", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("b2a_base64", args, kwargs, 1, "data", "newline")
		if err != nil {
			return nil, err
		}
		b, err := bytesLike(a[0])
		if err != nil {
			return nil, err
		}
		newline, err := truth(a[1], true)
		text := base64.StdEncoding.AppendEncode(nil, b)
		if newline {
			text = append(text, '\n')
		}
		return py.Bytes(text), err
	}}
	globals["a2b_base64"] = &function{"a2b_base64", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("a2b_base64", args, kwargs, 1, "data", "strict_mode")
		if err != nil {
			return nil, err
		}
		b, err := asciiBytes(a[0])
		if err != nil {
			return nil, err
		}
		strict, err := truth(a[1], false)
		if err != nil {
			return nil, err
		}
		return decodeBase64(b, strict)
	}}
	globals["crc32"] = &function{"crc32", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		a, err := arguments("crc32", args, kwargs, 1, "data", "crc")
		if err != nil {
			return nil, err
		}
		b, err := bytesLike(a[0])
		if err != nil {
			return nil, err
		}
		start := 0
		if a[1] != nil {
			if start, err = py.IndexInt(a[1]); err != nil {
				return nil, err
			}
		}
		return py.Int(crc32.Update(uint32(start), crc32.IEEETable, b)), nil
	}}
	return in.newModule("binascii", globals)
}
