package pytest_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/pytest"
)

// selectable is a suite whose files tell that they are imported. Two cannot be.
var selectable = files{
	"test_api.py": "import told\n" + `
class TestLogin:
    def test_expired(self): pass
    def test_expired_long_ago(self): pass
class TestLogout:
    def test_expired(self): pass
def test_api(): pass
`,
	"test_web.py":          "import told\ndef test_web(): pass\n",
	"deep/down/test_a.py":  "import told\nimport pytest\n@pytest.mark.parametrize('x', ['a b', 'a_b', 'c'])\ndef test_x(x): pass\n",
	"deep/test_down.py":    "import told\ndef test_y(): pass\n",
	"deep/conftest.py":     "import told\n",
	"test_broken.py":       "import told, no_such_module\n",
	"broken/test_none.py":  "import told, no_such_module\n",
	"told.py":              "",
	"conftest.py":          "import sys, os\nsys.path.insert(0, os.path.dirname(__file__))\n" + tells,
	"broken/conftest.py":   "import told\n",
	"test_explicit_one.py": "import told\ndef test_1(): pass\n",
}

// tells prints the names of test files when they are imported, past pytest's capturing.
const tells = `
def pytest_collectreport(report):
    if report.nodeid.endswith(".py"):
        os.write(2, ("collected " + report.nodeid + "\n").encode())
`

// collected are the files that printed lines say were imported.
func collected(printed string) []string {
	all := map[string]bool{}
	for line := range strings.Lines(printed) {
		if _, name, ok := strings.Cut(line, "] collected "); ok {
			all[strings.TrimSpace(name)] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func TestRunAndSkip(t *testing.T) {
	dir := selectable.Write(t)
	for _, c := range []struct {
		flags     []string
		args      []string
		collected []string
		ended     map[string]string
	}{
		{[]string{"-test.run=TestPython/test_api.py/TestLogin/test_expired$"}, nil, []string{"test_api.py"}, map[string]string{
			"": "PASS", "/test_api.py": "PASS", "/test_api.py/TestLogin": "PASS", "/test_api.py/TestLogin/test_expired": "PASS",
		}},
		{[]string{`-test.run=^\QTestPython\E$/^\Qtest_api.py\E$/^\QTestLogin\E$`}, nil, []string{"test_api.py"}, map[string]string{
			"": "PASS", "/test_api.py": "PASS", "/test_api.py/TestLogin": "PASS", "/test_api.py/TestLogin/test_expired": "PASS",
			"/test_api.py/TestLogin/test_expired_long_ago": "PASS",
		}},
		{[]string{"-test.run=TestPython/deep/^down$/.*/test_x/a_b#01"}, nil, []string{"deep/down/test_a.py"}, map[string]string{
			"": "PASS", "/deep/down/test_a.py": "PASS", "/deep/down/test_a.py/test_x": "PASS", "/deep/down/test_a.py/test_x/a_b#01": "PASS",
		}},
		{[]string{"-test.run=TestPython/test_web|TestPython/deep/test_down"}, nil, []string{"deep/test_down.py", "test_web.py"}, map[string]string{
			"": "PASS", "/test_web.py": "PASS", "/test_web.py/test_web": "PASS", "/deep/test_down.py": "PASS", "/deep/test_down.py/test_y": "PASS",
		}},
		{[]string{"-test.skip=TestPython/.*broken|TestPython/deep/^down$|TestPython/test_api.py/TestLog"}, nil,
			[]string{"deep/test_down.py", "test_api.py", "test_explicit_one.py", "test_web.py"}, map[string]string{
				"": "PASS", "/test_web.py": "PASS", "/test_web.py/test_web": "PASS", "/deep/test_down.py": "PASS", "/deep/test_down.py/test_y": "PASS",
				"/test_api.py": "PASS", "/test_api.py/test_api": "PASS", "/test_explicit_one.py": "PASS", "/test_explicit_one.py/test_1": "PASS",
			}},
		{[]string{"-test.run=TestPython/no_such_file"}, nil, nil, map[string]string{"": "PASS"}},
		{[]string{"-test.run=TestPython/test_api.py/no_such_test"}, nil, []string{"test_api.py"}, map[string]string{"": "PASS"}},
		{[]string{"-test.run=TestPython/test_web"}, []string{"test_broken.py", "test_web.py", "test_explicit_one.py::test_1"}, []string{"test_web.py"},
			map[string]string{"": "PASS", "/test_web.py": "PASS", "/test_web.py/test_web": "PASS"}},
		{[]string{"-test.run=TestPython/test_broken"}, nil, []string{"test_broken.py"}, map[string]string{"": "FAIL", "/test_broken.py": "FAIL"}},
	} {
		printed, status := goTest(t, pytest.Options{Dir: dir, Args: c.args, Gateways: []string{python(t)}}, append(c.flags, "-test.v")...)
		assert.Equal(t, c.ended, ended(printed), "%v %s", c.flags, printed)
		assert.Equal(t, c.collected, collected(printed), "%v %s", c.flags, printed)
		assert.Equal(t, c.ended[""] == "FAIL", status == 1, "%v %s", c.flags, printed)
	}
}

func TestShort(t *testing.T) {
	dir := files{"pytest.ini": "[pytest]\nmarkers = slow: takes long\n", "test_a.py": `import pytest
@pytest.mark.slow
def test_slow(): pass
def test_quick(): pass
`, "only/test_slow.py": "import pytest\npytestmark = pytest.mark.slow\ndef test_b(): pass\n"}.Write(t)
	one := []string{python(t)}
	short := []string{"-m", "not slow"}
	printed, _ := goTest(t, pytest.Options{Dir: dir, Short: short, Gateways: one}, "-test.v")
	assert.Len(t, ended(printed), 6, printed)
	printed, _ = goTest(t, pytest.Options{Dir: dir, Short: short, Gateways: one}, "-test.v", "-test.short")
	assert.Equal(t, map[string]string{"": "PASS", "/test_a.py": "PASS", "/test_a.py/test_quick": "PASS"}, ended(printed), printed)
	printed, status := goTest(t, pytest.Options{Dir: dir, Args: []string{"only"}, Short: short, Gateways: one}, "-test.v", "-test.short")
	assert.Equal(t, map[string]string{"": "SKIP"}, ended(printed), printed)
	assert.Equal(t, 0, status)
	printed, status = goTest(t, pytest.Options{Dir: dir, Args: append(short, "only"), Gateways: one})
	assert.Equal(t, 1, status)
	assert.Regexp(t, `main_test.go:\d+: execnet: there are no tests in `+dir+", 1 are deselected, with the arguments -m not slow only\n", printed)
}

func TestCount(t *testing.T) {
	dir := files{"test_a.py": "def test_a(): pass"}.Write(t)
	printed, _ := goTest(t, pytest.Options{Dir: dir, Gateways: []string{python(t)}}, "-test.v", "-test.count=2")
	assert.Equal(t, 2, strings.Count(printed, "--- PASS: TestPython/test_a.py/test_a ("), printed)
	assert.Equal(t, 2, strings.Count(printed, "[gw0] Python 3"), printed)
}

func TestFailFast(t *testing.T) {
	dir := files{"test_a.py": "import pytest, time\n" + `
def test_1(): assert 0
@pytest.mark.parametrize("n", range(20))
def test_n(n): time.sleep(60)
`}.Write(t)
	for _, workers := range []string{"1*", "2*"} {
		printed, status := goTest(t, pytest.Options{Dir: dir, Gateways: []string{workers + python(t)}}, "-test.v", "-test.failfast")
		assert.Equal(t, 1, status)
		all := ended(printed)
		assert.Equal(t, "FAIL", all["/test_a.py/test_1"], printed)
		assert.LessOrEqual(t, len(all), 5, printed)
		assert.NotContains(t, printed, "--- FAIL: TestPython/test_a.py/test_n", printed)
		assert.Regexp(t, `    -failfast has ended the run; (18|19|20) of 21 tests were not run\n`, printed)
	}
}

// TestFailFastOfAnotherTest has a test of Go fail before the first one of Python begins.
func TestFailFastOfAnotherTest(t *testing.T) {
	t.Setenv(failVariable, "1")
	dir := files{"test_a.py": "import time\ndef test_1(): time.sleep(60)\n"}.Write(t)
	printed, status := goTest(t, pytest.Options{Dir: dir, Gateways: []string{python(t)}}, "-test.v", "-test.failfast")
	assert.Equal(t, 1, status)
	assert.Equal(t, map[string]string{"": "FAIL", "/another": "FAIL"}, ended(printed), printed)
	assert.Contains(t, printed, "    -failfast has ended the run")
}

func TestTimeout(t *testing.T) {
	dir := files{"test_a.py": "import time\ndef test_quick(): pass\ndef test_hangs():\n    time.sleep(600)\ndef test_later(): time.sleep(600)\n"}.Write(t)
	printed, status := goTest(t, pytest.Options{Dir: dir, Gateways: []string{python(t)}}, "-test.v", "-test.timeout=12s")
	assert.Equal(t, 1, status)
	assert.NotContains(t, printed, "panic")
	assert.Equal(t, map[string]string{
		"": "FAIL", "/test_a.py": "FAIL", "/test_a.py/test_quick": "PASS", "/test_a.py/test_hangs": "FAIL",
	}, ended(printed), printed)
	assert.Regexp(t, `(?m)^    `+dir+`/test_a.py:3: .*timeout$`, printed)
	assert.Contains(t, printed, `test_a.py", line 4, in test_hangs`)
	assert.Regexp(t, `main_test.go:\d+: execnet: the run was ended [\d.]+s before the time of go test -timeout; 1 of 3 tests were not run\n`, printed)

	printed, status = goTest(t, pytest.Options{Dir: dir, Args: []string{"-k", "hangs or quick"}, Timeout: 1e9, Gateways: []string{python(t)}})
	assert.Equal(t, 1, status)
	assert.Regexp(t, `(?m)^ +`+dir+`/test_a.py:3: it did not end within 1s$`, printed)
	assert.Contains(t, printed, `test_a.py", line 4, in test_hangs`)
}

// TestCachedResults looks at what go test notes, to know when a cached result is of no use.
func TestCachedResults(t *testing.T) {
	dir := files{"deep/test_a.py": "def test_a(): pass", ".venv/lib/x.py": ""}.Write(t)
	log := filepath.Join(t.TempDir(), "log")
	_, status := goTest(t, pytest.Options{Dir: dir, Gateways: []string{python(t)}}, "-test.testlogfile="+log)
	assert.Equal(t, 0, status)
	noted, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Contains(t, string(noted), "open "+dir+"\n")
	assert.Contains(t, string(noted), "open "+filepath.Join(dir, "deep")+"\n")
	assert.NotContains(t, string(noted), ".venv/lib")
}
