// Package suites has pytest suites for tests, and writes them.
package suites

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-execnet/execnet/internal/testrun"
)

// Files is a suite: the names of files, with slashes, and their contents.
type Files map[string]string

// Write writes the suite into a folder of its own, with a pytest.ini, and returns that.
func (f Files) Write(tb testing.TB) string {
	tb.Helper()
	dir, err := filepath.EvalSymlinks(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	write("pytest.ini", "[pytest]\n")
	for name, text := range f {
		write(name, text)
	}
	return dir
}

// Outcomes is a file with tests of every outcome, for all releases of Python and pytest.
//
//go:embed outcomes.py
var Outcomes string

// Line is the number of the first line of Outcomes with a text in it, or 0.
func Line(text string) int {
	before, _, found := strings.Cut(Outcomes, text)
	if !found {
		return 0
	}
	return 1 + strings.Count(before, "\n")
}

// Ended are the outcomes of its tests, by node ids, if it has this name.
func Ended(file string) map[string]testrun.Outcome {
	ended := map[string]testrun.Outcome{}
	for name, outcome := range map[string]testrun.Outcome{
		"test_pass": testrun.Passed, "test_fail": testrun.Failed, "test_setup": testrun.Error, "test_teardown": testrun.Error,
		"test_skip": testrun.Skipped, "test_skip_inside": testrun.Skipped, "test_xfail": testrun.XFailed, "test_xpass": testrun.XPassed,
		"test_strict": testrun.Failed, "test_lang[eu]": testrun.Failed, "test_lang[a b]": testrun.Passed, "test_lang[a_b]": testrun.Passed,
		"test_lang[x/y]": testrun.Passed, "test_lang[]": testrun.Passed, `test_lang[e\u0301]`: testrun.Passed,
		"TestLogin::test_in": testrun.Passed, "TestLogin::TestDeep::test_deep": testrun.Passed, "test_warns": testrun.Passed,
	} {
		ended[file+"::"+name] = outcome
	}
	return ended
}
