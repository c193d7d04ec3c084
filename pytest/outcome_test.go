package pytest_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/pytest"
)

const outcomes = `import logging, sys, warnings
import pytest

def test_pass():
    print("said by one that passes")

def test_fail():
    print("said before")
    sys.stderr.write("an error line\n")
    logging.getLogger("api").warning("logged")
    x = 1
    assert x == 2, "no way"

@pytest.fixture
def broken():
    raise RuntimeError("no set-up")

@pytest.fixture
def leaves():
    yield
    raise RuntimeError("no tear-down")

def test_setup(broken): pass
def test_teardown(leaves): pass

@pytest.mark.skip(reason="needs redis")
def test_skip(): pass

def test_skip_inside():
    pytest.skip("later")

@pytest.mark.xfail(reason="bug 7")
def test_xfail(): assert 0

@pytest.mark.xfail(reason="was bug 8")
def test_xpass(): pass

@pytest.mark.xfail(strict=True, reason="bug 9")
def test_strict(): pass

@pytest.mark.parametrize("lang", ["eu", "a b", "a_b", "x/y", "", "e\u0301"])
def test_lang(lang): assert lang != "eu"

class TestLogin:
    def test_in(self): pass
    class TestDeep:
        def test_deep(self, record_property):
            record_property("answer", 42)

def test_warns():
    warnings.warn("old thing", DeprecationWarning)
`

func TestOutcomes(t *testing.T) {
	dir := write(t, files{
		"api/test_api.py": outcomes, "test_b.py": "def test_b(): pass",
		"test_gone.py": "import pytest; pytest.importorskip('no_such_module')",
	})
	printed, status := goTest(t, pytest.Options{Dir: dir}, "-test.v")
	assert.Equal(t, 1, status)
	assert.Equal(t, map[string]string{
		"": "FAIL", "/test_b.py": "PASS", "/test_b.py/test_b": "PASS", "/test_gone.py": "SKIP", "/api/test_api.py": "FAIL",
		"/api/test_api.py/test_pass": "PASS", "/api/test_api.py/test_fail": "FAIL", "/api/test_api.py/test_setup": "FAIL",
		"/api/test_api.py/test_teardown": "FAIL", "/api/test_api.py/test_skip": "SKIP", "/api/test_api.py/test_skip_inside": "SKIP",
		"/api/test_api.py/test_xfail": "SKIP", "/api/test_api.py/test_xpass": "PASS", "/api/test_api.py/test_strict": "FAIL",
		"/api/test_api.py/test_lang": "FAIL", "/api/test_api.py/test_lang/eu": "FAIL", "/api/test_api.py/test_lang/a_b": "PASS",
		"/api/test_api.py/test_lang/a_b#01": "PASS", "/api/test_api.py/test_lang/x/y": "PASS", "/api/test_api.py/test_lang/#00": "PASS",
		`/api/test_api.py/test_lang/e\u0301`: "PASS", "/api/test_api.py/TestLogin": "PASS", "/api/test_api.py/TestLogin/test_in": "PASS",
		"/api/test_api.py/TestLogin/TestDeep": "PASS", "/api/test_api.py/TestLogin/TestDeep/test_deep": "PASS",
		"/api/test_api.py/test_warns": "PASS",
	}, ended(printed))
	api := regexp.QuoteMeta(filepath.Join(dir, "api", "test_api.py"))
	for _, want := range []string{
		`    \[gw\d\] Python 3\.\d+\.\d+, pytest [\d.]+, /.*, rootdir ` + regexp.QuoteMeta(dir),
		"    ---- Captured stdout call ----\n    said by one that passes",
		"    " + api + ":12: AssertionError: no way\n",
		`    >       assert x == 2, "no way"`,
		"    ---- Captured stdout call ----\n    said before\n    ---- Captured stderr call ----\n    an error line\n",
		"    ---- Captured log call ----\n    WARNING  api:test_api.py:10 logged\n",
		"    " + api + ":16: error in setup: RuntimeError: no set-up\n",
		"    " + api + ":21: error in teardown: RuntimeError: no tear-down\n",
		"    " + api + `:\d+: needs redis\n`, "    " + api + ":30: later\n",
		"    " + api + `:\d+: it has failed, as expected: bug 7\n`,
		"    " + api + ":35: it has passed, although a failure is expected: was bug 8\n",
		"    " + api + `:\d+: \[XPASS\(strict\)\] bug 9\n`,
		"    " + regexp.QuoteMeta(filepath.Join(dir, "test_gone.py")) + ":1: could not import 'no_such_module': ",
		`=== ATTR  TestPython/api/test_api.py/TestLogin/TestDeep/test_deep answer 42\n`,
		"    " + api + `:51: DeprecationWarning: old thing \(api/test_api.py::test_warns\)\n`,
	} {
		assert.Regexp(t, regexp.MustCompile("(?m)^"+want), printed)
	}

	printed, status = goTest(t, pytest.Options{Dir: dir})
	assert.Equal(t, 1, status)
	assert.Regexp(t, regexp.MustCompile("(?m)^ {12}"+api+":12: AssertionError: no way\n"), printed)
	for _, unwanted := range []string{"said by one that passes", "PASS", "SKIP", "old thing", "rootdir"} {
		assert.NotContains(t, strings.ReplaceAll(printed, "[XPASS(strict)]", ""), unwanted)
	}
}

// ended are the outcomes in what go test prints, by names behind TestPython. A test that ends twice
// has the outcome "twice".
func ended(printed string) map[string]string {
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ *--- (\w+): TestPython(\S*) \(\d+\.\d\ds\)$`).FindAllStringSubmatch(printed, -1) {
		if all[m[2]] != "" {
			m[1] = "twice"
		}
		all[m[2]] = m[1]
	}
	return all
}

// TestJSON looks at what go test -json shows.
func TestJSON(t *testing.T) {
	dir := write(t, files{"test_a.py": "import time\ndef test_long(): time.sleep(0.5)\ndef test_bad(): print('--- PASS: x (1.00s)'); assert 0\n"})
	printed, _ := goTest(t, pytest.Options{Dir: dir}, "-test.v=test2json")
	convert := exec.Command("go", "tool", "test2json", "-t")
	convert.Stdin = strings.NewReader(printed)
	out, err := convert.Output()
	require.NoError(t, err)
	elapsed, said := map[string]float64{}, ""
	for line := range strings.Lines(string(out)) {
		var event struct {
			Action, Test, Output string
			Elapsed              float64
		}
		require.NoError(t, json.Unmarshal([]byte(line), &event))
		switch event.Action {
		case "pass", "fail", "skip":
			elapsed[event.Action+" "+event.Test] = event.Elapsed
		case "output":
			if event.Test == "TestPython/test_a.py/test_bad" {
				said += event.Output
			}
		}
	}
	assert.Contains(t, elapsed, "fail TestPython/test_a.py/test_bad")
	assert.InDelta(t, 0.5, elapsed["pass TestPython/test_a.py/test_long"], 0.4)
	assert.InDelta(t, 0.5, elapsed["fail TestPython/test_a.py"], 0.4)
	assert.Contains(t, said, "--- PASS: x (1.00s)")
	assert.Contains(t, said, "test_a.py:3: ")
}
