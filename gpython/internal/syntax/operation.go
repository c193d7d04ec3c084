package syntax

import "github.com/go-python/gpython/py"

// Operation is what a tree calls where Python 3.4 has no node for it: a constant, which package
// gpython carries out. It is the Func of an *ast.Call, as an *ast.Num.
type Operation int

// The operations. Those that build something return what they were given first.
const (
	// Format is a replacement field: format(value, format), and maybe a conversion, which is made
	// after the format has been evaluated, as CPython 3.11 does: "s", "r" or "a".
	Format Operation = iota
	// Join joins a tuple of str: an f-string.
	Join
	// ExtendList adds the items of an iterable to a list: [*x].
	ExtendList
	// TupleOf makes a tuple of a list: (*x,).
	TupleOf
	// UpdateSet adds the items of an iterable to a set: {*x}.
	UpdateSet
	// DictOf makes a dict of its arguments, keys and values in turns: {key: value}, where the keys
	// are hashed after all has been evaluated, as in CPython.
	DictOf
	// UpdateDict adds the items of a mapping to a dict: {**x}.
	UpdateDict
	// BeginCall makes an object that collects the arguments of a call of its argument. The
	// following take it: AddPositional with a tuple of values, AddStar with an iterable, OnlyStar
	// with an iterable that gives all positional arguments, AddKeyword with a name and a value,
	// AddMapping with a mapping. EndCall calls the function.
	BeginCall
	AddPositional
	AddStar
	OnlyStar
	AddKeyword
	AddMapping
	EndCall
	// Annotations is the dict __annotations__ of the module or class that calls it, a new one if it
	// has none.
	Annotations
	// HoldCall is a call of its first argument with the others, which may have keywords and stars.
	// It is what a with statement around a loop holds; at its end a generator that the call has
	// made is closed. Held is what the innermost such statement holds.
	HoldCall
	Held
)

// OperationType is the type of operations. No program sees it.
var OperationType = py.NewType("operation", "")

// Type makes an Operation a Python object.
func (Operation) Type() *py.Type { return OperationType }

// M__eq__ is for the compiler, which compares constants.
func (o Operation) M__eq__(other py.Object) (py.Object, error) {
	return py.NewBool(py.Object(o) == other), nil
}

// M__ne__ is the opposite.
func (o Operation) M__ne__(other py.Object) (py.Object, error) {
	return py.NewBool(py.Object(o) != other), nil
}

// PositionalOnly is a constant in the code of a function: how many of its parameters can be given
// by position only.
type PositionalOnly int

var positionalOnlyType = py.NewType("positional_only", "")

// Type makes it a Python object. No program sees it.
func (PositionalOnly) Type() *py.Type { return positionalOnlyType }

// M__eq__ is for the compiler, which compares constants.
func (o PositionalOnly) M__eq__(other py.Object) (py.Object, error) {
	return py.NewBool(py.Object(o) == other), nil
}
