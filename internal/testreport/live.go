package testreport

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// redrawEvery is how often the lines at the bottom are drawn again, and text above them is shown.
const redrawEvery = 100 * time.Millisecond

// live writes text to a terminal, with lines below it that say what each worker runs and for how
// long. The text may end in the middle of a line, and goes on there. What is written is shown with
// the next drawing, so that the lines below neither flicker nor cost time for each test.
type live struct {
	w    io.Writer
	size func() (columns, rows int)

	mu      sync.Mutex
	waiting []byte   // written and not yet shown
	partial []byte   // the last line of what is shown, if it has no end yet
	up      int      // how many lines the cursor is below the beginning of that line
	below   []string // the lines at the bottom that are shown
	running []runningTest

	quit, done chan struct{}
}

type runningTest struct {
	worker, test string
	since        time.Time
}

// newLive starts a goroutine that draws. close ends it.
func newLive(w io.Writer, size func() (columns, rows int)) *live {
	l := &live{w: w, size: size, quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		ticks := time.NewTicker(redrawEvery)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				l.draw(time.Now(), true)
			case <-l.quit:
				l.draw(time.Now(), false)
				return
			}
		}
	}()
	return l
}

// Write implements io.Writer.
func (l *live) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, text...)
	return len(text), nil
}

// started says that a worker begins with a test.
func (l *live) started(worker, test string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = append(l.without(worker), runningTest{worker, test, at})
	slices.SortFunc(l.running, func(a, b runningTest) int { return byWorker(a.worker, b.worker) })
}

// idle says that a worker runs nothing.
func (l *live) idle(worker string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = l.without(worker)
}

func (l *live) without(worker string) []runningTest {
	return slices.DeleteFunc(l.running, func(r runningTest) bool { return r.worker == worker })
}

// byWorker orders gateways' ids: gw2 before gw10.
func byWorker(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// draw shows what is waiting and, with lines, the lines below it. Otherwise it removes these.
func (l *live) draw(now time.Time, lines bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var below []string
	if lines {
		below = l.lines(now)
	}
	if len(l.waiting) == 0 && slices.Equal(below, l.below) {
		return
	}
	var out bytes.Buffer
	if len(l.below) > 0 {
		out.WriteByte('\r')
		if l.up > 0 {
			fmt.Fprintf(&out, "\x1b[%dA", l.up)
		}
		out.WriteString("\x1b[J")
		out.Write(l.partial)
	}
	out.Write(l.waiting)
	l.partial = append(l.partial, l.waiting...)
	if end := bytes.LastIndexByte(l.partial, '\n'); end >= 0 {
		l.partial = append(l.partial[:0], l.partial[end+1:]...)
	}
	l.waiting, l.below, l.up = l.waiting[:0], below, 0
	for i, line := range below {
		if i > 0 || len(l.partial) > 0 {
			out.WriteByte('\n')
			l.up++
		}
		out.WriteString("\x1b[2m" + line + "\x1b[0m")
	}
	// If the terminal is gone the program gets a signal.
	_, _ = l.w.Write(out.Bytes())
}

// lines are the lines at the bottom, as far as the terminal has room for them.
func (l *live) lines(now time.Time) (lines []string) {
	columns, rows := l.size()
	for _, r := range l.running[:min(len(l.running), max(rows-2, 0))] {
		line := fmt.Sprintf("[%s] %4ds  %s", r.worker, int(now.Sub(r.since).Seconds()), printable(r.test))
		lines = append(lines, displayed.Truncate(line, columns-1, "..."))
	}
	return lines
}

// printable replaces control characters, which would move the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}

// close shows what is waiting and removes the lines at the bottom.
func (l *live) close() {
	close(l.quit)
	<-l.done
}
