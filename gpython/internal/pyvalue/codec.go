package pyvalue

// Encodings: UTF-8, ASCII and Latin-1, with the error handlers strict, ignore, replace and so on.
// gpython v0.2.0 has neither encode nor decode. The errors tell place and reason in CPython's
// words.

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-python/gpython/py"
)

// fromLatin1 makes each byte a character.
func fromLatin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// toLatin1 is the reverse for text that fromLatin1 made.
func toLatin1(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

// codecName gives the three encodings that there are their one name.
func codecName(encoding string) (string, error) {
	switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(encoding)) {
	case "utf8", "u8":
		return "utf-8", nil
	case "ascii", "usascii", "646":
		return "ascii", nil
	case "latin1", "iso88591", "latin", "l1", "8859":
		return "latin-1", nil
	}
	return "", py.ExceptionNewf(py.LookupError, "unknown encoding: %s", encoding)
}

func unknownHandler(errors string) error {
	return py.ExceptionNewf(py.LookupError, "unknown error handler name '%s'", errors)
}

// Encode is s.encode(encoding, errors).
func Encode(s, encoding, errors string) ([]byte, error) { return encode(s, encoding, errors) }

// CodecName gives an encoding that there is its one name.
func CodecName(encoding string) (string, error) { return codecName(encoding) }

// Decode is b.decode(encoding, errors).
func Decode(b []byte, encoding, errors string) (string, error) { return decode(b, encoding, errors) }

// encode is s.encode(encoding, errors).
func encode(s, encoding, errors string) ([]byte, error) {
	codec, err := codecName(encoding)
	if err != nil {
		return nil, err
	}
	limit := rune(utf8.MaxRune)
	switch codec {
	case "ascii":
		limit = 0x7f
	case "latin-1":
		limit = 0xff
	default:
		return []byte(s), nil
	}
	out := make([]byte, 0, len(s))
	at := 0
	for _, r := range s {
		if r <= limit {
			out = append(out, byte(r))
			at++
			continue
		}
		switch errors {
		case "strict":
			return nil, encodeError(s, codec, at, limit)
		case "ignore":
		case "replace":
			out = append(out, '?')
		case "backslashreplace":
			out = append(out, escapeRune(r)...)
		case "xmlcharrefreplace":
			out = fmt.Appendf(out, "&#%d;", r)
		default:
			return nil, unknownHandler(errors)
		}
		if err := fitsText(len(out) - len(s)); err != nil {
			return nil, err
		}
		at++
	}
	return out, nil
}

func escapeRune(r rune) string {
	switch {
	case r <= 0xff:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// encodeError names the whole run of characters that cannot be encoded.
func encodeError(s, codec string, at int, limit rune) error {
	runes := []rune(s)
	end := at
	for end < len(runes) && runes[end] > limit {
		end++
	}
	if end == at+1 {
		return py.ExceptionNewf(py.UnicodeEncodeError, "'%s' codec can't encode character '%s' in position %d: ordinal not in range(%d)",
			codec, escapeRune(runes[at]), at, limit+1)
	}
	return py.ExceptionNewf(py.UnicodeEncodeError, "'%s' codec can't encode characters in position %d-%d: ordinal not in range(%d)",
		codec, at, end-1, limit+1)
}

// decode is b.decode(encoding, errors).
func decode(b []byte, encoding, errors string) (string, error) {
	codec, err := codecName(encoding)
	if err != nil {
		return "", err
	}
	if codec == "latin-1" {
		return fromLatin1(b), nil
	}
	var out strings.Builder
	for at := 0; at < len(b); {
		c := b[at]
		if c < utf8.RuneSelf {
			out.WriteByte(c)
			at++
			continue
		}
		width, reason := 1, "ordinal not in range(128)"
		if codec == "utf-8" {
			if _, n := utf8.DecodeRune(b[at:]); n > 1 {
				out.Write(b[at : at+n])
				at += n
				continue
			}
			width, reason = invalidUTF8(b[at:])
		}
		switch errors {
		case "strict":
			what := fmt.Sprintf("byte 0x%02x in position %d", c, at)
			if width > 1 {
				what = fmt.Sprintf("bytes in position %d-%d", at, at+width-1)
			}
			return "", py.ExceptionNewf(py.UnicodeDecodeError, "'%s' codec can't decode %s: %s", codec, what, reason)
		case "ignore":
		case "replace":
			out.WriteRune(utf8.RuneError)
		case "backslashreplace":
			for _, c := range b[at : at+width] {
				fmt.Fprintf(&out, `\x%02x`, c)
			}
		default:
			return "", unknownHandler(errors)
		}
		if err := fitsText(out.Len() - len(b)); err != nil {
			return "", err
		}
		at += width
	}
	return out.String(), nil
}

// invalidUTF8 says how many bytes at the start of b are the beginning of a character, and what is
// wrong with them.
func invalidUTF8(b []byte) (int, string) {
	c := b[0]
	if c < 0xc2 || c > 0xf4 {
		return 1, "invalid start byte"
	}
	need := 2
	low, high := byte(0x80), byte(0xbf)
	switch {
	case c >= 0xf0:
		need = 4
	case c >= 0xe0:
		need = 3
	}
	switch c {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	for i := 1; i < need; i++ {
		if i >= len(b) {
			return i, "unexpected end of data"
		}
		if b[i] < low || b[i] > high {
			return i, "invalid continuation byte"
		}
		low, high = 0x80, 0xbf
	}
	return 1, "invalid start byte"
}

// codecArguments reads the encoding and errors of encode, decode, str() and bytes().
func codecArguments(name string, encoding, errors py.Object) (string, string, error) {
	read := func(what string, o py.Object, otherwise string) (string, error) {
		if o == nil {
			return otherwise, nil
		}
		s, ok := plain(o).(py.String)
		if !ok {
			return "", py.ExceptionNewf(py.TypeError, "%s() argument '%s' must be str, not %s", name, what, typeName(o))
		}
		return string(s), nil
	}
	enc, err := read("encoding", encoding, "utf-8")
	if err != nil {
		return "", "", err
	}
	errs, err := read("errors", errors, "strict")
	return enc, errs, err
}
