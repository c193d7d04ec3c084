package testrun_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// What keeps a suite from being run is an error or an exit code, and says why.
func TestNotRun(t *testing.T) {
	for name, c := range map[string]struct {
		files   files
		args    []string
		code    testrun.ExitCode
		problem string
		tests   int
	}{
		"no tests":        {files: files{"test_it.py": ""}, code: testrun.NoTests},
		"all deselected":  {files: files{"test_it.py": "def test_a(): pass"}, args: []string{"-k", "nothing"}, code: testrun.NoTests},
		"bad option":      {files: files{"test_it.py": "def test_a(): pass"}, args: []string{"--bad-option"}, code: testrun.UsageError, problem: "--bad-option"},
		"no such file":    {files: files{}, args: []string{"missing.py"}, code: testrun.UsageError, problem: "missing.py"},
		"broken conftest": {files: files{"conftest.py": "import missing_module\n"}, code: testrun.UsageError, problem: "missing_module"},
		"broken hook": {files: files{"conftest.py": "def pytest_sessionstart(session): raise RuntimeError('broken start')\n"},
			code: testrun.Internal, problem: "broken start"},
		"sys.exit in conftest": {files: files{"conftest.py": "import sys\nsys.exit(7)\n"}, code: testrun.UsageError, problem: "conftest.py\", line 2"},
		"os._exit in conftest": {files: files{"conftest.py": "import os\nos._exit(7)\n"},
			code: testrun.Internal, problem: "collecting there: gateway gw"},
		"pytest.exit in conftest": {files: files{"conftest.py": "import pytest\npytest.exit('not here')\n"},
			code: testrun.UsageError, problem: "not here"},
		"sys.exit in a file": {files: files{"test_it.py": "import sys\nsys.exit(7)\n"}, code: testrun.Internal, problem: "SystemExit: 7"},
		"end of a session that fails": {files: files{"test_it.py": "def test_a(): pass", "conftest.py": "def pytest_sessionfinish(session): raise RuntimeError('broken end')\n"},
			code: testrun.Internal, problem: "broken end", tests: 1},
		"sys.exit at the end": {files: files{"test_it.py": "def test_a(): pass", "conftest.py": "import sys\ndef pytest_sessionfinish(session): sys.exit(5)\n"},
			code: testrun.Internal, problem: "SystemExit: 5", tests: 1},
		"unconfigure fails": {files: files{"test_it.py": "def test_a(): pass", "conftest.py": "def pytest_unconfigure(config): 1/0\n"},
			code: testrun.Internal, problem: "ZeroDivisionError", tests: 1},
		"another exit code": {files: files{"test_it.py": "def test_a(): pass", "conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 77\n"}, code: 77, tests: 1},
		"pytest.exit":       {files: files{"test_it.py": "import pytest\ndef test_a(): pytest.exit('enough', returncode=7)"}, code: 7, tests: 1},
		"collect only":      {files: files{"test_it.py": "def test_a(): pass"}, args: []string{"--collect-only"}, code: testrun.OK},
		"option x": {files: files{"test_it.py": "def test_a(): assert 0\ndef test_b(): pass\ndef test_c(): pass"}, args: []string{"-x"},
			code: testrun.TestsFailed, tests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			// Two workers are forked.
			for workers := 1; workers == 1 || workers == 2 && c.problem != ""; workers++ {
				r := runFiles(t, workers, c.files, testrun.Config{Args: c.args})
				assert.Equal(t, c.code, r.code, "%v", r.err)
				if c.problem != "" {
					require.Error(t, r.err)
					assert.Contains(t, r.err.Error(), c.problem)
					assert.NotContains(t, r.printed(), c.problem) // or it is told twice
				} else {
					assert.NoError(t, r.err)
				}
				assert.Len(t, r.outcomes(t), c.tests)
			}
		})
	}
}

// Errors of collection end the run before the first test. Skipped parts do not.
func TestCollectionProblems(t *testing.T) {
	suite := files{
		"test_bad.py":  "import missing_module\n",
		"test_good.py": "def test_a(): pass\n",
		"test_skip.py": "import pytest\npytest.skip('not here', allow_module_level=True)\n",
	}
	r := runFiles(t, 2, suite, testrun.Config{})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.Interrupted, r.code)
	assert.Empty(t, r.outcomes(t))
	problems := of[*testrun.CollectProblem](r)
	require.Len(t, problems, 2)
	assert.Equal(t, "test_bad.py", problems[0].ID)
	assert.Equal(t, testrun.Failed, problems[0].Outcome)
	assert.Contains(t, problems[0].Message, "missing_module")
	assert.Contains(t, problems[0].Text, "import missing_module")
	assert.Equal(t, "test_skip.py", problems[1].ID)
	assert.Equal(t, testrun.Skipped, problems[1].Outcome)
	assert.Contains(t, problems[1].Message, "not here")
	assert.Equal(t, 2, problems[1].Line)

	r = runFiles(t, 2, suite, testrun.Config{Args: []string{"--continue-on-collection-errors"}})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.TestsFailed, r.code)
	assert.Len(t, r.outcomes(t), 1)
}

func TestOnlyFiles(t *testing.T) {
	suite := files{
		"api/test_a b.py":    "def test_a(): pass\n",
		"api/test_(c).py":    "def test_c(): pass\n",
		"api/x/test_a b.py":  "raise RuntimeError('is not imported')\n",
		"api/test_a_b.py.py": "raise RuntimeError('is not imported')\n",
		"test_a b.py":        "raise RuntimeError('is not imported')\n",
	}
	for _, c := range []struct{ files, want []string }{
		{[]string{"api/test_a b.py"}, []string{"api/test_a b.py::test_a"}},
		{[]string{"api/test_a b.py", "api/test_(c).py"}, []string{"api/test_(c).py::test_c", "api/test_a b.py::test_a"}},
		{[]string{"api/test_d.py"}, nil},
	} {
		r := runFiles(t, 1, suite, testrun.Config{Select: testrun.OnlyFiles(c.files...)})
		require.NoError(t, r.err)
		var got []string
		for _, x := range of[*testrun.Collected](r)[0].Tests {
			got = append(got, x.ID)
		}
		assert.Equal(t, c.want, got)
		assert.Len(t, r.outcomes(t), len(c.want))
	}
}

// Suites that were made for pytest-xdist find what they look for.
func TestMadeForXdist(t *testing.T) {
	r := runFiles(t, 2, files{
		"pytest.ini": "[pytest]\naddopts = -n 3 --dist loadscope --strict-markers\n",
		"conftest.py": `
def pytest_xdist_auto_num_workers(config): return 5
def pytest_configure_node(node): pass
def pytest_configure(config): config.at_configure = config.workerinput["workerid"]
`,
		"test_it.py": `
import os, pytest, sys
@pytest.mark.xdist_group("a")
@pytest.mark.parametrize("i", range(10))
def test_it(i, worker_id, testrun_uid, request):
    assert worker_id == os.environ["PYTEST_XDIST_WORKER"] == request.config.workerinput["workerid"]
    assert request.config.at_configure == worker_id
    assert worker_id in ("gw0", "gw1")
    assert testrun_uid == os.environ["PYTEST_XDIST_TESTRUNUID"] == request.config.workerinput["testrunuid"]
    assert os.environ["PYTEST_XDIST_WORKER_COUNT"] == "2"
    assert request.config.workerinput["workercount"] == 2
    assert request.config.workerinput["mainargv"] == sys.argv
    request.config.workeroutput["x"] = 1
    assert request.config.pluginmanager.getplugin("terminalreporter").config is request.config
`}, testrun.Config{})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.OK, r.code, "%+v", of[*testrun.TestDone](r))
	assert.Len(t, r.outcomes(t), 10)
}

// What a suite says of the distribution of its tests counts, if nobody else does.
func TestDistOfTheSuite(t *testing.T) {
	suite := files{"pytest.ini": "[pytest]\naddopts = --dist loadfile\n"}
	for _, name := range []string{"a", "b", "c"} {
		suite["test_"+name+".py"] = "import pytest, time\n@pytest.mark.parametrize('i', range(8))\ndef test_it(i): time.sleep(0.05)\n"
	}
	inFiles := func(r result) bool {
		workers := map[string]map[string]bool{}
		for _, d := range of[*testrun.TestDone](r) {
			if workers[d.Test.Path] == nil {
				workers[d.Test.Path] = map[string]bool{}
			}
			workers[d.Test.Path][d.Worker] = true
		}
		return len(workers["test_a.py"]) == 1 && len(workers["test_b.py"]) == 1 && len(workers["test_c.py"]) == 1
	}
	withXdist := "popen//python=" + pythons.WithExecnet(t) + "//env:PYTHONPATH=" + pythons.Pytest(t, "xdist")
	for _, spec := range []string{"popen//python=" + pythons.WithExecnet(t) + "//env:PYTEST_ADDOPTS=-p no:xdist", withXdist} {
		r := runFiles(t, 0, suite, testrun.Config{Specs: specs(t, 2, spec)})
		require.NoError(t, r.err)
		assert.Equal(t, testrun.OK, r.code)
		assert.Len(t, r.outcomes(t), 24)
		assert.True(t, inFiles(r), spec)
	}
	suite["pytest.ini"] = "[pytest]\naddopts = --dist each\n"
	r := runFiles(t, 0, suite, testrun.Config{Specs: specs(t, 2, withXdist)})
	assert.Len(t, r.outcomes(t), 24)
	assert.Contains(t, of[*testrun.Notice](r), &testrun.Notice{Text: "--dist each in the suite's options has no effect"})
}

// A test that a plugin runs again is told once.
func TestReruns(t *testing.T) {
	r := runFiles(t, 2, files{
		"conftest.py": `
from _pytest.runner import runtestprotocol
def pytest_runtest_protocol(item, nextitem):
    if item.name == "test_flaky":
        for i in range(3):
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if report.failed:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
        return True
`,
		"test_it.py": `
runs = []
def test_flaky():
    runs.append(1)
    print("run", len(runs))
    assert len(runs) == 3
def test_other(): pass
`}, testrun.Config{})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.OK, r.code)
	flaky := r.test(t, "test_it.py::test_flaky")
	assert.Equal(t, testrun.Passed, flaky.Outcome)
	assert.Equal(t, 2, flaky.Reruns)
	require.Len(t, flaky.Phases, 3)
	assert.Equal(t, "setup", flaky.Phases[0].When)
	assert.Len(t, r.outcomes(t), 2)
}

// replaceQueue is a part of a conftest.py. The plugin's queue gets the class that the function
// derived, which stands in front of this, makes from its own.
const replaceQueue = `
def pytest_configure(config):
    for plugin in config.pluginmanager.get_plugins():
        queue = getattr(plugin, "queue", None)
        if hasattr(queue, "complete"):
            queue.__class__ = derived(type(queue))
`

// TestAPluginThatRunsTests has a plugin that runs a test in a way of its own, as pytest-forked does
// when a test crashes.
func TestAPluginThatRunsTests(t *testing.T) {
	r := runFiles(t, 1, files{"test_it.py": "def test_a(): pass\n", "conftest.py": `
from _pytest.reports import TestReport

def pytest_runtest_protocol(item, nextitem):
    report = TestReport(item.nodeid, item.location, {}, "failed", "killed by signal 11", "???")
    item.ihook.pytest_runtest_logreport(report=report)
    return True
`}, testrun.Config{})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.TestsFailed, r.code)
	assert.Equal(t, map[string]testrun.Outcome{"test_it.py::test_a": testrun.Failed}, r.outcomes(t))
}

// The order to stop may come after a worker has looked whether it has, and before it waits. Here it
// comes as another worker's test fails. The worker ends its session then, and is not killed.
func TestStopBeforeTheWorkerWaits(t *testing.T) {
	folder := t.TempDir()
	r := runFiles(t, 2, files{
		"conftest.py": fmt.Sprintf(`
import os, time
folder, ran = %q, []
def derived(queue):
    class Late(queue):
        def next(self):
            if ran:
                open(os.path.join(folder, "between"), "w").close()
                while not self.stopped:
                    time.sleep(0.01)
            return super(Late, self).next()
    return Late
def pytest_sessionfinish():
    open(os.path.join(folder, "_".join(ran) or "none"), "w").close()
`, folder) + replaceQueue,
		"test_it.py": fmt.Sprintf(`
import os, pytest, time
from conftest import ran
def test_failing():
    while not os.path.exists(os.path.join(%q, "between")):
        time.sleep(0.01)
    assert 0
@pytest.mark.parametrize("n", range(4))
def test_passing(n):
    ran[:] = ["passed"]
`, folder),
	}, testrun.Config{NoFork: true, MaxFail: 1})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.Failed, r.outcomes(t)["test_it.py::test_failing"])
	assert.FileExists(t, filepath.Join(folder, "passed"), "the session of the other worker has ended in order")
}

// The driver may ask for a test back that pytest in the worker has been told of as the next one. It
// stays there then.
func TestWhatFollowsIsNotGivenBack(t *testing.T) {
	r := runFiles(t, 1, files{
		"conftest.py": `
asked = []
def derived(queue):
    class Asked(queue):
        def next(self):
            pair = super(Asked, self).next()
            if pair is not None and pair[1] is not None:
                asked.append(self.remove([pair[1]]))
            return pair
    return Asked
` + replaceQueue,
		"test_it.py": `
import pytest
from conftest import asked
@pytest.mark.parametrize("n", range(4))
def test_a(n):
    assert not any(asked)
    assert len(asked) >= min(n + 1, 3)
`,
	}, testrun.Config{NoFork: true})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.OK, r.code)
	assert.Len(t, r.outcomes(t), 4)
}
