package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress tells what is being measured: on a terminal in one line that changes, elsewhere in a
// line for each measurement and then at most one every ten seconds.
type progress struct {
	w     io.Writer
	live  bool
	total int // measurements
	done  int
	what  string
	last  time.Time // when a line was printed
}

// quietTime is how long nothing more is printed where the line cannot change.
const quietTime = 10 * time.Second

func newProgress(w *os.File) *progress {
	info, err := w.Stat()
	return &progress{w: w, live: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// begin tells that the next measurement begins.
func (p *progress) begin(what string) {
	p.done++
	p.what, p.last = fmt.Sprintf("[%d/%d] %s", p.done, p.total, what), time.Time{}
	p.step("begin")
}

// round tells which side is measured in which round.
func (p *progress) round(round, rounds int, side string) {
	p.step(fmt.Sprintf("round %d of %d, %s", round, rounds, side))
}

// step tells what the measurement is doing.
func (p *progress) step(doing string) {
	line := strings.TrimPrefix(p.what+": "+doing, ": ")
	switch {
	case p.live:
		fmt.Fprintf(p.w, "\r\x1b[K%.79s", line) // a line that wraps could not be replaced
	case time.Since(p.last) >= quietTime:
		p.last = time.Now()
		fmt.Fprintln(p.w, line)
	}
}

// clear removes the changing line, so that something else can be printed.
func (p *progress) clear() {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
