package compat_tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/compat_tests/channeltest"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// newestRelease is the release with which every test runs. With an older one only those tests run
// that depend on the release.
const newestRelease = "2.1.2"

// release is the release of Python's execnet that the tests compare with.
func release() string {
	if release := os.Getenv("EXECNET_TEST_RELEASE"); release != "" {
		return release
	}
	return newestRelease
}

// independent says that the test does not depend on the release.
func independent(t *testing.T) {
	t.Helper()
	if release() != newestRelease {
		t.Skipf("does not depend on the release of execnet: runs with %s", newestRelease)
	}
}

// dependent returns what depends on the release: all of them if that is the newest.
func dependent[T interface{ usesRelease() bool }](all []T) []T {
	if release() == newestRelease {
		return all
	}
	return slices.DeleteFunc(all, func(one T) bool { return !one.usesRelease() })
}

// releaseDir is a folder for PYTHONPATH that holds that release and nothing else. If none is given,
// pip makes one in the user's cache folder, once.
func releaseDir(t *testing.T) string {
	t.Helper()
	dir, err := findRelease()
	require.NoError(t, err)
	return dir
}

var findRelease = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("EXECNET_TEST_EXECNET_DIR"); dir != "" {
		return dir, checkRelease(dir)
	}
	dir, err := cachePath("execnet-" + release())
	if err != nil || checkRelease(dir) == nil {
		return dir, err
	}
	python := filepath.Join(pythons.Root(), ".venv", "bin", "python")
	out, err := exec.Command(python, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", dir,
		"execnet=="+release()).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot install execnet %s with %s (%w): %s\nmake .venv, or name a folder in EXECNET_TEST_EXECNET_DIR",
			release(), python, err, out)
	}
	return dir, checkRelease(dir)
})

// cachePath is the path for what is made once and kept in the user's cache folder.
func cachePath(name string) (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "go-execnet-tests", name), err
}

// checkRelease returns an error if dir does not hold the release, so that no test compares with
// another release by accident.
func checkRelease(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "execnet", "gateway_base.py")); err != nil {
		return fmt.Errorf("no execnet in %s: %w", dir, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "execnet-"+release()+".dist-info")); err != nil {
		return fmt.Errorf("the execnet in %s is not release %s: %w", dir, release(), err)
	}
	return nil
}

// supported reports whether the release runs on the interpreter: according to its metadata, and for
// 1.9.0 also on later Pythons.
func supported(p pythons.Interpreter) bool {
	switch {
	case strings.HasPrefix(release(), "1."):
		return p.Major == 2 || p.AtLeast(3, 5)
	case strings.HasPrefix(release(), "2.0."):
		return p.AtLeast(3, 7)
	}
	return p.AtLeast(3, 8)
}

// worker is one of the two workers that an interpreter can run: this module's ("ours"), or that of
// Python's execnet ("installed").
type worker struct {
	name   string
	python pythons.Interpreter
	dir    string // on the PYTHONPATH of the installed one; empty for ours
}

func ours(p pythons.Interpreter) worker { return worker{name: "ours", python: p} }

func installed(t *testing.T, p pythons.Interpreter) worker {
	t.Helper()
	return worker{name: "installed", python: p, dir: releaseDir(t)}
}

// workers are both workers of the interpreter: ours, unless it has been tested with the newest
// release, and the installed one where the release runs.
func workers(t *testing.T, p pythons.Interpreter) []worker {
	t.Helper()
	all := []worker{ours(p)}
	if supported(p) {
		all = append(all, installed(t, p))
	}
	return dependent(all)
}

// everyWorker runs a test with both workers of every CPython found.
func everyWorker(t *testing.T, test func(t *testing.T, w worker)) {
	t.Helper()
	for _, p := range pythons.All(t) {
		for _, w := range workers(t, p) {
			t.Run(p.Version()+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				test(t, w)
			})
		}
	}
}

// bothWorkers runs a test with both workers of the newest CPython that the release under test
// supports.
func bothWorkers(t *testing.T, test func(t *testing.T, w worker)) {
	t.Helper()
	all := pythons.All(t)
	for _, w := range workers(t, all[len(all)-1]) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// usesRelease reports whether the worker is that of the installed execnet.
func (w worker) usesRelease() bool { return w.dir != "" }

// spec is a spec that starts the worker.
func (w worker) spec() string {
	if w.dir == "" {
		return w.python.Spec()
	}
	return fmt.Sprintf("popen//python=env 'PYTHONPATH=%s' '%s'//bootstrap=import", w.dir, w.python.Path)
}

// caps says in what the worker differs from ours under Python 3.
func (w worker) caps() channeltest.Caps {
	caps := channeltest.Caps{Python2: w.python.Major == 2, UnorderedDicts: !w.python.AtLeast(3, 6), PyPy: w.python.PyPy}
	if w.dir != "" {
		caps.NoCloseAfterSendOnly = true
		caps.LosesLastClose = true
		caps.AnyEOFErrorEnds = true
		caps.ExitsAreErrors = true
		caps.ErrorsAreTexts = true
		caps.NoIntBelowInt32 = true
		caps.LosesUnsendableErrors = !caps.Python2
		caps.OneStringRule = strings.HasPrefix(release(), "1.")
		caps.RefusesCookies = caps.Python2
		caps.ASCIIFileNames = caps.Python2
		caps.RefusesAfterError = strings.HasPrefix(release(), "2.1.")
	}
	return caps
}

// hasMainThreadOnly reports whether the release knows that execution model.
func hasMainThreadOnly() bool {
	return !strings.HasPrefix(release(), "1.") && !strings.HasPrefix(release(), "2.0.")
}
