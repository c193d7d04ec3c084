package serializer

import (
	"math"
	"reflect"
)

// What the parts of a value cost, in bytes of memory, as this package and the runtime lay them out,
// with what loading takes for itself.
const (
	slotCost    = 16  // a value's place in a list, tuple, dict or set
	listCost    = 32  // a list or tuple without its items
	dictCost    = 48  // a dict or set without its items
	channelCost = 800 // a channel: what package gateway_base keeps for it

	freeCost = 1 << 20 // what any value may take
)

// leafCost is what a scalar costs besides its slot. size is that of its opcode and operands.
func leafCost(size int) int64 {
	if size == 1 {
		return 0 // None, True and False
	}
	return int64(size) + 16
}

// mostMemory is how many bytes of memory a value of a size may take.
func (c *Codec) mostMemory(size int) int64 {
	times := limit(c.MaxCost, DefaultMaxCost)
	if times > (math.MaxInt64-freeCost)/maxSize {
		return math.MaxInt64
	}
	return freeCost + int64(times)*int64(size)
}

func (c *Codec) tooCostly(at, size int) error {
	return loadErrorf(at, "it takes more memory than %d times its %d bytes and 1 MiB (MaxCost allows more)",
		limit(c.MaxCost, DefaultMaxCost), size)
}

// spend adds n Go values of a size to the cost, which is what the value is loaded into.
func (d *decoder) spend(n int, size uintptr) error {
	d.shape.cost += int64(n) * int64(size)
	if d.shape.cost > d.most {
		return d.codec.tooCostly(d.off, len(d.data))
	}
	return nil
}

// spendMap is spend for a Go map of n entries: the runtime keeps eight at least, and up to twice as
// many as there are.
func (d *decoder) spendMap(t reflect.Type, n int) error {
	if err := d.spend(1, 48); err != nil || n == 0 {
		return err
	}
	return d.spend(max(8, 2*n), t.Key().Size()+t.Elem().Size()+1)
}

// step is called for each value that is built. Its error ends the loading.
func (d *decoder) step() error {
	d.steps++
	if d.steps%stepsBetweenLooks != 0 {
		return nil
	}
	return d.codec.ended(d.off)
}
