package farend

import (
	"sync"
	"unicode/utf8"
)

// tailSize is how many bytes a Tail keeps.
const tailSize = 8 << 10

// Tail keeps the last 8 KiB that are written to it: the end of a far end's stderr. Several
// goroutines may use it at the same time; its zero value is empty.
type Tail struct {
	mu   sync.Mutex // guards the fields below
	ring [tailSize]byte
	end  int // where the next byte goes
	full bool
}

// Write keeps the end of b. It never fails.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := b[max(0, len(b)-tailSize):]; len(rest) > 0; {
		n := copy(t.ring[t.end:], rest)
		rest = rest[n:]
		t.end += n
		if t.end == tailSize {
			t.end, t.full = 0, true
		}
	}
	return len(b), nil
}

// String returns the bytes kept, without the rest of a UTF-8 character whose beginning is lost.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.full {
		return string(t.ring[:t.end])
	}
	text := string(t.ring[t.end:]) + string(t.ring[:t.end])
	for i := range utf8.UTFMax - 1 {
		if utf8.RuneStart(text[i]) {
			return text[i:]
		}
	}
	return text
}
