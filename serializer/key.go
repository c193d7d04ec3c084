package serializer

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"reflect"
)

var seed = maphash.MakeSeed()

var (
	intSeed   = maphash.String(seed, "int")
	bytesSeed = maphash.String(seed, "bytes")
	tupleSeed = maphash.String(seed, "tuple")
)

// asKey converts key to the type that loading gives (an int to an int64, a named string to a
// string, and so on). It returns an error if Python could not hash the key.
func asKey(key any) (any, error) {
	switch k := key.(type) {
	case nil, bool, string, int64, float64, complex128, FrozenSet:
		return key, nil
	case int:
		return int64(k), nil
	case []byte:
		return bytes.Clone(k), nil
	case *big.Int:
		if k == nil {
			return nil, nil
		}
		return bigKey(k), nil
	case Tuple:
		out := make(Tuple, len(k))
		for i, item := range k {
			var err error
			if out[i], err = asKey(item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *Set, *Dict, []any:
		return nil, fmt.Errorf("a %s cannot be a dict key or in a set", pythonType(k))
	case Channel:
		if reflect.TypeOf(k).Comparable() {
			return k, nil
		}
	}
	v := reflect.ValueOf(key)
	switch {
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint():
		return bigKey(new(big.Int).SetUint64(v.Uint())), nil
	case v.CanFloat():
		return v.Float(), nil
	case v.CanComplex():
		return v.Complex(), nil
	case v.Kind() == reflect.Bool:
		return v.Bool(), nil
	case v.Kind() == reflect.String:
		return v.String(), nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return bytes.Clone(v.Bytes()), nil
	case v.Kind() == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return b, nil
	}
	return nil, fmt.Errorf("a %T cannot be a dict key or in a set", key)
}

func bigKey(k *big.Int) any {
	if k.IsInt64() {
		return k.Int64()
	}
	return new(big.Int).Set(k)
}

// checkHashable is asKey for values that were loaded, and so have the right type already.
func checkHashable(key any) error {
	switch k := key.(type) {
	case *Set, *Dict, []any:
		return fmt.Errorf("unhashable type: %s", pythonType(k))
	case Tuple:
		for _, item := range k {
			if err := checkHashable(item); err != nil {
				return err
			}
		}
	case nil, bool, string, int64, float64, complex128, []byte, *big.Int, FrozenSet:
	default:
		if !reflect.TypeOf(key).Comparable() {
			return fmt.Errorf("unhashable type: %T", key)
		}
	}
	return nil
}

func pythonType(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case complex128:
		return "complex"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case []any:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case *Set:
		return "set"
	case FrozenSet:
		return "frozenset"
	case Channel:
		return "Channel"
	}
	return fmt.Sprintf("Go %T", v)
}

// hashKey hashes a key of a type that loading gives; keys that are equal in Python have equal
// hashes. The seed is random, so that nobody can choose keys that collide.
func hashKey(key any) uint64 {
	switch k := key.(type) {
	case string:
		return maphash.String(seed, k)
	case int64:
		return hashInt(k)
	case []byte:
		return maphash.Bytes(seed, k) ^ bytesSeed
	case Tuple:
		h := tupleSeed
		for _, item := range k {
			h = mix(h, hashKey(item))
		}
		return h
	case FrozenSet:
		return k.hash()
	case nil:
		return tupleSeed ^ bytesSeed
	case Channel:
		return hashInt(int64(k.ExecnetChannelID()))
	}
	switch n := number(key).(type) {
	case int64:
		return hashInt(n)
	case *big.Int:
		return maphash.Bytes(seed, n.Bytes()) ^ intSeed
	case float64:
		if n != n {
			return rand.Uint64() // a NaN equals nothing: spread them
		}
		return maphash.Comparable(seed, n)
	case complex128:
		if math.IsNaN(real(n)) || math.IsNaN(imag(n)) {
			return rand.Uint64()
		}
		return maphash.Comparable(seed, n)
	}
	return 0
}

func hashInt(i int64) uint64 { return mix(intSeed, uint64(i)) }

func mix(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^bytesSeed, x^0x9e3779b97f4a7c15^tupleSeed)
	return hi ^ lo ^ bits.RotateLeft64(h, 23)
}

// equalKeys reports whether two keys of types that loading gives are one key in Python.
func equalKeys(a, b any) bool {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return ok && x == y
	case int64:
		if y, ok := b.(int64); ok {
			return x == y
		}
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case Tuple:
		y, ok := b.(Tuple)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equalKeys(x[i], y[i]) {
				return false
			}
		}
		return true
	case FrozenSet:
		y, ok := b.(FrozenSet)
		return ok && x.equal(y)
	case nil:
		return b == nil
	case Channel:
		y, ok := b.(Channel)
		return ok && x == y
	}
	switch x := number(a).(type) {
	case int64:
		y, ok := number(b).(int64)
		return ok && x == y
	case float64:
		y, ok := number(b).(float64)
		return ok && x == y
	case complex128:
		y, ok := number(b).(complex128)
		return ok && x == y
	case *big.Int:
		y, ok := number(b).(*big.Int)
		return ok && x.Cmp(y) == 0
	}
	return false
}

// number returns equal numbers as equal values of one type: a whole number as an int64, or as a
// *big.Int if it is too large for that, another real number as a float64, and any other number as a
// complex128. For what is not a number it returns nil.
func number(key any) any {
	switch k := key.(type) {
	case bool:
		if k {
			return int64(1)
		}
		return int64(0)
	case int64, *big.Int:
		return k
	case float64:
		switch {
		case k != math.Trunc(k) || math.IsInf(k, 0):
			return k
		case k >= -1<<63 && k < 1<<63:
			return int64(k)
		}
		whole, _ := big.NewFloat(k).Int(nil)
		return whole
	case complex128:
		if imag(k) == 0 {
			return number(real(k))
		}
		return k
	}
	return nil
}
