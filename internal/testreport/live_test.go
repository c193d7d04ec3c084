package testreport

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/testrun"
)

// emulated is what a terminal shows after a text with the sequences that live uses.
func emulated(text string) string {
	lines := [][]rune{nil}
	row, column := 0, 0
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch runes[i] {
		case '\n':
			if row++; row == len(lines) {
				lines = append(lines, nil)
			}
			column = 0
		case '\r':
			column = 0
		case '\x1b':
			number := 0
			for i += 2; runes[i] >= '0' && runes[i] <= '9'; i++ {
				number = number*10 + int(runes[i]-'0')
			}
			switch runes[i] {
			case 'A':
				row -= number
			case 'J':
				lines = lines[:row+1]
				lines[row] = lines[row][:column]
			}
		default:
			lines[row] = append(lines[row][:column], runes[i])
			column++
		}
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(string(line) + "\n")
	}
	return b.String()
}

func TestLive(t *testing.T) {
	var out bytes.Buffer
	columns, rows := 30, 10
	l := &live{w: &out, size: func() (int, int) { return columns, rows }}
	now := time.Unix(1000, 0)
	l.Write([]byte("header\n"))
	l.draw(now, true)
	assert.Equal(t, "header\n", out.String())

	l.started("gw10", "a.py::one", now)
	l.started("gw2", "a.py::two\x1b[2J", now.Add(-time.Minute))
	l.Write([]byte(".."))
	l.draw(now, true)
	assert.Equal(t, "header\n..\n[gw2]   60s  a.py::two?[2J\n[gw10]    0s  a.py::one\n", emulated(out.String()))

	before := out.Len()
	l.draw(now.Add(100*time.Millisecond), true)
	assert.Equal(t, before, out.Len(), "nothing has changed")

	l.Write([]byte("F\nfull\n"))
	l.idle("gw2")
	l.draw(now.Add(2*time.Second), true)
	assert.Equal(t, "header\n..F\nfull\n[gw10]    2s  a.py::one\n", emulated(out.String()), "on the line that is empty")

	l.Write([]byte("x"))
	l.started("gw10", "a.py::test_with_a_long_name_that_does_not_fit", now)
	l.draw(now, true)
	assert.Equal(t, "header\n..F\nfull\nx\n[gw10]    0s  a.py::test_w...\n", emulated(out.String()))

	l.draw(now, false)
	assert.Equal(t, "header\n..F\nfull\nx\n", emulated(out.String()))
	l.Write([]byte("y\n"))
	l.draw(now, false)
	assert.Equal(t, "header\n..F\nfull\nxy\n\n", emulated(out.String()))

	rows = 3
	for _, id := range []string{"gw1", "gw2", "gw3"} {
		l.started(id, "t", now)
	}
	l.draw(now, true)
	assert.Equal(t, 1, strings.Count(emulated(out.String()), "0s  t"), "as many as there is room for")
}

// With a terminal everything that is written without one is shown in the end, and nothing else.
func TestTerminalWithLive(t *testing.T) {
	plain := shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, everything()...)
	out := shown(t, TerminalOptions{Workers: 2, Size: func() (int, int) { return 80, 24 }}, End{Code: 1}, everything()...)
	assert.Equal(t, plain+"\n", emulated(out))
	none := shown(t, TerminalOptions{Size: func() (int, int) { return 80, 24 }}, End{Code: testrun.UsageError})
	assert.Empty(t, none)
}
