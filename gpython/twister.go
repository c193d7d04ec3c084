package gpython

// _random: the Mersenne Twister MT19937, on which library/random.py stands. A program that calls
// random.seed(5) expects the numbers that CPython gives it. gpython v0.2.0 has no random numbers.

import (
	"math/big"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

const (
	twisterSize   = 624
	twisterShift  = 397
	twisterMatrix = 0x9908b0df
)

// twister is the state of a generator.
type twister struct {
	state [twisterSize]uint32
	at    int
}

var twisterType = newType(py.ObjectType, "_random.twister", "A Mersenne Twister.")

// randomHelper makes the module _random.
func (in *interp) randomHelper() (*py.Module, error) {
	return in.newModule("_random", py.StringDict{"twister": &function{"twister", func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
		_, err := arguments("twister", args, kwargs, 0)
		t := &twister{}
		t.begin([]uint32{0})
		return t, err
	}}})
}

func (t *twister) Type() *py.Type { return twisterType }

// fill sets the state from one number.
func (t *twister) fill(n uint32) {
	t.state[0] = n
	for i := 1; i < twisterSize; i++ {
		t.state[i] = 1812433253*(t.state[i-1]^t.state[i-1]>>30) + uint32(i)
	}
	t.at = twisterSize
}

// begin sets the state from any number of them.
func (t *twister) begin(key []uint32) {
	t.fill(19650218)
	i, j := 1, 0
	step := func(factor, add uint32, sign int) {
		mixed := (t.state[i-1] ^ t.state[i-1]>>30) * factor
		t.state[i] = t.state[i] ^ mixed
		if sign > 0 {
			t.state[i] += add
		} else {
			t.state[i] -= add
		}
		if i++; i >= twisterSize {
			t.state[0] = t.state[twisterSize-1]
			i = 1
		}
	}
	for range max(twisterSize, len(key)) {
		step(1664525, key[j]+uint32(j), 1)
		j = (j + 1) % len(key)
	}
	for range twisterSize - 1 {
		step(1566083941, uint32(i), -1)
	}
	t.state[0] = 1 << 31
}

// next is the next 32 bits.
func (t *twister) next() uint32 {
	if t.at >= twisterSize {
		for i := range t.state {
			y := t.state[i]&(1<<31) | t.state[(i+1)%twisterSize]&(1<<31-1)
			t.state[i] = t.state[(i+twisterShift)%twisterSize] ^ y>>1 ^ y&1*twisterMatrix
		}
		t.at = 0
	}
	y := t.state[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (t *twister) M__getattr__(name string) (py.Object, error) {
	switch name {
	case "seed":
		return &function{name, t.seed}, nil
	case "random":
		return &function{name, func(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
			_, err := arguments(name, args, kwargs, 0)
			a, b := t.next()>>5, t.next()>>6
			return py.Float((float64(a)*67108864 + float64(b)) * (1.0 / 9007199254740992.0)), err
		}}, nil
	case "getrandbits":
		return &function{name, t.bits}, nil
	}
	return nil, noAttribute(t, name)
}

// seed begins anew, by an int that is not negative.
func (t *twister) seed(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("seed", args, kwargs, 1, "n")
	if err != nil {
		return nil, err
	}
	n := new(big.Int)
	switch x := a[0].(type) {
	case py.Int:
		n.SetInt64(int64(x))
	case *py.BigInt:
		n = (*big.Int)(x)
	default:
		return nil, py.ExceptionNewf(py.TypeError, "an integer is required")
	}
	b := n.Bytes()
	key := make([]uint32, max(1, (len(b)+3)/4))
	for i, c := range b {
		from := len(b) - 1 - i
		key[from/4] |= uint32(c) << (8 * (from % 4))
	}
	t.begin(key)
	return py.None, nil
}

// bits is getrandbits(k).
func (t *twister) bits(args py.Tuple, kwargs py.StringDict) (py.Object, error) {
	a, err := arguments("getrandbits", args, kwargs, 1, "k")
	if err != nil {
		return nil, err
	}
	k, err := py.IndexInt(a[0])
	switch {
	case err != nil:
		return nil, err
	case k < 0:
		return nil, py.ExceptionNewf(py.ValueError, "number of bits must be non-negative")
	case k == 0:
		return py.Int(0), nil
	}
	if err := pyvalue.Fits(k/8+1, 1); err != nil {
		return nil, err
	}
	if k <= 32 {
		return py.Int(t.next() >> (32 - k)), nil
	}
	b := make([]byte, (k+31)/32*4) // the most significant first
	for end := len(b); k > 0; k, end = k-32, end-4 {
		r := t.next()
		if k < 32 {
			r >>= 32 - k
		}
		b[end-4], b[end-3], b[end-2], b[end-1] = byte(r>>24), byte(r>>16), byte(r>>8), byte(r)
	}
	n := new(big.Int).SetBytes(b)
	if n.IsInt64() {
		return py.Int(n.Int64()), nil
	}
	return (*py.BigInt)(n), nil
}
