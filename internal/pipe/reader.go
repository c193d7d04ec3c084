package pipe

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// spinTime is how long a Read tries again and again before it sleeps, and the longest wait after
// which the next Read does so. An answer of a process that does little takes half of it.
const spinTime = 50 * time.Microsecond

// bulk is what a Read returns when data streams in. Then there is nothing to wait for, and the far
// end, or whoever processes what was read, makes better use of the processor.
const bulk = 4 << 10

// maxSkipped is how many Reads do not spin at the most after others did so in vain.
const maxSkipped = 255

// spinning is held by the one Read of this process that spins: it takes a processor while it does.
var spinning atomic.Bool

// Reader reads a pipe or a socket as the file itself does, but faster where questions and answers
// take turns: if the far end has just answered within microseconds, sooner than a thread falls
// asleep and is woken again, the next Read spins: it tries to read again and again for a while
// before it sleeps. Reads must not run side by side. The file's deadlines and Close may be used at
// any time; a Read that spins notices them when its time to spin is over.
type Reader struct {
	file     *os.File
	spinTime time.Duration
	quick    bool // the last wait was short, for something short
	skip     int  // how many Reads that might spin do not, between two that do
	skipped  int  // since the last
	spin     spinner
}

// NewReader returns a reader of a file, which remains the caller's to close.
func NewReader(file *os.File) *Reader {
	r := &Reader{file: file, spinTime: spinTime}
	r.spin.init(file)
	return r
}

// Read is io.Reader's; its errors are those of os.File.
func (r *Reader) Read(p []byte) (n int, err error) {
	start := time.Now()
	if r.maySpin(len(p)) && spinning.CompareAndSwap(false, true) {
		var inTime bool
		n, inTime, err = r.spin.read(p, start.Add(r.spinTime))
		r.skipped = 0
		if inTime {
			r.skip /= 2
		} else {
			r.skip = min(2*r.skip+1, maxSkipped)
		}
	} else {
		n, err = r.file.Read(p)
	}
	r.quick = n < bulk && time.Since(start) < r.spinTime
	return n, err
}

// maySpin tells whether spinning may be worth it for a Read of n bytes.
func (r *Reader) maySpin(n int) bool {
	if !r.quick || n == 0 || !r.spin.possible() || runtime.GOMAXPROCS(0) == 1 {
		return false
	}
	r.skipped++
	return r.skipped > r.skip
}
