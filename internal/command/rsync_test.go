package command

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trees makes files, by their names with slashes, in a folder named source, and names an empty
// place beside it.
func trees(t *testing.T, files map[string]string) (source, base string) {
	t.Helper()
	base = t.TempDir()
	source = filepath.Join(base, "source")
	require.NoError(t, os.Mkdir(source, 0o755))
	for name, text := range files {
		put(t, filepath.Join(source, filepath.FromSlash(name)), text)
	}
	return source, base
}

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// listed is what a folder holds: files with their contents, links with their targets, directories
// with a slash.
func listed(t *testing.T, path string) map[string]string {
	t.Helper()
	seen := map[string]string{}
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == path {
			return err
		}
		name, err := filepath.Rel(path, p)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
		case d.IsDir():
			seen[name+"/"] = ""
		case d.Type()&fs.ModeSymlink != 0:
			seen[name], err = os.Readlink(p)
		default:
			var text []byte
			text, err = os.ReadFile(p)
			seen[name] = string(text)
		}
		return err
	})
	require.NoError(t, err)
	return seen
}

// goSpec leads to the program itself as the worker.
const goSpec = "popen//self"

// drawing is what only a terminal is to get.
var drawing = regexp.MustCompile(`\r|\x1b\[`)

// sortedLines are the lines of a text in alphabetical order.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	slices.Sort(lines)
	return lines
}

func TestRsyncPrintsLines(t *testing.T) {
	for _, spec := range []string{"popen", goSpec} {
		source, base := trees(t, map[string]string{"a": "four", "sub/b": strings.Repeat("b", 1234), "sub/empty": ""})
		dest := filepath.Join(base, "dest")
		out := ok(t, "", "rsync", source, "--tx", spec, dest)
		assert.Equal(t, []string{"gw0 <= a", "gw0 <= sub/b", "gw0 <= sub/empty",
			"gw0: 3 files written (1.2 kB sent), 2 directories made"}, sortedLines(out))
		assert.NotRegexp(t, drawing, out)
		assert.Equal(t, listed(t, source), listed(t, dest))

		assert.Equal(t, "gw0: 0 files written (0 B sent)\n", ok(t, "", "rsync", source, "--tx", spec, dest))
		put(t, filepath.Join(source, "a"), "changed")
		put(t, filepath.Join(dest, "extra/x"), "")
		assert.Equal(t, "gw0 <= a\ngw0: 1 file written (7 B sent)\n", ok(t, "", "rsync", source, "--tx", spec, dest))
		assert.Contains(t, listed(t, dest), "extra/x")
		assert.Equal(t, "gw0 deletes extra\ngw0: 0 files written (0 B sent), 1 entry deleted\n",
			ok(t, "", "rsync", source, "--delete", "--tx", spec, dest))
		assert.Equal(t, listed(t, source), listed(t, dest))

		later := time.Now().Add(time.Hour)
		require.NoError(t, os.Chtimes(filepath.Join(source, "a"), later, later))
		assert.Equal(t, "gw0: 0 files written (0 B sent), 1 file touched\n", ok(t, "", "rsync", source, "--tx", spec, dest))
	}
}

func TestRsyncQuiet(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a"})
	for _, flag := range []string{"-q", "--quiet"} {
		assert.Empty(t, ok(t, "", "rsync", flag, source, filepath.Join(base, flag)))
		assert.Equal(t, listed(t, source), listed(t, filepath.Join(base, flag)))
	}
}

func TestRsyncDryRun(t *testing.T) {
	for _, spec := range []string{"popen", goSpec} {
		source, base := trees(t, map[string]string{"a": "new", "sub/b": "b", "same": "s"})
		dest := filepath.Join(base, "dest")
		assert.Equal(t, []string{"gw0 <= a", "gw0 <= same", "gw0 <= sub/b", "gw0: 3 files to be written, 2 directories to be made"},
			sortedLines(ok(t, "", "rsync", "--dry-run", source, "--tx", spec, dest)))
		r := inProcess("", "rsync", "host:src", dest)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "SRC is a directory here")
		for _, path := range []string{`C:\x`, "c:/x", "./a:b", "/a:b", "a/b:c", "~", ":x"} {
			assert.NotRegexp(t, hostAndPath, path)
		}
		assert.NoDirExists(t, dest)

		put(t, filepath.Join(dest, "a"), "older")
		put(t, filepath.Join(dest, "extra"), "x")
		before := listed(t, dest)
		assert.Equal(t, []string{"gw0 <= a", "gw0 <= same", "gw0 <= sub/b", "gw0 deletes extra",
			"gw0: 3 files to be written, 1 directory to be made, 1 entry to be deleted"},
			sortedLines(ok(t, "", "rsync", "-n", "--delete", source, "--tx", spec, dest)))
		assert.Equal(t, before, listed(t, dest), "nothing has changed")
	}
}

func TestRsyncExclude(t *testing.T) {
	source, base := trees(t, map[string]string{"a.pyc": "", "a.py": "", "sub/b.pyc": "", "sub/.git/config": "", ".git/x": "", "sub/git": "",
		"build/out": "", "sub/build": "a file", "sub/build2/x": "", "docs/api/x.html": "", "docs/y.html": "", "sub/docs/z.html": "", "brace.a": "", "brace.b": "", "brace.c": ""})
	left := func(patterns ...string) string {
		args := []string{"rsync", "-q", "--delete", source}
		for _, pattern := range patterns {
			args = append(args, "--exclude", pattern)
		}
		dest := filepath.Join(base, "dest")
		ok(t, "", append(args, "--tx", goSpec, dest)...)
		there, gone := listed(t, dest), []string{}
		for name := range listed(t, source) {
			if _, ok := there[name]; !ok {
				gone = append(gone, name)
			}
		}
		return strings.Join(sortedLines(strings.Join(gone, "\n")), " ")
	}
	assert.Empty(t, left())
	assert.Equal(t, "a.pyc sub/b.pyc", left("*.pyc"), "a name, anywhere; with --delete it goes where it was sent before")
	assert.Equal(t, ".git/ .git/x sub/.git/ sub/.git/config", left(".git/"))
	assert.Equal(t, "build/ build/out", left("build/"), "a file of that name stays")
	assert.Equal(t, "build/ build/out sub/build", left("build"))
	assert.Equal(t, "sub/build", left("sub/build"))
	assert.Equal(t, "build/ build/out", left("/build"), "at the top alone")
	assert.Equal(t, "build/ build/out", left("./build"), "the same in other words")
	assert.Equal(t, "build/ build/out", left("docs/..//build/"))
	assert.Empty(t, left("sub//build/"))
	assert.Equal(t, "sub/build", left("sub//./build"))
	assert.Equal(t, "build/ build/out", left("build//"), "a file of that name stays")
	assert.Equal(t, "docs/y.html", left("docs/*.html"))
	assert.Equal(t, "docs/api/x.html docs/y.html", left("docs/**/*.html"))
	assert.Equal(t, "docs/api/x.html docs/y.html sub/docs/z.html", left("**/*.html"))
	assert.Equal(t, "brace.a brace.b sub/git", left("brace.{a,b}", "git"))
	assert.Equal(t, "brace.a brace.b brace.c", left("brace.[a-c]"))
}

func TestRsyncManyTargets(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a", "sub/b": "b"})
	at := func(name string) string { return filepath.Join(base, name) }
	out := ok(t, "", "rsync", source, "--tx", "popen//id=one", at("1"), "--tx", goSpec+"//id=two", at("2"))
	for _, line := range []string{"one <= a\n", "two <= sub/b\n", "one: 2 files written", "two: 2 files written"} {
		assert.Contains(t, out, line)
	}
	// One DEST for all, each relative to its interpreter's folder.
	require.NoError(t, os.Mkdir(at("3"), 0o755))
	require.NoError(t, os.Mkdir(at("4"), 0o755))
	ok(t, "", "rsync", source, "--tx", "popen//chdir="+at("3"), "--tx", "popen//chdir="+at("4"), "same")
	// One that only leads to another.
	out = ok(t, "", "rsync", source, "--tx", "popen//id=host", "-", "--tx", "popen//id=guest//via=host", at("5"))
	assert.NotContains(t, out, "host")
	for _, name := range []string{"1", "2", "3/same", "4/same", "5"} {
		assert.Equal(t, listed(t, source), listed(t, at(name)), name)
	}
}

func TestRsyncUsageErrors(t *testing.T) {
	source, base := trees(t, nil)
	dest := filepath.Join(base, "dest")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "nothing to send: give SRC"},
		{[]string{source}, "nowhere to send it"},
		{[]string{"", dest}, "SRC is empty"},
		{[]string{source, ""}, "DEST is empty"},
		{[]string{source, "--tx", "popen", dest, "--tx", "popen", ""}, "DEST is empty"},
		{[]string{source, "me@example.org:/srv/app"}, `DEST "me@example.org:/srv/app" looks like HOST:PATH: write --tx ssh=me@example.org /srv/app, or ./me@example.org:/srv/app if that is a name`},
		{[]string{source, "host:"}, "write --tx ssh=host ., or"},
		{[]string{source, "[::1]:x"}, "write --tx ssh=[::1] x, or"},
		{[]string{source, "--tx", "popen", dest, "--tx", "ssh=host", "host:/x"}, "write --tx ssh=host /x, or"},
		{[]string{source, dest, dest}, "there are 2 DESTs for 1 interpreters"},
		{[]string{source, dest, "--tx", "popen//popen"}, `"popen"`},
		{[]string{source, dest, "--exclude", ""}, `--exclude "" is no pattern`},
		{[]string{source, dest, "--exclude", "[a"}, `--exclude "[a" is no pattern`},
		{[]string{source, dest, "--exclude", "./[a"}, `--exclude "./[a" is no pattern`},
		{[]string{source, dest, "--exclude", "/"}, `--exclude "/" matches nothing in SRC`},
		{[]string{source, dest, "--exclude", "./"}, `--exclude "./" matches nothing in SRC`},
		{[]string{source, dest, "--exclude", "a/../.."}, `--exclude "a/../.." matches nothing in SRC`},
		{[]string{source, dest, "--exclude", "../x"}, `--exclude "../x" matches nothing in SRC`},
		{[]string{source, dest, "--timeout", "-1s"}, "it cannot be negative"},
		{[]string{source, dest, "--stall-timeout", "0"}, "--stall-timeout 0s: it must be more than 0"},
		{[]string{source, dest, "--stall-timeout", "-1s"}, "--stall-timeout -1s: it must be more than 0"},
		{[]string{source, dest, "--tx", "popen", "--tx", "popen"}, "twice"},
		{[]string{source, "--tx", "popen//id=a", "d", "--tx", "popen//id=b", "./d"}, "./d would be sent to popen//id=b twice"},
		{[]string{source, "--tx", "popen//nice=1", "d/", "--tx", "nice=1//id=b//popen", "e//../d"}, "twice"},
		{[]string{source, "-"}, "nothing gets SRC"},
		{[]string{source, dest, "--nonsense"}, "unknown flag: --nonsense"},
	} {
		r := inProcess("", append([]string{"rsync"}, c.args...)...)
		assert.Equal(t, 2, r.code, c.args)
		assert.Contains(t, r.stderr, c.want, c.args)
		assert.Empty(t, r.stdout)
	}
	for path, want := range map[string]string{filepath.Join(base, "nowhere"): "nowhere", binary: "is no directory"} {
		r := inProcess("", "rsync", path, dest)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, want)
	}
	assert.NoDirExists(t, dest)
}

// A target that fails is named, the exit code is 1, and the others complete.
func TestRsyncFailures(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a", "sub/b": "b"})
	at := func(name string) string { return filepath.Join(base, name) }
	put(t, at("file"), "in the way")
	for _, bad := range []string{"popen//id=bad", goSpec + "//id=bad"} {
		r := execnet(t, "", "rsync", source, "--delete", "--tx", "popen//id=good", at("good"), "--tx", bad, at("file/dest"))
		assert.Equal(t, 1, r.code)
		assert.Regexp(t, `^\[bad\] rsync to \S*file.dest of gateway bad: .*\n$`, r.stderr)
		assert.Contains(t, r.stdout, "good: ")
		assert.Regexp(t, `(?m)^bad: .*; NOT COMPLETE$`, r.stdout)
		assert.Equal(t, listed(t, source), listed(t, at("good")))
		require.NoError(t, os.RemoveAll(at("good")))
	}
	// One that does not start.
	r := execnet(t, "", "rsync", source, "--tx", "popen//id=good", at("good"), "--tx", "popen//id=bad//python=/no/such/python", at("bad"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "[bad] ")
	assert.Contains(t, r.stderr, "/no/such/python")
	assert.Equal(t, listed(t, source), listed(t, at("good")))
	// None that starts.
	r = execnet(t, "", "rsync", source, "--tx", "popen//id=bad//python=/no/such/python", at("bad"))
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
}

// A DEST that holds SRC is not emptied.
func TestRsyncSparesTheSource(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a", "sub/b": "b"})
	before := listed(t, base)
	for _, args := range [][]string{{"popen", base}, {goSpec, source}, {goSpec + "//chdir=" + source, ".."}, {"popen", base, "--dry-run"}} {
		r := execnet(t, "", append([]string{"rsync", source, "--delete", "--tx"}, args...)...)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "[gw0] rsync to "+args[1]+" of gateway gw0: it is or holds the source "+source)
		assert.Empty(t, r.stdout)
		assert.Equal(t, before, listed(t, base))
	}
}

func TestRsyncTimeout(t *testing.T) {
	source, base := trees(t, map[string]string{"a": "a"})
	r := execnet(t, "", "rsync", source, "--timeout", "300ms", "--tx",
		`popen//python=python3 -c 'import time; time.sleep(100)'`, filepath.Join(base, "dest"))
	assert.Equal(t, 124, r.code, r.stderr)
	assert.Contains(t, r.stderr, "not done after 300ms (--timeout)")

	// In the middle of it.
	large := filepath.Join(source, "large")
	put(t, large, "")
	require.NoError(t, os.Truncate(large, 1<<36))
	r = execnet(t, "", "rsync", source, "--timeout", "1s", filepath.Join(base, "dest"))
	assert.Equal(t, 124, r.code, r.stderr)
	assert.Contains(t, r.stderr, "execnet rsync: not done after 1s (--timeout)")
	assert.NotContains(t, r.stdout, "warning")
	assert.Contains(t, r.stdout, "; NOT COMPLETE\n")
	assert.NoFileExists(t, filepath.Join(base, "dest", "large"))
}

// What cannot be sent, or may come out as something else on a terminal, is told in words.
func TestRsyncOddEntries(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // it has no such names
	}
	source, base := trees(t, map[string]string{"bell\x07\x1b[2J": "b", "new\nline": "n"})
	require.NoError(t, exec.Command("mkfifo", filepath.Join(source, "pipe\x1b[1m")).Run())
	out := ok(t, "", "rsync", source, filepath.Join(base, "dest\x1b[0m"))
	assert.Contains(t, out, `gw0 <= "bell\a\x1b[2J"`+"\n")
	assert.Contains(t, out, `gw0 <= "new\nline"`+"\n")
	assert.Contains(t, out, `warning: "pipe\x1b[1m": not sent: it is a named pipe`+"\n")
	assert.NotContains(t, out, "\x1b")

	put(t, filepath.Join(base, "file\x1b[5m"), "")
	r := execnet(t, "", "rsync", source, filepath.Join(base, "file\x1b[5m", "dest"))
	assert.Equal(t, 1, r.code)
	assert.NotContains(t, r.stdout+r.stderr, "\x1b")
	assert.Contains(t, r.stderr, `file\x1b[5m`)
}
