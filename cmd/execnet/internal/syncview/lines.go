package syncview

import (
	"fmt"
	"io"

	"github.com/go-execnet/execnet/rsync"
)

// Lines prints a line for each file that is sent or deleted.
type Lines struct {
	w      io.Writer
	dryRun bool
}

// NewLines returns a view that prints to w; dryRun says that nothing is really done.
func NewLines(w io.Writer, dryRun bool) *Lines { return &Lines{w, dryRun} }

// Target implements View.
func (l *Lines) Target(string) {}

// Event implements View.
func (l *Lines) Event(e rsync.Event) {
	if line := eventLine(e); line != "" {
		fmt.Fprintln(l.w, line)
	}
}

// Close implements View.
func (l *Lines) Close(results []rsync.Result) {
	for _, r := range results {
		fmt.Fprintln(l.w, summary(r, l.dryRun))
	}
}
