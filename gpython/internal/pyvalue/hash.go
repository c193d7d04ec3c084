package pyvalue

// hash(o). gpython v0.2.0 has no hash: a Go map decides, so that {1, 1.0, True} has three items,
// and {[1]} is accepted. CPython hashes equal numbers equally and refuses what can change.

import (
	"hash/maphash"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"unsafe"

	"github.com/go-python/gpython/py"
)

var hashSeed = maphash.MakeSeed()

// hashModulus is the prime by which Python reduces numbers to their hash, which is what makes 1,
// 1.0 and True equal.
const hashModulus = 1<<61 - 1

var bigHashModulus = big.NewInt(hashModulus)

// deepestHash is how deep tuples in tuples are hashed.
const deepestHash = 100_000

// hash is Python's hash(o). Numbers have CPython's hashes, the rest hashes of this process only.
func hash(o py.Object) (int64, error) { return hashAt(o, 0) }

func hashAt(o py.Object, depth int) (int64, error) {
	switch x := o.(type) {
	case py.Bool:
		if x {
			return 1, nil
		}
		return 0, nil
	case py.Int:
		return hashInt(int64(x)), nil
	case *py.BigInt:
		return hashBig((*big.Int)(x)), nil
	case py.Float:
		if x != x { // a NaN equals nothing but, in containers, itself
			return hashIdentity(o), nil
		}
		return hashFloat(float64(x)), nil
	case *py.Range: // equal ones have the same items
		items := py.Tuple{x.Length, py.None, py.None}
		if x.Length > 0 {
			items[1] = x.Start
		}
		if x.Length > 1 {
			items[2] = x.Step
		}
		return hashAt(items, depth)
	case py.Complex:
		return notMinusOne(hashFloat(real(complex128(x))) + 1000003*hashFloat(imag(complex128(x)))), nil
	case py.String:
		return int64(maphash.String(hashSeed, string(x))), nil
	case py.Bytes:
		return int64(maphash.Bytes(hashSeed, x)), nil
	case py.Tuple:
		if depth > deepestHash {
			return 0, tooDeep("while hashing a tuple")
		}
		h := uint64(0x345678)
		for _, item := range x {
			one, err := hashAt(item, depth+1)
			if err != nil {
				return 0, err
			}
			h = bits.RotateLeft64(h^uint64(one)*0x9e3779b97f4a7c15, 31) * 0xbf58476d1ce4e5b9
		}
		return notMinusOne(int64(h)), nil
	case Named:
		_, _, items := x.Named()
		return hashAt(items, depth)
	case Listed:
		return 0, py.ExceptionNewf(py.TypeError, "unhashable type: 'collections.%s'", o.Type().Name)
	case *FrozenSet:
		return x.hash(), nil
	case *Dict:
		name := o.Type().Name
		if x.kind != nil && !x.kind.Counts {
			name = "collections." + name
		}
		return 0, py.ExceptionNewf(py.TypeError, "unhashable type: '%s'", name)
	case *py.List, py.StringDict, *Set, *py.Set, *py.Slice:
		return 0, py.ExceptionNewf(py.TypeError, "unhashable type: '%s'", o.Type().Name)
	case *py.Type, *py.Exception:
		return hashInstance(o)
	case *py.BoundMethod: // equal ones have the same function
		return hashIdentity(x.Method), nil
	}
	return hashIdentity(o), nil
}

// hashInstance hashes an instance of a class of the program, or a class.
func hashInstance(o py.Object) (int64, error) {
	method := instanceMethod(o, "__hash__")
	if method == py.Object(py.None) {
		return 0, py.ExceptionNewf(py.TypeError, "unhashable type: '%s'", typeName(o))
	}
	if method == nil {
		return hashIdentity(o), nil
	}
	res, err := py.Call(method, py.Tuple{o}, nil)
	if err != nil {
		return 0, err
	}
	switch i := plain(res).(type) {
	case py.Int:
		return notMinusOne(int64(i)), nil
	case *py.BigInt, py.Bool:
		return hash(i)
	}
	return 0, py.ExceptionNewf(py.TypeError, "__hash__ method should return an integer")
}

// hashIdentity hashes an object that is equal only to itself.
func hashIdentity(o py.Object) int64 { return notMinusOne(int64(identity(o) >> 4)) }

// identity is Python's id(o): the address of the object, which Go does not move.
func identity(o py.Object) uintptr {
	return uintptr((*[2]unsafe.Pointer)(unsafe.Pointer(&o))[1])
}

func hashInt(i int64) int64 {
	if i > -hashModulus && i < hashModulus {
		return notMinusOne(i)
	}
	return notMinusOne(i % hashModulus)
}

func hashBig(i *big.Int) int64 { return notMinusOne(new(big.Int).Rem(i, bigHashModulus).Int64()) }

// hashFloat is the hash of the fraction that f is, modulo the prime; it agrees with hashInt on
// whole numbers.
func hashFloat(f float64) int64 {
	switch {
	case math.IsInf(f, 1):
		return 314159
	case math.IsInf(f, -1):
		return -314159
	case f != f:
		return rand.Int64() // a NaN equals nothing: spread them
	}
	frac, exp := math.Frexp(math.Abs(f))
	mantissa := uint64(math.Ldexp(frac, 53)) // exact, below 2**53
	shift := (exp - 53) % 61
	if shift < 0 {
		shift += 61
	}
	// Multiplying by 2 modulo 2**61-1 rotates 61 bits.
	h := int64((mantissa<<shift)&hashModulus | mantissa>>(61-shift))
	if h == hashModulus {
		h = 0
	}
	if f < 0 {
		h = -h
	}
	return notMinusOne(h)
}

func notMinusOne(h int64) int64 {
	if h == -1 {
		return -2
	}
	return h
}
