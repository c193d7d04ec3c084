package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexer makes tokens of a source whose lines end with "\n".
type lexer struct {
	source    string
	pos       int // of the next byte
	line      int // from 1
	lineStart int // where the line begins
	tokens    []token
	brackets  []token
	indents   []indent
	fstrings  []*fstring // those that are open, the innermost last
	bad       *Error     // what ends the tokens before the source does
	unclosed  bool       // bad is about a bracket that is never closed
	comments  []span     // in f-strings
	joined    bool       // a backslash joins this line to the one before: it has no indentation
}

// indent is the depth of a block: in columns, and with tabs that count one column.
type indent struct{ columns, narrow int }

// span is a part of the source.
type span struct{ start, end int }

const (
	mostBrackets = 200 // CPython's
	mostIndents  = 100 // CPython's
)

// lex makes the tokens. After an error the last one is kBad.
func (l *lexer) lex() {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		f, ok := p.(failure)
		if !ok {
			panic(p)
		}
		l.bad = f.err
		l.tokens = append(l.tokens, token{kind: kBad, start: int32(len(l.source)), end: int32(len(l.source)), line: int32(f.err.Line)})
	}()
	l.indents = []indent{{}}
	for {
		if len(l.brackets) == 0 && l.pos == l.lineStart && !l.joined && !l.indentation() {
			continue
		}
		if !l.next() {
			return
		}
	}
}

// fail ends the tokens with an error at a place of the current line.
func (l *lexer) fail(class string, pos int, format string, args ...any) {
	panic(failure{errorAt(l.source, class, l.line, pos-l.lineStart, format, args...)})
}

// failAt ends the tokens with an error at a token.
func (l *lexer) failAt(t token, format string, args ...any) {
	panic(failure{errorAt(l.source, syntaxError, int(t.line), int(t.column), format, args...)})
}

func (l *lexer) peek(ahead int) byte {
	if l.pos+ahead < len(l.source) {
		return l.source[l.pos+ahead]
	}
	return 0
}

// add makes a token of source[start:l.pos], which is in the current line.
func (l *lexer) add(k kind, start int) {
	l.tokens = append(l.tokens, token{k, int32(start), int32(l.pos), int32(l.line), int32(start - l.lineStart)})
}

// newline goes behind the line's end, which is the next byte.
func (l *lexer) newline() {
	l.pos++
	l.line++
	l.lineStart = l.pos
	l.joined = false
}

// indentation reads the white space that a line begins with. It reports whether something follows
// there; otherwise the line is behind it.
func (l *lexer) indentation() bool {
	var now indent
	continued := -1 // a line that ends with a backslash gives its own depth to the next one
white:
	for {
		switch c := l.peek(0); {
		case c == ' ':
			now.columns++
			now.narrow++
		case c == '\t':
			now.columns = (now.columns/8 + 1) * 8
			now.narrow++
		case c == '\f':
			now = indent{}
		case c == '\\' && l.peek(1) == '\n':
			if l.pos+2 >= len(l.source) {
				l.fail(syntaxError, l.pos+1, "unexpected EOF while parsing")
			}
			if continued < 0 {
				continued = now.columns
			}
			l.pos++
			l.newline()
			continue
		default:
			break white
		}
		l.pos++
	}
	switch {
	case l.peek(0) == '#':
		l.comment()
		fallthrough
	case l.peek(0) == '\n':
		if l.pos < len(l.source) {
			l.newline()
			return false
		}
		return true
	case l.pos >= len(l.source):
		return true
	}
	if continued >= 0 {
		now = indent{continued, continued}
	}
	l.setIndent(now)
	return true
}

// setIndent makes the tokens for a line's depth.
func (l *lexer) setIndent(now indent) {
	last := l.indents[len(l.indents)-1]
	inconsistent := func(wrong bool) {
		if wrong {
			l.fail(tabError, l.lineStart, "inconsistent use of tabs and spaces in indentation")
		}
	}
	switch {
	case now.columns == last.columns:
		inconsistent(now.narrow != last.narrow)
	case now.columns > last.columns:
		inconsistent(now.narrow <= last.narrow)
		if len(l.indents) >= mostIndents {
			l.fail(indentationError, l.pos, "too many levels of indentation")
		}
		l.indents = append(l.indents, now)
		l.add(kIndent, l.pos)
	default:
		for now.columns < l.indents[len(l.indents)-1].columns {
			l.indents = l.indents[:len(l.indents)-1]
			l.add(kDedent, l.pos)
		}
		last = l.indents[len(l.indents)-1]
		if now.columns != last.columns {
			l.fail(indentationError, len(l.source), "unindent does not match any outer indentation level")
		}
		inconsistent(now.narrow != last.narrow)
	}
}

func (l *lexer) comment() {
	start := l.pos
	defer func() {
		if len(l.fstrings) > 0 {
			l.comments = append(l.comments, span{start, l.pos})
		}
	}()
	if n := strings.IndexByte(l.source[l.pos:], '\n'); n >= 0 {
		l.pos += n
	} else {
		l.pos = len(l.source)
	}
}

// next makes the next token, and reports whether there may be more.
func (l *lexer) next() bool {
	for c := l.peek(0); c == ' ' || c == '\t' || c == '\f'; c = l.peek(0) {
		l.pos++
	}
	c := l.peek(0)
	switch {
	case l.pos >= len(l.source):
		l.end()
		return false
	case c == '#':
		l.comment()
	case c == '\n':
		if len(l.brackets) == 0 {
			l.add(kNewline, l.pos)
		}
		l.newline()
	case c == '\\':
		l.backslash()
	case '0' <= c && c <= '9', c == '.' && '0' <= l.peek(1) && l.peek(1) <= '9':
		start := l.pos
		l.number()
		l.add(kNumber, start)
	case c == '\'' || c == '"':
		l.text(l.pos)
	case c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf:
		l.word()
	default:
		l.symbol(c)
	}
	return true
}

// backslash joins two lines.
func (l *lexer) backslash() {
	switch {
	case l.peek(1) == '\n' && l.pos+2 >= len(l.source), l.pos+1 >= len(l.source):
		l.fail(syntaxError, l.pos+1, "unexpected EOF while parsing")
	case l.peek(1) != '\n':
		l.fail(syntaxError, l.pos+1, "unexpected character after line continuation character")
	}
	l.pos++
	l.newline()
	l.joined = true
}

// end makes the tokens at the end of the source.
func (l *lexer) end() {
	if n := len(l.brackets); n > 0 {
		open := l.brackets[n-1]
		l.unclosed = true
		if len(l.fstrings) > 0 {
			l.failAt(open, "f-string: expecting '}'")
		}
		l.failAt(open, "'%s' was never closed", l.source[open.start:open.end])
	}
	if n := len(l.tokens); n > 0 && l.tokens[n-1].kind != kNewline && l.tokens[n-1].kind != kDedent {
		l.add(kNewline, l.pos)
	}
	if l.pos == l.lineStart && l.line > 1 {
		l.line-- // the line is not there
	}
	for range l.indents[1:] {
		l.add(kDedent, l.pos)
	}
	l.add(kEnd, l.pos)
}

// word makes a name, a keyword or a string with a prefix.
func (l *lexer) word() {
	start := l.pos
	ascii := true
	for ; l.pos < len(l.source); l.pos++ {
		c := l.source[l.pos]
		if c >= utf8.RuneSelf {
			ascii = false
		} else if !isWord(c) {
			break
		}
	}
	word := l.source[start:l.pos]
	if c := l.peek(0); c == '\'' || c == '"' {
		if isPrefix(word) {
			l.text(start)
			return
		}
		switch strings.ToLower(word) {
		case "t", "tr", "rt":
			panic(failure{refusal(l.source, l.line, start-l.lineStart, "template strings")})
		}
	}
	k := kName
	if ascii {
		k = keyword(word)
	} else {
		l.checkName(start, word)
	}
	l.add(k, start)
}

// isWord reports whether c can be part of a name or a number, in ASCII.
func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// checkName fails if a word has a character that no name has.
func (l *lexer) checkName(start int, word string) {
	for i, r := range word {
		switch {
		case r == utf8.RuneError:
			l.fail(syntaxError, start+i, "(unicode error) 'utf-8' codec can't decode the source")
		case r == '_', unicode.IsLetter(r), unicode.Is(unicode.Nl, r), unicode.Is(unicode.Other_ID_Start, r):
		case i > 0 && (unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc) || unicode.Is(unicode.Other_ID_Continue, r)):
		case unicode.IsPrint(r):
			l.fail(syntaxError, start+i, "invalid character '%c' (U+%04X)", r, r)
		default:
			l.fail(syntaxError, start+i, "invalid non-printable character U+%04X", r)
		}
	}
}

// symbol makes a token of a symbol, and keeps account of brackets.
func (l *lexer) symbol(c byte) {
	start := l.pos
	k, length := symbol(l.source[start:])
	field := l.field()
	if field != nil && len(l.brackets) == field.depth {
		// At this depth a replacement field ends, or its expression does.
		switch {
		case c == '!' && k == kBad:
			k, length = kBang, 1
		case c == ':':
			l.pos++
			l.add(kColon, start)
			field.inFormat = true
			l.middle()
			return
		case c == '}':
			l.closeField()
			return
		}
	}
	switch k {
	case kBad:
		if c < ' ' || c == 0x7f {
			l.fail(syntaxError, start, "invalid non-printable character U+%04X", c)
		}
		l.fail(syntaxError, start, "invalid syntax")
	case kOpenParen, kOpenBracket, kOpenBrace:
		l.open(length, k)
		return
	case kCloseParen, kCloseBracket, kCloseBrace:
		l.close(c)
	}
	l.pos += length
	l.add(k, start)
}

// open makes a token of a bracket that opens.
func (l *lexer) open(length int, k kind) {
	start := l.pos
	l.pos += length
	l.add(k, start)
	if len(l.brackets) >= mostBrackets {
		l.fail(syntaxError, start, "too many nested parentheses")
	}
	l.brackets = append(l.brackets, l.tokens[len(l.tokens)-1])
}

// close takes away the bracket that c closes.
func (l *lexer) close(c byte) {
	n := len(l.brackets)
	field := l.field()
	if n == 0 || field != nil && n == field.depth {
		if field != nil {
			l.fail(syntaxError, l.pos, "f-string: unmatched '%c'", c)
		}
		l.fail(syntaxError, l.pos, "unmatched '%c'", c)
	}
	open := l.brackets[n-1]
	if was := l.source[open.start]; closing(was) != c {
		if int(open.line) != l.line {
			l.fail(syntaxError, l.pos, "closing parenthesis '%c' does not match opening parenthesis '%c' on line %d", c, was, open.line)
		}
		l.fail(syntaxError, l.pos, "closing parenthesis '%c' does not match opening parenthesis '%c'", c, was)
	}
	l.brackets = l.brackets[:n-1]
}

func closing(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	}
	return '}'
}
