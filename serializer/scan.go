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
// after its items.

// shape is what the first pass finds out about a program.
type shape struct {
	filled []filled // the lists and dicts, in the order of their opcodes
	built  []built  // the tuples and sets, in the order of their starts, the outer one first
	stack  []level  // kept for the next scan
}

// filled is a list or a dict, whose opcode comes first and which SETITEM then fills.
type filled struct {
	off   uint32 // of its opcode
	want  int32  // the length that NEWLIST announced; 0 for a dict
	pairs int32  // how many times SETITEM hits it
}

// built is a tuple, set or frozenset, whose opcode builds it of the items before it.
type built struct {
	start uint32 // where its first item begins, or its own opcode when it has none
	end   uint32 // its opcode
	n     int32
	op    byte
}

// level is a value on the stack.
type level struct {
	off    uint32 // where it begins
	filled int32  // its index in shape.filled, or -1
	depth  int32  // how many containers are nested in it, itself included
}

// maxSize is how long a value can be: offsets are kept in 32 bits.
const maxSize = math.MaxUint32

// scan fills s with the shape of data, a whole program in the internal form.
func (s *shape) scan(data []byte, maxDepth int) error {
	s.filled, s.built, s.stack = s.filled[:0], s.built[:0], s.stack[:0]
	if uint64(len(data)) > maxSize {
		return loadErrorf(0, "a value of %d bytes is too long", len(data))
	}
	stack := s.stack
	defer func() { s.stack = stack }()
	for i := 0; i < len(data); {
		if h := len(stack); h > 0 && stack[h-1].filled >= 0 {
			// The usual pair, a scalar as key and another as value, need not go over the stack.
			if end := scalarEnd(data, scalarEnd(data, i)); end < len(data) && data[end] == opSetItem {
				s.filled[stack[h-1].filled].pairs++
				i = end + 1
				continue
			}
		}
		size := 1
		switch op := data[i]; op {
		case opInt, opLong, opChannel:
			size = 5
			stack = append(stack, level{off: uint32(i), filled: -1})
		case opNone, opTrue, opFalse:
			stack = append(stack, level{off: uint32(i), filled: -1})
		case opFloat:
			size = 9
			stack = append(stack, level{off: uint32(i), filled: -1})
		case opComplex:
			size = 17
			stack = append(stack, level{off: uint32(i), filled: -1})
		case opPy3String, opUnicode, opPy2String, opBytes, opLongInt, opLongLong:
			n, err := lengthAt(data, i)
			if err != nil {
				return err
			}
			if n > len(data)-i-5 {
				return loadErrorf(i, "%s of %d bytes, but only %d are left", aType(op), n, len(data)-i-5)
			}
			size = 5 + n
			stack = append(stack, level{off: uint32(i), filled: -1})
		case opNewDict:
			stack = append(stack, level{off: uint32(i), filled: int32(len(s.filled)), depth: 1})
			s.filled = append(s.filled, filled{off: uint32(i)})
		case opNewList:
			n, err := lengthAt(data, i)
			if err != nil {
				return err
			}
			size = 5
			stack = append(stack, level{off: uint32(i), filled: int32(len(s.filled)), depth: 1})
			s.filled = append(s.filled, filled{off: uint32(i), want: int32(n)})
		case opSetItem:
			h := len(stack) - 3
			if h < 0 {
				return loadErrorf(i, "SETITEM needs a container, a key and a value")
			}
			c := &stack[h]
			if c.filled < 0 {
				return loadErrorf(i, "SETITEM on %s", aType(s.opAt(data, *c)))
			}
			s.filled[c.filled].pairs++
			c.depth = max(c.depth, stack[h+1].depth+1, stack[h+2].depth+1)
			if int(c.depth) > maxDepth {
				return loadErrorf(i, "nested more than %d levels deep", maxDepth)
			}
			stack = stack[:h+1]
		case opBuildTuple, opSet, opFrozenSet:
			n, err := lengthAt(data, i)
			if err != nil {
				return err
			}
			h := len(stack) - n
			if h < 0 {
				return loadErrorf(i, "%s of %d items, but there are only %d", aType(op), n, len(stack))
			}
			made := level{off: uint32(i), filled: -1}
			for _, item := range stack[h:] {
				made.depth = max(made.depth, item.depth)
			}
			made.depth++
			if int(made.depth) > maxDepth {
				return loadErrorf(i, "nested more than %d levels deep", maxDepth)
			}
			if n > 0 {
				made.off = stack[h].off
			}
			s.built = append(s.built, built{made.off, uint32(i), int32(n), op})
			stack = append(stack[:h], made)
			size = 5
		case opStop:
			if len(stack) != 1 {
				return loadErrorf(i, "STOP with %d values on the stack (want 1)", len(stack))
			}
			if i+1 < len(data) {
				return loadErrorf(i+1, "%d bytes after the value's end", len(data)-i-1)
			}
			return s.finish()
		default:
			return loadErrorf(i, "unknown opcode %q", op)
		}
		if size > len(data)-i {
			return loadErrorf(i, "the data ends within %s", aType(data[i]))
		}
		i += size
	}
	return loadErrorf(len(data), "the data ends without STOP")
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

// opAt returns the opcode that made the value at l, for a message. A tuple or set begins
// where its first item begins.
func (s *shape) opAt(data []byte, l level) byte {
	for _, p := range slices.Backward(s.built) { // the last one that starts here is the outermost
		if p.start == l.off {
			return p.op
		}
	}
	return data[l.off]
}

// finish checks what can only be known at the end.
func (s *shape) finish() error {
	for _, b := range s.filled {
		// A list that gets as many items as it announces takes no more memory than its items do.
		// Every dumper fills its lists. A list of two billion Nones in five bytes is an attack.
		if b.pairs < b.want {
			return loadErrorf(int(b.off), "a list of %d items, of which only %d follow", b.want, b.pairs)
		}
	}
	// They were noted in the order of their ends. Of two that start together the outer one ends
	// later.
	slices.SortFunc(s.built, func(a, b built) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	return nil
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
