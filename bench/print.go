package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
)

// table prints rows as they come, or, where columns have to be aligned, at the end.
type table struct {
	w       io.Writer
	columns *tabwriter.Writer
	options options
	last    string // the name of the row before
}

func newTable(w io.Writer, o options) *table {
	return &table{w: w, columns: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), options: o}
}

var titles = []string{"what", "", "against", "ratio", "aim", ""}

// head tells what was measured with what.
func (t *table) head(b *bench) {
	if t.options.json {
		return
	}
	fmt.Fprintf(t.w, "%s on %s/%s, %d CPUs; our worker: Python %s; execnet %s in Python %s; medians of %d rounds\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.python.version, b.pip.release, b.pip.python.version, t.options.rounds)
	t.line(titles)
	if t.options.markdown {
		fmt.Fprintln(t.w, strings.Repeat("|---", len(titles))+"|")
	}
}

func (t *table) rows(rows []row) {
	for _, r := range rows {
		if t.options.json {
			// Numbers and strings always have a JSON form.
			data, _ := json.Marshal(r)
			fmt.Fprintf(t.w, "%s\n", data)
			continue
		}
		name := r.Name
		if name == t.last {
			name = ""
		}
		t.last = r.Name
		t.line([]string{name, strings.TrimSpace(r.Side + " " + r.Figure), strings.TrimSpace(r.Against + " " + r.TheirFigure), r.ratio(), r.aim(), r.verdict()})
	}
}

func (t *table) line(cells []string) {
	if t.options.markdown {
		fmt.Fprintln(t.w, "| "+strings.Join(cells, " | ")+" |")
		return
	}
	fmt.Fprintln(t.columns, strings.Join(cells, "\t"))
}

func (t *table) flush() error { return t.columns.Flush() }

func (r row) ratio() string {
	switch r.Kind {
	case "":
		return ""
	case trips:
		return fmt.Sprintf("%s %+.3g (%+.3g to %+.3g)", r.Kind, r.Ratio, r.LowQuartile, r.HighQuartile)
	}
	return fmt.Sprintf("%s × %.3g (%.3g to %.3g)", r.Kind, r.Ratio, r.LowQuartile, r.HighQuartile)
}

func (r row) aim() string {
	switch {
	case r.Aim == 0:
		return ""
	case r.Kind == speed:
		return fmt.Sprintf("at least %.3g", r.Aim)
	case r.Kind == trips:
		return fmt.Sprintf("at most %+.3g", r.Aim)
	case r.Kind == span || r.Kind == room:
		return fmt.Sprintf("at most %.3g", r.Aim)
	}
	return fmt.Sprintf("below %.3g", r.Aim)
}

func (r row) verdict() string {
	switch {
	case r.Aim == 0:
		return ""
	case r.Met:
		return "met"
	}
	return "missed"
}
