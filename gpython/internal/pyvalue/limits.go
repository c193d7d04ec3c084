package pyvalue

// What one operation may make. What is larger is a MemoryError before Go's allocator, which ends
// the process when there is no more memory, hears of it. gpython v0.2.0 has no limits, so that 'x'
// * 10**12 would end the worker; CPython raises a MemoryError there.

import (
	"math"
	"math/big"

	"github.com/go-python/gpython/py"
)

// What one operation may make is limited here: what is larger is a MemoryError before Go's
// allocator, which ends the process when there is no more, hears of it.

// MostBytes limits sequences: the bytes of a str or bytes, or what the items of a list or tuple
// take. It is not to be changed while programs run; tests, which have little memory, make it less.
var MostBytes = math.MaxInt32

// mostText limits what is known to be too long only while it is made, with copies as it grows.
func mostText() int { return MostBytes / 8 }

// mostParts limits the items of a list of new texts.
func mostParts() int { return MostBytes / partBytes }

const (
	// mostBits limits ints.
	mostBits = 1 << 27
	// mostDigits limits the decimal digits of ints that are read, written or sent, as CPython 3.11
	// does.
	mostDigits = 4300

	itemBytes = 16 // of a list, for one item
	partBytes = 48 // of a list, for one item that is a new str
)

// Fits returns a MemoryError if count times size bytes are more than one operation may make.
func Fits(count, size int) error {
	if count > 0 && size > MostBytes/count {
		return tooLarge()
	}
	return nil
}

// fitsText is Fits for a text that grows.
func fitsText(size int) error {
	if size > mostText() {
		return tooLarge()
	}
	return nil
}

// fitsBits is Fits for the bits of an int.
func fitsBits(n float64) error {
	if n > mostBits {
		return tooLarge()
	}
	return nil
}

func tooLarge() error { return py.ExceptionNewf(py.MemoryError, "the result would be too large") }

// fitsDigits returns a ValueError if an int has too many digits to be written in base 10; others
// are no work.
func fitsDigits(i *big.Int, base int) error {
	if base != 10 || i.CmpAbs(tooManyDigits) < 0 {
		return nil
	}
	return py.ExceptionNewf(py.ValueError, "Exceeds the limit (%d digits) for integer string conversion", mostDigits)
}

var tooManyDigits = new(big.Int).Exp(big.NewInt(10), big.NewInt(mostDigits), nil)

// total adds up the bytes of a text that is made of many.
type total int64

func (t *total) add(size int) error {
	if *t += total(size); *t > total(MostBytes) {
		return tooLarge()
	}
	return nil
}
