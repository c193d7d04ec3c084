package serializer

import "strings"

// arena copies short strings side by side into shared blocks, which saves an allocation for each. A string keeps at most
// its block alive.
type arena struct {
	block strings.Builder
	used  int
}

const (
	arenaBlock = 2048
	arenaMost  = 128 // longer strings get memory of their own
)

func (a *arena) string(raw []byte) string {
	n := len(raw)
	if n == 0 {
		return ""
	}
	if n > arenaMost {
		return string(raw)
	}
	return a.copy(raw)
}

func (a *arena) copy(raw []byte) string {
	if a.block.Cap()-a.block.Len() < len(raw) {
		size := min(max(64, 2*a.used), arenaBlock)
		a.block = strings.Builder{}
		a.block.Grow(max(size, len(raw)))
	}
	from := a.block.Len()
	a.block.Write(raw)
	a.used += len(raw)
	return a.block.String()[from:]
}
