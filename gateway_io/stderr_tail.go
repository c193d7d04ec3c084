package gatewayio

import (
	"sync"
	"unicode/utf8"
)

// tailSize is how much of a process's stderr is kept.
const tailSize = 8 << 10

// tail keeps the last tailSize bytes written to it.
type tail struct {
	mu   sync.Mutex // guards the fields below
	ring [tailSize]byte
	end  int // where the next byte goes
	full bool
}

func (t *tail) write(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b = b[max(0, len(b)-tailSize):]
	for len(b) > 0 {
		n := copy(t.ring[t.end:], b)
		b = b[n:]
		t.end += n
		if t.end == tailSize {
			t.end, t.full = 0, true
		}
	}
}

// String returns the bytes kept, without the piece of a UTF-8 character that the ring may have cut
// in front.
func (t *tail) String() string {
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
