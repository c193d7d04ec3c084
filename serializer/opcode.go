package serializer

// Version is the byte that a value in the public form begins with; the internal form, which
// messages carry, has none.
const Version byte = 2

// oldVersion is what execnet up to 1.9 writes there; what follows is the same, so it is read as
// well.
const oldVersion byte = 1

// The opcodes. A value is a program for a small stack machine: scalars push themselves, NEWLIST and
// NEWDICT push an empty container that SETITEM fills, BUILDTUPLE, SET and FROZENSET replace the
// topmost n values by one, and STOP ends the program with the result alone on the stack. Every
// number is big-endian; every length is a signed 32-bit integer.
const (
	opBuildTuple byte = '@' // int32 n: n values -> one tuple
	opBytes      byte = 'A' // int32 length, then the bytes
	opChannel    byte = 'B' // int32 channel id
	opFalse      byte = 'C'
	opFloat      byte = 'D' // IEEE 754 double
	opFrozenSet  byte = 'E' // int32 n: n values -> one frozenset
	opInt        byte = 'F' // int32
	opLong       byte = 'G' // int32, a Python 2 long
	opLongInt    byte = 'H' // int32 length, then ASCII decimal digits
	opLongLong   byte = 'I' // as opLongInt, a Python 2 long
	opNewDict    byte = 'J'
	opNewList    byte = 'K' // int32 length
	opNone       byte = 'L'
	opPy2String  byte = 'M' // int32 length, then the bytes of a Python 2 str
	opPy3String  byte = 'N' // int32 length, then the UTF-8 of a Python 3 str
	opSet        byte = 'O' // int32 n: n values -> one set
	opSetItem    byte = 'P' // container, key, value -> container
	opStop       byte = 'Q'
	opTrue       byte = 'R'
	opUnicode    byte = 'S' // int32 length, then the UTF-8 of a Python 2 unicode
	opComplex    byte = 'T' // two IEEE 754 doubles: real, imaginary
)

// opTypes names the Python type each value opcode makes, for messages.
var opTypes = [256]string{
	opBuildTuple: "tuple", opBytes: "bytes", opChannel: "Channel", opFalse: "bool", opFloat: "float",
	opFrozenSet: "frozenset", opInt: "int", opLong: "int", opLongInt: "int", opLongLong: "int", opNewDict: "dict",
	opNewList: "list", opNone: "None", opPy2String: "str (of Python 2)", opPy3String: "str", opSet: "set",
	opTrue: "bool", opUnicode: "str", opComplex: "complex",
}

// aType names the type that op makes, with its article.
func aType(op byte) string {
	switch name := opTypes[op]; name {
	case "int":
		return "an int"
	case "None":
		return name
	default:
		return "a " + name
	}
}
