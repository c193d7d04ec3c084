package testrun

import (
	"context"
	"time"

	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// Config says what is run where.
type Config struct {
	// Group is where the gateways are made. Run ends those that it has made. Its Output is set.
	Group *multi.Group
	// Specs are the workers, one for each. Those without an id get gw0, gw1 and so on. One through
	// which others are reached (via, installvia) runs no tests.
	Specs []*xspec.Spec
	// Args are pytest's own arguments, as on its command line: options, files and node ids.
	Args []string
	// Dir is the folder in which pytest runs, as the workers name it. A spec's chdir comes before
	// it. "" leaves them where they are.
	Dir string
	// Select says which tests are run. Its zero value: all.
	Select Selection
	// Dist is how tests are distributed. "" is what the suite says, in addopts or in Args, else
	// Load.
	Dist Dist
	// NoFork has every worker collect for itself.
	NoFork bool
	// MaxRestarts is how many workers that have died are replaced. Less than 0: any number.
	MaxRestarts int
	// Timeout bounds one test. Then its worker's stacks are told and it is ended. 0: no bound.
	Timeout time.Duration
	// MaxFail ends the run after so many failures. 0: as pytest's arguments and ini files say.
	MaxFail int
	// Color has the workers mark up the texts of failures for a terminal.
	Color bool
	// Width is the number of columns for these texts. 0 means 80.
	Width int
	// Memory is a folder in which durations and failures of the last run are kept, or "".
	Memory string
}

// Dist is how tests are distributed to workers. The names are pytest-xdist's.
type Dist string

// The ways to distribute. Each runs the whole suite in every worker.
const (
	Load      Dist = "load"
	WorkSteal Dist = "worksteal"
	LoadScope Dist = "loadscope"
	LoadFile  Dist = "loadfile"
	LoadGroup Dist = "loadgroup"
	Each      Dist = "each"
)

// ExitCode is how a run has ended, as pytest's own exit codes say it.
type ExitCode int

// The exit codes.
const (
	OK          ExitCode = 0 // all tests passed
	TestsFailed ExitCode = 1
	Interrupted ExitCode = 2 // also: errors during collection
	Internal    ExitCode = 3
	UsageError  ExitCode = 4
	NoTests     ExitCode = 5
)

// Run runs the suite, hands each event to handle, and ends its gateways. It returns an error if the
// run could not be carried out: no worker started, pytest is missing or refuses its arguments,
// workers have found different tests, or ctx has ended. Tests that fail are no error.
//
// After ctx has ended it stops at once: each test that was running is told as Crashed, with the
// stacks of its threads where they could be had.
func Run(ctx context.Context, c Config, handle func(Event)) (ExitCode, error) {
	return run(ctx, c, handle)
}
