package testreport

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// style is a colour or weight of text on a terminal, as the number that switches it on.
type style string

const (
	bold   style = "1"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	purple style = "35"
	cyan   style = "36"
)

// styled is text with its styles.
type styled struct {
	text   string
	styles []style
}

// screen writes text in lines of a width, with colours if these are wanted.
type screen struct {
	w      io.Writer
	width  int
	color  bool
	column int // how much of the current line is filled
}

// mark puts styles around text.
func (s *screen) mark(text string, styles ...style) string {
	if !s.color || len(styles) == 0 || text == "" {
		return text
	}
	var b strings.Builder
	for _, each := range styles {
		b.WriteString("\x1b[" + string(each) + "m")
	}
	return b.String() + text + "\x1b[0m"
}

// text writes text. An error of writing is the writer's to tell, since it ends the run.
func (s *screen) text(text string, styles ...style) {
	_, _ = io.WriteString(s.w, s.mark(text, styles...))
	if end := strings.LastIndexByte(text, '\n'); end >= 0 {
		text, s.column = text[end+1:], 0
	}
	s.column += displayed.StringWidth(text)
}

// line writes a line.
func (s *screen) line(text string, styles ...style) {
	_, _ = io.WriteString(s.w, s.mark(text, styles...)+"\n")
	s.column = 0
}

// block writes text that has any number of lines.
func (s *screen) block(text string) {
	if text = strings.TrimRight(text, "\n"); text != "" {
		s.line(text)
	}
}

// fresh ends the current line if there is something in it.
func (s *screen) fresh() {
	if s.column > 0 {
		s.line("")
	}
}

// rule writes a line of one character with a title in the middle.
func (s *screen) rule(char, title string, styles ...style) {
	s.ruleAround(char, []styled{{title, nil}}, styles...)
}

// ruleAround is rule with a title whose parts have styles of their own.
func (s *screen) ruleAround(char string, title []styled, styles ...style) {
	length := 0
	var b strings.Builder
	for _, part := range title {
		length += displayed.StringWidth(part.text)
		if part.styles == nil {
			part.styles = styles
		}
		b.WriteString(s.mark(part.text, part.styles...))
	}
	n := max((s.width-length-2)/2, 1)
	side := strings.Repeat(char, n)
	right := side
	if 2*n+length+2 < s.width {
		right += char
	}
	if len(title) == 1 {
		s.fresh()
		s.line(side+" "+title[0].text+" "+right, styles...)
		return
	}
	s.fresh()
	s.line(s.mark(side+" ", styles...) + b.String() + s.mark(" "+right, styles...))
}

// displayed measures text in columns of a terminal, the same in every locale.
var displayed = &runewidth.Condition{StrictEmojiNeutral: true}

// trimmed is a message in what is left of a line, with " - " before it; "" if nothing fits.
func trimmed(message string, columns int) string {
	const before, ellipsis = " - ", "..."
	if len(before)+len(ellipsis) > columns {
		return ""
	}
	return before + displayed.Truncate(firstLine(message), columns-len(before), ellipsis)
}
