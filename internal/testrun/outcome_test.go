package testrun_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/internal/testsupport/suites"
)

func TestOutcomes(t *testing.T) {
	r := runFiles(t, 2, files{"api/test_it.py": suites.Outcomes, "api/doc.txt": ">>> 1 + 1\n2\n>>> 1 + 1\n3\n"}, testrun.Config{Args: []string{"--doctest-glob=*.txt"}})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.TestsFailed, r.code)
	want := suites.Ended("api/test_it.py")
	want["api/doc.txt::doc.txt"] = testrun.Failed
	assert.Equal(t, want, r.outcomes(t))

	fail := r.test(t, "api/test_it.py::test_fail")
	require.Len(t, fail.Phases, 3)
	call := fail.Phases[1]
	assert.Equal(t, "api/test_it.py", call.Path)
	assert.Equal(t, suites.Line("assert x == 2"), call.Line)
	assert.Equal(t, "assert 1 == 2", call.Message)
	assert.Contains(t, call.Text, "E       assert 1 == 2")
	assert.Equal(t, []testrun.Section{{"Captured stdout call", "said before"}, {"Captured stderr call", "an error line"},
		{"Captured log call", fmt.Sprintf("WARNING  api:test_it.py:%d logged", suites.Line(`.warning("logged")`))}}, call.Sections)
	assert.Equal(t, suites.Line("def test_fail"), fail.Test.Line)
	assert.Equal(t, "api/test_it.py", fail.Test.Path)
	assert.Equal(t, "RuntimeError: no set-up", r.test(t, "api/test_it.py::test_setup").Phases[0].Message)
	assert.Equal(t, "not now", r.test(t, "api/test_it.py::test_skip").Reason)
	assert.Equal(t, "later", r.test(t, "api/test_it.py::test_skip_inside").Reason)
	assert.Equal(t, "known", r.test(t, "api/test_it.py::test_xfail").Reason)
	assert.Equal(t, "was known", r.test(t, "api/test_it.py::test_xpass").Reason)
	assert.Equal(t, [][2]string{{"answer", "42"}}, r.test(t, "api/test_it.py::TestLogin::TestDeep::test_deep").Properties)
	warned := of[*testrun.Warning](r)
	require.Len(t, warned, 1)
	assert.Equal(t, "old thing", warned[0].Message)
	assert.Equal(t, "UserWarning", warned[0].Category)
	assert.Equal(t, "api/test_it.py", warned[0].Path)
	assert.Len(t, of[*testrun.WorkerUp](r), 2)
	collected := of[*testrun.Collected](r)
	require.Len(t, collected, 1)
	assert.Len(t, collected[0].Tests, len(want))
}
