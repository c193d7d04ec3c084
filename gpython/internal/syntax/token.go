package syntax

// kind is what a token is.
type kind uint8

const (
	kEnd kind = iota
	kBad      // where the source has no tokens any more; the lexer's error says why
	kNewline
	kIndent
	kDedent
	kName
	kNumber
	kString
	kFStart  // the prefix and the quotes of an f-string
	kFMiddle // text between the replacement fields of an f-string, or of a format
	kFEnd    // the quotes at its end

	// Keywords.
	kFalse
	kNone
	kTrue
	kAnd
	kAs
	kAssert
	kAsync
	kAwait
	kBreak
	kClass
	kContinue
	kDef
	kDel
	kElif
	kElse
	kExcept
	kFinally
	kFor
	kFrom
	kGlobal
	kIf
	kImport
	kIn
	kIs
	kLambda
	kNonlocal
	kNot
	kOr
	kPass
	kRaise
	kReturn
	kTry
	kWhile
	kWith
	kYield

	// Symbols.
	kOpenParen
	kCloseParen
	kOpenBracket
	kCloseBracket
	kOpenBrace
	kCloseBrace
	kComma
	kColon
	kSemicolon
	kDot
	kEllipsis
	kArrow
	kBang // before the conversion in a replacement field
	kWalrus
	kAssign
	kTilde
	kPlus
	kMinus
	kStar
	kSlash
	kDoubleSlash
	kPercent
	kAt
	kPower
	kLeftShift
	kRightShift
	kAmpersand
	kBar
	kCaret
	kLess
	kGreater
	kLessEqual
	kGreaterEqual
	kEqual
	kNotEqual
	kPlusAssign
	kMinusAssign
	kStarAssign
	kSlashAssign
	kDoubleSlashAssign
	kPercentAssign
	kAtAssign
	kPowerAssign
	kLeftShiftAssign
	kRightShiftAssign
	kAmpersandAssign
	kBarAssign
	kCaretAssign
)

// token is one token: source[start:end], with the place of its first byte.
type token struct {
	kind       kind
	start, end int32
	line       int32 // from 1
	column     int32 // in bytes, from 0
}

// keyword is the kind of a word.
func keyword(word string) kind {
	switch word {
	case "False":
		return kFalse
	case "None":
		return kNone
	case "True":
		return kTrue
	case "and":
		return kAnd
	case "as":
		return kAs
	case "assert":
		return kAssert
	case "async":
		return kAsync
	case "await":
		return kAwait
	case "break":
		return kBreak
	case "class":
		return kClass
	case "continue":
		return kContinue
	case "def":
		return kDef
	case "del":
		return kDel
	case "elif":
		return kElif
	case "else":
		return kElse
	case "except":
		return kExcept
	case "finally":
		return kFinally
	case "for":
		return kFor
	case "from":
		return kFrom
	case "global":
		return kGlobal
	case "if":
		return kIf
	case "import":
		return kImport
	case "in":
		return kIn
	case "is":
		return kIs
	case "lambda":
		return kLambda
	case "nonlocal":
		return kNonlocal
	case "not":
		return kNot
	case "or":
		return kOr
	case "pass":
		return kPass
	case "raise":
		return kRaise
	case "return":
		return kReturn
	case "try":
		return kTry
	case "while":
		return kWhile
	case "with":
		return kWith
	case "yield":
		return kYield
	}
	return kName
}

// symbol is the longest symbol at the beginning of s, and its length; kBad if there is none.
func symbol(s string) (kind, int) {
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	// with is a symbol that "=" may follow, which changes it.
	with := func(length int, plain, assign kind) (kind, int) {
		if at(length) == '=' {
			return assign, length + 1
		}
		return plain, length
	}
	switch c := at(0); c {
	case '(':
		return kOpenParen, 1
	case ')':
		return kCloseParen, 1
	case '[':
		return kOpenBracket, 1
	case ']':
		return kCloseBracket, 1
	case '{':
		return kOpenBrace, 1
	case '}':
		return kCloseBrace, 1
	case ',':
		return kComma, 1
	case ';':
		return kSemicolon, 1
	case '~':
		return kTilde, 1
	case ':':
		return with(1, kColon, kWalrus)
	case '=':
		return with(1, kAssign, kEqual)
	case '+':
		return with(1, kPlus, kPlusAssign)
	case '%':
		return with(1, kPercent, kPercentAssign)
	case '@':
		return with(1, kAt, kAtAssign)
	case '&':
		return with(1, kAmpersand, kAmpersandAssign)
	case '|':
		return with(1, kBar, kBarAssign)
	case '^':
		return with(1, kCaret, kCaretAssign)
	case '!':
		if at(1) == '=' {
			return kNotEqual, 2
		}
	case '-':
		if at(1) == '>' {
			return kArrow, 2
		}
		return with(1, kMinus, kMinusAssign)
	case '.':
		if at(1) == '.' && at(2) == '.' {
			return kEllipsis, 3
		}
		return kDot, 1
	case '*':
		if at(1) == '*' {
			return with(2, kPower, kPowerAssign)
		}
		return with(1, kStar, kStarAssign)
	case '/':
		if at(1) == '/' {
			return with(2, kDoubleSlash, kDoubleSlashAssign)
		}
		return with(1, kSlash, kSlashAssign)
	case '<':
		if at(1) == '<' {
			return with(2, kLeftShift, kLeftShiftAssign)
		}
		return with(1, kLess, kLessEqual)
	case '>':
		if at(1) == '>' {
			return with(2, kRightShift, kRightShiftAssign)
		}
		return with(1, kGreater, kGreaterEqual)
	}
	return kBad, 0
}
