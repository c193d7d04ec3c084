// Package pytest runs a pytest suite as subtests of a Go test, in as many Python interpreters at a
// time as there are gateways.
//
//	func TestPython(t *testing.T) {
//		pytest.Run(t, pytest.Options{
//			Dir:      "../python",
//			Gateways: []string{"4*popen//python=../python/.venv/bin/python"},
//			Args:     []string{"-m", "not slow"},
//		})
//	}
//
// An interpreter needs pytest, of a release from 4.6 on, and nothing else: neither pytest-xdist nor
// execnet. It can be on another machine, as package xspec describes. A Go worker that runs CPython
// will do, too.
//
// # Names
//
// Each Python test is a subtest, in subtests for its file, its classes, and its function if that
// has parameters. Files have their paths below pytest's rootdir:
//
//	TestPython/api/test_users.py/TestLogin/test_expired
//	TestPython/api/test_users.py/test_language/eu
//
// Package testing writes "_" for a space, and escapes what cannot be printed. If two tests would
// have the same name, the second one gets "#01" behind it, in pytest's order and whatever is
// selected.
//
// # Flags of go test
//
//   - -run and -skip select by these names, element by element. Files and folders that cannot
//     contain a selected test are not imported. If no test is selected, that is no failure.
//   - -v shows every test as it runs, its captured output, the interpreters, and Python's warnings.
//     Without it what belongs to failures is shown.
//   - -short adds Options.Short to pytest's arguments.
//   - -failfast ends the run of pytest, too, after the first failure.
//   - -timeout: a little earlier the tests that are running fail, with the stacks of their threads,
//     and the run ends.
//   - -count runs everything again, from the start of the interpreters on. Without it go test takes
//     a result from its cache if neither the Go test nor a file below Dir has changed. It does not
//     know of changes elsewhere, as in installed packages or on other machines: use -count=1 then.
//   - -json, and with it gotestsum and editors, have the tests as those of Go.
//
// -parallel does not count here, nor does t.Parallel in the Go test: what runs at a time is the
// number of gateways. Benchmarks are pytest's own matter.
//
// # Results
//
// A subtest begins when its Python test begins, and ends with it, so its duration is that of the
// test with set-up and tear-down, and of a file or class the time from the first to the last.
//
// A failure begins with the file and the line, as an absolute path if the file is on this machine,
// and the message. Pytest's text and what was captured follow. Skipped tests and expected failures
// are skipped with their reasons; a test that should fail, and passes, passes with a note, unless
// it is strict. A failure of set-up or tear-down is a failure of the test. What record_property
// records is an attribute of the subtest (t.Attr).
//
// A file that cannot be imported is a subtest that fails. As with pytest no test runs then, unless
// Args contains --continue-on-collection-errors.
//
// If an interpreter crashes, the test that it ran fails, with what is known of the crash, and a new
// one runs the others.
package pytest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-execnet/execnet/execnettest"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/internal/txspec"
)

// Options say which suite is run, and where.
type Options struct {
	// Dir is the folder in which pytest is started: "" for the folder of the Go test. For
	// interpreters of this machine it is relative to that. Others take it as it is. A spec's chdir
	// comes before it.
	Dir string
	// Gateways are specs of the interpreters; one that begins with "4*" stands for four. Nil means
	// "popen": python3 of this machine. A relative python= begins at the folder of the Go test. One
	// through which others are reached (via=) runs no tests.
	Gateways []string
	// Args are pytest's own arguments: options, files and node ids.
	Args []string
	// Short are more of them for go test -short, such as "-m", "not slow".
	Short []string
	// Dist is how tests are distributed, in pytest-xdist's words: "load", "worksteal", "loadscope",
	// "loadfile" or "loadgroup". If it is empty, --dist in the suite's addopts counts, else it is
	// "load". To run a suite in several interpreters call Run in a subtest for each.
	Dist string
	// Timeout bounds each test. One that takes longer fails with the stacks of its threads, and its
	// interpreter is replaced. 0 means no bound but -timeout.
	Timeout time.Duration
}

// Run runs the suite. The test fails if one of the Python tests fails, and with t.Fatal if the
// suite cannot be run, or has no tests. Call it once in a test; t.Run makes more.
func Run(t *testing.T, o Options) {
	t.Helper()
	selected := newSelection(t.Name())
	c, err := config(o)
	if err != nil {
		t.Fatal(err)
	}
	group := execnettest.Group(t)
	group.SlogHandler = nil // pytest itself captures log records
	c.Group = group
	if selected.narrows() {
		c.Select.Only, c.Select.Not = selected.only(), selected.not()
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if deadline, ok := t.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/4)))
		defer stop()
	}
	r := &report{t: t, root: root(t), selected: selected, tests: map[*testrun.Test]*subtest{}, folders: map[string]string{}, refused: func() { cancel(errFailFast) }}
	c.Select.Test = r.selects
	code, err := testrun.Run(ctx, c, r.take)
	r.finish(ctx, c, code, err)
}

// margin is how long before -timeout a run is ended.
const margin = 5 * time.Second

// errFailFast ends a run because package testing runs no more tests.
var errFailFast = errors.New("execnet: another test has failed, and -failfast is set")

// config turns the options into what testrun needs.
func config(o Options) (testrun.Config, error) {
	gateways := o.Gateways
	if gateways == nil {
		gateways = []string{"popen"}
	}
	specs, err := txspec.Parse(gateways)
	if err != nil {
		return testrun.Config{}, errtext.Wrap("Gateways", err)
	}
	if testrun.Dist(o.Dist) == testrun.Each {
		return testrun.Config{}, errors.New(`execnet: Dist "each": call Run in a subtest for each interpreter instead`)
	}
	c := testrun.Config{Specs: specs, Dir: o.Dir, Args: o.Args, Dist: testrun.Dist(o.Dist), Timeout: o.Timeout,
		MaxRestarts: 4 * len(specs)}
	if testing.Short() {
		c.Args = append(append([]string{}, o.Args...), o.Short...)
	}
	if flagValue("test.failfast") == "true" {
		c.MaxFail = 1
	}
	return c, local(specs, o.Dir)
}
