package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table prints rows: in Markdown as they come, else at the end, when the columns can be aligned.
type table struct {
	w        io.Writer
	columns  *tabwriter.Writer
	markdown bool
	last     string // the name of the row before
}

func newTable(w io.Writer, markdown bool) *table {
	return &table{w: w, columns: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), markdown: markdown}
}

var titles = []string{"what", "measured", "against", "ratio", "aim", "result"}

func (t *table) head() {
	t.line(titles)
	if t.markdown {
		fmt.Fprintln(t.w, strings.Repeat("|---", len(titles))+"|")
	}
}

func (t *table) rows(rows []row) {
	for _, r := range rows {
		name := r.Name
		if name == t.last {
			name = ""
		}
		t.last = r.Name
		t.line([]string{name, strings.TrimSpace(r.Side + " " + r.Figure), strings.TrimSpace(r.Against + " " + r.TheirFigure), r.ratio(), r.aim(), r.result()})
	}
}

func (t *table) line(cells []string) {
	if t.markdown {
		fmt.Fprintln(t.w, "| "+strings.Join(cells, " | ")+" |")
		return
	}
	fmt.Fprintln(t.columns, strings.Join(cells, "\t"))
}

func (t *table) flush() error { return t.columns.Flush() }

// ratio is the median ratio, with its quartiles where they are known.
func (r row) ratio() string {
	sign, format := "× ", "%.3g"
	switch r.Kind {
	case "":
		return ""
	case addTrips:
		sign, format = "", "%+.3g"
	}
	text := fmt.Sprintf("%s %s"+format, r.Kind, sign, r.Ratio)
	if r.LowQuartile == 0 && r.HighQuartile == 0 {
		return text
	}
	return text + fmt.Sprintf(" ("+format+" to "+format+")", r.LowQuartile, r.HighQuartile)
}

func (r row) aim() string {
	switch {
	case r.Aim == 0:
		return ""
	case r.Kind == speed:
		return fmt.Sprintf("at least %.3g", r.Aim)
	case r.Kind == addTrips:
		return fmt.Sprintf("at most %+.3g", r.Aim)
	case r.Kind == longer || r.Kind == larger:
		return fmt.Sprintf("at most %.3g", r.Aim)
	}
	return fmt.Sprintf("below %.3g", r.Aim)
}

func (r row) result() string {
	switch {
	case r.Aim == 0:
		return ""
	case r.Met:
		return "met"
	}
	return "missed"
}
