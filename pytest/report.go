package pytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testrun"
)

// report turns the events of a run into subtests of Go.
type report struct {
	t        *testing.T
	root     *subtest
	selected selection
	refused  func() // ends the run, because package testing begins no more tests

	tests    map[*testrun.Test]*subtest // those that were selected
	order    []*subtest                 // the same, in pytest's order
	problems []*testrun.CollectProblem  // that have not become subtests yet
	warnings []*testrun.Warning
	folders  map[string]string // pytest's rootdir of each worker
	bad      int               // failures so far
	parts    int               // parts of the suite that could not be collected
	left     int               // tests that pytest has deselected
}

// selects is testrun.Selection.Test: it gives each test a name.
func (r *report) selects(test *testrun.Test) bool {
	s := r.root.test(test.ID)
	if !r.selected.selects(s.full) {
		return false
	}
	s.expect()
	r.tests[test] = s
	r.order = append(r.order, s)
	return true
}

// take takes an event.
func (r *report) take(e testrun.Event) {
	switch e := e.(type) {
	case *testrun.WorkerUp:
		r.folders[e.Worker] = e.Root
		if testing.Verbose() {
			r.say("[%s] Python %s, pytest %s, %s, rootdir %s", e.Worker, e.Python, e.Pytest, e.Path, e.Root)
		}
	case *testrun.CollectProblem:
		r.problems = append(r.problems, e)
	case *testrun.Collected:
		r.left = e.Deselected
		r.tellProblems()
	case *testrun.TestStarted:
		if s := r.tests[e.Test]; s != nil && !s.begin() {
			r.refused()
		}
	case *testrun.TestDone:
		r.done(e)
	case *testrun.Warning:
		r.warnings = append(r.warnings, e)
	case *testrun.Printed:
		stream := "stdout"
		if e.Stderr {
			stream = "stderr"
		}
		r.say("[%s %s] %s", e.Worker, stream, e.Text)
	case *testrun.WorkerDown:
		r.down(e)
	case *testrun.Notice:
		r.say("%s", e.Text)
	}
}

// say writes lines to the log of the Go test that has called Run.
func (r *report) say(format string, args ...any) { write(r.t, fmt.Sprintf(format, args...)) }

// write writes a text of whole lines to a test's log. Unlike t.Log it does not put the place in
// this package in front.
func write(t *testing.T, text string) {
	_, _ = io.WriteString(t.Output(), strings.TrimRight(text, "\n")+"\n") // it takes all
}

// down tells of a worker that has ended too early. What it wrote to stderr has been told already.
func (r *report) down(e *testrun.WorkerDown) {
	if errors.Is(e.Err, execnet.ErrTerminated) {
		return // the run is being ended
	}
	text := fmt.Sprintf("[%s] %s", e.Worker, e.Problem())
	if e.Replaced != "" {
		text += fmt.Sprintf("\n[%s] takes its place", e.Replaced)
	}
	r.say("%s", text)
}

// done ends the subtest of a test.
func (r *report) done(d *testrun.TestDone) {
	s := r.tests[d.Test]
	if s == nil {
		return
	}
	if !s.begin() {
		r.refused()
		return
	}
	folder := r.folders[d.Worker]
	stopped := d.Outcome == testrun.Crashed && r.bad > 0 && flagValue("test.failfast") == "true"
	if d.Outcome.Bad() {
		r.bad++
	}
	s.end(func(t *testing.T) {
		if stopped {
			write(t, "it was ended: another test has failed, and -failfast is set")
			t.SkipNow()
		}
		tell(t, folder, d)
	})
}

// tell writes to the log of a test what happened in it, and gives it its outcome.
func tell(t *testing.T, folder string, d *testrun.TestDone) {
	for _, property := range d.Properties {
		t.Attr(cmp.Or(visible(property[0]), "_"), strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(property[1]))
	}
	if d.Reruns > 0 {
		write(t, fmt.Sprintf("it was run %d times, and this is the last one", d.Reruns+1))
	}
	for _, phase := range d.Phases {
		switch {
		case phase.Outcome.Bad():
			what := phase.Message
			if phase.When != "call" {
				what = "error in " + phase.When + ": " + what
			}
			write(t, place(folder, phase.Path, phase.Line, d.Test)+what)
			if text := strings.TrimSpace(phase.Text); text != "" && text != phase.Message {
				write(t, phase.Text)
			}
		case phase.Outcome == testrun.Skipped:
			write(t, place(folder, phase.Path, phase.Line, d.Test)+cmp.Or(d.Reason, "skipped"))
		case phase.Outcome == testrun.XFailed:
			write(t, place(folder, phase.Path, phase.Line, d.Test)+because("it has failed, as expected", d.Reason))
		case phase.Outcome == testrun.XPassed:
			write(t, place(folder, "", 0, d.Test)+because("it has passed, although a failure is expected", d.Reason))
		}
		for _, section := range phase.Sections {
			write(t, "---- "+section.Title+" ----\n"+section.Text)
		}
	}
	switch {
	case d.Outcome.Bad():
		t.FailNow()
	case d.Outcome == testrun.Skipped || d.Outcome == testrun.XFailed:
		t.SkipNow()
	}
}

func because(what, reason string) string {
	if reason != "" {
		what += ": " + reason
	}
	return what
}

// place is "file:line: ". The file is the absolute path if it is on this machine; folder is the one
// that path is relative to. Without a path it is where the test begins.
func place(folder, path string, line int, test *testrun.Test) string {
	if path == "" && test != nil {
		path, line = test.Path, test.Line
	}
	if path == "" {
		return ""
	}
	if whole := filepath.Join(folder, path); !filepath.IsAbs(path) && exists(whole) {
		path = whole
	}
	if line == 0 {
		return path + ": "
	}
	return fmt.Sprintf("%s:%d: ", path, line)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tellProblems makes subtests of parts of the suite that could not be collected.
func (r *report) tellProblems() {
	problems := r.problems
	r.problems = nil
	for _, p := range problems {
		failed := p.Outcome.Bad()
		if failed {
			r.bad++
			r.parts++
		}
		tell := func(t *testing.T) {
			write(t, place(r.folders[p.Worker], p.Path, p.Line, nil)+strings.TrimPrefix(p.Message, "Skipped: "))
			if text := strings.TrimSpace(p.Text); failed && text != p.Message {
				write(t, p.Text)
			}
			if failed {
				t.Fail()
			}
		}
		s := r.root
		if p.ID != "" && p.ID != "." {
			s = s.part(elements(p.ID))
		}
		switch {
		case s == r.root || !r.selected.selects(s.full):
			tell(r.t)
		case s.left > 0:
			if s.begin() {
				tell(s.t)
			}
		default:
			s.expect()
			if s.begin() {
				s.end(func(t *testing.T) {
					tell(t)
					if !failed {
						t.SkipNow()
					}
				})
			}
		}
	}
}

// finish ends what is left, and gives the Go test its own outcome.
func (r *report) finish(ctx context.Context, c testrun.Config, code testrun.ExitCode, err error) {
	r.t.Helper()
	r.tellProblems()
	waiting := 0
	for _, s := range r.order {
		if s.t != nil && !s.closed {
			s.end(func(t *testing.T) {
				write(t, "the run has ended before this test")
				t.SkipNow()
			})
		}
		if !s.begun {
			waiting++
		}
	}
	r.root.closeAll()
	r.tellWarnings()
	ended := ""
	if waiting > 0 {
		ended = fmt.Sprintf("; %d of %d tests were not run", waiting, len(r.order))
	}
	switch {
	case context.Cause(ctx) == errFailFast || c.MaxFail > 0 && r.bad > 0:
		r.say("-failfast has ended the run%s", ended)
	case ctx.Err() == context.DeadlineExceeded:
		r.t.Errorf("execnet: the run was ended %v before the time of go test -timeout%s", margin, ended)
	case err != nil:
		r.t.Fatal(explain(err) + ended)
	case code == testrun.NoTests && len(r.order) == 0:
		r.noTests(c)
	case code == testrun.Interrupted && r.parts > 0:
		r.say("pytest runs no tests if a part of the suite cannot be collected, unless it gets --continue-on-collection-errors%s", ended)
	case code != testrun.OK && r.bad == 0:
		r.t.Errorf("execnet: pytest has ended with exit code %d, although no test has failed%s", code, ended)
	case waiting > 0:
		r.t.Errorf("execnet: the run of pytest has ended early%s", ended)
	}
}

// explain is the text of an error of a run, with what to do about it.
func explain(err error) string {
	text := err.Error()
	if errors.Is(err, fs.ErrNotExist) {
		if folder, err := os.Getwd(); err == nil {
			text += "\na relative python= begins at the folder of the Go test, " + folder
		}
	}
	return text
}

// noTests says that there was nothing to run. That is a failure unless the flags of go test are the
// reason.
func (r *report) noTests(c testrun.Config) {
	r.t.Helper()
	text := "execnet: there are no tests"
	for _, folder := range r.folders {
		text += " in " + folder
		break
	}
	if r.left > 0 {
		text += fmt.Sprintf(", %d are deselected", r.left)
	}
	if len(c.Args) > 0 {
		text += ", with the arguments " + strings.Join(c.Args, " ")
	}
	switch {
	case r.selected.narrows():
		r.say("%s", "-run and -skip select no Python test")
	case r.left > 0 && testing.Short():
		r.t.Skip(text + " of -short")
	default:
		r.t.Fatal(text)
	}
}

// tellWarnings writes Python's warnings to the log, for -v.
func (r *report) tellWarnings() {
	if len(r.warnings) == 0 || !testing.Verbose() {
		return
	}
	r.say("---- Python's warnings ----")
	for _, w := range r.warnings {
		test := ""
		if w.ID != "" {
			test = " (" + w.ID + ")"
		}
		r.say("%s%s: %s%s", place(r.folders[w.Worker], w.Path, w.Line, nil), w.Category, w.Message, test)
	}
}
