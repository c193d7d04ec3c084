package serializer

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Loading takes two passes. The first, in this file, runs the program on a stack that holds no
// values but only where they begin. It finds every error in the program's structure, so that the
// second pass need not check it. It also notes what the second pass cannot know when it needs it:
// how many items each list and dict will get, and where a tuple or set begins, whose opcode comes
// after its items. And it adds up how much memory the value will take, before any is taken.

// shape is what the first pass finds out about a program.
type shape struct {
	filled []filled // the lists and dicts, in the order of their opcodes
	built  []built  // the tuples and sets, in the order of their starts, the outer one first
	stack  []level  // kept for the next scan
	height int      // how many values the stack holds
	cost   int64    // the memory that the value will take, in bytes
}

// filled is a list or a dict, whose opcode comes first and which SETITEM then fills.
type filled struct {
	want  int32 // the length that NEWLIST announced; 0 for a dict
	pairs int32 // how many times SETITEM hits it
}

// built is a tuple, set or frozenset, whose opcode builds it of the items before it.
type built struct {
	start uint32 // where its first item begins, or its own opcode when it has none
	end   uint32 // its opcode
	n     int32
	op    byte
}

// level is a value on the stack, or several values of one byte each that follow each other.
type level struct {
	off    uint32 // where it begins, or the first of them does
	filled int32  // its index in shape.filled, noContainer, or below that: minus how many they are
	depth  int32  // how many containers are nested in it, itself included
}

const noContainer = -1

// values is how many values a level stands for.
func (l level) values() int { return max(1, -int(l.filled)) }

// maxSize is how long a value can be: offsets are kept in 32 bits.
const maxSize = math.MaxUint32

// stepsBetweenLooks is how many opcodes are read, or values built, before loading looks again
// whether it shall end.
const stepsBetweenLooks = 1 << 16

// scan fills s with the shape of data, a whole program in the internal form.
func (s *shape) scan(data []byte, c *Codec) error {
	s.filled, s.built, s.stack, s.height, s.cost = s.filled[:0], s.built[:0], s.stack[:0], 0, 0
	if uint64(len(data)) > maxSize {
		return loadErrorf(0, "a value of %d bytes is too long", len(data))
	}
	maxDepth, most := limit(c.MaxDepth, DefaultMaxDepth), c.mostMemory(len(data))
	for i, steps := 0, 1; i < len(data); steps++ {
		if steps%stepsBetweenLooks == 0 {
			if err := c.ended(i); err != nil {
				return err
			}
		}
		if h := len(s.stack); h > 0 && s.stack[h-1].filled >= 0 {
			// The usual pair, a scalar as key and another as value, need not go over the stack.
			middle := scalarEnd(data, i)
			if end := scalarEnd(data, middle); end < len(data) && data[end] == opSetItem {
				s.filled[s.stack[h-1].filled].pairs++
				s.cost += 2*slotCost + leafCost(middle-i) + leafCost(end-middle)
				i = end + 1
				continue
			}
		}
		size := 1
		switch op := data[i]; op {
		case opInt, opLong, opFloat, opComplex:
			size = opSize(data, i)
			s.push(level{off: uint32(i), filled: noContainer}, slotCost+leafCost(size))
		case opChannel:
			size = 5
			s.push(level{off: uint32(i), filled: noContainer}, slotCost+channelCost)
		case opNone, opTrue, opFalse:
			s.pushByte(uint32(i))
		case opPy3String, opUnicode, opPy2String, opBytes, opLongInt, opLongLong:
			n, err := lengthAt(data, i)
			if err != nil {
				return err
			}
			if n > len(data)-i-5 {
				return loadErrorf(i, "%s of %d bytes, but only %d are left", aType(op), n, len(data)-i-5)
			}
			size = 5 + n
			s.push(level{off: uint32(i), filled: noContainer}, slotCost+leafCost(size))
		case opNewDict:
			s.push(level{off: uint32(i), filled: int32(len(s.filled)), depth: 1}, slotCost+dictCost)
			s.filled = append(s.filled, filled{})
		case opNewList:
			n, err := lengthAt(data, i)
			if err != nil {
				return err
			}
			size = 5
			s.push(level{off: uint32(i), filled: int32(len(s.filled)), depth: 1}, slotCost+listCost)
			s.filled = append(s.filled, filled{want: int32(n)})
		case opSetItem:
			if s.height < 3 {
				return loadErrorf(i, "SETITEM needs a container, a key and a value")
			}
			_, depth := s.pop(2)
			c := &s.stack[len(s.stack)-1]
			if c.filled < 0 {
				return loadErrorf(i, "SETITEM on %s", aType(s.opAt(data, *c)))
			}
			s.filled[c.filled].pairs++
			c.depth = max(c.depth, depth+1)
			if int(c.depth) > maxDepth {
				return loadErrorf(i, "nested more than %d levels deep", maxDepth)
			}
		case opBuildTuple, opSet, opFrozenSet:
			n, err := lengthAt(data, i)
			if err != nil {
				return err
			}
			if n > s.height {
				return loadErrorf(i, "%s of %d items, but there are only %d", aType(op), n, s.height)
			}
			made := level{off: uint32(i), filled: noContainer}
			if n > 0 {
				made.off, made.depth = s.pop(n)
			}
			made.depth++
			if int(made.depth) > maxDepth {
				return loadErrorf(i, "nested more than %d levels deep", maxDepth)
			}
			s.built = append(s.built, built{made.off, uint32(i), int32(n), op})
			cost := int64(slotCost + listCost)
			if op != opBuildTuple {
				cost += dictCost + int64(n)*slotCost // its entries have room for values
			}
			s.push(made, cost)
			size = 5
		case opStop:
			if s.height != 1 {
				return loadErrorf(i, "STOP with %d values on the stack (want 1)", s.height)
			}
			if i+1 < len(data) {
				return loadErrorf(i+1, "%d bytes after the value's end", len(data)-i-1)
			}
			return s.finish(data)
		default:
			return loadErrorf(i, "unknown opcode %q", op)
		}
		if size > len(data)-i {
			return loadErrorf(i, "the data ends within %s", aType(data[i]))
		}
		if s.cost > most {
			return c.tooCostly(i, len(data))
		}
		i += size
	}
	return loadErrorf(len(data), "the data ends without STOP")
}

// push puts a value on the stack.
func (s *shape) push(l level, cost int64) {
	s.stack = append(s.stack, l)
	s.height++
	s.cost += cost
}

// pushByte puts a value of one byte on the stack. Many of them share a level: otherwise each byte
// would take twelve here.
func (s *shape) pushByte(off uint32) {
	s.height++
	s.cost += slotCost
	if h := len(s.stack); h > 0 {
		top := &s.stack[h-1]
		if k := -top.filled; k > 0 && top.depth == 0 && top.off+uint32(k) == off && top.filled > math.MinInt32 {
			top.filled--
			return
		}
	}
	s.stack = append(s.stack, level{off: off, filled: noContainer})
}

// pop takes n values from the stack, which holds as many. It returns where the first of them begins
// and how deeply containers are nested in them.
func (s *shape) pop(n int) (off uint32, depth int32) {
	s.height -= n
	for n > 0 {
		top := &s.stack[len(s.stack)-1]
		depth = max(depth, top.depth)
		k := top.values()
		if k > n {
			top.filled += int32(n)
			return top.off + uint32(k-n), depth
		}
		off = top.off
		n -= k
		s.stack = s.stack[:len(s.stack)-1]
	}
	return off, depth
}

// scalarEnd returns where the scalar at i ends, or the length of data when there is none of the
// common kinds.
func scalarEnd(data []byte, i int) int {
	if i >= len(data)-5 {
		return len(data)
	}
	switch data[i] {
	case opInt:
		return i + 5
	case opPy3String, opBytes:
		if n := int(int32At(data, i+1)); n >= 0 && n < len(data)-i-5 {
			return i + 5 + n
		}
	case opFloat:
		return i + 9
	case opNone, opTrue, opFalse:
		return i + 1
	}
	return len(data)
}

// lengthAt reads the length that follows the opcode at i.
func lengthAt(data []byte, i int) (int, error) {
	if len(data)-i < 5 {
		return 0, loadErrorf(i, "the data ends within %s", aType(data[i]))
	}
	n := int32At(data, i+1)
	if n < 0 {
		return 0, loadErrorf(i, "%s of negative length %d", aType(data[i]), n)
	}
	return int(n), nil
}

func int32At(data []byte, i int) int32 { return int32(binary.BigEndian.Uint32(data[i:])) }

// opAt returns the opcode that made the last value at l, for a message. A tuple or set begins where
// its first item begins.
func (s *shape) opAt(data []byte, l level) byte {
	for _, p := range slices.Backward(s.built) { // the last one that starts here is the outermost
		if p.start == l.off {
			return p.op
		}
	}
	return data[int(l.off)+l.values()-1]
}

// finish checks what can only be known at the end.
func (s *shape) finish(data []byte) error {
	for k, b := range s.filled {
		// A list that gets as many items as it announces takes no more memory than its items do.
		// Every dumper fills its lists. A list of two billion Nones in five bytes is an attack.
		if b.pairs < b.want {
			return loadErrorf(filledAt(data, k), "a list of %d items, of which only %d follow", b.want, b.pairs)
		}
	}
	// They were noted in the order of their ends. Of two that start together the outer one ends
	// later.
	slices.SortFunc(s.built, func(a, b built) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	return nil
}

// filledAt returns where the list or dict of an index in shape.filled begins.
func filledAt(data []byte, index int) int {
	for i := 0; ; i += opSize(data, i) {
		if data[i] == opNewList || data[i] == opNewDict {
			if index == 0 {
				return i
			}
			index--
		}
	}
}

// opSize returns how many bytes the opcode at i takes with its operands, in data known to be sound.
func opSize(data []byte, i int) int {
	switch data[i] {
	case opInt, opLong, opChannel, opNewList, opBuildTuple, opSet, opFrozenSet:
		return 5
	case opFloat:
		return 9
	case opComplex:
		return 17
	case opPy3String, opUnicode, opPy2String, opBytes, opLongInt, opLongLong:
		return 5 + int(int32At(data, i+1))
	}
	return 1
}
