package syntax

import "strings"

// fstring is an f-string that is being read. Its replacement fields are expressions like any other,
// so they are read as tokens between those of its text.
type fstring struct {
	quote  string // that ends it
	raw    bool
	start  token
	fields []*field // those that are open: one, and more in its format
}

// field is a replacement field that is being read.
type field struct {
	depth    int  // brackets that are open in its expression, its own included
	inFormat bool // the expression has ended, and the format has begun
}

const (
	mostFStrings = 150 // CPython's: how many f-strings may be open within each other
	mostFormats  = 3   // CPython's: how many replacement fields may be
)

// isPrefix reports whether a word may stand before a string's quotes.
func isPrefix(word string) bool {
	switch strings.ToLower(word) {
	case "r", "u", "b", "f", "br", "rb", "fr", "rf":
		return true
	}
	return false
}

// text reads a string whose prefix begins at start and whose quotes are next.
func (l *lexer) text(start int) {
	prefix := strings.ToLower(l.source[start:l.pos])
	quote := l.source[l.pos : l.pos+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(l.source[l.pos:], triple) {
		quote = triple
	}
	if strings.Contains(prefix, "f") {
		l.pos += len(quote)
		l.add(kFStart, start)
		if len(l.fstrings) >= mostFStrings {
			l.fail(syntaxError, start, "too many nested f-strings")
		}
		raw := strings.Contains(prefix, "r")
		l.fstrings = append(l.fstrings, &fstring{quote: quote, raw: raw, start: l.tokens[len(l.tokens)-1]})
		l.middle()
		return
	}
	t := token{kString, int32(start), 0, int32(l.line), int32(start - l.lineStart)}
	for l.pos += len(quote); ; {
		switch c := l.peek(0); {
		case l.pos >= len(l.source):
			l.unterminated(t, "string", len(quote) == 3)
		case c == '\\':
			if l.peek(1) == '\n' {
				l.pos++
				l.newline()
			} else {
				l.pos = min(l.pos+2, len(l.source))
			}
		case c == '\n':
			if len(quote) == 1 {
				l.unterminated(t, "string", false)
			}
			l.newline()
		case strings.HasPrefix(l.source[l.pos:], quote):
			l.pos += len(quote)
			t.end = int32(l.pos)
			l.tokens = append(l.tokens, t)
			return
		default:
			l.pos++
		}
	}
}

// unterminated fails with a string that has no end.
func (l *lexer) unterminated(t token, what string, triple bool) {
	line := l.line
	if l.pos >= len(l.source) && l.pos == l.lineStart && line > int(t.line) {
		line-- // the last line has ended
	}
	if n := len(l.fstrings); n > 0 && what == "string" && strings.HasSuffix(l.fstrings[n-1].quote, l.source[t.start:t.start+1]) {
		l.failAt(t, "f-string: expecting '}'") // the f-string's own quote
	}
	if triple {
		l.failAt(t, "unterminated triple-quoted %s literal (detected at line %d)", what, line)
	}
	l.failAt(t, "unterminated %s literal (detected at line %d)", what, line)
}

// field is the replacement field that is being read, nil if none is.
func (l *lexer) field() *field {
	if len(l.fstrings) == 0 {
		return nil
	}
	f := l.fstrings[len(l.fstrings)-1]
	return f.fields[len(f.fields)-1]
}

// middle reads the text of the innermost f-string, or that of a format in it, up to the next
// replacement field, its end, or the end of the field that it is the format of.
func (l *lexer) middle() {
	f := l.fstrings[len(l.fstrings)-1]
	inFormat := len(f.fields) > 0
	t := token{kFMiddle, int32(l.pos), 0, int32(l.line), int32(l.pos - l.lineStart)}
	flush := func() {
		if t.end = int32(l.pos); t.end > t.start {
			l.tokens = append(l.tokens, t)
		}
	}
	for {
		switch c := l.peek(0); {
		case l.pos >= len(l.source), c == '\n' && len(f.quote) == 1:
			if inFormat {
				l.failAt(f.start, "f-string: expecting '}'")
			}
			l.unterminated(f.start, "f-string", len(f.quote) == 3)
		case c == '\n':
			l.newline()
		case strings.HasPrefix(l.source[l.pos:], f.quote):
			if inFormat {
				l.fail(syntaxError, l.pos, "f-string: expecting '}', or format specs")
			}
			flush()
			start := l.pos
			l.pos += len(f.quote)
			l.add(kFEnd, start)
			l.fstrings = l.fstrings[:len(l.fstrings)-1]
			return
		case c == '{' && l.peek(1) == '{' && !inFormat:
			l.pos += 2
		case c == '{':
			flush()
			if len(f.fields) >= mostFormats {
				l.fail(syntaxError, l.pos-1, "f-string: expressions nested too deeply")
			}
			l.open(1, kOpenBrace)
			f.fields = append(f.fields, &field{depth: len(l.brackets)})
			return
		case c == '}' && inFormat:
			flush()
			l.closeField()
			return
		case c == '}' && l.peek(1) == '}':
			l.pos += 2
		case c == '}':
			l.fail(syntaxError, l.pos, "f-string: single '}' is not allowed")
		case c == '\\':
			l.escape(f.raw)
		default:
			l.pos++
		}
	}
}

// escape goes over a backslash in an f-string, and over what belongs to it.
func (l *lexer) escape(raw bool) {
	next := l.peek(1)
	switch {
	case next == '{' || next == '}' || l.pos+1 >= len(l.source):
		l.pos++ // a brace is never escaped
	case next == '\n':
		l.pos++
		l.newline()
	case next == 'N' && l.peek(2) == '{' && !raw:
		if n := strings.IndexAny(l.source[l.pos:], "}\n"); n >= 0 && l.source[l.pos+n] == '}' {
			l.pos += n + 1
			return
		}
		l.fail(syntaxError, l.pos, "(unicode error) 'unicodeescape' codec can't decode bytes: malformed \\N character escape")
	default:
		l.pos += 2
	}
}

// closeField ends a replacement field at its brace, and goes on with the text around it.
func (l *lexer) closeField() {
	f := l.fstrings[len(l.fstrings)-1]
	f.fields = f.fields[:len(f.fields)-1]
	l.brackets = l.brackets[:len(l.brackets)-1]
	start := l.pos
	l.pos++
	l.add(kCloseBrace, start)
	l.middle()
}
