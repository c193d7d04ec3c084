// Package pyfile reads Python source files as Python does: it obeys a byte order mark and a coding
// line (PEP 263), and takes any of the three kinds of newline.
package pyfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Error says why a file is no Python source. Its text names the file.
type Error struct {
	File    string
	Line    int // where it is wrong, from 1; 0 for the whole file
	Problem string
}

// Error names the file and the line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("execnet: %s: %s", e.File, e.Problem)
	}
	return fmt.Sprintf("execnet: %s, line %d: %s", e.File, e.Line, e.Problem)
}

var (
	// A coding line is the first, or the second behind one that has no code.
	coding = regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`)
	noCode = regexp.MustCompile(`^[ \t\f]*(#|$)`)
)

var (
	utf8Mark   = []byte("\xef\xbb\xbf")
	utf16Marks = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// Decode returns the text of a source file, with "\n" as its newlines and without a byte order
// mark. name is for errors, which are an *Error.
func Decode(name string, data []byte) (string, error) {
	fail := func(line int, format string, args ...any) (string, error) {
		return "", &Error{name, line, fmt.Sprintf(format, args...)}
	}
	for _, mark := range utf16Marks {
		if bytes.HasPrefix(data, mark) {
			return fail(0, "it is UTF-16 or UTF-32 text, which Python does not read; save it as UTF-8")
		}
	}
	data, marked := bytes.CutPrefix(data, utf8Mark)
	if marked && bytes.HasPrefix(data, utf8Mark) {
		return fail(1, "it has two byte order marks")
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	lines := bytes.SplitAfter(data, []byte("\n"))
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return fail(1+bytes.Count(data[:i], []byte("\n")), "it contains a null byte; if the file is UTF-16 text, save it as UTF-8")
	}
	declared, at := declaration(lines)
	decode := decodeUTF8
	if declared != "" {
		isUTF8 := false
		if decode, isUTF8 = decoder(declared); decode == nil {
			return fail(at, "the encoding %q is unknown here; save the file as UTF-8", declared)
		}
		if marked && !isUTF8 {
			return fail(at, "it declares the encoding %q, and begins with the byte order mark of UTF-8", declared)
		}
	}
	var text strings.Builder
	for i, line := range lines {
		decoded, bad := decode(line)
		switch {
		case bad >= 0 && declared == "":
			return fail(i+1, "the byte 0x%02x is not UTF-8, and no encoding is declared; save the file as UTF-8, "+
				"or declare its encoding in the first line, such as # coding: latin-1", line[bad])
		case bad >= 0:
			return fail(i+1, "the byte 0x%02x is not %s, which the file declares", line[bad], declared)
		}
		text.WriteString(decoded)
	}
	return text.String(), nil
}

// declaration returns the encoding that a file declares, and in which line; "" if it declares none.
func declaration(lines [][]byte) (encoding string, line int) {
	for i, line := range lines[:min(2, len(lines))] {
		line = bytes.TrimRight(line, "\n")
		if m := coding.FindSubmatch(line); m != nil {
			return string(m[1]), i + 1
		}
		if !noCode.Match(line) {
			break
		}
	}
	return "", 0
}

// decodeUTF8 returns a line, and where it is not UTF-8, or -1.
func decodeUTF8(line []byte) (string, int) {
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && size == 1 {
			return "", i
		}
		i += size
	}
	return string(line), -1
}

// decodeASCII is decodeUTF8 for ASCII.
func decodeASCII(line []byte) (string, int) {
	return string(line), bytes.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf })
}
