package testreport

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testrun"
)

// up is the start of a worker whose pytest has such options.
func up(worker string, options ...string) *testrun.WorkerUp {
	e := &testrun.WorkerUp{
		Worker: worker, Python: "3.12.1", Platform: "linux", Path: "/usr/bin/python3", Pytest: "8.4.2", Root: "/suite",
		Header: []string{"configfile: pytest.ini"}, Options: map[string]string{"reportchars": "fE", "tbstyle": "auto", "showcapture": "all"},
	}
	for i := 0; i < len(options); i += 2 {
		e.Options[options[i]] = options[i+1]
	}
	return e
}

func tests(ids ...string) []testrun.Test {
	all := make([]testrun.Test, len(ids))
	for i, id := range ids {
		all[i] = testrun.Test{ID: id, Path: fileOf(id), Line: i + 1}
	}
	return all
}

// done is the end of a test, whose phases are written as "setup passed" or "call failed: message".
func done(worker, id string, phases ...string) *testrun.TestDone {
	d := &testrun.TestDone{Worker: worker, Test: &testrun.Test{ID: id, Path: fileOf(id), Line: 3}, Outcome: testrun.Passed, Took: 1500 * time.Millisecond}
	for _, text := range phases {
		words, message, _ := strings.Cut(text, ": ")
		when, outcome, _ := strings.Cut(words, " ")
		phase := testrun.Phase{When: when, Outcome: testrun.Outcome(outcome), Took: 500 * time.Millisecond, Message: message}
		if outcome != "passed" {
			d.Outcome = phase.Outcome
			phase.Path, phase.Line = fileOf(id), 7
		}
		if phase.Outcome.Bad() {
			phase.Text = ">   assert\nE   " + message + "\n"
			phase.Sections = []testrun.Section{{Title: "Captured stdout " + when, Text: "said"}, {Title: "Captured log " + when, Text: "logged"}}
		} else if outcome != "passed" {
			d.Reason = message
		}
		d.Phases = append(d.Phases, phase)
	}
	return d
}

// everything is a run with every outcome.
func everything(options ...string) []testrun.Event {
	ids := []string{"a.py::test_ok", "a.py::C::test_bad[x::y]", "a.py::test_setup", "a.py::test_both", "sub/b.py::test_skip", "sub/b.py::test_x", "sub/b.py::test_X"}
	return []testrun.Event{
		up("gw0", options...), up("gw1", options...),
		&testrun.CollectProblem{Worker: "gw0", ID: "c.py", Outcome: testrun.Failed, Text: "E   ImportError: no", Message: "ImportError: no"},
		&testrun.CollectProblem{Worker: "gw0", ID: "d.py", Outcome: testrun.Skipped, Text: "Skipped: all of it", Path: "d.py", Line: 2, Message: "Skipped: all of it"},
		&testrun.Collected{Worker: "gw0", Tests: tests(ids...), Deselected: 2},
		&testrun.TestStarted{Worker: "gw0", Test: &testrun.Test{ID: ids[0]}, At: time.Now()},
		done("gw0", ids[0], "setup passed", "call passed", "teardown passed"),
		done("gw1", ids[1], "setup passed", "call failed: assert 1 == 2", "teardown passed"),
		done("gw0", ids[2], "setup error: no set-up", "teardown passed"),
		done("gw1", ids[3], "setup passed", "call failed: first", "teardown error: second"),
		done("gw0", ids[4], "setup skipped: not now", "teardown passed"),
		done("gw0", ids[5], "setup passed", "call xfailed: known", "teardown passed"),
		&testrun.Warning{Worker: "gw0", ID: ids[0], Category: "UserWarning", Message: "careful", Path: "a.py", Line: 3, Source: "warn()"},
		&testrun.Warning{Worker: "gw0", ID: ids[6], Category: "UserWarning", Message: "careful", Path: "a.py", Line: 3, Source: "warn()"},
		done("gw0", ids[6], "setup passed", "call xpassed: was known", "teardown passed"),
	}
}

// shown is what a terminal shows of a run, with the time replaced.
func shown(t *testing.T, o TerminalOptions, end End, events ...testrun.Event) string {
	t.Helper()
	var out bytes.Buffer
	if o.Width == 0 {
		o.Width = 80
	}
	report := NewTerminal(&out, o)
	for _, e := range events {
		report.Event(e)
	}
	assert.NoError(t, report.End(end))
	return regexp.MustCompile(`in [0-9.]+s`).ReplaceAllString(out.String(), "in 0.12s")
}

func TestTerminal(t *testing.T) {
	assert.Equal(t, `============================= test session starts ==============================
platform linux -- Python 3.12.1, pytest-8.4.2
rootdir: /suite
configfile: pytest.ini
workers: 2
collected 9 items / 1 error / 2 deselected / 1 skipped / 7 selected

.FEFEsxX                                                                 [100%]

==================================== ERRORS ====================================
____________________________ ERROR collecting c.py _____________________________
E   ImportError: no
_________________________ ERROR at setup of test_setup _________________________
[gw0] linux -- Python 3.12.1 /usr/bin/python3
>   assert
E   no set-up
---------------------------- Captured stdout setup -----------------------------
said
------------------------------ Captured log setup ------------------------------
logged
________________________ ERROR at teardown of test_both ________________________
[gw1] linux -- Python 3.12.1 /usr/bin/python3
>   assert
E   second
----------------------------- Captured stdout call -----------------------------
said
------------------------------ Captured log call -------------------------------
logged
--------------------------- Captured stdout teardown ---------------------------
said
---------------------------- Captured log teardown -----------------------------
logged
=================================== FAILURES ===================================
_______________________________ C.test_bad[x::y] _______________________________
[gw1] linux -- Python 3.12.1 /usr/bin/python3
>   assert
E   assert 1 == 2
----------------------------- Captured stdout call -----------------------------
said
------------------------------ Captured log call -------------------------------
logged
__________________________________ test_both ___________________________________
[gw1] linux -- Python 3.12.1 /usr/bin/python3
>   assert
E   first
----------------------------- Captured stdout call -----------------------------
said
------------------------------ Captured log call -------------------------------
logged
--------------------------- Captured stdout teardown ---------------------------
said
---------------------------- Captured log teardown -----------------------------
logged
=============================== warnings summary ===============================
a.py::test_ok
sub/b.py::test_X
  a.py:3: UserWarning: careful
    warn()

-- Docs: https://docs.pytest.org/en/stable/how-to/capture-warnings.html
=========================== short test summary info ============================
FAILED a.py::C::test_bad[x::y] - assert 1 == 2
FAILED a.py::test_both - first
ERROR c.py - ImportError: no
ERROR a.py::test_setup - no set-up
ERROR a.py::test_both - second
= 2 failed, 1 passed, 2 skipped, 2 deselected, 1 xfailed, 1 xpassed, 2 warnings, 3 errors in 0.12s =
`, shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, everything()...))
}

// Each of pytest's options that concern the output changes it as it does in pytest.
func TestTerminalOptions(t *testing.T) {
	for _, c := range []struct {
		options     string
		with, never []string
	}{
		{"verbose 1", []string{"pytest-8.4.2 -- /usr/bin/python3\n", "\n[gw0] [ 14%] PASSED a.py::test_ok\n", "\n[gw1] [ 57%] FAILED a.py::test_both\n[gw1] [ 57%] ERROR a.py::test_both\n",
			"[gw0] [ 71%] SKIPPED sub/b.py::test_skip (not now)\n", "[gw0] [100%] XPASS sub/b.py::test_X (was known)\n"}, []string{".FEFE"}},
		{"verbose -1", []string{"\n2 failed, 1 passed, 2 skipped, 2 deselected, 1 xfailed, 1 xpassed, 2 warnings, 3 errors in 0.12s\n", ".FEFEsxX  ", "= FAILURES ="},
			[]string{"session starts", "rootdir", "collected"}},
		{"verbose -2", []string{".FEFEsxX  ", "FAILED a.py::test_both - first\n"}, []string{"1 passed"}},
		{"no_header 1", []string{"session starts", "collected 9 items"}, []string{"rootdir", "platform", "workers:"}},
		{"no_summary 1", []string{".FEFEsxX  ", "= 2 failed, 1 passed"}, []string{"FAILURES", "warnings summary", "short test summary"}},
		{"tbstyle no", []string{"FAILED a.py::test_both - first\n"}, []string{"= FAILURES", "= ERRORS"}},
		{"tbstyle line", []string{"= FAILURES ===================================\n[gw1] linux -- Python 3.12.1 /usr/bin/python3\n>   assert\nE   assert 1 == 2\n", "\nlogged\na.py:7: first\n===", "ERROR at setup of test_setup"}, []string{"___ test_both ___"}},
		{"showcapture no", []string{"= FAILURES"}, []string{"Captured"}},
		{"showcapture log", []string{"Captured log call"}, []string{"Captured stdout"}},
		{"disable_warnings 1", []string{"2 warnings"}, []string{"warnings summary", "careful"}},
		{"reportchars A", []string{"PASSED a.py::test_ok\n", "SKIPPED [1] d.py:2: all of it\nSKIPPED [1] sub/b.py:7: not now\n", "XFAIL sub/b.py::test_x - known\n", "XPASS sub/b.py::test_X - was known\n"}, nil},
		{"reportchars S", []string{"SKIPPED [1] d.py:2: all of it\n"}, []string{"FAILED a.py", "XFAIL"}},
		{"reportchars N", []string{"= FAILURES"}, []string{"short test summary"}},
		{"durations 2", []string{"= slowest 2 durations ==============================\n0.50s setup    a.py::test_ok\n0.50s call     a.py::test_ok\n===="}, nil},
		{"durations 0 durations_min 0.6", []string{"= slowest durations ===============================\n\n(19 durations < 0.6s hidden.)\n"}, nil},
		{"durations 0 durations_min 0.6 verbose 2", []string{"(19 durations < 0.6s hidden.)\n"}, nil},
		{"durations 0 durations_min 0.4 verbose 2", []string{"0.50s teardown sub/b.py::test_X\n"}, []string{"hidden"}},
		{"console_output_style count", []string{".FEFEsxX" + strings.Repeat(" ", 65) + " [7/7]\n"}, []string{"%"}},
		{"console_output_style count verbose 1", []string{"[gw0] [1/7] PASSED"}, []string{"%"}},
		{"console_output_style classic", []string{"\n.FEFEsxX\n"}, []string{"%", "[7"}},
		{"capture no", []string{"\n.FEFEsxX\n"}, []string{"%"}},
		{"capture no console_output_style progress-even-when-capture-no", []string{"[100%]"}, nil},
		{"maxfail 5", nil, []string{"stopping"}},
	} {
		out := shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, everything(strings.Fields(c.options)...)...)
		for _, with := range c.with {
			assert.Contains(t, out, with, c.options)
		}
		for _, never := range c.never {
			assert.NotContains(t, out, never, c.options)
		}
	}
}

func TestTerminalColors(t *testing.T) {
	out := shown(t, TerminalOptions{Workers: 2, Color: true}, End{Code: 1}, everything("reportchars", "A")...)
	for _, want := range []string{
		"\x1b[1m============================= test session starts ==============================\x1b[0m\n",
		"\x1b[32m.\x1b[0m\x1b[31mF\x1b[0m\x1b[31mE\x1b[0m", "\x1b[33ms\x1b[0m\x1b[33mx\x1b[0m\x1b[33mX\x1b[0m", "\x1b[31m" + strings.Repeat(" ", 64) + " [100%]\x1b[0m\n",
		"\x1b[31m\x1b[1m__________________________________ test_both ___________________________________\x1b[0m\n",
		"\x1b[36m\x1b[1m=========================== short test summary info ============================\x1b[0m\n",
		"\x1b[31mFAILED\x1b[0m a.py::\x1b[1mtest_both\x1b[0m - first\n", "\x1b[33mSKIPPED\x1b[0m [1] d.py:2",
		"\x1b[31m= \x1b[0m\x1b[31m\x1b[1m2 failed\x1b[0m\x1b[31m, \x1b[0m\x1b[32m1 passed\x1b[0m",
		"\x1b[31m in 0.12s\x1b[0m\x1b[31m =\x1b[0m\n",
	} {
		assert.Contains(t, out, want)
	}
	plain := shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, everything("reportchars", "A")...)
	assert.Equal(t, plain, coloring.ReplaceAllString(out, ""), "colours change nothing else")
	green := shown(t, TerminalOptions{Workers: 1, Color: true}, End{}, up("gw0"), &testrun.Collected{Tests: tests("a.py::t")}, done("gw0", "a.py::t", "call passed"))
	assert.Contains(t, green, "\x1b[32m\x1b[1m1 passed\x1b[0m\x1b[32m in 0.12s\x1b[0m")
}

// Lines of letters end with the percentage at the right edge.
func TestTerminalManyTests(t *testing.T) {
	var ids []string
	for i := range 150 {
		ids = append(ids, fmt.Sprintf("a.py::test_%d", i))
	}
	events := []testrun.Event{up("gw0"), &testrun.Collected{Tests: tests(ids...)}}
	for _, id := range ids {
		events = append(events, done("gw0", id, "call passed"))
	}
	out := shown(t, TerminalOptions{Workers: 1}, End{}, events...)
	dots := strings.Repeat(".", 72)
	assert.Contains(t, out, "\n"+dots+" [ 48%]\n"+dots+" [ 96%]\n......"+strings.Repeat(" ", 66)+" [100%]\n\n")
	assert.NotContains(t, out, "[gw0]", "who has run it is no question with one worker")
}

// What is told depends on how the run has ended.
func TestTerminalEnds(t *testing.T) {
	some := []testrun.Event{up("gw0", "maxfail", "1"), &testrun.Collected{Tests: tests("a.py::t", "a.py::u")}, done("gw0", "a.py::t", "call failed: x")}
	assert.Contains(t, shown(t, TerminalOptions{}, End{Code: 1}, some...), "\n!!!!!!!!!!!!!!!!!!!!!!!!!! stopping after 1 failures !!!!!!!!!!!!!!!!!!!!!!!!!!!\n=")
	assert.Contains(t, shown(t, TerminalOptions{}, End{Code: 2, Interrupted: true}, some...),
		"\n!!!!!!!!!!!!!!!!!!!!!!!!!!!!!! KeyboardInterrupt !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!\n1 test of 2 ended, 1 did not run\n=")
	problem := &testrun.CollectProblem{ID: "c.py", Outcome: testrun.Failed, Text: "E   no", Message: "no"}
	out := shown(t, TerminalOptions{}, End{Code: 2}, up("gw0"), problem, &testrun.Collected{Tests: tests("a.py::t")})
	assert.Contains(t, out, "\n!!!!!!!!!!!!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!!!!!!!!!!!!\n=============================== 1 error in 0.12s ===============================\n")
	out = shown(t, TerminalOptions{}, End{Code: 5}, up("gw0"), &testrun.Collected{})
	assert.Contains(t, out, "collected 0 items\n\n\n============================ no tests ran in 0.12s =============================\n")
	assert.Empty(t, shown(t, TerminalOptions{}, End{Code: 4, Err: errors.New("x")}), "the error is all there is to tell")
	out = shown(t, TerminalOptions{}, End{XML: "/tmp/x.xml"}, some...)
	assert.Contains(t, out, "- generated xml file: /tmp/x.xml -")
}

// Which interpreter cannot collect something is told if there are different ones.
func TestTerminalWhoCannotCollect(t *testing.T) {
	problem := &testrun.CollectProblem{Worker: "gw1", ID: "c.py", Outcome: testrun.Failed, Text: "E   no", Message: "no"}
	old := up("gw1")
	old.Python = "3.8.18"
	line := "ERROR collecting c.py _____________________________\n[gw1] linux -- Python "
	assert.Contains(t, shown(t, TerminalOptions{Workers: 2}, End{Code: 2}, up("gw0"), old, problem), line+"3.8.18 /usr/bin/python3\nE   no\n")
	assert.Contains(t, shown(t, TerminalOptions{Workers: 2, Each: true}, End{Code: 2}, up("gw0"), up("gw1"), problem), line+"3.12.1")
	assert.NotContains(t, shown(t, TerminalOptions{Workers: 2}, End{Code: 2}, up("gw0"), up("gw1"), problem), "[gw1]")
}

// With -p no:terminal there is nothing but what tests print themselves.
func TestTerminalSilent(t *testing.T) {
	assert.Empty(t, shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, everything("no_terminal", "1")...))
	out := shown(t, TerminalOptions{Workers: 1}, End{}, up("gw0", "no_terminal", "1"), &testrun.Printed{Worker: "gw0", Text: "hello"}, &testrun.Notice{Text: "told"})
	assert.Equal(t, "hello\n", out)
}

func TestTerminalCollectOnly(t *testing.T) {
	only := func(e *testrun.Collected, options ...string) string {
		return shown(t, TerminalOptions{Workers: 1}, End{}, up("gw0", append(options, "collectonly", "1")...), e)
	}
	out := only(&testrun.Collected{Worker: "gw0", Tests: tests("a.py::t", "b.py::C::u[1]")})
	assert.Contains(t, out, "collected 2 items\n\na.py::t\nb.py::C::u[1]\n\n========================== 2 tests collected in 0.12s ==========================\n")
	out = only(&testrun.Collected{Worker: "gw0", Tests: tests("a.py::t"), Deselected: 3}, "verbose", "-1")
	assert.Equal(t, "a.py::t\n\n1/4 tests collected (3 deselected) in 0.12s\n", out)
	assert.Contains(t, only(&testrun.Collected{Worker: "gw0", Deselected: 3}), "= no tests collected (3 deselected) in 0.12s =")
	assert.Contains(t, only(&testrun.Collected{Worker: "gw0"}), "= no tests collected in 0.12s =")
}

// What happens to workers stands on lines of its own between the letters.
func TestTerminalWorkers(t *testing.T) {
	crashed := done("gw0", "a.py::u")
	crashed.Outcome, crashed.Reason = testrun.Crashed, "killed by signal 11"
	again := done("gw1", "a.py::v", "call passed")
	again.Reruns = 2
	out := shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, up("gw0"), &testrun.Notice{Text: "workers are not forked"},
		up("gw1"), &testrun.Collected{Tests: tests("a.py::t", "a.py::u", "a.py::v")}, done("gw0", "a.py::t", "call passed"),
		&testrun.Printed{Worker: "gw1", Text: "hello\n"},
		&testrun.WorkerDown{Worker: "gw0", Err: errors.New("execnet: killed by signal 11"), Replaced: "gw2"}, crashed, again)
	assert.Contains(t, out, "workers: 2\nworkers are not forked\ncollected 3 items\n\n.\n[gw1] hello\n[gw0] killed by signal 11\n[gw0] gw2 takes its place\nFRR.")
	assert.Contains(t, out, "___ u ___")
	assert.Contains(t, out, "FAILED a.py::u - killed by signal 11\n")
	assert.Contains(t, out, "= 1 failed, 2 passed, 2 rerun in 0.12s =")
	out = shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, up("gw0"), &testrun.WorkerDown{Worker: "gw0", Err: errors.New("killed"), AtLimit: true})
	assert.Contains(t, out, "[gw0] killed\n[gw0] no other one takes its place: --max-worker-restart allows no more\n")
	died := &gatewaybase.GatewayDiedError{ID: "gw0", Exit: gatewaybase.Exit{Known: true, Code: 3, Stderr: "told before"}}
	out = shown(t, TerminalOptions{Workers: 2}, End{Code: 1}, up("gw0"), &testrun.WorkerDown{Worker: "gw0", Err: died})
	assert.Contains(t, out, "[gw0] gateway gw0 died (exit status 3)\n")
	assert.NotContains(t, out, "told before")
	alone := shown(t, TerminalOptions{Workers: 1}, End{}, up("gw0"), &testrun.Collected{Tests: tests("a.py::t")}, &testrun.Printed{Worker: "gw0", Text: "hello"})
	assert.Contains(t, alone, "\nhello\n")
}

// With -q, what a run lacks is told nevertheless.
func TestTerminalQuietNotices(t *testing.T) {
	quiet := up("gw0")
	quiet.Options = map[string]string{"verbose": "-1"}
	out := shown(t, TerminalOptions{Workers: 1}, End{}, quiet, &testrun.Notice{Text: "not forked", Minor: true}, &testrun.Notice{Text: "not kept"},
		&testrun.Collected{Tests: tests("a.py::t")}, done("gw0", "a.py::t", "call passed"), &testrun.Notice{Text: "not written"}, &testrun.Notice{Text: "by the way", Minor: true})
	assert.Contains(t, out, "not kept\n.")
	assert.Contains(t, out, "\nnot written\n")
	assert.NotContains(t, out, "not forked")
	assert.NotContains(t, out, "by the way")
}

func TestTerminalEach(t *testing.T) {
	old := up("gw0")
	old.Python = "3.8.18"
	ids := []string{"a.py::same", "a.py::differs", "a.py::only_new"}
	out := shown(t, TerminalOptions{Workers: 2, Each: true}, End{Code: 1}, old, &testrun.Collected{Worker: "gw0", Tests: tests(ids[:2]...)},
		up("gw1"), &testrun.Collected{Worker: "gw1", Tests: tests(ids...)},
		done("gw0", ids[0], "call passed"), done("gw1", ids[0], "call passed"), done("gw0", ids[1], "call failed: x"), done("gw1", ids[1], "call passed"),
		done("gw1", ids[2], "call skipped: no"))
	assert.Contains(t, out, "[gw0] platform linux -- Python 3.8.18, pytest-8.4.2 -- /usr/bin/python3\n[gw1] platform linux -- Python 3.12.1")
	assert.Contains(t, out, `============================= tests by interpreter =============================
                gw0     gw1
                3.8.18  3.12.1
a.py::differs   FAILED  passed
a.py::only_new  -       skipped
passed          1       2
failed          1       0
skipped         0       1
not run         1       0
time            3.00s   4.50s
`)
	assert.Contains(t, out, "FAILED [gw0] a.py::differs - x\n")
	assert.Contains(t, out, "collected 3 items\n")

	// One interpreter may have ended its tests before another one has collected.
	collected := func(worker string) *testrun.Collected {
		return &testrun.Collected{Worker: worker, Tests: tests(ids[:2]...)}
	}
	out = shown(t, TerminalOptions{Workers: 2, Each: true}, End{}, up("gw0"), collected("gw0"), done("gw0", ids[0], "call passed"),
		done("gw0", ids[1], "call passed"), up("gw1"), collected("gw1"), done("gw1", ids[0], "call passed"), done("gw1", ids[1], "call passed"))
	assert.Regexp(t, `(?m)^\.{4} +\[100%\]$`, out)
}

// The short summary cuts what does not fit, unless that is for a file of a CI system or for -vv.
func TestTerminalLongMessages(t *testing.T) {
	message := strings.Repeat("long ", 30)
	bad := done("gw0", "a.py::t", "call failed: "+message)
	bad.Phases[0].Explanation = message + "\nmore"
	events := func(options ...string) []testrun.Event {
		return []testrun.Event{up("gw0", options...), &testrun.Collected{Tests: tests("a.py::t")}, bad}
	}
	assert.Contains(t, shown(t, TerminalOptions{}, End{}, events()...), "\nFAILED a.py::t - "+message[:60]+"...\n")
	assert.Contains(t, shown(t, TerminalOptions{CI: true}, End{}, events()...), "\nFAILED a.py::t - "+message+"\nmore\n")
	assert.Contains(t, shown(t, TerminalOptions{}, End{}, events("verbose", "2")...), "\nFAILED a.py::t - "+message+"\nmore\n")
	assert.Contains(t, shown(t, TerminalOptions{Width: 40}, End{}, events()...), "\nFAILED a.py::t - "+message[:20]+"...\n")
	assert.Empty(t, trimmed("x", 5))
	assert.Equal(t, " - 漢字...", trimmed("漢字漢字", 10), "wide characters take two columns")
}

func TestTerminalManyWarnings(t *testing.T) {
	events := []testrun.Event{up("gw0"), &testrun.Collected{Tests: tests("a.py::t")}}
	for i := range 11 {
		events = append(events, &testrun.Warning{ID: fmt.Sprintf("%c.py::t%d", 'a'+i%2, i), Category: "W", Message: "m"})
	}
	events = append(events, &testrun.Warning{Category: "W", Message: "of no test", Path: "/x.py", Line: 1})
	assert.Contains(t, shown(t, TerminalOptions{}, End{}, events...), "\na.py: 6 warnings\nb.py: 5 warnings\n  W: m\n\n/x.py:1: W: of no test\n\n-- Docs")
}

// What takes next to no time is left out unless -vv is given.
func TestTerminalShortDurations(t *testing.T) {
	quick := done("gw0", "a.py::t", "call passed")
	quick.Phases[0].Took = time.Millisecond
	events := func(options ...string) []testrun.Event {
		return []testrun.Event{up("gw0", append(options, "durations", "0")...), &testrun.Collected{Tests: tests("a.py::t")}, quick}
	}
	assert.Contains(t, shown(t, TerminalOptions{}, End{}, events()...), "\n(1 durations < 0.005s hidden.  Use -vv to show these durations.)\n")
	assert.Contains(t, shown(t, TerminalOptions{}, End{}, events("verbose", "2")...), "\n0.00s call     a.py::t\n")
}

func TestLasted(t *testing.T) {
	for d, want := range map[time.Duration]string{
		120 * time.Millisecond: "0.12s", 59 * time.Second: "59.00s", 61500 * time.Millisecond: "61.50s (0:01:01)",
		26*time.Hour + 3*time.Second: "93603.00s (1 day, 2:00:03)",
	} {
		assert.Equal(t, want, lasted(d))
	}
}
