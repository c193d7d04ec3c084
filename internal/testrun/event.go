package testrun

import (
	"errors"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
)

// Event is something that has happened in a run. It is one of the types below, as a pointer. Run
// hands events out one after the other.
type Event interface{ event() }

func (*WorkerUp) event()       {}
func (*Collected) event()      {}
func (*CollectProblem) event() {}
func (*TestStarted) event()    {}
func (*TestDone) event()       {}
func (*Warning) event()        {}
func (*Printed) event()        {}
func (*WorkerDown) event()     {}
func (*Notice) event()         {}

// WorkerUp says that pytest has started in a worker.
type WorkerUp struct {
	Worker   string   // the gateway's id
	Python   string   // the version, such as "3.13.0"
	Platform string   // sys.platform
	Path     string   // sys.executable
	Pytest   string   // pytest's version
	Root     string   // pytest's rootdir there
	Header   []string // what plugins and pytest show at the beginning: "plugins: ..."
	Forked   bool     // whether it shares a collection with others
	// Options are pytest's options and ini settings that say how a run is shown, by pytest's names
	// for them: "verbose", "reportchars", "junit_family" and so on, and "dist" if the suite asks
	// for a distribution of its tests. The values are texts, "1" for True; those that are None or
	// False are absent. pytest has read them there, so that addopts count.
	Options map[string]string
}

// Test is a test of the suite.
type Test struct {
	ID    string // pytest's node id, such as "api/test_users.py::TestLogin::test_expired[eu]"
	Path  string // the file, as far as possible relative to Root, with "/"
	Line  int    // where it begins, from 1; 0 if nobody knows
	Group string // the name of its mark xdist_group, or ""

	leftOut bool // by Selection.Test
}

// Collected says which tests a worker has found and selected. Unless each worker runs the whole
// suite it comes once, for all workers, and before any test starts.
type Collected struct {
	Worker     string
	Tests      []Test
	Deselected int           // those that -k, -m and the like have left out
	Took       time.Duration // for collecting
}

// CollectProblem says that a part of the suite could not be collected, or was skipped as a whole.
// The same problem is told once, whatever the number of workers that have it.
type CollectProblem struct {
	Worker  string
	ID      string  // the node id of the part, such as a file
	Outcome Outcome // Failed or Skipped
	Text    string  // as pytest shows it, of several lines
	Path    string  // where it came from, or ""
	Line    int     // from 1; 0 if nobody knows
	Message string  // one line
}

// TestStarted says that a worker begins with a test.
type TestStarted struct {
	Worker string
	Test   *Test
	At     time.Time
}

// TestDone says how a test has ended. A test that is run again by a plugin such as
// pytest-rerunfailures is told once, with its last outcome and the number of runs.
type TestDone struct {
	Worker  string
	Test    *Test
	Outcome Outcome // of all phases together
	Reason  string  // of a skip or an expected failure, or why a crash ended it
	At      time.Time
	Took    time.Duration // of all phases, measured at the far end
	Phases  []Phase       // setup, call, teardown, as far as they were reached
	Reruns  int           // how often it was run before
	// Properties are those of record_property, in order. Their values are texts.
	Properties [][2]string
}

// Phase is a part of a test.
type Phase struct {
	When    string // "setup", "call" or "teardown"
	Outcome Outcome
	Took    time.Duration
	Text    string // what pytest shows of a failure: traceback and source, of several lines
	Path    string // where a failure happened, relative to Root as far as possible
	Line    int    // from 1; 0 if nobody knows
	Message string // the failure in one line, such as "AssertionError: assert 1 == 2"
	// Explanation is Message with the lines that belong to it, such as how two values differ.
	Explanation string
	// Sections are what the test has printed and logged in this phase, by pytest's titles, such as
	// "Captured stdout call".
	Sections []Section
}

// Section is a text with a title.
type Section struct{ Title, Text string }

// Outcome is how something has ended, in pytest's words.
type Outcome string

// The outcomes. Error is a failure of set-up or tear-down. Crashed is a failure, too: the worker
// has ended, or had to be ended, while it ran the test.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Error   Outcome = "error"
	Skipped Outcome = "skipped"
	XFailed Outcome = "xfailed"
	XPassed Outcome = "xpassed" // not strict; a strict one is Failed
	Crashed Outcome = "crashed"
)

// Bad reports whether it makes the run fail.
func (o Outcome) Bad() bool { return o == Failed || o == Error || o == Crashed }

// Warning is a Python warning that pytest would show in its summary. One that all workers have is
// told once.
type Warning struct {
	Worker   string
	ID       string // the node id of the test, or ""
	Category string // such as "DeprecationWarning"
	Message  string
	Path     string
	Line     int    // from 1
	Source   string // that line, or ""
}

// Printed is a line that a worker has printed past pytest's capturing: with -s, or from a child.
type Printed struct {
	Worker string
	Stderr bool
	Text   string
}

// WorkerDown says that a worker has ended before the run did: by itself, or because a test hung.
type WorkerDown struct {
	Worker   string
	Err      error  // with exit status or signal and the last lines of stderr
	Test     *Test  // what it was running, or nil
	Replaced string // the id of the worker that takes its place, or ""
	// AtLimit says that none takes its place because Config.MaxRestarts have been replaced.
	AtLimit bool
}

// Problem is how it has ended, without the end of its stderr, which has been told as Printed.
func (d *WorkerDown) Problem() string { return howEnded(d.Err) }

func howEnded(err error) string {
	died := new(gatewaybase.GatewayDiedError)
	switch {
	case err == nil:
		return "the worker has ended"
	case errors.As(err, &died):
		bare := *died
		bare.Exit.Stderr = ""
		return strings.Replace(errtext.Of(err), errtext.Of(died), errtext.Of(&bare), 1)
	}
	return errtext.Of(err)
}

// Notice is a sentence for the user about the run itself, such as why workers are not forked.
type Notice struct {
	Text string
	// Minor says that who wants little output does not want it.
	Minor bool
}
