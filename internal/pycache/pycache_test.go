package pycache

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSourcesAreMendedAndTheUsersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, install(dir, "m.py", "x = 1\n"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "m.py"), []byte("x ="), 0o600))
	require.NoError(t, install(dir, "m.py", "x = 1\n"))
	text, err := os.ReadFile(filepath.Join(dir, "m.py"))
	require.NoError(t, err)
	assert.Equal(t, "x = 1\n", string(text))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
	assert.Error(t, install(filepath.Join(os.DevNull, "x"), "m.py", "x = 1\n"))

	// Where others can write nothing is executed from.
	require.NoError(t, os.Chmod(dir, 0o777))
	assert.ErrorContains(t, install(dir, "m.py", "x = 1\n"), "this user's alone")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(t.TempDir(), link))
	assert.Error(t, install(link, "m.py", "x = 1\n"))
}
