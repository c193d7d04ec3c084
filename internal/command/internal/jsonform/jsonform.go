// Package jsonform writes Python values as JSON for the command line, and reads them.
//
// Values of types that JSON has are written as such. Others are an object with one member, whose
// name is like that of a Python special method:
//
//	None, True, False    null, true, false
//	int                  a number without point and exponent, of any length
//	float                a number with a point or an exponent; {"__float__": "nan"}, "inf" or "-inf"
//	complex              {"__complex__": [real, imaginary]}, both floats
//	str                  a string
//	bytes                {"__bytes__": "base64"}
//	list                 an array
//	tuple                an array; to read one, {"__tuple__": [...]}
//	set, frozenset       {"__set__": [...]}, {"__frozenset__": [...]}
//	dict                 an object if all keys are str, else {"__dict__": [[key, value], ...]}
//	channel              {"__channel__": id}, written only
//
// An object with a member of such a name is never a dict: a dict that has such a key is written in
// the form __dict__, so that no text has two meanings. Reading gives the value that was written,
// except for tuples: an array is read as a tuple only as a dict's key or in a set, where Python
// cannot have a list.
package jsonform

// The names of the member in such objects.
const (
	tagFloat     = "__float__"
	tagComplex   = "__complex__"
	tagBytes     = "__bytes__"
	tagTuple     = "__tuple__"
	tagSet       = "__set__"
	tagFrozenSet = "__frozenset__"
	tagDict      = "__dict__"
	tagChannel   = "__channel__"
)

// isTag reports whether an object with a member of this name is not a dict.
func isTag(name string) bool {
	switch name {
	case tagFloat, tagComplex, tagBytes, tagTuple, tagSet, tagFrozenSet, tagDict, tagChannel:
		return true
	}
	return false
}
