package importfs

import "strings"

// statement is an import statement, or a call of import_module with a literal name.
type statement struct {
	level  int      // how many dots stand before the module's name
	module string   // may be empty after dots
	names  []string // what stands behind "import" in a from statement
}

// scan returns the import statements of a Python source, wherever in it they stand. It does not
// parse the source: what it takes for an import by mistake costs only the sending of a file, and
// what it misses only one more question.
func scan(source []byte) (found []statement) {
	tokens := tokenize(source)
	for i := range tokens {
		begins := i == 0 || strings.Contains("\n;:", tokens[i-1].text) && !tokens[i-1].literal
		switch t := tokens[i]; {
		case t.literal:
		case t.text == "import" && begins:
			found = append(found, importStatement(tokens[i+1:])...)
		case t.text == "from" && begins:
			found = append(found, fromStatement(tokens[i+1:]))
		case t.text == "import_module" || t.text == "__import__":
			if i+2 < len(tokens) && tokens[i+1].text == "(" && tokens[i+2].literal {
				name := strings.TrimLeft(tokens[i+2].text, ".")
				found = append(found, statement{level: len(tokens[i+2].text) - len(name), module: name})
			}
		}
	}
	return found
}

// importStatement reads what follows "import": dotted names, each perhaps with "as".
func importStatement(tokens []token) (found []statement) {
	for {
		name, rest := dotted(tokens)
		if name == "" {
			return found
		}
		found = append(found, statement{module: name})
		for len(rest) > 0 && rest[0].text != "," {
			if rest[0].text == "\n" || rest[0].text == ";" {
				return found
			}
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return found
		}
		tokens = rest[1:]
	}
}

// fromStatement reads what follows "from".
func fromStatement(tokens []token) (s statement) {
	for len(tokens) > 0 && tokens[0].text == "." {
		s.level++
		tokens = tokens[1:]
	}
	s.module, tokens = dotted(tokens)
	if s.module == "import" && s.level > 0 {
		s.module = ""
	} else if len(tokens) > 0 && tokens[0].text == "import" {
		tokens = tokens[1:]
	}
	inside, after := false, ","
	for _, t := range tokens {
		switch {
		case t.text == "(":
			inside = true
		case t.text == ")" || t.text == ";" || t.text == "\n" && !inside:
			return s
		case t.text == "\n":
			continue
		case t.isName() && after == ",":
			s.names = append(s.names, t.text)
		}
		if t.text != "(" {
			after = t.text
		}
	}
	return s
}

// dotted reads a name with dots in it, and returns what follows.
func dotted(tokens []token) (name string, rest []token) {
	for len(tokens) > 0 && tokens[0].isName() {
		name += tokens[0].text
		tokens = tokens[1:]
		if len(tokens) < 2 || tokens[0].text != "." || !tokens[1].isName() {
			break
		}
		name += "."
		tokens = tokens[1:]
	}
	return name, tokens
}

// token is a name, the content of a string, the end of a line, or one character of anything else.
type token struct {
	text    string
	literal bool // it is a string
}

func (t token) isName() bool { return !t.literal && t.text != "" && isLetter(t.text[0]) }

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// tokenize splits a source, and leaves out comments and lines that go on.
func tokenize(source []byte) (tokens []token) {
	for i := 0; i < len(source); {
		c, start := source[i], i
		switch {
		case c == '\\':
			i++
			for i < len(source) && (source[i] == '\r' || source[i] == '\n') && i < start+3 {
				i++
			}
		case c == '\r' || c == '\n':
			tokens = append(tokens, token{text: "\n"})
			i++
		case c == ' ' || c == '\t' || c == '\f':
			i++
		case c == '#':
			for i < len(source) && source[i] != '\n' && source[i] != '\r' {
				i++
			}
		case c == '"' || c == '\'':
			var t token
			t, i = stringToken(source, i)
			tokens = append(tokens, t)
		case isLetter(c):
			for i < len(source) && (isLetter(source[i]) || isDigit(source[i])) {
				i++
			}
			text := strings.TrimPrefix(string(source[start:i]), "\ufeff") // a byte order mark
			if i < len(source) && (source[i] == '"' || source[i] == '\'') && len(text) <= 2 || text == "" {
				continue // the prefix of a string
			}
			tokens = append(tokens, token{text: text})
		default:
			tokens = append(tokens, token{text: string(c)})
			i++
		}
	}
	return tokens
}

// stringToken reads the string that begins at i, and returns where it ends. One that is not closed
// ends with its line.
func stringToken(source []byte, i int) (token, int) {
	quote := string(source[i])
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(string(source[i:min(i+3, len(source))]), triple) {
		quote = triple
	}
	start := i + len(quote)
	for i = start; i < len(source); i++ {
		switch {
		case source[i] == '\\':
			i++
		case strings.HasPrefix(string(source[i:min(i+len(quote), len(source))]), quote):
			return token{text: string(source[start:i]), literal: true}, i + len(quote)
		case source[i] == '\n' && len(quote) == 1:
			return token{text: string(source[start:i]), literal: true}, i
		}
	}
	return token{text: string(source[min(start, len(source)):]), literal: true}, len(source)
}
