package pipe

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// patience is how long a Read tries before it sleeps, and the longest wait after which the next
// Read tries. An answer of a process that does little takes half of it.
const patience = 50 * time.Microsecond

// bulk is what a Read returns when data streams in. Then there is nothing to wait for, and the far
// end, or whoever takes what was read, makes better use of the processor.
const bulk = 4 << 10

// mostSkipped is how many Reads are not tried at the most after others were tried in vain.
const mostSkipped = 255

// trying is held by the one Read of this process that is trying again and again: it takes a
// processor while it does.
var trying atomic.Bool

// Reader reads a pipe or a socket as the file itself does, but faster where questions and answers
// take turns: a far end that has just answered within microseconds, sooner than a thread falls
// asleep and is woken again, is tried for a while before the next sleep. Reads must not run side by
// side. The file's deadlines and Close may be used at any time; a Read that is trying finds out
// when its patience ends.
type Reader struct {
	file     *os.File
	patience time.Duration
	quick    bool // the last wait was short, for something short
	skip     int  // how many Reads that might be tried are not, between two that are
	skipped  int  // since the last
	spin     spinner
}

// NewReader returns a reader of a file, which remains the caller's to close.
func NewReader(file *os.File) *Reader {
	r := &Reader{file: file, patience: patience}
	r.spin.init(file)
	return r
}

// Read is io.Reader's; its errors are those of os.File.
func (r *Reader) Read(p []byte) (n int, err error) {
	start := time.Now()
	if r.mayTry(len(p)) && trying.CompareAndSwap(false, true) {
		var inTime bool
		n, inTime, err = r.spin.read(p, start.Add(r.patience))
		r.skipped = 0
		if inTime {
			r.skip /= 2
		} else {
			r.skip = min(2*r.skip+1, mostSkipped)
		}
	} else {
		n, err = r.file.Read(p)
	}
	r.quick = n < bulk && time.Since(start) < r.patience
	return n, err
}

// mayTry tells whether a Read of so many bytes may be worth trying.
func (r *Reader) mayTry(n int) bool {
	if !r.quick || n == 0 || !r.spin.possible() || runtime.GOMAXPROCS(0) == 1 {
		return false
	}
	r.skipped++
	return r.skipped > r.skip
}
