package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// chart draws the rows that have values as bars, one for each side, grouped by the rows' names. A
// group has a scale of its own, since groups differ by orders of magnitude.
type chart struct {
	title, note string
	groups      []group
}

type group struct {
	name string
	bars []bar
}

type bar struct {
	name, figure string
	value        float64
}

func newChart(title, note string, rows []row) chart {
	c := chart{title: title, note: note}
	for _, r := range rows {
		if r.Value == 0 {
			continue
		}
		if len(c.groups) == 0 || c.groups[len(c.groups)-1].name != r.Name {
			c.groups = append(c.groups, group{name: r.Name})
		}
		g := &c.groups[len(c.groups)-1]
		g.add(bar{r.Side, r.Figure, r.Value})
		g.add(bar{r.Against, r.TheirFigure, r.TheirValue})
	}
	return c
}

// add adds a bar unless the side has one, or no value.
func (g *group) add(b bar) {
	if b.value > 0 && !slices.ContainsFunc(g.bars, func(o bar) bool { return o.name == b.name }) {
		g.bars = append(g.bars, b)
	}
}

// The measures of a chart, in pixels.
const (
	chartWidth = 820
	margin     = 20
	barLeft    = 190 // where bars begin
	barWidth   = 430 // of the largest one
	barHeight  = 16
	barStep    = 22
	groupStep  = 30 // for the name of a group and the space before it
)

// style has colours for light and dark systems. The chart has a background of its own, since a page
// may be dark where the system is light.
const style = `
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: bold }
.note { fill: #57606a }
.group { font-weight: bold }
.background { fill: #ffffff; stroke: #d0d7de }
.ours { fill: #0969da }
.execnet { fill: #bc4c00 }
.other { fill: #8c959f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.note { fill: #9198a1 }
.background { fill: #0d1117; stroke: #3d444d }
.ours { fill: #4493f8 }
.execnet { fill: #f0883e }
.other { fill: #6e7681 }
}
`

// svg is the picture.
func (c chart) svg() string {
	var b strings.Builder
	y := margin + 16
	text := func(x int, class, anchor, s string) {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=%q text-anchor=%q>%s</text>\n", x, y, class, anchor, html.EscapeString(s))
	}
	text(margin, "title", "start", c.title)
	y += barStep
	text(margin, "note", "start", c.note)
	for _, g := range c.groups {
		y += groupStep
		text(margin, "group", "start", g.name)
		most := slices.MaxFunc(g.bars, func(a, b bar) int { return int(math.Copysign(1, a.value-b.value)) }).value
		for _, bar := range g.bars {
			y += barStep
			width := max(1, barWidth*bar.value/most)
			text(barLeft-8, "side", "end", bar.name)
			fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\" class=%q/>\n", barLeft, y-barHeight+4, width, barHeight, colour(bar.name))
			text(barLeft+int(width)+8, "figure", "start", bar.figure)
		}
	}
	height := y + margin
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n<style>%s</style>\n<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"6\" class=\"background\"/>\n%s</svg>\n",
		chartWidth, height, chartWidth, height, html.EscapeString(c.title), style, chartWidth-1, height-1, b.String())
}

// colour is the class of a side: this module, pip's execnet at both ends, or something else.
func colour(side string) string {
	switch side {
	case "execnet", drivesPython, drivesPythons:
		return "execnet"
	case rawPipe, keepingPipe, "bare", "ssh handshake", "msgpack", "cbor", realRsync, "scp":
		return "other"
	}
	return "ours"
}
