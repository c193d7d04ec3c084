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
	failed func(error)
}

// NewLines returns a view that prints to w; dryRun says that nothing is really done. failed is
// called when w cannot be written to.
func NewLines(w io.Writer, dryRun bool, failed func(error)) *Lines { return &Lines{w, dryRun, failed} }

// Target implements View.
func (l *Lines) Target(string) {}

// Event implements View.
func (l *Lines) Event(e rsync.Event) {
	if line := eventLine(e); line != "" {
		l.print(line)
	}
}

// Close implements View.
func (l *Lines) Close(results []rsync.Result) {
	for _, r := range results {
		l.print(summary(r, l.dryRun))
	}
}

func (l *Lines) print(line string) {
	if _, err := fmt.Fprintln(l.w, line); err != nil {
		l.failed(err)
	}
}
