package testrun_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

// The next run begins with what has failed, and then with what takes long.
func TestMemory(t *testing.T) {
	var b strings.Builder
	b.WriteString("import time\n")
	for i := range 30 {
		fmt.Fprintf(&b, "def test_%02d(): pass\n", i)
	}
	b.WriteString("def test_long(): time.sleep(0.5)\ndef test_longer(): time.sleep(1)\ndef test_bad(): assert 0\n")
	memory := filepath.Join(t.TempDir(), "new", ".execnet")
	dir := files{"test_it.py": b.String()}.Write(t)
	started := func(r result) []string {
		var ids []string
		for _, s := range of[*testrun.TestStarted](r) {
			ids = append(ids, strings.TrimPrefix(s.Test.ID, "test_it.py::"))
		}
		return ids
	}
	for i := range 2 {
		r := runIn(t, enough(t), dir, 1, testrun.Config{Memory: memory, NoFork: true}, nil)
		require.NoError(t, r.err)
		assert.Empty(t, of[*testrun.Notice](r))
		want := []string{"test_00", "test_01", "test_02"}
		if i == 1 {
			want = []string{"test_bad", "test_longer", "test_long"}
		}
		assert.Equal(t, want, started(r)[:3])
	}
	left, err := os.ReadDir(memory)
	require.NoError(t, err)
	var names []string
	for _, file := range left {
		names = append(names, file.Name())
	}
	assert.Equal(t, []string{".gitignore", "last-run.json"}, names, "temporary files are left")
}

// A file that is not ours is told and not used.
func TestForeignMemory(t *testing.T) {
	for _, text := range []string{"", "{", `{"version": 99}`, `[1]`} {
		memory := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(memory, "last-run.json"), []byte(text), 0o600))
		r := runFiles(t, 1, files{"test_it.py": "def test_a(): pass\n"}, testrun.Config{Memory: memory})
		require.NoError(t, r.err)
		assert.Equal(t, testrun.OK, r.code)
		notices := of[*testrun.Notice](r)
		require.Len(t, notices, 1)
		assert.Contains(t, notices[0].Text, "durations of the last run are not used")
		assert.Contains(t, readFile(t, filepath.Join(memory, "last-run.json")), `"test_it.py::test_a"`)
	}
}

// A handful of quick tests has one worker, if it is known that they are quick.
func TestFewWorkers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only workers that are forked come as they are needed")
	}
	memory := t.TempDir()
	dir := files{"test_it.py": "import pytest\n@pytest.mark.parametrize('i', range(4))\ndef test_a(i): pass\n"}.Write(t)
	known := `{"version": 1, "tests": {`
	for i := range 4 {
		known += fmt.Sprintf(`"test_it.py::test_a[%d]": {"seconds": 0.001}, `, i)
	}
	known = strings.TrimSuffix(known, ", ") + "}}"
	require.NoError(t, os.WriteFile(filepath.Join(memory, "last-run.json"), []byte(known), 0o600))
	r := runIn(t, enough(t), dir, 4, testrun.Config{Memory: memory}, nil)
	require.NoError(t, r.err)
	assert.Empty(t, of[*testrun.Notice](r))
	assert.Len(t, r.outcomes(t), 4)
	assert.Len(t, of[*testrun.WorkerUp](r), 1)
}
