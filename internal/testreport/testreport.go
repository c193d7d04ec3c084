// Package testreport shows what happens in a run of a pytest suite: on a terminal, as pytest does;
// as JUnit XML, for CI systems; as the events of go test, for tools that read these; and in
// pytest's cache, for its next run.
package testreport

import "github.com/go-execnet/execnet/internal/testrun"

// Report shows a run. Its methods are called one after the other.
type Report interface {
	// Event is called with each event of the run.
	Event(testrun.Event)
	// End is called once, after the last event.
	End(End) error
}

// End says how a run has ended.
type End struct {
	Code testrun.ExitCode
	// Interrupted says that the user has ended it.
	Interrupted bool
	// XML is the file that JUnit writes, or "".
	XML string
	// Err is why it could not be carried out, or nil. It is shown by the caller.
	Err error
}
