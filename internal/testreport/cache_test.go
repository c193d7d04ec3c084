package testreport

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".pytest_cache")
	run := func(events ...testrun.Event) {
		t.Helper()
		c := NewCache()
		c.Event(up("gw0", "cache_dir", dir))
		for _, e := range events {
			c.Event(e)
		}
		require.NoError(t, c.End(End{}))
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, "v", "cache", name))
		require.NoError(t, err)
		return string(text)
	}
	run(&testrun.CollectProblem{ID: "c.py", Outcome: testrun.Failed}, &testrun.CollectProblem{ID: "d.py", Outcome: testrun.Skipped},
		&testrun.Collected{Tests: tests("b.py::t<é>", "a.py::t", "a.py::u")},
		done("gw0", "b.py::t<é>", "call failed: x"), done("gw0", "a.py::t", "call passed"), done("gw0", "a.py::u", "setup error: x"))
	assert.Equal(t, "{\n  \"a.py::u\": true,\n  \"b.py::t<é>\": true,\n  \"c.py\": true\n}", read("lastfailed"))
	assert.Equal(t, "[\n  \"a.py::t\",\n  \"a.py::u\",\n  \"b.py::t<é>\"\n]", read("nodeids"))
	for _, name := range []string{".gitignore", "CACHEDIR.TAG"} {
		assert.FileExists(t, filepath.Join(dir, name))
	}
	// What is not run again stays, and a file that can be collected again has not failed any more.
	run(&testrun.Collected{Tests: tests("c.py::new", "a.py::u")}, done("gw0", "a.py::u", "call skipped: x"))
	assert.Equal(t, "{\n  \"b.py::t<é>\": true\n}", read("lastfailed"))
	assert.Equal(t, "[\n  \"a.py::t\",\n  \"a.py::u\",\n  \"b.py::t<é>\",\n  \"c.py::new\"\n]", read("nodeids"))
	// What cannot be read counts as nothing.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "v", "cache", "lastfailed"), []byte("{"), 0o600))
	run(done("gw0", "a.py::u", "call failed: x"))
	assert.Equal(t, "{\n  \"a.py::u\": true\n}", read("lastfailed"))
}

func TestCacheWrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for _, options := range [][]string{{"cache_dir", ""}, {"cache_dir", dir, "collectonly", "1"}} {
		c := NewCache()
		c.Event(up("gw0", options...))
		c.Event(done("gw0", "a.py::u", "call failed: x"))
		require.NoError(t, c.End(End{}))
		assert.NoDirExists(t, dir)
	}
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	c := NewCache()
	c.Event(up("gw0", "cache_dir", dir))
	c.Event(done("gw0", "a.py::u", "call failed: x"))
	assert.ErrorContains(t, c.End(End{}), "cannot write pytest's cache: ")
}
