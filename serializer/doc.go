// Package serializer converts between Go values and bytes in the format of Python's execnet, which
// holds Python values.
//
// The format knows None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset
// and, between gateways, channels. It has two forms ([protocol.md section 4]). The public one, of
// [Dumps], [Loads], [Dump] and [Load], starts with a version byte. The internal one, of [Codec], is
// what messages between gateways carry.
//
// # Which Go types loading makes
//
//	None                 nil
//	bool                 bool
//	int                  int64, or *big.Int for what an int64 cannot hold
//	float, complex       float64, complex128
//	str, bytes           string, []byte
//	list, tuple          []any, Tuple
//	dict                 *Dict
//	set, frozenset       *Set, FrozenSet
//	Channel              what the gateway's table of channels returns for it
//
// A str of Python 2 is text in some programs and bytes in others: [Py2StrAsPy3Str] says which.
//
// # What can be dumped
//
// All of the above, and by reflection, which is prepared once for each type:
//
//   - every kind of bool, number and string; a uint64 or *big.Int of any size is an int;
//   - slices and arrays as lists, those of bytes as bytes, nil ones as empty: only a Tuple is a
//     tuple;
//   - maps as dicts, map[T]struct{} as sets, nil ones as empty, in the order of their keys;
//   - structs as dicts of their exported fields. The tag `execnet:"name,omitempty"` names a field
//     and leaves it out if it is false, 0, nil or empty; `execnet:"-"` leaves it out always. A
//     field without an execnet tag has what its json tag says of these. Embedded structs count as
//     in encoding/json. A struct without any exported field, such as
//     time.Time, is an error: convert it to what Python should see;
//   - pointers and interfaces as what they refer to, nil ones (a nil *Dict too) as None;
//   - a [Marshaler] as what it returns, a [Channel] as a channel.
//
// Strings must be valid UTF-8. Equal values give equal bytes. A value that contains itself is a
// [DumpError].
//
// # What loads into which Go type
//
// [Unmarshal] and [Codec.Unmarshal] fill a Go variable straight from the bytes, as encoding/json
// does, but more strictly:
//
//   - an int fits integers that can hold it, *big.Int, and floats and complex numbers that hold it
//     exactly; a float fits floats and complex numbers; a bool only a bool;
//   - str fits strings, bytes fit byte slices, and byte arrays of the same length;
//   - a str fits a time.Time if it is what isoformat of a Python datetime or date returns; without
//     a time zone it is in UTC;
//   - lists, tuples and sets fit slices, and arrays of the same length; sets fit map[T]struct{},
//     *Set and FrozenSet;
//   - dicts fit *Dict, maps (which keep what they had) and structs: keys without a field of that
//     name are ignored, and so are fields without a key. A name in a tag must be the key exactly;
//     without one, a key that differs in upper and lower case fits, too, if no other field fits. A
//     struct with the field _ struct{} `execnet:",strict"` takes only a dict that has no other keys
//     than its fields, and all of them but those with omitempty;
//   - None makes pointers, interfaces, slices and maps nil and leaves anything else as it is;
//   - an empty interface gets what Loads would return, an [Unmarshaler] is called with that, and a
//     channel fits every type that it can be assigned to.
//
// Anything else is a [LoadError] that says where in the value it happened.
//
// # Untrusted input
//
// Input of any kind gives a value or a LoadError, never a panic. The memory it takes is bounded by
// the input's length: a length that the input announces is believed only if so many items or bytes
// follow, in particular a list must be filled as often as it is long, and what is made of much
// smaller parts, such as empty dicts, is refused beyond [MaxCost]. [MaxDepth], [MaxDigits] and
// [MaxBytes] limit the rest. Keys are hashed with a random seed.
//
// [protocol.md section 4]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#4-serialization
package serializer
