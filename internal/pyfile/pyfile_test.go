package pyfile

import (
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

func TestDecode(t *testing.T) {
	for given, want := range map[string]string{
		"":                              "",
		"x = 'ä'":                       "x = 'ä'",
		"\xef\xbb\xbfx = 1\n":           "x = 1\n",
		"\xef\xbb\xbf# coding: utf-8\n": "# coding: utf-8\n",
		"a\r\nb\rc\n\r":                 "a\nb\nc\n\n",
		"# -*- coding: latin-1 -*-\nx = '\xe4'\n":                     "# -*- coding: latin-1 -*-\nx = 'ä'\n",
		"#!/usr/bin/python\n# vim: fileencoding=cp1252\nx = '\x80'\n": "#!/usr/bin/python\n# vim: fileencoding=cp1252\nx = '€'\n",
		"\n  # coding=koi8-r\nx = '\xc1'":                             "\n  # coding=koi8-r\nx = 'а'",
		"# coding: iso8859_15\n'\xa4'":                                "# coding: iso8859_15\n'€'",
		"# coding: shift_jis\n'\x83\x65'":                             "# coding: shift_jis\n'テ'",
		"# coding: utf-8-unix\n'ä'":                                   "# coding: utf-8-unix\n'ä'",
		"x = 1\n# coding: latin-1\n'ä'":                               "x = 1\n# coding: latin-1\n'ä'",
		"x = 1 # coding: latin-1\n'ä'":                                "x = 1 # coding: latin-1\n'ä'",
		"# coding: ascii\nx":                                          "# coding: ascii\nx",
	} {
		text, err := Decode("f.py", []byte(given))
		require.NoError(t, err, "%q", given)
		assert.Equal(t, want, text)
	}
}

func TestDecodeErrors(t *testing.T) {
	for given, want := range map[string]string{
		"x = 1\n\ny = '\xe4'\n": "execnet: f.py, line 3: the byte 0xe4 is not UTF-8, and no encoding is declared; save the file as UTF-8, " +
			"or declare its encoding in the first line, such as # coding: latin-1",
		"\xff\xfex\x00":                      "execnet: f.py: it is UTF-16 or UTF-32 text, which Python does not read; save it as UTF-8",
		"\xfe\xff\x00x":                      "execnet: f.py: it is UTF-16 or UTF-32 text",
		"a\r\nb\x00":                         "execnet: f.py, line 2: it contains a null byte; if the file is UTF-16 text, save it as UTF-8",
		"x\x00\n\x00":                        "execnet: f.py, line 1: it contains a null byte",
		"#\n# coding: klingon\n":             `execnet: f.py, line 2: the encoding "klingon" is unknown here; save the file as UTF-8`,
		"# coding: big5\n":                   `execnet: f.py, line 1: the encoding "big5" is unknown here`,
		"# coding: utf-16\n":                 `execnet: f.py, line 1: the encoding "utf-16" is unknown here`,
		"\xef\xbb\xbf# coding: latin-1\n":    `execnet: f.py, line 1: it declares the encoding "latin-1", and begins with the byte order mark of UTF-8`,
		"\xef\xbb\xbf\xef\xbb\xbfx":          "execnet: f.py, line 1: it has two byte order marks",
		"# coding: ascii\n\nx = '\xc3\xa4'":  "execnet: f.py, line 3: the byte 0xc3 is not ascii, which the file declares",
		"# coding: utf8\nx = '\xe4'":         "execnet: f.py, line 2: the byte 0xe4 is not utf8, which the file declares",
		"# coding: cp1253\nx = 'a\xaa'":      "execnet: f.py, line 2: the byte 0xaa is not cp1253, which the file declares",
		"# coding: shift_jis\nx = 'a\x83\n'": "execnet: f.py, line 2: the byte 0x83 is not shift_jis, which the file declares",
	} {
		_, err := Decode("f.py", []byte(given))
		assert.ErrorContains(t, err, want, "%q", given)
	}
}

// TestAgainstPython compares each encoding with Python's: every byte of those that have one for a
// character, control characters aside, and a text in the others.
func TestAgainstPython(t *testing.T) {
	names := strings.Fields(`latin-1 latin1 Latin iso-8859-1 ISO8859_1 l1 iso-8859-2 latin2 iso-8859-3 iso8859-4 iso-8859-5 iso-8859-7 iso-8859-9
		iso-8859-13 iso-8859-14 iso-8859-15 latin9 iso-8859-16 cp437 cp850 cp852 cp866 cp1250 windows-1251 cp1252 Windows-1252 cp1253 cp1254 cp1257
		koi8-r mac-roman euc-jp euc_jp shift_jis shift-jis sjis cp932 euc-kr cp949 gb2312 gbk gb18030`)
	given, err := json.Marshal(names)
	require.NoError(t, err)
	const source = `
import binascii, codecs, json, sys
sample = u"\u30c6\u30b9\u30c8 \u4e2d\u6587 \uac00\ub098 abc"
found = {}
for name in json.loads(sys.argv[1]):
    wide = codecs.lookup(name).name.replace("-", "_") in (
        "euc_jp shift_jis cp932 euc_kr cp949 gb2312 gbk gb18030 big5 cp950".split())
    pairs = found[name] = []
    for piece in [c for c in sample] if wide else [codecs.decode("%02x" % n, "hex") for n in range(0x80, 0x100)]:
        try:
            text, data = (piece, piece.encode(name)) if wide else (piece.decode(name), piece)
        except UnicodeError:
            continue
        if not u"\x80" <= text < u"\xa0":
            pairs.append([text, binascii.hexlify(data).decode("ascii")])
print(json.dumps(found))
`
	out, err := exec.CommandContext(t.Context(), pythons.Default(t).Path, "-c", source, string(given)).Output()
	require.NoError(t, err)
	var found map[string][][2]string
	require.NoError(t, json.Unmarshal(out, &found))
	require.Len(t, found, len(names))
	for name, pairs := range found {
		require.Greater(t, len(pairs), 3, name)
		var want, data strings.Builder
		for _, pair := range pairs {
			raw, err := hex.DecodeString(pair[1])
			require.NoError(t, err)
			want.WriteString(pair[0])
			data.Write(raw)
		}
		decode, isUTF8 := decoder(name)
		assert.False(t, isUTF8)
		got, bad := decode([]byte(data.String()))
		assert.Equal(t, -1, bad, name)
		assert.Equal(t, want.String(), got, name)
	}
}
