package testrun_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

const outcomes = `
import pytest, warnings

def test_pass():
    print("said"); assert True

def test_fail():
    print("before")
    x = 1
    assert x == 2

@pytest.fixture
def broken():
    raise RuntimeError("no set-up")

@pytest.fixture
def leaves():
    yield
    raise RuntimeError("no tear-down")

def test_setup(broken): pass
def test_teardown(leaves): pass

@pytest.mark.skip(reason="not now")
def test_skip(): pass

def test_skipped_inside():
    pytest.skip("inside")

@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0

@pytest.mark.xfail(reason="was known")
def test_xpass(): pass

@pytest.mark.xfail(strict=True, reason="must fail")
def test_strict(): pass

@pytest.mark.parametrize("lang", ["eu", "a b", "\u00e4"])
def test_lang(lang): assert lang != "eu"

class TestLogin:
    def test_in(self): pass
    class TestDeep:
        def test_deep(self, record_property):
            record_property("key", 5)

def test_warns():
    warnings.warn("old thing", DeprecationWarning)
`

func TestOutcomes(t *testing.T) {
	r := runFiles(t, 2, files{"api/test_it.py": outcomes, "api/doc.txt": ">>> 1 + 1\n2\n>>> 1 + 1\n3\n"}, testrun.Config{Args: []string{"--doctest-glob=*.txt"}})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.TestsFailed, r.code)
	assert.Equal(t, map[string]testrun.Outcome{
		"api/doc.txt::doc.txt":                           testrun.Failed,
		"api/test_it.py::test_pass":                      testrun.Passed,
		"api/test_it.py::test_fail":                      testrun.Failed,
		"api/test_it.py::test_setup":                     testrun.Error,
		"api/test_it.py::test_teardown":                  testrun.Error,
		"api/test_it.py::test_skip":                      testrun.Skipped,
		"api/test_it.py::test_skipped_inside":            testrun.Skipped,
		"api/test_it.py::test_xfail":                     testrun.XFailed,
		"api/test_it.py::test_xpass":                     testrun.XPassed,
		"api/test_it.py::test_strict":                    testrun.Failed,
		"api/test_it.py::test_lang[eu]":                  testrun.Failed,
		"api/test_it.py::test_lang[a b]":                 testrun.Passed,
		`api/test_it.py::test_lang[\xe4]`:                testrun.Passed,
		"api/test_it.py::TestLogin::test_in":             testrun.Passed,
		"api/test_it.py::TestLogin::TestDeep::test_deep": testrun.Passed,
		"api/test_it.py::test_warns":                     testrun.Passed,
	}, r.outcomes(t))

	fail := r.test(t, "api/test_it.py::test_fail")
	require.Len(t, fail.Phases, 3)
	call := fail.Phases[1]
	assert.Equal(t, "api/test_it.py", call.Path)
	assert.Equal(t, 10, call.Line)
	assert.Equal(t, "assert 1 == 2", call.Message)
	assert.Contains(t, call.Text, "E       assert 1 == 2")
	assert.Equal(t, []testrun.Section{{"Captured stdout call", "before"}}, call.Sections)
	assert.Equal(t, 7, fail.Test.Line)
	assert.Equal(t, "api/test_it.py", fail.Test.Path)
	assert.Equal(t, "RuntimeError: no set-up", r.test(t, "api/test_it.py::test_setup").Phases[0].Message)
	assert.Equal(t, "not now", r.test(t, "api/test_it.py::test_skip").Reason)
	assert.Equal(t, "inside", r.test(t, "api/test_it.py::test_skipped_inside").Reason)
	assert.Equal(t, "known", r.test(t, "api/test_it.py::test_xfail").Reason)
	assert.Equal(t, "was known", r.test(t, "api/test_it.py::test_xpass").Reason)
	assert.Equal(t, [][2]string{{"key", "5"}}, r.test(t, "api/test_it.py::TestLogin::TestDeep::test_deep").Properties)
	warned := of[*testrun.Warning](r)
	require.Len(t, warned, 1)
	assert.Equal(t, "old thing", warned[0].Message)
	assert.Equal(t, "DeprecationWarning", warned[0].Category)
	assert.Equal(t, "api/test_it.py", warned[0].Path)
	assert.Len(t, of[*testrun.WorkerUp](r), 2)
	collected := of[*testrun.Collected](r)
	require.Len(t, collected, 1)
	assert.Len(t, collected[0].Tests, 16)
}
