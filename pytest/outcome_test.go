package pytest_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/suites"
	"github.com/go-execnet/execnet/pytest"
)

func TestOutcomes(t *testing.T) {
	dir := files{
		"api/test_api.py": suites.Outcomes, "test_b.py": "def test_b(): pass",
		"test_gone.py": "import pytest; pytest.importorskip('no_such_module')",
	}.Write(t)
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
	at := func(text string) string { return fmt.Sprintf("    %s:%d: ", api, suites.Line(text)) }
	for _, want := range []string{
		`    \[gw\d\] Python 3\.\d+\.\d+, pytest [\d.]+, /.*, rootdir ` + regexp.QuoteMeta(dir),
		"    ---- Captured stdout call ----\n    said by one that passes",
		at("assert x == 2") + "assert 1 == 2\n",
		`    >       assert x == 2`,
		"    ---- Captured stdout call ----\n    said before\n    ---- Captured stderr call ----\n    an error line\n",
		fmt.Sprintf("    ---- Captured log call ----\n    WARNING  api:test_api.py:%d logged\n", suites.Line(`.warning("logged")`)),
		at(`RuntimeError("no set-up")`) + "error in setup: RuntimeError: no set-up\n",
		at(`RuntimeError("no tear-down")`) + "error in teardown: RuntimeError: no tear-down\n",
		"    " + api + `:\d+: not now\n`, at(`pytest.skip("later")`) + "later\n",
		"    " + api + `:\d+: it has failed, as expected: known\n`,
		at(`@pytest.mark.xfail(reason="was known")`) + "it has passed, although a failure is expected: was known\n",
		"    " + api + `:\d+: \[XPASS\(strict\)\] must fail\n`,
		"    " + regexp.QuoteMeta(filepath.Join(dir, "test_gone.py")) + ":1: could not import 'no_such_module': ",
		`=== ATTR  TestPython/api/test_api.py/TestLogin/TestDeep/test_deep answer 42\n`,
		at("warnings.warn(") + `UserWarning: old thing \(api/test_api.py::test_warns\)\n`,
	} {
		assert.Regexp(t, regexp.MustCompile("(?m)^"+want), printed)
	}

	printed, status = goTest(t, pytest.Options{Dir: dir})
	assert.Equal(t, 1, status)
	assert.Regexp(t, regexp.MustCompile("(?m)^ {8}"+at("assert x == 2")+"assert 1 == 2\n"), printed)
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
	dir := files{"test_a.py": "import time\ndef test_long(): time.sleep(0.5)\ndef test_bad(): print('--- PASS: x (1.00s)'); assert 0\n"}.Write(t)
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
