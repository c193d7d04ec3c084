// Package pyvalue is the value side of the Python that a Go worker runs: the types that gpython
// v0.2.0 lacks or has only in part, the operations and builtins that go with them, and the
// conversion between Python objects and the Go values of package serializer.
//
// # How it changes gpython
//
// gpython's types are global variables. Importing this package completes them once, while the
// program starts: dict, set, frozenset, str, bytes and so on get the methods they lack, in their
// Dict, and make this package's objects when they are called (type.New).
//
// Operators, comparisons, subscripts, iteration and attributes cannot be given to gpython's Go
// types from outside. They are functions here ([Binary], [Compare], [GetItem], [Iter], [GetAttr]
// and so on), which the instructions in package gpython's patch.go call instead of gpython's own.
//
// What a context still needs is [Builtins], put over its builtins.
//
// # Types
//
//	None, True, 5    py.None, py.Bool, py.Int; *py.BigInt for what an int64 cannot hold
//	1.5, 2j          py.Float, py.Complex
//	str, bytes       py.String, py.Bytes
//	list, tuple      *py.List, py.Tuple
//	dict             *Dict; py.StringDict where gpython makes it (**kwargs, globals())
//	set, frozenset   *Set, *FrozenSet, in the order in which items were added
//
// Objects belong to the context that made them: nothing here is locked, and two contexts may run at
// a time.
package pyvalue
