package changes

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestChanges(t *testing.T) {
	root := t.TempDir()
	write := func(name string) {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(name), 0o600))
	}
	for _, name := range []string{"a.py", "deep/er/b.py", ".git/index", "env/pyvenv.cfg", "env/lib/c.py", "deep/__pycache__/b.pyc"} {
		write(name)
	}
	w, err := New(root)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Close()) })

	write("env/lib/c.py")
	write(".git/index")
	write("deep/__pycache__/b.pyc")
	write("deep/er/b.py")
	write("a.py")
	found, err := w.Wait(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.py", "deep/er/b.py"}, found)

	require.NoError(t, os.Remove(filepath.Join(root, "a.py")))
	found, err = w.Wait(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.py"}, found)

	// A folder that is new is watched, too.
	write("new/d.py")
	_, err = w.Wait(within.Soon(t))
	require.NoError(t, err)
	write("new/d.py")
	found, err = w.Wait(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, []string{"new/d.py"}, found)

	// What does not count is forgotten.
	write("data.json")
	write("deep/er/b.py")
	taken, err := w.Take(within.Soon(t), func(path string) bool { return strings.HasSuffix(path, ".py") })
	require.NoError(t, err)
	assert.Equal(t, []string{"deep/er/b.py"}, taken)
	taken, err = w.Take(within.Soon(t), func(string) bool { return true })
	require.NoError(t, err)
	assert.Empty(t, taken)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Wait(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}
