package command

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// everyOutcome is a suite with tests that end in every way there is.
var everyOutcome = map[string]string{
	"pytest.ini": "[pytest]\nmarkers = slow\n",
	"test_a.py": `
import logging, sys, warnings
import pytest

def test_ok(): pass

def test_fail():
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger("x").warning("logged")
    assert 1 == 2, "no\nmore"

@pytest.fixture
def broken():
    raise ValueError("set-up <&> \x1b[31m bad")

@pytest.fixture
def leaves():
    yield
    raise RuntimeError("tear-down")

def test_error(broken): pass
def test_teardown(leaves): pass
def test_both(leaves): assert 0

@pytest.mark.skip(reason="not now")
def test_skipped(): pass

def test_skip_inside(): pytest.skip("inside")

@pytest.mark.xfail(reason="known")
def test_xfail(): assert 0

@pytest.mark.xfail(reason="was known")
def test_xpass(): pass

@pytest.mark.xfail(strict=True, reason="strict one")
def test_xpass_strict(): pass

class TestC:
    @pytest.mark.parametrize("a", [1, "b c", "x::y"])
    def test_param(self, a):
        warnings.warn("careful", UserWarning)
        assert a != 1
`,
	"sub/test_b.py": `
import unittest
import pytest

class T(unittest.TestCase):
    def test_u(self): self.assertEqual(1, 2)
    @unittest.skip("unit")
    def test_s(self): pass
    def test_ok(self): pass

@pytest.mark.slow
def test_slow(): pass

def test_xml():
    print("\x00 ]]>")
    assert "a\x01" == "b"
`,
	"test_modskip.py":  "import pytest\npytest.skip('whole module', allow_module_level=True)\n",
	"broken/test_c.py": "import nosuchmodule\n",
}

// suiteFolder writes a suite into a folder of its own.
func suiteFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for name, text := range files {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	return dir
}

// runIn runs a program in a folder to its end, with no variables that change what pytest shows.
func runIn(t *testing.T, dir string, program string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = pytestEnv("VIRTUAL_ENV=" + filepath.Dir(filepath.Dir(pythons.WithExecnet(t))))
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		require.NoError(t, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func pytestEnv(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"CI", "BUILD_NUMBER", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "COLUMNS", "PYTEST_ADDOPTS", "VIRTUAL_ENV"}, name)
	})
	return append(env, more...)
}

// pytestBoth runs a suite by this program in two workers, and by pytest itself.
func pytestBoth(t *testing.T, dir string, args ...string) (ours, theirs result) {
	t.Helper()
	ours = runIn(t, dir, binary, append([]string{"pytest", "-n2"}, args...)...)
	theirs = runIn(t, dir, pythons.WithExecnet(t), append([]string{"-m", "pytest", "-p", "no:cacheprovider"}, args...)...)
	return ours, theirs
}

var (
	inSeconds = regexp.MustCompile(`in [0-9.]+s`)
	address   = regexp.MustCompile(`0x[0-9a-f]+`)
)

// section are the sorted lines of a section of pytest's output, from the line that contains begin
// to the next one with a rule.
func section(out, begin string) (lines []string) {
	inside := false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.Contains(line, begin):
			inside = true
		case inside && (strings.HasPrefix(line, "=") || strings.HasPrefix(line, "!")):
			inside = false
		case inside:
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// headings are the sorted titles of failures.
func headings(out string) []string {
	titles := regexp.MustCompile(`(?m)^_{3,} .* _{3,}$`).FindAllString(out, -1)
	slices.Sort(titles)
	return titles
}

// lastLine is the last line that begins with a rule, with the time replaced.
func lastLine(out string) string {
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	return strings.Trim(inSeconds.ReplaceAllString(lines[len(lines)-1], "in T"), "= ")
}

// cutLast cuts off the last line, if there is more than one.
func cutLast(out string) (before, last string, ok bool) {
	end := strings.LastIndexByte(strings.TrimRight(out, "\n"), '\n')
	return out[:end+1], out[end+1:], end >= 0
}

// TestPytestShowsWhatPytestShows compares what the command shows with what pytest does.
func TestPytestShowsWhatPytestShows(t *testing.T) {
	dir := suiteFolder(t, everyOutcome)
	for _, args := range [][]string{
		{"--continue-on-collection-errors"},
		{},
		{"test_a.py", "sub", "-rA", "--tb=short"},
		{"sub", "-q", "-m", "slow", "-p", "no:logging"},
		{"sub", "-vv", "-m", "not slow", "--tb=line"},
		{"sub", "--no-summary", "--no-header"},
		{"test_a.py::test_ok", "test_a.py::TestC", "-W", "ignore", "-o", "console_output_style=count"},
		{"-k", "nothing_like_this", "sub"},
		{"sub", "--collect-only"},
		{"test_a.py", "--durations=3", "--durations-min=100", "--disable-warnings", "--show-capture=no"},
	} {
		ours, theirs := pytestBoth(t, dir, args...)
		name := fmt.Sprint(args)
		assert.Equal(t, theirs.code, ours.code, name)
		assert.Empty(t, ours.stderr, name)
		assert.Equal(t, lastLine(theirs.stdout), lastLine(ours.stdout), name)
		assert.Equal(t, headings(theirs.stdout), headings(ours.stdout), name)
		for _, title := range []string{" short test summary info ", " slowest 3 durations "} {
			theirLines, ourLines := section(theirs.stdout, title), section(ours.stdout, title)
			for i := range ourLines { // pytest has no message of such a problem
				if len(theirLines) > i && theirLines[i] == "ERROR broken/test_c.py" {
					assert.Equal(t, "ERROR broken/test_c.py - ModuleNotFoundError: No module named 'nosuchmodule'", ourLines[i])
					ourLines[i] = theirLines[i]
				}
			}
			assert.Equal(t, theirLines, ourLines, "%s: %s", name, title)
		}
		for _, title := range []string{" FAILURES ", " ERRORS "} {
			// With --tb=line pytest tells absolute paths.
			theirLines := section(strings.ReplaceAll(address.ReplaceAllString(theirs.stdout, "0x"), dir+"/", ""), title)
			ourLines := slices.DeleteFunc(section(strings.ReplaceAll(address.ReplaceAllString(ours.stdout, "0x"), dir+"/", ""), title), func(line string) bool {
				return strings.HasPrefix(line, "[gw")
			})
			assert.Equal(t, theirLines, ourLines, "%s: %s", name, title)
		}
		for _, beginning := range []string{"collected ", "configfile: ", "rootdir: ", "!!"} {
			want := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(beginning) + ".*$")
			assert.Equal(t, want.FindString(strings.Replace(theirs.stdout, "collecting ... ", "", 1)), want.FindString(ours.stdout), name)
		}
		// The letters, in any order.
		progress := regexp.MustCompile(`(?m)^(?:\S+\.py )?([.FEsxX]+) +\[.*$`)
		var letters [2]string
		for i, out := range []string{theirs.stdout, ours.stdout} {
			for _, m := range progress.FindAllStringSubmatch(out, -1) {
				letters[i] += m[1]
			}
			sorted := []byte(letters[i])
			slices.Sort(sorted)
			letters[i] = string(sorted)
		}
		assert.Equal(t, letters[0], letters[1], name)
	}
}

// The exit codes and messages of wrong command lines, and of runs without tests.
func TestPytestExitCodes(t *testing.T) {
	dir := suiteFolder(t, everyOutcome)
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"test_a.py::test_ok"}, 0, "= 1 passed in ", ""},
		{[]string{"test_a.py", "-x"}, 1, "!!! stopping after ", ""},
		{[]string{"test_a.py", "--maxfail=2"}, 1, "!!! stopping after ", ""},
		{[]string{"nosuch.py"}, 4, "no tests ran", "file or directory not found: nosuch.py"},
		{[]string{"--nosuch"}, 4, "", "unrecognized arguments: --nosuch"},
		{[]string{"--pdb"}, 4, "", "execnet pytest: --pdb needs the terminal, which tests in other processes do not have: use python -m pytest --pdb\nTry: execnet pytest --help\n"},
		{[]string{"--trace"}, 4, "", "python -m pytest --trace"},
		{[]string{"-n", "many"}, 4, "", "-n many: it must be a number or auto"},
		{[]string{"-n", "-3"}, 4, "", "-n -3: it must be a number or auto"},
		{[]string{"-n2", "--tx", "3*popen"}, 4, "", "-n 2 and --tx 3*popen: both say how many; leave one of them away"},
		{[]string{"--dist", "fair"}, 4, "", "--dist fair: it must be load, worksteal,"},
		{[]string{"--timeout", "soon"}, 4, "", "it is no length of time"},
		{[]string{"--timeout", "-1"}, 4, "", "--timeout -1s: it cannot be negative"},
		{[]string{"--tx", "popen//pyton=x"}, 4, "", `did you mean "python"?`},
		{[]string{"--tx"}, 4, "", "flag needs an argument: --tx"},
		{[]string{"--env", "A"}, 4, "", `--env "A": it must be NAME=VALUE`},
		{[]string{"--rsync", ".."}, 3, "", "--rsync ..: it must be the current folder or one in it"},
		{[]string{"--rsync", "pytest.ini"}, 3, "", "--rsync pytest.ini: it is no folder"},
		{[]string{"--tx", "popen//python=/no/such/python"}, 3, "", "/no/such/python"},
	} {
		r := runIn(t, dir, binary, append([]string{"pytest"}, c.args...)...)
		assert.Equal(t, c.code, r.code, c.args)
		assert.Contains(t, r.stdout, c.stdout, c.args)
		assert.Contains(t, r.stderr, c.stderr, c.args)
		if c.stderr == "" {
			assert.Empty(t, r.stderr, c.args)
		}
	}
}

// What pytest does alone, or what is told of the command itself.
func TestPytestLeftToPytest(t *testing.T) {
	dir := suiteFolder(t, everyOutcome)
	for _, args := range [][]string{{"--version"}, {"--setup-plan", "test_a.py::test_teardown"}, {"--sw", "test_a.py::test_fail", "--tb=no", "-q"}} {
		var outcomes [2]result
		for i, program := range [][]string{{binary, "pytest", "-n2"}, {pythons.WithExecnet(t), "-m", "pytest"}} {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, ".pytest_cache")))
			outcomes[i] = runIn(t, dir, program[0], append(program[1:], args...)...)
			before, last, ok := cutLast(outcomes[i].stdout)
			if ok {
				outcomes[i].stdout = before + lastLine(last)
			}
		}
		assert.Equal(t, outcomes[1], outcomes[0], args)
	}
	r := runIn(t, dir, binary, "pytest", "--fixtures", "--tx", "ssh=nowhere.invalid")
	assert.Equal(t, 4, r.code)
	assert.Contains(t, r.stderr, "are left to a pytest on this host, and --tx names another one")
	for _, args := range [][]string{{"pytest", "--help"}, {"help", "pytest"}, {"pytest", "-x", "-h"}} {
		assert.Contains(t, convert(t, "", args...), `"python -m pytest --help" lists pytest's options`, args)
	}
	assert.Equal(t, 1, strings.Count(inProcess("", "__complete", "pytest", "--max").stdout, "--max-worker-restart\t"))
	assert.Equal(t, ":0\n", inProcess("", "__complete", "pytest", "tests/").stdout, "names of files")
}

// testcase is an element of the file of --junitxml, without its time.
type testcase struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Results []struct {
		XMLName xml.Name
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	} `xml:",any"`
}

// TestPytestJUnit compares the file of --junitxml, test by test, with the one that pytest writes.
func TestPytestJUnit(t *testing.T) {
	dir := suiteFolder(t, everyOutcome)
	read := func(name string) (suite map[string]string, cases []testcase) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		var file struct {
			Suites []struct {
				Attrs []xml.Attr `xml:",any,attr"`
				Cases []testcase `xml:"testcase"`
			} `xml:"testsuite"`
		}
		require.NoError(t, xml.Unmarshal([]byte(address.ReplaceAllString(string(text), "0x")), &file))
		require.Len(t, file.Suites, 1)
		suite = map[string]string{}
		for _, a := range file.Suites[0].Attrs {
			suite[a.Name.Local] = a.Value
		}
		for _, name := range []string{"time", "timestamp", "hostname"} {
			assert.NotEmpty(t, suite[name])
			delete(suite, name)
		}
		slices.SortStableFunc(file.Suites[0].Cases, func(a, b testcase) int {
			return strings.Compare(a.Class+" "+a.Name, b.Class+" "+b.Name)
		})
		return suite, file.Suites[0].Cases
	}
	for _, args := range [][]string{{"--color=yes"}, {"-o", "junit_logging=all", "--junit-prefix=pre"}} {
		args = append(args, "--continue-on-collection-errors")
		python := pythons.WithExecnet(t)
		ours := runIn(t, dir, binary, append([]string{"pytest", "-n2", "--junitxml=ours.xml"}, args...)...)
		theirs := runIn(t, dir, python, append([]string{"-m", "pytest", "-p", "no:cacheprovider", "--junitxml=theirs.xml"}, args...)...)
		assert.Equal(t, theirs.code, ours.code, ours.stderr)
		assert.Contains(t, ours.stdout, "generated xml file: "+filepath.Join(dir, "ours.xml"))
		ourSuite, ourCases := read("ours.xml")
		theirSuite, theirCases := read("theirs.xml")
		assert.Equal(t, theirSuite, ourSuite)
		require.Len(t, ourCases, len(theirCases))
		assert.Greater(t, len(ourCases), 20)
		for i, want := range theirCases {
			got := ourCases[i]
			if args[0] == "--color=yes" { // pytest writes the colours, in a form that nothing reads
				colors := regexp.MustCompile(`#x1B\[[0-9;]*m`)
				for j := range want.Results {
					want.Results[j].Text = colors.ReplaceAllString(want.Results[j].Text, "")
					want.Results[j].Message = colors.ReplaceAllString(want.Results[j].Message, "")
				}
			} else if len(want.Results) == 5 { // what skipped tests have printed stands there twice
				want.Results = want.Results[:3]
			}
			for j := range want.Results {
				want.Results[j].Text = strings.TrimSpace(want.Results[j].Text)
			}
			for j := range got.Results {
				got.Results[j].Text = strings.TrimSpace(got.Results[j].Text)
			}
			assert.Equal(t, want, got)
		}
	}
}

func TestPytestWorkers(t *testing.T) {
	for text, want := range map[string]int{"": 0, "3": 3, " 3": 3, "0": 1} {
		n, err := (&pytestFlags{number: text}).workers()
		require.NoError(t, err)
		assert.Equal(t, want, n, text)
	}
}

// TestPytestCache has pytest's own options --lf and --ff go by what the command has written, and
// the command's by what pytest has written.
func TestPytestCache(t *testing.T) {
	dir := suiteFolder(t, map[string]string{"pytest.ini": "[pytest]\n", "test_a.py": "import os\n" +
		"def test_1(): assert os.path.exists('mended')\ndef test_2(): pass\ndef test_3(): assert os.path.exists('mended')\n"})
	python := pythons.WithExecnet(t)
	execnetPytest := func(args ...string) string {
		r := runIn(t, dir, binary, append([]string{"pytest", "-n2", "-q", "--tb=no"}, args...)...)
		assert.Empty(t, r.stderr)
		return lastLine(r.stdout)
	}
	assert.Equal(t, "2 failed, 1 passed in T", execnetPytest())
	ignored, err := os.ReadFile(filepath.Join(dir, ".execnet", ".gitignore"))
	require.NoError(t, err)
	assert.Equal(t, "*\n", string(ignored))
	assert.Equal(t, "2 failed in T", lastLine(runIn(t, dir, python, "-m", "pytest", "-q", "--lf", "--tb=no").stdout))
	assert.Contains(t, execnetPytest("--lf"), "2 failed")
	put(t, filepath.Join(dir, "mended"), "")
	assert.Contains(t, execnetPytest("--lf"), "2 passed")
	assert.Equal(t, "3 passed in T", lastLine(runIn(t, dir, python, "-m", "pytest", "-q", "--lf", "--tb=no").stdout))
}

// TestPytestJSON checks that what --json writes are events of go test.
func TestPytestJSON(t *testing.T) {
	dir := suiteFolder(t, everyOutcome)
	r := runIn(t, dir, binary, "pytest", "-n2", "--json", "--continue-on-collection-errors")
	assert.Equal(t, 1, r.code)
	outcomes := map[string]string{}
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	for decoder.More() {
		var e struct{ Action, Package, Test string }
		require.NoError(t, decoder.Decode(&e))
		if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
			outcomes[strings.TrimSpace(e.Package+" "+e.Test)] = e.Action
		}
	}
	for name, want := range map[string]string{
		"test_a.py": "fail", "test_a.py test_ok": "pass", "test_a.py test_fail": "fail", "test_a.py test_error": "fail", "test_a.py test_skipped": "skip",
		"test_a.py test_xfail": "skip", "test_a.py test_xpass": "pass", "test_a.py TestC::test_param[x::y]": "pass", "test_a.py TestC::test_param[1]": "fail",
		"sub/test_b.py T::test_u": "fail", "broken/test_c.py": "fail", "test_modskip.py": "skip",
	} {
		assert.Equal(t, want, outcomes[name], name)
	}
	assert.Len(t, outcomes, 4+18)
}

// TestPytestEach runs a suite in two interpreters, of which one refuses a test.
func TestPytestEach(t *testing.T) {
	dir := suiteFolder(t, map[string]string{"test_a.py": "import os\ndef test_same(): pass\ndef test_differs(): assert 'OTHER' not in os.environ\n"})
	python := pythons.WithExecnet(t)
	r := runIn(t, dir, binary, "pytest", "--dist=each", "--tx", "popen//python="+python, "--tx", "popen//env:OTHER=1//python="+python, "--junitxml=x.xml")
	assert.Equal(t, 1, r.code, r.stderr)
	assert.Regexp(t, `(?m)^ +gw0 +gw1\n +\S+ +\S+\ntest_a.py::test_differs +passed +FAILED\npassed +2 +1\nfailed +0 +1\ntime +\S+ +\S+\n`, r.stdout)
	assert.Contains(t, r.stdout, "FAILED [gw1] test_a.py::test_differs - ")
	text, err := os.ReadFile(filepath.Join(dir, "x.xml"))
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), "<testsuite "))
}

// TestPytestRsync runs a suite in a copy, and tells paths as they are here.
func TestPytestRsync(t *testing.T) {
	dir := suiteFolder(t, map[string]string{"pytest.ini": "[pytest]\n", "tests/test_a.py": "import data, os, sys\n" +
		"def test_here():\n    print('in', os.getcwd())\n    assert data.__file__ == 'here'\n",
		"conftest.py": "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\n", "lib/data.py": "", ".git/x": "", "lib/__pycache__/y": ""})
	copied := filepath.Join(t.TempDir(), "copy")
	copied, err := filepath.Abs(copied)
	require.NoError(t, err)
	r := runIn(t, dir, binary, "pytest", "--rsync", ".", "--tx", "2*popen//chdir="+copied)
	assert.Equal(t, 1, r.code, r.stderr)
	assert.Contains(t, r.stdout, "in "+copied, "where the tests ran")
	assert.Contains(t, r.stdout, "rootdir: "+dir+"\n")
	assert.Contains(t, r.stdout, "+ "+filepath.Join(dir, "lib", "data.py")+"\n")
	assert.Contains(t, r.stdout, "\ntests/test_a.py:4: AssertionError\n")
	assert.FileExists(t, filepath.Join(copied, "lib", "data.py"))
	assert.NoDirExists(t, filepath.Join(copied, ".git"))
	assert.NoFileExists(t, filepath.Join(copied, "lib", "__pycache__", "y"))
	r = runIn(t, dir, binary, "pytest", "--rsync", "lib", "--rsync", "tests", "-q", "--tx", "popen//chdir="+copied+"2")
	assert.Equal(t, 2, r.code, "conftest.py is not there")
	assert.Contains(t, r.stdout, "No module named 'data'", r.stderr)
}

// TestPytestColor has --color and the variables decide.
func TestPytestColor(t *testing.T) {
	dir := suiteFolder(t, map[string]string{"test_a.py": "def test_bad(): assert 1 == 2\n"})
	r := runIn(t, dir, binary, "pytest", "-n1", "--color=yes")
	assert.Contains(t, r.stdout, "\x1b[31mF\x1b[0m")
	assert.Contains(t, r.stdout, "\x1b[1m\x1b[31mE   ", "what the worker has written")
	r = runIn(t, dir, binary, "pytest", "-n1")
	assert.NotContains(t, r.stdout, "\x1b")
	for variables, want := range map[string]bool{"NO_COLOR=1": false, "FORCE_COLOR=1": true, "FORCE_COLOR=1 NO_COLOR=1": false, "PY_COLORS=1 NO_COLOR=1": true, "PY_COLORS=0 FORCE_COLOR=1": false} {
		t.Run(variables, func(t *testing.T) {
			for _, name := range []string{"NO_COLOR", "FORCE_COLOR", "PY_COLORS"} {
				t.Setenv(name, "")
			}
			for pair := range strings.FieldsSeq(variables) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			assert.Equal(t, want, wantsColor(nil, false))
			assert.True(t, wantsColor([]string{"--color", "yes"}, false))
			assert.False(t, wantsColor([]string{"--color=no"}, true))
		})
	}
}
