package testreport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/testrun"
)

// matrix is what each test has come to in each worker, if every one runs the whole suite.
type matrix struct {
	workers  []*testrun.WorkerUp
	tests    []string // in the order in which they were collected
	outcomes map[string]map[string]testrun.Outcome
	took     map[string]time.Duration
}

// workerUp adds a column. A worker that replaces another one has a column of its own.
func (m *matrix) workerUp(e *testrun.WorkerUp) { m.workers = append(m.workers, e) }

func (m *matrix) collected(e *testrun.Collected) {
	if m.outcomes == nil {
		m.outcomes, m.took = map[string]map[string]testrun.Outcome{}, map[string]time.Duration{}
	}
	for _, test := range e.Tests {
		if m.outcomes[test.ID] == nil {
			m.tests = append(m.tests, test.ID)
			m.outcomes[test.ID] = map[string]testrun.Outcome{}
		}
	}
}

func (m *matrix) testDone(e *testrun.TestDone) {
	if of := m.outcomes[e.Test.ID]; of != nil {
		of[e.Worker] = e.Outcome
		m.took[e.Worker] += e.Took
	}
}

// inMatrix is the order of the rows that count outcomes.
var inMatrix = []testrun.Outcome{
	testrun.Passed, testrun.Failed, testrun.Error, testrun.Crashed, testrun.Skipped, testrun.XFailed, testrun.XPassed,
}

// write writes a table: a column for each worker, a row for each test that has failed somewhere or
// has not the same outcome everywhere, and below these a row for each outcome that counts it.
func (m *matrix) write(s *screen) {
	if len(m.workers) == 0 || len(m.tests) == 0 {
		return
	}
	workers := slices.Clone(m.workers)
	slices.SortFunc(workers, func(a, b *testrun.WorkerUp) int { return byWorker(a.Worker, b.Worker) })
	ids, versions := []cell{{}}, []cell{{}}
	for _, w := range workers {
		ids, versions = append(ids, cell{text: w.Worker, style: bold}), append(versions, cell{text: w.Python})
	}
	rows := [][]cell{ids, versions}
	counts := map[testrun.Outcome]map[string]int{}
	for _, test := range m.tests {
		row := []cell{{text: test}}
		show := false
		for _, w := range workers {
			outcome := m.outcomes[test][w.Worker]
			if counts[outcome] == nil {
				counts[outcome] = map[string]int{}
			}
			counts[outcome][w.Worker]++
			show = show || outcome.Bad() || outcome != m.outcomes[test][workers[0].Worker]
			row = append(row, outcomeCell(outcome))
		}
		if show {
			rows = append(rows, row)
		}
	}
	for _, outcome := range append(slices.Clone(inMatrix), "") {
		if counts[outcome] == nil {
			continue
		}
		row := []cell{{text: string(outcome), style: bold}}
		if outcome == "" {
			row[0].text = "not run"
		}
		for _, w := range workers {
			row = append(row, cell{text: fmt.Sprint(counts[outcome][w.Worker])})
		}
		rows = append(rows, row)
	}
	row := []cell{{text: "time", style: bold}}
	for _, w := range workers {
		row = append(row, cell{text: fmt.Sprintf("%.2fs", m.took[w.Worker].Seconds())})
	}
	s.rule("=", "tests by interpreter")
	writeTable(s, append(rows, row))
}

type cell struct {
	text  string
	style style
}

func outcomeCell(o testrun.Outcome) cell {
	switch {
	case o == "":
		return cell{text: "-"}
	case o.Bad():
		return cell{strings.ToUpper(string(o)), red}
	case o == testrun.Passed:
		return cell{string(o), green}
	}
	return cell{string(o), yellow}
}

// writeTable writes rows of the same length in columns.
func writeTable(s *screen, rows [][]cell) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], displayed.StringWidth(c.text))
		}
	}
	for _, row := range rows {
		for i, c := range row {
			if c.style == "" {
				s.text(c.text)
			} else {
				s.text(c.text, c.style)
			}
			if i < len(row)-1 {
				s.text(strings.Repeat(" ", widths[i]-displayed.StringWidth(c.text)+2))
			}
		}
		s.line("")
	}
}
