package testreport

import (
	"cmp"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/testrun"
)

// category is what an outcome is called in pytest's last line.
type category string

const (
	failed   category = "failed"
	passed   category = "passed"
	skipped  category = "skipped"
	xfailed  category = "xfailed"
	xpassed  category = "xpassed"
	erred    category = "error"
	rerun    category = "rerun"
	warnings category = "warnings"
	left     category = "deselected"
)

// letters are how progress shows a category, words how a line for each test does.
var (
	letters = map[category]string{failed: "F", passed: ".", skipped: "s", xfailed: "x", xpassed: "X", erred: "E", rerun: "R"}
	words   = map[category]string{
		failed: "FAILED", passed: "PASSED", skipped: "SKIPPED", xfailed: "XFAIL", xpassed: "XPASS", erred: "ERROR", rerun: "RERUN",
	}
)

// entry is one outcome of a test, or of a part of the suite that could not be collected. A test can
// have two: it fails, and then its tear-down does.
type entry struct {
	category category
	worker   string
	id       string // the node id
	title    string // what stands above the text of a failure
	text     string
	path     string
	line     int
	message  string // why, for failures, skips and the like; it can have several lines
	sections []testrun.Section
	took     time.Duration
	// collecting says that it is a part of the suite that could not be collected.
	collecting bool
}

// entries returns the outcomes of a test as pytest counts them: one for its call, or for the set-up
// that has prevented that, and one for a tear-down that failed.
func entries(done *testrun.TestDone) []entry {
	base := entry{worker: done.Worker, id: done.Test.ID, title: titleOf(done.Test.ID), message: done.Reason, took: done.Took}
	var all []entry
	for range done.Reruns {
		again := base
		again.category = rerun
		all = append(all, again)
	}
	counted := false
	var sections []testrun.Section
	for i, phase := range done.Phases {
		sections = append(sections, phase.Sections...)
		e := base
		e.text, e.path, e.line, e.sections = phase.Text, phase.Path, phase.Line, sections
		if whole := cmp.Or(phase.Explanation, phase.Message); whole != "" {
			e.message = whole
		}
		switch {
		case phase.Outcome.Bad() && phase.When == "call":
			e.category = failed
			for _, later := range done.Phases[i+1:] { // pytest shows these with the failure
				e.sections = append(e.sections[:len(e.sections):len(e.sections)], later.Sections...)
			}
		case phase.Outcome.Bad():
			e.category, e.title = erred, "ERROR at "+phase.When+" of "+e.title
		case phase.Outcome == testrun.Skipped:
			e.category = skipped
		case phase.Outcome == testrun.XFailed:
			e.category = xfailed
		case phase.Outcome == testrun.XPassed:
			e.category = xpassed
		case phase.When == "call":
			e.category = passed
		default: // set-up and tear-down are not counted when they succeed
			continue
		}
		if (e.category == skipped || e.category == xfailed || e.category == xpassed) && done.Reason != "" {
			e.message = done.Reason
		}
		all = append(all, e)
		counted = true
	}
	if !counted || done.Outcome == testrun.Crashed && !hasBad(all) {
		e := base
		e.category, e.sections = categoryOf(done.Outcome), sections
		if e.text == "" {
			e.text = done.Reason
		}
		all = append(all, e)
	}
	return all
}

func hasBad(all []entry) bool {
	for _, e := range all {
		if e.category == failed || e.category == erred {
			return true
		}
	}
	return false
}

func categoryOf(o testrun.Outcome) category {
	switch o {
	case testrun.Failed, testrun.Crashed:
		return failed
	case testrun.Error:
		return erred
	}
	return category(o)
}

// problemEntry is the outcome of a part of the suite that was not collected.
func problemEntry(p *testrun.CollectProblem) entry {
	e := entry{
		category: erred, collecting: true, worker: p.Worker, id: p.ID, title: "ERROR collecting " + p.ID,
		text: p.Text, path: p.Path, line: p.Line, message: p.Message,
	}
	if p.Outcome == testrun.Skipped {
		e.category, e.message = skipped, strings.TrimPrefix(p.Message, "Skipped: ")
	}
	return e
}

// titleOf is a node id without its file, as pytest puts it above a failure.
func titleOf(id string) string {
	names, params, bracket := strings.Cut(id, "[")
	_, inFile, ok := strings.Cut(names, "::")
	if !ok {
		return id
	}
	title := strings.ReplaceAll(inFile, "::", ".")
	if bracket {
		title += "[" + params
	}
	return title
}

// fileOf is the file of a node id.
func fileOf(id string) string {
	file, _, _ := strings.Cut(id, "::")
	return file
}

// firstLine is the first line of a message.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
