// Package pyvalue is the value side of the Python that a Go worker runs: the types that gpython
// lacks or has only in part, the operators and builtins that go with them, and the conversion
// between Python objects and the Go values of package serializer.
//
// # How it changes gpython
//
// gpython is used as a library. Its types are global variables, and its interpreter looks up each
// opcode in one table; importing this package changes both, once, while the program starts:
//
//   - the types dict, set, frozenset, str, bytes and so on get the methods they lack, in their Dict, and make this
//     package's objects when called (type.New);
//   - the opcodes of displays ({k: v}, {a, b} and their comprehensions), operators, comparisons, subscripts, iteration,
//     attributes and calls go through this package's functions first, because gpython's own Go types cannot be given
//     operators from outside. A compiled program needs no rewriting for that.
//
// What a context still needs is Builtins, put over its builtins.
//
// # Types
//
//	None, True, 5    py.None, py.Bool, py.Int; *py.BigInt for what an int64 cannot hold
//	1.5, 2j          py.Float, py.Complex
//	str, bytes       py.String, py.Bytes
//	list, tuple      *py.List, py.Tuple
//	dict             *Dict; py.StringDict where gpython makes it (**kwargs, globals()), which has the same methods
//	set, frozenset   *Set, *FrozenSet, in the order in which items were added
//
// Objects belong to the context that made them: nothing here is locked, and two contexts may run at
// a time.
package pyvalue
