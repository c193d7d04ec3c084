package gpython

// The text of a JSON document, which json.loads also takes as bytes in any encoding of Unicode.

import (
	byteorder "encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

// jsonSource is what a program gave as the text.
func jsonSource(o py.Object) (string, error) {
	switch x := pyvalue.Plain(o).(type) {
	case py.String:
		if strings.HasPrefix(string(x), "\ufeff") {
			return "", newJSONError("Unexpected UTF-8 BOM (decode using utf-8-sig)", string(x), 0)
		}
		return string(x), nil
	case py.Bytes:
		return jsonDecoded(x)
	}
	return "", py.ExceptionNewf(py.TypeError, "the JSON object must be str, bytes or bytearray, not %s", o.Type().Name)
}

// jsonDecoded finds the encoding of bytes by their beginning, as RFC 4627 describes, and decodes
// them.
func jsonDecoded(b []byte) (string, error) {
	at := func(i int) byte {
		if i < len(b) {
			return b[i]
		}
		return 1
	}
	starts := func(mark string) bool { return strings.HasPrefix(string(b[:min(len(b), 4)]), mark) }
	switch {
	case starts("\x00\x00\xfe\xff"):
		return wide(b[4:], byteorder.BigEndian, 4)
	case starts("\xff\xfe\x00\x00"):
		return wide(b[4:], byteorder.LittleEndian, 4)
	case starts("\xfe\xff"):
		return wide(b[2:], byteorder.BigEndian, 2)
	case starts("\xff\xfe"):
		return wide(b[2:], byteorder.LittleEndian, 2)
	case starts("\xef\xbb\xbf"):
		return pyvalue.Decode(b[3:], "utf-8", "strict")
	case len(b) >= 4 && at(0) == 0 && at(1) == 0:
		return wide(b, byteorder.BigEndian, 4)
	case len(b) >= 4 && at(0) == 0:
		return wide(b, byteorder.BigEndian, 2)
	case len(b) >= 4 && at(1) == 0 && (at(2) != 0 || at(3) != 0):
		return wide(b, byteorder.LittleEndian, 2)
	case len(b) >= 4 && at(1) == 0:
		return wide(b, byteorder.LittleEndian, 4)
	case len(b) == 2 && at(0) == 0:
		return wide(b, byteorder.BigEndian, 2)
	case len(b) == 2 && at(1) == 0:
		return wide(b, byteorder.LittleEndian, 2)
	}
	return pyvalue.Decode(b, "utf-8", "strict")
}

// wide decodes UTF-16 or UTF-32.
func wide(b []byte, order byteorder.ByteOrder, size int) (string, error) {
	bad := func() (string, error) {
		return "", py.ExceptionNewf(py.UnicodeDecodeError, "'utf-%d' codec can't decode the JSON document", 8*size)
	}
	if len(b)%size != 0 {
		return bad()
	}
	var text strings.Builder
	for i := 0; i < len(b); i += size {
		r := rune(0)
		if size == 4 {
			n := order.Uint32(b[i:])
			if n > utf8.MaxRune {
				return bad()
			}
			r = rune(n)
		} else {
			r = rune(order.Uint16(b[i:]))
			if utf16.IsSurrogate(r) && i+4 <= len(b) {
				r = utf16.DecodeRune(r, rune(order.Uint16(b[i+2:])))
				i += 2
			}
		}
		if !utf8.ValidRune(r) || r == utf8.RuneError {
			return bad()
		}
		text.WriteRune(r)
	}
	return text.String(), nil
}
