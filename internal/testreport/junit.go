package testreport

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/internal/testrun"
)

// JUnit writes a file in the form that CI systems read, as pytest's --junitxml does. The option
// decides whether there is one.
type JUnit struct {
	// Colored says that texts of failures contain colours, which a file must not.
	Colored bool
	// Each makes a suite for each worker.
	Each bool

	began    time.Time
	workers  []*testrun.WorkerUp
	settings map[string]string
	path     string // "" for none
	suites   map[string]*junitSuite
	// problems are those that were told before the first worker, and so before the options.
	problems []*testrun.CollectProblem
}

type junitSuite struct {
	cases  []junitCase
	counts tally
	twice  int // tests that count as a failure and as an error
}

type junitCase struct {
	ClassName string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	File      string        `xml:"file,attr,omitempty"`
	Line      int           `xml:"line,attr,omitempty"`
	Time      string        `xml:"time,attr"`
	Props     *[]junitProp  `xml:"properties>property"`
	Results   []junitResult `xml:",any"`
}

type junitProp struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// junitResult is an element failure, error, skipped, system-out or system-err.
type junitResult struct {
	XMLName xml.Name
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// NewJUnit returns a report for a run that begins now.
func NewJUnit(colored, each bool) *JUnit {
	return &JUnit{Colored: colored, Each: each, began: time.Now(), suites: map[string]*junitSuite{}}
}

// Event implements Report.
func (j *JUnit) Event(event testrun.Event) {
	if up, ok := event.(*testrun.WorkerUp); ok {
		if len(j.workers) == 0 {
			j.settings, j.path = up.Options, up.Options["xmlpath"]
		}
		j.workers = append(j.workers, up)
		for _, p := range j.problems {
			j.problem(p)
		}
		j.problems = nil
	}
	switch e := event.(type) {
	case *testrun.CollectProblem:
		if len(j.workers) == 0 {
			j.problems = append(j.problems, e)
			return
		}
		j.problem(e)
	case *testrun.TestDone:
		if j.path != "" {
			j.testDone(e)
		}
	}
}

// suite is the suite of a worker.
func (j *JUnit) suite(worker string) *junitSuite {
	if !j.Each {
		worker = ""
	}
	s := j.suites[worker]
	if s == nil {
		s = &junitSuite{counts: tally{}}
		j.suites[worker] = s
	}
	return s
}

func (j *JUnit) problem(p *testrun.CollectProblem) {
	if j.path == "" {
		return
	}
	s := j.suite(p.Worker)
	c := j.newCase(p.ID, 0)
	if p.Outcome == testrun.Skipped {
		s.counts[skipped]++
		text := j.plain(p.Text)
		if p.Path != "" { // pytest writes the tuple that it has
			text = fmt.Sprintf("(%s, %d, %s)", pyliteral.Append(nil, j.absolute(p.Path)), p.Line, pyliteral.Append(nil, text))
		}
		c.add("skipped", "", "collection skipped", text)
	} else {
		s.counts[erred]++
		c.add("error", "", "collection failure", j.plain(p.Text))
	}
	s.cases = append(s.cases, c)
}

// absolute is a path of the suite in full.
func (j *JUnit) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) || len(j.workers) == 0 {
		return path
	}
	return j.workers[0].Root + "/" + path
}

// newCase is a case without a result.
func (j *JUnit) newCase(id string, took time.Duration) junitCase {
	c := junitCase{Time: fmt.Sprintf("%.3f", took.Seconds())}
	c.ClassName, c.Name = junitNames(j.settings["junitprefix"], id)
	return c
}

// junitNames are the class and the name of a test: the file as a module, classes, and the rest.
func junitNames(prefix, id string) (class, name string) {
	path, params, bracket := strings.Cut(id, "[")
	names := strings.Split(path, "::")
	names[0] = strings.TrimSuffix(strings.ReplaceAll(names[0], "/", "."), ".py")
	if bracket {
		names[len(names)-1] += "[" + params
	}
	name = names[len(names)-1]
	names = names[:len(names)-1]
	if prefix != "" {
		names = slices.Insert(names, 0, prefix)
	}
	return legal(strings.Join(names, ".")), legal(name)
}

func (c *junitCase) add(element, kind, message, text string) {
	c.Results = append(c.Results, junitResult{xml.Name{Local: element}, kind, legal(message), legal(text)})
}

// testDone adds the case of a test, or two of one that has failed and whose tear-down has, too.
func (j *JUnit) testDone(done *testrun.TestDone) {
	s := j.suite(done.Worker)
	took := done.Took
	if j.settings["junit_duration_report"] == "call" {
		took = 0
		for _, phase := range done.Phases {
			if phase.When == "call" {
				took = phase.Took
			}
		}
	}
	c := j.newCase(done.Test.ID, took)
	if family := j.settings["junit_family"]; family == "xunit1" || family == "legacy" {
		c.File, c.Line = done.Test.Path, max(done.Test.Line-1, 0) // pytest counts from 0 here
	}
	if len(done.Properties) > 0 {
		properties := make([]junitProp, 0, len(done.Properties))
		for _, p := range done.Properties {
			properties = append(properties, junitProp{legal(p[0]), legal(p[1])})
		}
		c.Props = &properties
	}
	failedBefore := false
	for _, e := range entries(done) {
		message, text := j.plain(e.message), j.plain(e.text)
		switch e.category {
		case rerun:
			continue
		case failed:
			c.add("failure", "", message, text)
			failedBefore = true
		case erred:
			if failedBefore {
				s.cases = append(s.cases, c)
				c.Results, c.Props = nil, nil
				s.twice++
			}
			when := "setup"
			if strings.HasPrefix(e.title, "ERROR at teardown") {
				when = "teardown"
			}
			c.add("error", "", "failed on "+when+` with "`+message+`"`, text)
		case skipped:
			c.add("skipped", "pytest.skip", message, fmt.Sprintf("%s:%d: %s", j.absolute(e.path), e.line, message))
		case xfailed:
			c.add("skipped", "pytest.xfail", message, "")
		}
		s.counts[e.category]++
	}
	j.addOutput(&c, done)
	s.cases = append(s.cases, c)
}

// addOutput adds what the test has printed and logged, as far as junit_logging asks for it.
func (j *JUnit) addOutput(c *junitCase, done *testrun.TestDone) {
	logging := j.settings["junit_logging"]
	if logging == "" || logging == "no" ||
		j.settings["junit_log_passing_tests"] == "" && !done.Outcome.Bad() && done.Outcome != testrun.Skipped {
		return
	}
	block := func(title, in string) string {
		var text strings.Builder
		for _, phase := range done.Phases {
			for _, s := range phase.Sections {
				if strings.HasPrefix(s.Title, "Captured "+in) {
					text.WriteString(s.Text)
				}
			}
		}
		left := (80 - len(title)) / 2
		return strings.Repeat("-", left) + title + strings.Repeat("-", 80-len(title)-left) + "\n" + j.plain(text.String()) + "\n"
	}
	var pending string
	if logging == "log" || logging == "all" {
		pending = block(" Captured Log ", "log")
	}
	if logging == "system-out" || logging == "out-err" || logging == "all" {
		c.add("system-out", "", "", pending+block(" Captured Out ", "stdout"))
		pending = ""
	}
	if logging == "system-err" || logging == "out-err" || logging == "all" {
		c.add("system-err", "", "", pending+block(" Captured Err ", "stderr"))
		pending = ""
	}
	if pending != "" {
		c.add("system-out", "", "", pending)
	}
}

var coloring = regexp.MustCompile("\x1b\\[[0-9;]*m")

// plain is a text of a worker as it would be without colours, and without empty lines around it.
func (j *JUnit) plain(text string) string {
	if j.Colored {
		text = coloring.ReplaceAllString(text, "")
	}
	return strings.TrimSpace(text)
}

// legal replaces characters that XML cannot have with their numbers, as pytest does.
func legal(text string) string {
	ok := func(r rune) bool {
		return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= '~' || r >= 0x80 && r <= 0xd7ff ||
			r >= 0xe000 && r <= 0xfffd || r >= 0x10000
	}
	if strings.IndexFunc(text, func(r rune) bool { return !ok(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case ok(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, "#x%02X", r)
		default:
			fmt.Fprintf(&b, "#x%04X", r)
		}
	}
	return b.String()
}

// junitFile is the whole file.
type junitFile struct {
	XMLName xml.Name           `xml:"testsuites"`
	Name    string             `xml:"name,attr"`
	Suites  []junitSuiteOutput `xml:"testsuite"`
}

type junitSuiteOutput struct {
	Name      string      `xml:"name,attr"`
	Errors    int         `xml:"errors,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Tests     int         `xml:"tests,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Hostname  string      `xml:"hostname,attr"`
	Cases     []junitCase `xml:"testcase"`
}

// End implements Report. It writes the file under another name first, so that it is whole when it
// is there.
func (j *JUnit) End(End) error {
	if j.path == "" {
		return nil
	}
	path := expanded(j.path)
	text, err := xml.Marshal(j.file())
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o777)
	}
	if err == nil {
		err = replaceFile(path, append([]byte(`<?xml version="1.0" encoding="utf-8"?>`), text...))
	}
	if err != nil {
		return fmt.Errorf("cannot write the file of --junitxml: %w", err)
	}
	return nil
}

// Path is where the file is written, or "".
func (j *JUnit) Path() string {
	if j.path == "" {
		return ""
	}
	path := expanded(j.path)
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return path
}

func (j *JUnit) file() junitFile {
	host, _ := os.Hostname()
	file := junitFile{Name: "pytest tests"}
	name := j.settings["junit_suite_name"]
	if name == "" {
		name = "pytest"
	}
	workers := []string{""}
	if j.Each {
		workers = nil
		for _, w := range j.workers {
			workers = append(workers, w.Worker)
		}
		slices.SortFunc(workers, byWorker)
	}
	for _, worker := range workers {
		s := j.suite(worker)
		out := junitSuiteOutput{
			Name: legal(name), Errors: s.counts[erred], Failures: s.counts[failed], Skipped: s.counts[skipped] + s.counts[xfailed],
			Time: fmt.Sprintf("%.3f", time.Since(j.began).Seconds()), Timestamp: j.began.Format("2006-01-02T15:04:05.000000-07:00"),
			Hostname: host, Cases: s.cases,
		}
		out.Tests = s.counts[passed] + s.counts[xpassed] + out.Failures + out.Skipped + out.Errors - s.twice
		for _, w := range j.workers {
			if j.Each && w.Worker == worker {
				out.Name = legal(fmt.Sprintf("%s (%s, Python %s)", name, w.Worker, w.Python))
			}
		}
		file.Suites = append(file.Suites, out)
	}
	return file
}

// expanded is a path with ~ and variables replaced, as pytest has it.
func expanded(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		if home, err := os.UserHomeDir(); err == nil {
			path = home + rest
		}
	}
	return os.Expand(path, func(name string) string {
		if value, ok := os.LookupEnv(name); ok {
			return value
		}
		return "$" + name
	})
}

// replaceFile writes a file so that it has its old content or its new one, whatever happens.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
