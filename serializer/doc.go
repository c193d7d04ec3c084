// Package serializer turns Python values into bytes and Go values, in the format of Python's
// execnet.
//
// The format knows None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset
// and, between gateways, channels. It comes in two forms. The public one, of [Dumps], [Loads],
// [Dump] and [Load], starts with a version byte; the internal one, of [Codec], is what messages
// carry.
//
// # What loading gives
//
//	None                 nil
//	bool                 bool
//	int                  int64, or *big.Int for what an int64 cannot hold
//	float, complex       float64, complex128
//	str, bytes           string, []byte
//	list, tuple          []any, Tuple
//	dict                 *Dict
//	set, frozenset       *Set, FrozenSet
//	Channel              what the gateway's table of channels makes of it
//
// A str of Python 2 is text in some programs and bytes in others: [Py2StrAsPy3Str] and the Codec's
// field of that name say which.
//
// # What can be dumped
//
// All of the above, and by reflection, which is worked out once for each type:
//
//   - every kind of bool, number and string; a uint64 or *big.Int of any size is an int;
//   - slices and arrays as lists, those of bytes as bytes, nil ones as empty: only a Tuple is a tuple;
//   - maps as dicts, map[T]struct{} as sets, nil ones as empty, in the order of their keys;
//   - structs as dicts of their exported fields. The tag `execnet:"name,omitempty"` names a field and leaves it out when
//     it is false, 0, nil or empty; `execnet:"-"` leaves it out always. Embedded structs count as in encoding/json. A
//     struct without any exported field, as time.Time is, is an error: convert it to what Python should see;
//   - pointers and interfaces as what they refer to, nil ones (a nil *Dict too) as None;
//   - a [Marshaler] as what it returns, a [Channel] as a channel.
//
// Strings must be valid UTF-8. Equal values give equal bytes. A value that contains itself is a
// [DumpError].
//
// # What loads into what
//
// [Unmarshal] and [Codec.Unmarshal] fill a Go variable straight from the bytes, in the manner of
// encoding/json but more strictly:
//
//   - an int fits integers that can hold it, *big.Int, and floats and complex numbers that hold it exactly; a float fits
//     floats and complex numbers; a bool only a bool;
//   - str fits strings, bytes fit byte slices, and byte arrays of the same length;
//   - lists, tuples and sets fit slices, and arrays of the same length; sets fit map[T]struct{}, *Set and FrozenSet;
//   - dicts fit *Dict, maps (which keep what they had) and structs: keys without a field of exactly that name are
//     ignored, and so are fields without a key;
//   - None makes pointers, interfaces, slices and maps nil and leaves anything else as it is;
//   - an empty interface gets what Loads would give, an [Unmarshaler] is called with that, and a channel fits what it can
//     be assigned to.
//
// Anything else is a [LoadError] that says where in the value it happened.
//
// # Untrusted input
//
// Input of any kind gives a value or a LoadError, never a panic. The memory it takes is bounded by
// its length: a length that the input announces is believed only when so many items or bytes are
// there, and in particular a list must be filled as often as it is long. [Limits] bounds the rest:
// the depth of nesting, the digits of an int, and the bytes read from a stream. Keys are hashed
// with a random seed.
package serializer
