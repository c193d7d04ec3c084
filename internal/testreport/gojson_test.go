package testreport

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

// goEvents are the events that are written for a run, as "action package test", and the output of
// each package and test. It checks what test2json promises.
func goEvents(t *testing.T, each bool, run ...testrun.Event) (actions []string, output map[string]string, other string) {
	t.Helper()
	var out, rest bytes.Buffer
	g := NewGoJSON(&out, &rest, each)
	for _, e := range run {
		g.Event(e)
	}
	require.NoError(t, g.End(End{}))
	output = map[string]string{}
	open := map[string]bool{}
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	for decoder.More() {
		var e goEvent
		require.NoError(t, decoder.Decode(&e))
		assert.False(t, e.Time.IsZero())
		require.NotEmpty(t, e.Package)
		name := strings.TrimSpace(e.Package + " " + e.Test)
		switch e.Action {
		case "start", "run":
			assert.False(t, open[name], "%s begins twice", name)
			open[name] = true
		case "output":
			assert.True(t, open[name], "output of %s before its beginning or behind its end", name)
			assert.True(t, strings.HasSuffix(e.Output, "\n"))
			output[name] += e.Output
			continue
		default:
			assert.True(t, open[name], "%s ends and has not begun", name)
			assert.NotNil(t, e.Elapsed)
			delete(open, name)
		}
		assert.True(t, open[e.Package] || e.Test == "", "%s outside its package", name)
		actions = append(actions, e.Action+" "+name)
	}
	assert.Empty(t, open, "not ended")
	return actions, output, rest.String()
}

// begun puts the beginning of each test before its end.
func begun(events []testrun.Event) (all []testrun.Event) {
	for _, e := range events {
		if _, ok := e.(*testrun.TestStarted); ok {
			continue
		}
		if d, ok := e.(*testrun.TestDone); ok {
			all = append(all, &testrun.TestStarted{Worker: d.Worker, Test: d.Test, At: time.Now()})
		}
		all = append(all, e)
	}
	return all
}

func TestGoJSON(t *testing.T) {
	actions, output, other := goEvents(t, false, begun(everything())...)
	assert.Equal(t, []string{
		"start c.py", "start d.py", "fail c.py", "skip d.py", "start a.py", "run a.py test_ok", "pass a.py test_ok",
		"run a.py C::test_bad[x::y]", "fail a.py C::test_bad[x::y]", "run a.py test_setup", "fail a.py test_setup",
		"run a.py test_both", "fail a.py test_both", "fail a.py", "start sub/b.py", "run sub/b.py test_skip", "skip sub/b.py test_skip",
		"run sub/b.py test_x", "skip sub/b.py test_x", "run sub/b.py test_X", "pass sub/b.py test_X", "pass sub/b.py",
	}, actions)
	assert.Equal(t, "=== RUN   C::test_bad[x::y]\n>   assert\nE   assert 1 == 2\n--- Captured stdout call ---\nsaid\n--- Captured log call ---\nlogged\n"+
		"--- FAIL: C::test_bad[x::y] (1.50s)\n", output["a.py C::test_bad[x::y]"])
	assert.Equal(t, "=== RUN   test_skip\n    skipped: not now\n--- SKIP: test_skip (1.50s)\n", output["sub/b.py test_skip"])
	assert.Equal(t, "=== RUN   test_ok\n--- PASS: test_ok (1.50s)\n", output["a.py test_ok"])
	assert.Contains(t, output["c.py"], "E   ImportError: no\nFAIL\tc.py\t")
	assert.Contains(t, output["sub/b.py"], "a.py:3: UserWarning: careful\n  warn()\n", "a warning of a test that is not running")
	assert.Equal(t, "a.py:3: UserWarning: careful\n  warn()\n", other, "a warning that came too late")
}

// A run that is ended early leaves nothing open.
func TestGoJSONEnds(t *testing.T) {
	crashed := done("gw0", "a.py::u")
	crashed.Outcome, crashed.Reason = testrun.Crashed, "killed"
	actions, output, other := goEvents(t, false, up("gw0"), &testrun.Collected{Tests: tests("a.py::t", "a.py::u", "b.py::v")},
		&testrun.Printed{Worker: "gw0", Text: "before"},
		&testrun.TestStarted{Worker: "gw0", Test: crashed.Test, At: time.Now()}, &testrun.Printed{Worker: "gw0", Text: "inside"},
		&testrun.Warning{Worker: "gw0", ID: "a.py::u", Category: "W", Message: "m"},
		&testrun.WorkerDown{Worker: "gw0", Err: errors.New("execnet: killed")}, crashed, &testrun.Notice{Text: "a sentence"})
	assert.Equal(t, []string{"start a.py", "run a.py u", "fail a.py u", "fail a.py"}, actions, "b.py was not begun")
	assert.Equal(t, "=== RUN   u\ninside\nW: m\nkilled\n--- FAIL: u (1.50s)\n", output["a.py u"])
	assert.Equal(t, "[gw0] before\n[gw0] killed\na sentence\n", other)
}

func TestGoJSONEach(t *testing.T) {
	problem := &testrun.CollectProblem{Worker: "gw1", ID: "c.py", Outcome: testrun.Failed, Text: "no"}
	actions, _, _ := goEvents(t, true, begun([]testrun.Event{up("gw0"), up("gw1"), problem, &testrun.Collected{Worker: "gw0", Tests: tests("a.py::t")},
		done("gw0", "a.py::t", "call passed"), &testrun.Collected{Worker: "gw1", Tests: tests("a.py::t")}, done("gw1", "a.py::t", "call failed: x")})...)
	assert.Equal(t, []string{"start gw1/c.py", "start gw0/a.py", "run gw0/a.py t", "pass gw0/a.py t", "pass gw0/a.py", "fail gw1/c.py",
		"start gw1/a.py", "run gw1/a.py t", "fail gw1/a.py t", "fail gw1/a.py"}, actions)
}

// An error of writing is not lost.
func TestGoJSONCannotWrite(t *testing.T) {
	g := NewGoJSON(fails{}, &bytes.Buffer{}, false)
	g.Event(&testrun.CollectProblem{ID: "a.py", Outcome: testrun.Failed})
	assert.ErrorContains(t, g.End(End{}), "full")
}

type fails struct{}

func (fails) Write([]byte) (int, error) { return 0, errors.New("full") }
