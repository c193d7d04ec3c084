package testreport

import (
	"fmt"
	"strings"
	"time"
)

// tally counts outcomes.
type tally map[category]int

// inLastLine is the order in which pytest's last line tells the categories.
var inLastLine = []category{failed, passed, skipped, left, xfailed, xpassed, warnings, erred, rerun}

// mood is the colour of what tells how a run goes as a whole.
func (t tally) mood(over bool) style {
	switch {
	case t[failed]+t[erred] > 0:
		return red
	case t[warnings]+t[xpassed]+t[rerun] > 0:
		return yellow
	case t[passed] > 0 || !over:
		return green
	}
	return yellow
}

// styleOf is the colour of a category.
func styleOf(c category) style {
	switch c {
	case failed, erred:
		return red
	case passed:
		return green
	}
	return yellow
}

// parts are the pieces of the last line. The category that gives the line its colour is bold.
func (t tally) parts() (parts []styled) {
	mood := t.mood(true)
	for _, c := range inLastLine {
		if t[c] == 0 {
			continue
		}
		part := styled{text: fmt.Sprintf("%d %s", t[c], plural(c, t[c])), styles: []style{styleOf(c)}}
		if styleOf(c) == mood {
			part.styles = append(part.styles, bold)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = []styled{{"no tests ran", []style{mood}}}
	}
	return parts
}

// collectParts are the pieces of the last line of a run that only collects.
func (t tally) collectParts(selected int) (parts []styled, mood style) {
	all := selected + t[left]
	switch {
	case all == 0:
		parts, mood = []styled{{"no tests collected", []style{yellow}}}, yellow
	case selected == 0:
		parts, mood = []styled{{fmt.Sprintf("no tests collected (%d deselected)", t[left]), []style{yellow}}}, yellow
	case t[left] > 0:
		parts, mood = []styled{{fmt.Sprintf("%d/%d tests collected (%d deselected)", selected, all, t[left]), []style{green}}}, green
	default:
		parts, mood = []styled{{count(all, "test") + " collected", []style{green}}}, green
	}
	if t[erred] > 0 {
		mood = red
		parts = append(parts, styled{count(t[erred], "error"), []style{red}})
	}
	return parts, mood
}

func plural(c category, n int) string {
	switch {
	case c == warnings && n == 1:
		return "warning"
	case c == erred && n > 1:
		return "errors"
	}
	return string(c)
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// lasted is how long a run has taken, as pytest writes it.
func lasted(d time.Duration) string {
	text := fmt.Sprintf("%.2fs", d.Seconds())
	if d < time.Minute {
		return text
	}
	whole := int(d.Seconds())
	var b strings.Builder
	if days := whole / 86400; days > 0 {
		fmt.Fprintf(&b, "%s, ", count(days, "day"))
	}
	fmt.Fprintf(&b, "%d:%02d:%02d", whole/3600%24, whole/60%60, whole%60)
	return text + " (" + b.String() + ")"
}
