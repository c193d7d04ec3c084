package testreport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/testrun"
)

// End implements Report. It writes what stands below the tests.
func (t *Terminal) End(end End) error {
	t.header()
	t.fresh()
	if t.live != nil {
		defer t.live.close()
	}
	defer t.shown.Flush()
	if t.options.silent || len(t.workers) == 0 {
		return nil // without workers what is wrong is an error, and the caller's to tell
	}
	if !t.options.collectOnly && (t.options.verbosity >= 0 || t.reported > 0) {
		t.line("")
	}
	t.problemsOf(erred, "ERRORS")
	t.problemsOf(failed, "FAILURES")
	t.warningsSummary()
	if end.XML != "" && t.options.verbosity >= 0 && !t.options.noSummary {
		t.rule("-", "generated xml file: "+end.XML)
	}
	t.passSections()
	t.slowest()
	if t.Each {
		t.matrix.write(&t.screen)
	}
	if !t.options.noSummary && (!t.options.collectOnly || t.problems > 0) {
		t.shortSummary()
	}
	t.whyItEnded(end)
	t.lastLine()
	return nil
}

// problemsOf writes the texts of failures or errors.
func (t *Terminal) problemsOf(c category, title string) {
	shown := t.of(c)
	if len(shown) == 0 || t.options.noSummary || t.options.traceback == "no" {
		return
	}
	t.rule("=", title)
	for _, e := range shown {
		inLine := c == failed && t.options.traceback == "line"
		if !inLine {
			t.rule("_", e.title, red, bold)
		}
		if w := t.worker(e.worker); w != nil && t.tellsWorker(e) {
			t.line(fmt.Sprintf("[%s] %s -- Python %s %s", w.Worker, w.Platform, w.Python, w.Path))
		}
		t.block(e.text)
		t.captured(e.sections)
		if inLine {
			t.line(crashLine(e))
		}
	}
}

// tellsWorker reports whether it is of interest which worker has told a failure. What one of them
// cannot collect, others of the same interpreter cannot, either.
func (t *Terminal) tellsWorker(e entry) bool {
	if t.Each || !e.collecting {
		return t.Each || t.Workers > 1
	}
	return slices.ContainsFunc(t.workers, func(w *testrun.WorkerUp) bool {
		return w.Path != t.workers[0].Path || w.Python != t.workers[0].Python
	})
}

// of are the outcomes of a category.
func (t *Terminal) of(c category) (of []entry) {
	for _, e := range t.entries {
		if e.category == c {
			of = append(of, e)
		}
	}
	return of
}

// crashLine is a failure in one line.
func crashLine(e entry) string {
	if e.path == "" {
		return firstLine(e.message)
	}
	return fmt.Sprintf("%s:%d: %s", e.path, e.line, firstLine(e.message))
}

// captured writes what a test has printed, unless --show-capture leaves it out.
func (t *Terminal) captured(sections []testrun.Section) {
	for _, s := range sections {
		switch show := t.options.showCapture; show {
		case "no":
			continue
		case "stdout", "stderr", "log":
			if !strings.Contains(s.Title, show) {
				continue
			}
		}
		t.rule("-", s.Title)
		t.block(s.Text)
	}
}

// passSections writes what passed tests have printed, for -rP.
func (t *Terminal) passSections() {
	if !strings.Contains(t.options.chars, "P") {
		return
	}
	title := false
	for _, e := range t.passes {
		if len(e.sections) == 0 {
			continue
		}
		if !title {
			t.rule("=", "PASSES")
			title = true
		}
		t.rule("_", e.title, green, bold)
		t.captured(e.sections)
	}
}

// warningsSummary writes each warning once, below the tests that it came from.
func (t *Terminal) warningsSummary() {
	if len(t.warnings) == 0 || t.options.noSummary || t.options.noWarnings {
		return
	}
	t.rule("=", "warnings summary", yellow)
	var messages []string
	tests := map[string][]string{}
	for _, w := range t.warnings {
		message := warningText(w)
		if _, known := tests[message]; !known {
			messages = append(messages, message)
			tests[message] = nil
		}
		if w.ID != "" {
			tests[message] = append(tests[message], w.ID)
		}
	}
	for _, message := range messages {
		indent := ""
		if from := whence(tests[message]); len(from) > 0 {
			indent = "  "
			for _, each := range from {
				t.line(each)
			}
		}
		for line := range strings.Lines(message) {
			t.line(indent + strings.TrimRight(line, "\n"))
		}
		t.line("")
	}
	t.line("-- Docs: https://docs.pytest.org/en/stable/how-to/capture-warnings.html")
}

func warningText(w *testrun.Warning) string {
	text := w.Category + ": " + w.Message
	if w.Path != "" {
		text = fmt.Sprintf("%s:%d: %s", w.Path, w.Line, text)
	}
	text = strings.TrimRight(text, "\n")
	if w.Source != "" {
		text += "\n  " + w.Source
	}
	return text
}

// whence are the tests that a warning came from, or their files if there are many.
func whence(ids []string) []string {
	if len(ids) < 10 {
		return ids
	}
	var files, lines []string
	number := map[string]int{}
	for _, id := range ids {
		file := fileOf(id)
		if number[file]++; number[file] == 1 {
			files = append(files, file)
		}
	}
	for _, file := range files {
		lines = append(lines, file+": "+count(number[file], "warning"))
	}
	return lines
}

// slowest writes what took longest, for --durations.
func (t *Terminal) slowest() {
	wanted := t.options.durations
	if wanted < 0 || t.options.noSummary {
		return
	}
	slices.SortStableFunc(t.durations, func(a, b duration) int { return int(b.took - a.took) })
	shown, title := t.durations, "slowest durations"
	if wanted > 0 {
		shown, title = shown[:min(wanted, len(shown))], fmt.Sprintf("slowest %d durations", wanted)
	}
	if len(shown) == 0 {
		return
	}
	t.rule("=", title)
	for i, d := range shown {
		least, hint := t.options.durationsMin, ""
		if least == defaultDurationsMin { // if the user has not chosen it
			hint = "  Use -vv to show these durations."
			if t.options.verbosity >= 2 {
				least = 0
			}
		}
		if d.took < least {
			t.line("")
			t.line(fmt.Sprintf("(%d durations < %gs hidden.%s)", len(shown)-i, least.Seconds(), hint))
			break
		}
		t.line(fmt.Sprintf("%.2fs %-8s %s", d.took.Seconds(), d.when, d.id))
	}
}

// shortSummary writes a line for each test with an outcome that -r names.
func (t *Terminal) shortSummary() {
	var lines []func()
	for _, c := range t.options.chars {
		switch c {
		case 'f':
			lines = append(lines, t.eachLine(t.of(failed))...)
		case 'E':
			lines = append(lines, t.eachLine(t.of(erred))...)
		case 'x':
			lines = append(lines, t.eachLine(t.of(xfailed))...)
		case 'X':
			lines = append(lines, t.eachLine(t.of(xpassed))...)
		case 'p':
			lines = append(lines, t.eachLine(t.passes)...)
		case 's':
			lines = append(lines, t.skipLines()...)
		case 'R':
			lines = append(lines, t.eachLine(t.of(rerun))...)
		}
	}
	if len(lines) == 0 {
		return
	}
	t.rule("=", "short test summary info", cyan, bold)
	for _, write := range lines {
		write()
	}
}

// eachLine are the lines of outcomes: the word, the test, and why.
func (t *Terminal) eachLine(all []entry) (lines []func()) {
	for _, e := range all {
		lines = append(lines, func() {
			word := words[e.category]
			t.text(word, styleOf(e.category))
			t.text(" ")
			if t.Each {
				t.text("[" + e.worker + "] ")
			}
			file, inFile, ok := strings.Cut(e.id, "::")
			t.text(file)
			if ok {
				t.text("::")
				t.text(inFile, bold)
			}
			switch {
			case e.message == "" || e.category == passed || e.category == rerun:
			case t.CI || t.options.verbosity >= 2 || e.category == xfailed || e.category == xpassed:
				t.text(" - " + e.message)
			default:
				t.text(trimmed(e.message, t.width-t.column))
			}
			t.line("")
		})
	}
	return lines
}

// skipLines are the lines of skips, of which those with one place and reason share one.
func (t *Terminal) skipLines() (lines []func()) {
	type place struct {
		path    string
		line    int
		message string
	}
	var places []place
	number := map[place]int{}
	for _, e := range t.of(skipped) {
		p := place{e.path, e.line, e.message}
		if p.path == "" {
			p.path = fileOf(e.id)
		}
		if number[p]++; number[p] == 1 {
			places = append(places, p)
		}
	}
	for _, p := range places {
		lines = append(lines, func() {
			t.text("SKIPPED", yellow)
			where := p.path
			if p.line > 0 {
				where += fmt.Sprintf(":%d", p.line)
			}
			t.line(fmt.Sprintf(" [%d] %s: %s", number[p], where, p.message))
		})
	}
	return lines
}

// whyItEnded says that not all tests have run, and why.
func (t *Terminal) whyItEnded(end End) {
	switch bad := t.counts[failed] + t.counts[erred]; {
	case end.Interrupted:
		t.rule("!", "KeyboardInterrupt", red)
		if rest := t.total - t.reported; rest > 0 {
			t.line(fmt.Sprintf("%s of %d ended, %d did not run", count(t.reported, "test"), t.total, rest))
		}
	case end.Code == testrun.Interrupted && t.problems > 0:
		t.rule("!", "Interrupted: "+count(t.problems, "error")+" during collection", red)
	case t.options.maxFail > 0 && bad >= t.options.maxFail && t.reported < t.total:
		t.rule("!", fmt.Sprintf("stopping after %d failures", bad), red)
	}
}

// lastLine writes the numbers of each outcome and how long everything took.
func (t *Terminal) lastLine() {
	if t.options.verbosity < -1 {
		return
	}
	parts, mood := t.counts.parts(), t.counts.mood(true)
	if t.options.collectOnly {
		selected := 0
		for _, c := range t.collected {
			selected = max(selected, len(c.Tests))
		}
		parts, mood = t.counts.collectParts(selected)
	}
	var joined []styled
	for i, part := range parts {
		if i > 0 {
			joined = append(joined, styled{", ", []style{mood}})
		}
		joined = append(joined, part)
	}
	joined = append(joined, styled{" in " + lasted(time.Since(t.began)), []style{mood}})
	if t.options.verbosity >= 0 {
		t.ruleAround("=", joined, mood)
		return
	}
	for _, part := range joined {
		t.text(part.text, part.styles...)
	}
	t.line("")
}
