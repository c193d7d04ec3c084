package serializer

import (
	"strings"
	"unsafe"
)

// arena copies short strings side by side into shared blocks, which saves an allocation for each. A
// string keeps at most its block alive.
type arena struct {
	block strings.Builder
	used  int // the length of all strings so far, from which the size of the next block follows
}

const (
	arenaBlock = 2048
	arenaMost  = 128 // longer strings get memory of their own
)

// string copies raw; left is how many bytes of input come after it.
func (a *arena) string(raw []byte, left int) string {
	if len(raw) > arenaMost {
		return string(raw)
	}
	if a.block.Cap()-a.block.Len() < len(raw) {
		a.block.Reset()
		a.block.Grow(len(raw) + min(left, a.used, arenaBlock))
	}
	from := a.block.Len()
	a.block.Write(raw)
	a.used += len(raw)
	return a.block.String()[from:]
}

// slab puts values of one small type into interfaces. The compiler allocates memory for each value
// that it puts there, which for plain lists is much of the time that loading takes; a slab
// allocates it for many values at once. A value that is kept keeps its slab alive. So slabs are
// small, and what their values refer to is no more than an arena's block.
type slab[T any] struct {
	free []T
	made int // how many values there has been memory for
}

const slabMost = 64

// box returns v as an any, as any(v) does. typ is the type's word. left is how many bytes of input
// come after the value, which bounds how many values can follow.
func (s *slab[T]) box(v T, typ unsafe.Pointer, left int) any {
	if len(s.free) == 0 {
		// The first value gets memory for itself alone. The more values there were, the more are
		// expected to follow.
		n := max(1, min(s.made, left/2, slabMost))
		s.free = make([]T, n)
		s.made += n
	}
	p := &s.free[0]
	s.free = s.free[1:]
	*p = v
	e := eface{typ, unsafe.Pointer(p)}
	return *(*any)(unsafe.Pointer(&e))
}

// eface is the runtime's layout of an any: a word for the type, and a pointer to the value, which
// nobody may change any more.
type eface struct{ typ, data unsafe.Pointer }

var (
	intWord    = typeWord(int64(0))
	floatWord  = typeWord(float64(0))
	stringWord = typeWord("")
)

func typeWord(v any) unsafe.Pointer { return (*eface)(unsafe.Pointer(&v)).typ }
