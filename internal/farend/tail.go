package farend

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	tailSize = 8 << 10 // how many of the last bytes a Tail keeps
	headSize = 1 << 10 // how many bytes it keeps of what came before these
)

// crash matches the first lines of the report of a crash: of Go, and of Python's faulthandler. What
// follows them can be long, while these lines alone say what has happened.
var crash = regexp.MustCompile(`(?m)^(?:panic: |fatal error: |runtime: goroutine stack exceeds |unexpected fault address |` +
	`SIG[A-Z]+: |Fatal Python error: )`)

// lastCrash is where the last report of a crash in text begins, -1 if there is none. Matches that
// are close to each other belong to one report.
func lastCrash(text []byte) int {
	all := crash.FindAllIndex(text, -1)
	i := len(all) - 1
	for i > 0 && all[i][0]-all[i-1][0] < headSize {
		i--
	}
	if i < 0 {
		return -1
	}
	return all[i][0]
}

// Tail keeps the end of what is written to it, the far end's stderr: the last 8 KiB. Of what came
// before it keeps 1 KiB: the beginning of the last crash report, or else of all. Several goroutines
// may use it at the same time; its zero value is empty.
type Tail struct {
	mu      sync.Mutex // guards the fields below
	head    []byte     // of what was dropped
	crashed bool       // head begins with a crash report
	gap     int        // how many bytes were dropped behind head
	rest    []byte
}

// Write keeps b. It never fails.
func (t *Tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, b...)
	if len(t.rest) > 2*tailSize {
		t.drop()
	}
	return len(b), nil
}

// drop leaves the last tailSize bytes, and the beginning of the line in which they begin, unless it
// is long.
func (t *Tail) drop() {
	n := len(t.rest) - tailSize
	if i := bytes.LastIndexByte(t.rest[:n], '\n') + 1; i > 0 && n-i < headSize {
		n = i
	}
	gone := t.rest[:n]
	if at := lastCrash(gone); at >= 0 && (!t.crashed || t.gap > 0 || at >= headSize) {
		t.head, t.crashed, t.gap = nil, true, 0
		gone = gone[at:]
	}
	kept := gone[:min(len(gone), headSize-len(t.head))]
	t.head = append(t.head, kept...)
	t.gap += len(gone) - len(kept)
	t.rest = append([]byte(nil), t.rest[n:]...)
}

// String returns the bytes kept, with a line that says where some are left out. No UTF-8 character
// is torn there.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rest) > tailSize {
		t.drop()
	}
	if t.gap == 0 {
		return string(t.head) + string(t.rest)
	}
	head, rest := t.head, t.rest
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(head); r == utf8.RuneError && size == 1 {
			head = head[:len(head)-1]
		}
		if len(rest) > 0 && !utf8.RuneStart(rest[0]) {
			rest = rest[1:]
		}
	}
	return fmt.Sprintf("%s\n[... %d bytes are left out here ...]\n%s", strings.TrimSuffix(string(head), "\n"), t.gap, rest)
}
