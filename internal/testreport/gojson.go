package testreport

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/testrun"
)

// GoJSON writes a run as the events of "go test -json" (go doc test2json). Each test file is a
// package, and what follows the file in a node id is the test's name.
type GoJSON struct {
	encoder  *json.Encoder
	other    io.Writer // takes what belongs to no file
	each     bool
	packages map[string]*goPackage
	order    []string
	running  map[string]goName // by worker
	err      error
}

// goPackage is a test file on its way.
type goPackage struct {
	began, ended time.Time
	left         int // tests that have not ended
	ran          int
	outcome      string // the worst so far: "", "skip", "pass" or "fail"
	over         bool
}

// goEvent is an event of test2json.
type goEvent struct {
	Time    time.Time
	Action  string
	Package string
	Test    string   `json:",omitempty"`
	Elapsed *float64 `json:",omitempty"`
	Output  string   `json:",omitempty"`
}

// goName names a test as go test does.
type goName struct{ pkg, test string }

// NewGoJSON returns a report that writes events to w, and to other what is about none of the files.
// With each, the packages have the id of the worker before their names.
func NewGoJSON(w, other io.Writer, each bool) *GoJSON {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return &GoJSON{encoder: encoder, other: other, each: each, packages: map[string]*goPackage{}, running: map[string]goName{}}
}

// Event implements Report.
func (g *GoJSON) Event(event testrun.Event) {
	switch e := event.(type) {
	case *testrun.Collected:
		for _, test := range e.Tests {
			g.pkg(g.name(e.Worker, test.ID).pkg).left++
		}
		for _, name := range g.order { // of these nothing follows
			if g.packages[name].left == 0 && (!g.each || strings.HasPrefix(name, e.Worker+"/")) {
				g.finish(name)
			}
		}
	case *testrun.CollectProblem:
		g.problem(e)
	case *testrun.TestStarted:
		name := g.name(e.Worker, e.Test.ID)
		g.running[e.Worker] = name
		g.start(name.pkg, e.At)
		g.event(goEvent{Time: e.At, Action: "run", Package: name.pkg, Test: name.test})
		g.output(name, "=== RUN   "+name.test)
	case *testrun.TestDone:
		g.testDone(e)
	case *testrun.Printed:
		if name, ok := g.running[e.Worker]; ok {
			g.output(name, e.Text)
			return
		}
		fmt.Fprintf(g.other, "[%s] %s\n", e.Worker, strings.TrimRight(e.Text, "\n"))
	case *testrun.Warning:
		name := g.name(e.Worker, e.ID)
		if p := g.packages[name.pkg]; e.ID == "" || p == nil || p.over {
			fmt.Fprintln(g.other, warningText(e))
			return
		}
		if g.running[e.Worker] != name {
			name.test = ""
		}
		g.start(name.pkg, time.Now())
		g.output(name, warningText(e))
	case *testrun.WorkerDown:
		delete(g.running, e.Worker)
		if e.Err != nil {
			fmt.Fprintf(g.other, "[%s] %s\n", e.Worker, errtext.Of(e.Err))
		}
	case *testrun.Notice:
		fmt.Fprintln(g.other, e.Text)
	}
}

// name is the package and the test of a node id.
func (g *GoJSON) name(worker, id string) goName {
	file, test, _ := strings.Cut(id, "::")
	if g.each {
		file = worker + "/" + file
	}
	return goName{file, test}
}

func (g *GoJSON) pkg(name string) *goPackage {
	p := g.packages[name]
	if p == nil {
		p = &goPackage{}
		g.packages[name] = p
		g.order = append(g.order, name)
	}
	return p
}

// start tells the beginning of a package, once.
func (g *GoJSON) start(name string, at time.Time) {
	if p := g.pkg(name); p.began.IsZero() {
		p.began = at
		g.event(goEvent{Time: at, Action: "start", Package: name})
	}
}

func (g *GoJSON) event(e goEvent) {
	if err := g.encoder.Encode(e); err != nil && g.err == nil {
		g.err = err
	}
}

// output writes text as one event for each line.
func (g *GoJSON) output(name goName, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		g.event(goEvent{Time: time.Now(), Action: "output", Package: name.pkg, Test: name.test, Output: line})
	}
}

func (g *GoJSON) problem(e *testrun.CollectProblem) {
	name := goName{pkg: g.name(e.Worker, e.ID).pkg}
	g.start(name.pkg, time.Now())
	g.output(name, e.Text)
	p := g.pkg(name.pkg)
	if e.Outcome == testrun.Skipped {
		p.worse("skip")
	} else {
		p.worse("fail")
	}
}

// worse notes an outcome of a part of the package.
func (p *goPackage) worse(outcome string) {
	rank := map[string]int{"": 0, "skip": 1, "pass": 2, "fail": 3}
	if rank[outcome] > rank[p.outcome] {
		p.outcome = outcome
	}
}

func (g *GoJSON) testDone(done *testrun.TestDone) {
	name := g.name(done.Worker, done.Test.ID)
	delete(g.running, done.Worker)
	action, word := "pass", "PASS"
	switch {
	case done.Outcome.Bad():
		action, word = "fail", "FAIL"
	case done.Outcome == testrun.Skipped || done.Outcome == testrun.XFailed:
		action, word = "skip", "SKIP"
	}
	for _, e := range entries(done) {
		switch e.category {
		case failed, erred:
			g.output(name, e.text)
			for _, s := range e.sections {
				g.output(name, "--- "+s.Title+" ---\n"+s.Text)
			}
		case skipped, xfailed, xpassed:
			g.output(name, strings.TrimRight(fmt.Sprintf("    %s: %s", e.category, e.message), ": "))
		}
	}
	elapsed := round(done.Took)
	g.output(name, fmt.Sprintf("--- %s: %s (%.2fs)", word, name.test, elapsed))
	g.event(goEvent{Time: time.Now(), Action: action, Package: name.pkg, Test: name.test, Elapsed: &elapsed})
	p := g.pkg(name.pkg)
	if action == "skip" { // go test calls a package of skipped tests passed, too
		action = "pass"
	}
	p.worse(action)
	p.ended = time.Now()
	p.ran++
	if p.left--; p.left == 0 {
		g.finish(name.pkg)
	}
}

func round(d time.Duration) float64 { return d.Round(10 * time.Millisecond).Seconds() }

// finish tells the end of a package.
func (g *GoJSON) finish(name string) {
	p := g.packages[name]
	if p.over || p.began.IsZero() {
		return
	}
	p.over = true
	if p.ended.IsZero() {
		p.ended = time.Now()
	}
	elapsed := round(p.ended.Sub(p.began))
	switch p.outcome {
	case "fail":
		g.output(goName{pkg: name}, fmt.Sprintf("FAIL\t%s\t%.3fs", name, elapsed))
	case "skip":
		g.output(goName{pkg: name}, fmt.Sprintf("?   \t%s\t[skipped]", name))
	default:
		p.outcome = "pass"
		g.output(goName{pkg: name}, fmt.Sprintf("ok  \t%s\t%.3fs", name, elapsed))
	}
	g.event(goEvent{Time: time.Now(), Action: p.outcome, Package: name, Elapsed: &elapsed})
}

// End implements Report. It ends the packages of which not every test has run.
func (g *GoJSON) End(End) error {
	for _, name := range g.order {
		g.finish(name)
	}
	return g.err
}
