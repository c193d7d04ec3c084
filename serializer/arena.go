package serializer

import "strings"

// arena copies short strings side by side into shared blocks, which saves an allocation for each. A
// string keeps at most its block alive.
type arena struct {
	block strings.Builder
	used  int // by all strings so far, which tells how large a block is worth its while
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
