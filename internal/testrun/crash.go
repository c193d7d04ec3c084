package testrun

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// mostStderr is how many lines of a worker's stderr are kept for the report of a crash.
const mostStderr = 400

// printed takes a line that a worker has printed.
func (s *suite) printed(p *Printed) {
	if p.Stderr {
		for _, w := range s.workers {
			if w.id == p.Worker {
				w.stderr = append(w.stderr, p.Text)
				if len(w.stderr) > 2*mostStderr {
					w.stderr = slices.Clone(w.stderr[len(w.stderr)-mostStderr:])
				}
			}
		}
	}
	s.handle(p)
}

// crash is the end of a test that its worker has not survived.
func (w *worker) crash(t *Test, err error) *TestDone {
	reason := howEnded(err)
	died := new(gatewaybase.GatewayDiedError)
	switch {
	case w.over != "":
		reason = w.over
	case errors.As(err, &died):
		reason = strings.Replace(reason, "gateway ", "worker ", 1)
	}
	text := reason
	report := w.stacks
	if report == "" {
		lines := w.stderr
		if len(lines) == 0 {
			lines = strings.Split(strings.TrimSpace(died.Exit.Stderr), "\n")
		}
		report = crashReport(lines)
	}
	if report != "" {
		text += "\n\n" + report
	}
	took := time.Since(w.begun)
	return &TestDone{Worker: w.id, Test: t, Outcome: Crashed, Reason: reason, At: w.begun, Took: took,
		Phases: []Phase{{When: "call", Outcome: Crashed, Took: took, Text: text, Path: t.Path, Line: t.Line, Message: reason}}}
}

// cut is the end of a test that the end of the run, or of its session, has kept from its own end.
func (w *worker) cut(t *Test, reason string) *TestDone {
	return &TestDone{Worker: w.id, Test: t, Outcome: Skipped, Reason: reason, At: w.begun, Took: time.Since(w.begun)}
}

var (
	threadLine = regexp.MustCompile(`^(Current )?[Tt]hread 0x\w+.*:$`)
	ownFrame   = regexp.MustCompile(`^  File "([^"]*execnet_go_worker\.py|<string>)"`)
	pluginLine = regexp.MustCompile(`^  File "(execnet/testrun/plugin|[^"]*[/\\](` + forkModule + `|` + pluginModule + `))\.py"`)
	// stderrShown is how many lines of stderr are shown if there is no report of a crash.
	stderrShown = 20
)

// crashReport is what Python's faulthandler has written, or the last lines of stderr. Frames and
// threads of the worker itself are left out.
func crashReport(lines []string) string {
	begin := -1
	for i, line := range lines {
		if strings.HasPrefix(line, "Fatal Python error: ") || strings.HasPrefix(line, "Timeout (") {
			begin = i
		}
	}
	if begin < 0 {
		return strings.TrimSpace(strings.Join(lines[max(0, len(lines)-stderrShown):], "\n"))
	}
	var out, thread []string
	inPlugin := false
	flush := func() {
		if len(thread) > 1 {
			out = append(out, thread...)
		}
		thread, inPlugin = nil, false
	}
	for _, line := range lines[begin:] {
		switch {
		case threadLine.MatchString(line):
			flush()
			thread = []string{line}
		case !strings.HasPrefix(line, "  File ") || thread == nil:
			flush()
			// Empty lines are between threads, which may have been left out.
			if line != "" || len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, line)
			}
		case ownFrame.MatchString(line) || inPlugin:
		case pluginLine.MatchString(line):
			inPlugin = true
		default:
			thread = append(thread, line)
		}
	}
	flush()
	return strings.TrimSpace(strings.Join(out, "\n"))
}
