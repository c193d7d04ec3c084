package serializer

import "unsafe"

// slab puts values of one small type into interfaces. The compiler takes memory for each value that
// it puts there, which for plain lists is much of the time that loading takes; a slab takes it for
// many at once. A value that is kept keeps its slab alive, so slabs are small, and what their
// values refer to is no more than an arena's block.
type slab[T any] struct {
	free []T
	made int
}

const slabMost = 64

// box returns v as an any, as any(v) does. typ is the type's word. left is how many bytes of input
// come after the value, which bounds how many values can follow.
func (s *slab[T]) box(v T, typ unsafe.Pointer, left int) any {
	if len(s.free) == 0 {
		// A lone value gets memory of its own; the more there were, the more there will be.
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

// eface is how the runtime lays out an any: a word for the type, and a pointer to a value that
// nobody changes any more.
type eface struct{ typ, data unsafe.Pointer }

var (
	intWord    = typeWord(int64(0))
	floatWord  = typeWord(float64(0))
	stringWord = typeWord("")
)

func typeWord(v any) unsafe.Pointer { return (*eface)(unsafe.Pointer(&v)).typ }
