// Package syncview shows the progress of rsync: as bars on a terminal, as lines elsewhere.
package syncview

import (
	"fmt"
	"strings"

	"github.com/go-execnet/execnet/internal/rsync/paths"
	"github.com/go-execnet/execnet/rsync"
)

// View shows the progress of one sync. Its methods are called by one goroutine at a time.
type View interface {
	// Target announces a gateway that gets the tree.
	Target(id string)
	// Event is called with what rsync's Callback is given.
	Event(rsync.Event)
	// Close ends the view with a summary.
	Close([]rsync.Result)
}

// Quiet shows nothing.
type Quiet struct{}

// Target implements View.
func (Quiet) Target(string) {}

// Event implements View.
func (Quiet) Event(rsync.Event) {}

// Close implements View.
func (Quiet) Close([]rsync.Result) {}

// eventLine is an event as a line of text, or empty if no line is printed for it.
func eventLine(e rsync.Event) string {
	if e.Gateway == nil { // it is about the source
		return "warning: " + plain(e.Err)
	}
	id := e.Gateway.ID()
	switch e.Kind {
	case rsync.EventSend:
		return fmt.Sprintf("%s <= %s", id, paths.Printable(e.Path))
	case rsync.EventDelete:
		return fmt.Sprintf("%s deletes %s", id, paths.Printable(e.Path))
	case rsync.EventWarning:
		return fmt.Sprintf("%s: warning: %s", id, plain(e.Err))
	}
	return ""
}

// plain is the text of a warning without the module's name.
func plain(err *rsync.FileError) string { return strings.TrimPrefix(err.Error(), "execnet: rsync: ") }

// summary is the last line about a target: what was done there.
func summary(r rsync.Result, dryRun bool) string {
	done := func(verb string) string {
		if dryRun {
			return "to be " + verb
		}
		return verb
	}
	parts := []string{plural(r.Files, "file") + " " + done("written")}
	if !dryRun {
		parts[0] += " (" + size(r.Literal) + " sent"
		if r.Matched > 0 {
			parts[0] += ", " + size(r.Matched) + " already there"
		}
		parts[0] += ")"
	}
	for _, count := range []struct {
		n          int64
		what, verb string
	}{
		{r.Touched, "file", "touched"}, {r.Dirs, "directory", "made"}, {r.Links, "link", "made"}, {r.Deleted, "entry", "deleted"},
	} {
		if count.n > 0 {
			parts = append(parts, plural(count.n, count.what)+" "+done(count.verb))
		}
	}
	if r.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d FAILED", r.Failed))
	}
	text := fmt.Sprintf("%s: %s", r.Gateway.ID(), strings.Join(parts, ", "))
	if r.Err != nil {
		text += "; NOT COMPLETE"
	}
	return text
}

func plural(n int64, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// size shows a number of bytes in the unit that suits it.
func size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.95 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	return fmt.Sprintf("%.1f %cB", value, units[unit])
}
