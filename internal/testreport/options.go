package testreport

import (
	"strconv"
	"strings"
	"time"
)

// options are pytest's options and ini settings that say how a run is shown on a terminal.
type options struct {
	verbosity    int
	chars        string // which outcomes the short summary lists: -r, with "a" and "A" resolved
	traceback    string // --tb
	showCapture  string // --show-capture
	capture      string // --capture; with "no", tests print between the letters
	style        string // console_output_style
	durations    int    // --durations; -1: none, 0: all
	durationsMin time.Duration
	noHeader     bool
	noSummary    bool
	noWarnings   bool
	maxFail      int
	collectOnly  bool
	silent       bool // -p no:terminal
}

// defaultDurationsMin is what --durations leaves out, unless --durations-min or -vv is given.
const defaultDurationsMin = 5 * time.Millisecond

// readOptions reads the Options of a testrun.WorkerUp. What is missing there has pytest's default.
func readOptions(values map[string]string) options {
	o := options{
		verbosity:   number(values["verbose"], 0),
		traceback:   values["tbstyle"],
		showCapture: values["showcapture"],
		capture:     values["capture"],
		style:       values["console_output_style"],
		durations:   number(values["durations"], -1),
		noHeader:    values["no_header"] != "",
		noSummary:   values["no_summary"] != "",
		noWarnings:  values["disable_warnings"] != "",
		maxFail:     number(values["maxfail"], 0),
		collectOnly: values["collectonly"] != "",
		silent:      values["no_terminal"] != "",
	}
	o.durationsMin = defaultDurationsMin
	if least, err := strconv.ParseFloat(values["durations_min"], 64); err == nil {
		o.durationsMin = time.Duration(least * float64(time.Second))
	}
	chars, given := values["reportchars"]
	if !given {
		chars = "fE"
	}
	o.chars = reportChars(chars)
	return o
}

func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

// reportChars resolves the letters of -r that stand for others.
func reportChars(given string) string {
	var chars string
	for _, c := range given {
		switch c {
		case 'F', 'S': // what they were called once
			c = c - 'F' + 'f'
		case 'a':
			chars = "sxXEf"
			continue
		case 'A':
			chars = "PpsxXEf"
			continue
		case 'N':
			chars = ""
			continue
		}
		if !strings.ContainsRune(chars, c) {
			chars += string(c)
		}
	}
	return chars
}
