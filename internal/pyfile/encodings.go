package pyfile

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// encodings are those of Python's, beside UTF-8 and ASCII, that there is a decoder for, in small
// letters and without - and _. Where the library's table is not Python's (big5, koi8-u) there is
// none.
var encodings = map[string]encoding.Encoding{
	"iso88591": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "latin": charmap.ISO8859_1, "l1": charmap.ISO8859_1,
	"iso88592": charmap.ISO8859_2, "latin2": charmap.ISO8859_2, "iso88593": charmap.ISO8859_3, "iso88594": charmap.ISO8859_4,
	"iso88595": charmap.ISO8859_5, "iso88597": charmap.ISO8859_7, "iso88599": charmap.ISO8859_9,
	"iso885913": charmap.ISO8859_13, "iso885914": charmap.ISO8859_14,
	"iso885915": charmap.ISO8859_15, "latin9": charmap.ISO8859_15, "iso885916": charmap.ISO8859_16,
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp866": charmap.CodePage866,
	"cp1250": charmap.Windows1250, "cp1251": charmap.Windows1251, "cp1252": charmap.Windows1252, "cp1253": charmap.Windows1253,
	"cp1254": charmap.Windows1254, "cp1257": charmap.Windows1257,
	"koi8r": charmap.KOI8R, "macroman": charmap.Macintosh,
	"eucjp": japanese.EUCJP, "shiftjis": japanese.ShiftJIS, "sjis": japanese.ShiftJIS, "cp932": japanese.ShiftJIS,
	"euckr": korean.EUCKR, "cp949": korean.EUCKR,
	"gb2312": simplifiedchinese.GBK, "gbk": simplifiedchinese.GBK, "gb18030": simplifiedchinese.GB18030,
}

// newlineKind is what emacs adds to a name.
var newlineKind = regexp.MustCompile(`-(unix|dos|mac)$`)

// decoder returns the decoder of an encoding that Python knows by this name, nil if there is none
// for it, and whether it is UTF-8.
func decoder(name string) (decode func(line []byte) (string, int), isUTF8 bool) {
	name = newlineKind.ReplaceAllString(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "")
	name = strings.ReplaceAll(name, "-", "")
	if number, ok := strings.CutPrefix(name, "windows"); ok {
		name = "cp" + number
	}
	switch name {
	case "utf8", "u8", "utf8sig":
		return decodeUTF8, true
	case "ascii", "usascii":
		return decodeASCII, false
	}
	e := encodings[name]
	if e == nil {
		return nil, false
	}
	return func(line []byte) (string, int) {
		text, err := e.NewDecoder().Bytes(line)
		if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
			return "", firstBad(e, line)
		}
		return string(text), -1
	}, false
}

// firstBad returns where the first character of a line begins that the encoding does not have.
func firstBad(e encoding.Encoding, line []byte) int {
	good := 0
	for n := 1; n <= len(line); n++ {
		text, err := e.NewDecoder().Bytes(line[:n])
		if err == nil && !bytes.ContainsRune(text, utf8.RuneError) {
			good = n
		}
	}
	return min(good, len(line)-1)
}
