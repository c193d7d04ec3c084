// Package pythons finds the Python interpreters that tests and benchmarks run against.
package pythons

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Interpreter is one CPython found on this machine, or a PyPy that EXECNET_TEST_PYTHONS names.
type Interpreter struct {
	Path         string // an absolute path
	Major, Minor int
	PyPy         bool
}

// Version is the interpreter's "major.minor".
func (p Interpreter) Version() string { return fmt.Sprintf("%d.%d", p.Major, p.Minor) }

// AtLeast reports whether the interpreter's version is major.minor or newer.
func (p Interpreter) AtLeast(major, minor int) bool {
	return p.Major > major || p.Major == major && p.Minor >= minor
}

// Spec is the popen spec that starts the interpreter.
func (p Interpreter) Spec() string { return "popen//python=" + p.Path }

var found = sync.OnceValue(find)

// All returns one interpreter for each CPython version found, oldest first: those that the
// environment variable EXECNET_TEST_PYTHONS lists (separated as PATH is), else those under
// $PYENV_ROOT/versions and on PATH, and the embedded one that `make python314` has unpacked. It
// fails the test when there is no Python 3 among them.
func All(tb testing.TB) []Interpreter {
	tb.Helper()
	all := found()
	if !slices.ContainsFunc(all, func(p Interpreter) bool { return p.Major == 3 }) {
		tb.Fatal("no Python 3 found: put python3 on PATH, or list interpreters in EXECNET_TEST_PYTHONS")
	}
	return all
}

// Default returns the interpreter called python3 on PATH, or the newest one found.
func Default(tb testing.TB) Interpreter {
	tb.Helper()
	all := All(tb)
	if path, err := exec.LookPath("python3"); err == nil {
		if p, ok := query(path); ok {
			return p
		}
	}
	return all[len(all)-1]
}

// WithExecnet returns the path of an interpreter that can import pip's execnet:
// $EXECNET_TEST_VENV's, else the repository's .venv. It fails the test when there is none.
func WithExecnet(tb testing.TB) string {
	tb.Helper()
	python := filepath.Join(venv(), "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(venv(), "Scripts", "python.exe")
	}
	if err := exec.Command(python, "-c", "import execnet").Run(); err != nil {
		tb.Fatalf("%s cannot import execnet (%v): run `make venv`, or set EXECNET_TEST_VENV", python, err)
	}
	return python
}

// venv is the virtual environment that `make venv` makes.
func venv() string {
	if folder := os.Getenv("EXECNET_TEST_VENV"); folder != "" {
		return folder
	}
	return filepath.Join(Root(), ".venv")
}

// Pytest returns a folder for PYTHONPATH that has a pytest for an interpreter of this version, or,
// for "plugins", one with plugins for that of WithExecnet. It fails the test when there is none.
func Pytest(tb testing.TB, version string) string {
	tb.Helper()
	folder := filepath.Join(filepath.Dir(filepath.Dir(WithExecnet(tb))), "pytest", version)
	if _, err := os.Stat(filepath.Join(folder, "installed")); err != nil {
		tb.Fatalf("there is no pytest for %s (%v): run `make venv`", version, err)
	}
	return folder
}

// Root is the repository's top folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

func find() []Interpreter {
	var paths []string
	if list := os.Getenv("EXECNET_TEST_PYTHONS"); list != "" {
		paths = filepath.SplitList(list)
	} else {
		if root := os.Getenv("PYENV_ROOT"); root != "" {
			paths, _ = filepath.Glob(filepath.Join(root, "versions", "*", "bin", "python"))
		}
		names := []string{"python3", "python", "python2.7"}
		for minor := 6; minor <= 14; minor++ {
			names = append(names, fmt.Sprintf("python3.%d", minor))
		}
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				paths = append(paths, path)
			}
		}
		unpacked, _ := filepath.Glob(filepath.Join(venv(), "pythons", "*", "bin", "python3"))
		paths = append(paths, unpacked...)
	}
	var all []Interpreter
	for _, path := range paths {
		p, ok := query(path)
		if ok && !slices.ContainsFunc(all, func(q Interpreter) bool { return q.Version() == p.Version() }) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Interpreter) int { return (a.Major-b.Major)*1000 + a.Minor - b.Minor })
	return all
}

// query asks the interpreter itself: a name on PATH may be a shim that leads nowhere.
func query(path string) (Interpreter, bool) {
	out, err := exec.Command(path, "-c", "import sys; print('%s|%d|%d|%s' % ((sys.executable,) + tuple(sys.version_info[:2]) + ('PyPy' in sys.version,)))").Output()
	if err != nil {
		return Interpreter{}, false
	}
	fields := strings.Split(strings.TrimSpace(string(out)), "|")
	p := Interpreter{}
	if len(fields) != 4 {
		return p, false
	}
	p.Path, p.PyPy = fields[0], fields[3] == "True"
	if _, err := fmt.Sscan(fields[1]+" "+fields[2], &p.Major, &p.Minor); err != nil {
		return p, false
	}
	return p, filepath.IsAbs(p.Path)
}
