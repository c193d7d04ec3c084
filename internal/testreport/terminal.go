package testreport

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/testrun"
)

// TerminalOptions say where and how Terminal shows a run. The rest follows pytest's own options.
type TerminalOptions struct {
	Color bool
	Width int // of lines, in columns
	// Size is the size of the terminal that lines at its bottom are drawn on, which say what each
	// worker is doing. Nil: there is none, or it is no terminal that can do that.
	Size    func() (columns, rows int)
	Workers int  // how many there are to be
	Each    bool // every worker runs the whole suite
	// CI shows messages in the short summary in full, however long.
	CI bool
}

// Terminal shows a run as pytest does.
type Terminal struct {
	TerminalOptions
	began time.Time
	screen
	shown *bufio.Writer // of the screen: what an event shows is written at once
	live  *live         // nil without lines at the bottom

	options      options
	workers      []*testrun.WorkerUp
	platforms    []string // those whose lines have been written
	headerShown  bool
	beforeHeader []string // notices

	collected map[string]*testrun.Collected // by worker
	total     int                           // of tests that are to run
	reported  int
	counts    tally
	entries   []entry // all but those that passed, in the order of their ends
	passes    []entry
	warnings  []*testrun.Warning
	durations []duration
	problems  int // errors of collecting
	matrix    matrix
}

// duration is how long a phase has taken.
type duration struct {
	took time.Duration
	when string
	id   string
}

// NewTerminal returns a report that writes to w.
func NewTerminal(w io.Writer, o TerminalOptions) *Terminal {
	t := &Terminal{TerminalOptions: o, began: time.Now(), counts: tally{}, collected: map[string]*testrun.Collected{}, options: readOptions(nil)}
	if o.Size != nil {
		t.live = newLive(w, o.Size)
		w = t.live
	}
	t.shown = bufio.NewWriter(w)
	t.screen = screen{w: t.shown, width: o.Width, color: o.Color}
	return t
}

// Event implements Report.
func (t *Terminal) Event(event testrun.Event) {
	defer t.shown.Flush()
	if _, printed := event.(*testrun.Printed); t.options.silent && !printed {
		return
	}
	switch e := event.(type) {
	case *testrun.WorkerUp:
		t.workerUp(e)
	case *testrun.CollectProblem:
		t.problem(e)
	case *testrun.Collected:
		t.collected[e.Worker] = e
		t.total += len(e.Tests)
		t.counts[left] += e.Deselected
		t.matrix.collected(e)
		if !t.Each || len(t.collected) >= t.Workers {
			t.header()
		}
	case *testrun.TestStarted:
		t.header()
		if t.live != nil {
			t.live.started(e.Worker, e.Test.ID, e.At)
		}
	case *testrun.TestDone:
		t.header()
		if t.live != nil {
			t.live.idle(e.Worker)
		}
		t.testDone(e)
	case *testrun.Warning:
		t.warnings = append(t.warnings, e)
		t.counts[warnings]++
	case *testrun.Printed:
		t.printed(e)
	case *testrun.WorkerDown:
		t.workerDown(e)
	case *testrun.Notice:
		t.notice(e)
	}
}

// printed shows what a worker has printed.
func (t *Terminal) printed(e *testrun.Printed) {
	t.fresh()
	text := strings.TrimRight(e.Text, "\n")
	if t.Workers > 1 {
		text = "[" + e.Worker + "] " + text
	}
	t.line(text)
}

func (t *Terminal) workerUp(e *testrun.WorkerUp) {
	if len(t.workers) == 0 {
		t.options = readOptions(e.Options)
	}
	t.workers = append(t.workers, e)
	t.matrix.workerUp(e)
	if t.headerShown {
		t.platform(e)
	}
}

// worker is what is known of one.
func (t *Terminal) worker(id string) *testrun.WorkerUp {
	for _, w := range t.workers {
		if w.Worker == id {
			return w
		}
	}
	return nil
}

// header writes what stands above the tests, when all workers that it is about are there.
func (t *Terminal) header() {
	if t.headerShown || len(t.workers) == 0 || t.options.silent {
		return
	}
	t.headerShown = true
	if t.options.verbosity >= 0 {
		t.rule("=", "test session starts", bold)
		if !t.options.noHeader {
			for _, w := range t.workers {
				t.platform(w)
			}
			first := t.workers[0]
			t.line("rootdir: " + first.Root)
			for _, line := range first.Header {
				t.line(line)
			}
			forked := ""
			if slices.ContainsFunc(t.workers, func(w *testrun.WorkerUp) bool { return w.Forked }) {
				forked = ", forked from one that has collected"
			}
			t.line(fmt.Sprintf("workers: %d%s", t.Workers, forked))
		}
	}
	for _, text := range t.beforeHeader {
		t.line(text)
	}
	if t.options.verbosity >= 0 {
		t.line(t.collectLine(), bold)
		t.line("")
	}
	if t.options.collectOnly {
		t.listTests()
		t.line("")
	}
}

// platform writes the line about a worker's interpreter, if none has been written that is the same.
func (t *Terminal) platform(w *testrun.WorkerUp) {
	if t.options.noHeader || t.options.verbosity < 0 {
		return
	}
	line := fmt.Sprintf("platform %s -- Python %s, pytest-%s", w.Platform, w.Python, w.Pytest)
	if t.options.verbosity > 0 || t.Each {
		line += " -- " + w.Path
	}
	if slices.Contains(t.platforms, line) {
		return
	}
	t.platforms = append(t.platforms, line)
	if t.Each {
		line = "[" + w.Worker + "] " + line
	}
	t.fresh()
	t.line(line)
}

// collectLine says how many tests there are.
func (t *Terminal) collectLine() string {
	selected, deselected := 0, 0
	for _, c := range t.collected { // the workers of one that runs everything in each may differ
		if len(c.Tests)+c.Deselected > selected+deselected {
			selected, deselected = len(c.Tests), c.Deselected
		}
	}
	line := "collected " + count(selected+deselected, "item")
	if t.problems > 0 {
		line += " / " + count(t.problems, "error")
	}
	if deselected > 0 {
		line += fmt.Sprintf(" / %d deselected", deselected)
	}
	if n := t.counts[skipped]; n > 0 {
		line += fmt.Sprintf(" / %d skipped", n)
	}
	if deselected > 0 {
		line += fmt.Sprintf(" / %d selected", selected)
	}
	return line
}

// listTests writes the node ids of what has been collected.
func (t *Terminal) listTests() {
	for _, w := range t.workers {
		c := t.collected[w.Worker]
		if c == nil {
			continue
		}
		for _, test := range c.Tests {
			if t.Each {
				t.text("[" + c.Worker + "] ")
			}
			t.line(test.ID)
		}
	}
}

func (t *Terminal) problem(p *testrun.CollectProblem) {
	e := problemEntry(p)
	if e.category == erred {
		t.problems++
	}
	t.counts[e.category]++
	t.entries = append(t.entries, e)
}

func (t *Terminal) workerDown(e *testrun.WorkerDown) {
	text := fmt.Sprintf("[%s] %s", e.Worker, e.Problem())
	switch {
	case e.Replaced != "":
		text += "\n[" + e.Worker + "] " + e.Replaced + " takes its place"
	case e.AtLimit:
		text += "\n[" + e.Worker + "] no other one takes its place: --max-worker-restart allows no more"
	}
	if t.live != nil {
		t.live.idle(e.Worker)
	}
	t.fresh()
	t.line(text, red)
}

// notice shows a sentence about the run, above the tests if it comes early.
func (t *Terminal) notice(n *testrun.Notice) {
	switch {
	case n.Minor && t.options.verbosity < 0:
	case !t.headerShown:
		t.beforeHeader = append(t.beforeHeader, n.Text)
	default:
		t.fresh()
		t.line(n.Text)
	}
}

// testDone counts a test and shows its progress.
func (t *Terminal) testDone(done *testrun.TestDone) {
	t.reported++
	t.matrix.testDone(done)
	for _, phase := range done.Phases {
		t.durations = append(t.durations, duration{phase.Took, phase.When, done.Test.ID})
	}
	for _, e := range entries(done) {
		t.counts[e.category]++
		if e.category == passed {
			t.passes = append(t.passes, e)
		} else {
			t.entries = append(t.entries, e)
		}
		if t.options.verbosity > 0 {
			t.verbose(e)
		} else {
			t.letter(e)
		}
	}
	if t.options.verbosity <= 0 && t.reported == t.expected() {
		t.percentAtEdge()
	}
}

// verbose writes the line of a test.
func (t *Terminal) verbose(e entry) {
	t.fresh()
	t.text("[" + e.worker + "]")
	if percent := t.percent(); percent != "" {
		t.text(percent, cyan)
	}
	t.text(" ")
	t.text(words[e.category], styleOf(e.category))
	line := " " + e.id
	if (e.category == skipped || e.category == xfailed || e.category == xpassed) && e.message != "" {
		line += " (" + firstLine(e.message) + ")"
	}
	t.line(line)
}

// letter writes the letter of an outcome, and ends the line when it is full.
func (t *Terminal) letter(e entry) {
	t.text(letters[e.category], styleOf(e.category))
	if longest := len(t.percentOf(t.expected())); t.column+longest+1 >= t.width {
		t.text(t.percent()+"\n", t.counts.mood(false))
	}
}

// percentAtEdge ends the last line of letters.
func (t *Terminal) percentAtEdge() {
	percent := t.percent()
	if t.column == 0 || percent == "" {
		return
	}
	t.text(fmt.Sprintf("%*s", t.width-t.column-1, percent), t.counts.mood(false))
}

func (t *Terminal) percent() string { return t.percentOf(t.reported) }

// percentOf is how far a run is when n tests have ended, in the form that console_output_style asks
// for.
func (t *Terminal) percentOf(n int) string {
	switch t.options.style {
	case "none", "classic":
		return ""
	case "count":
		width := len(fmt.Sprint(t.expected()))
		return fmt.Sprintf(" [%*d/%d]", width, n, t.expected())
	}
	if t.total == 0 || t.options.capture == "no" && t.options.style != "progress-even-when-capture-no" {
		return ""
	}
	return fmt.Sprintf(" [%3d%%]", n*100/t.expected())
}

// expected is how many tests there will be. If all tests run in each worker, one may have ended its
// tests before another one has collected; it is taken for granted that this one has as many.
func (t *Terminal) expected() int {
	if n := len(t.collected); t.Each && n > 0 && n < t.Workers {
		return t.total * t.Workers / n
	}
	return t.total
}
