package pycache

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
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

// TestNothingIsMadeInAnothersHome is for root, who has kept a user's HOME, and for users whose
// cache folder is somebody else's.
func TestNothingIsMadeInAnothersHome(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // folders have no such owner there
	}
	place := filepath.Join(t.TempDir(), "home")
	require.NoError(t, os.Mkdir(place, 0o777))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(place, 12345, 12345))
	} else {
		place = "/"
	}
	dir := filepath.Join(place, "cache-of-another", "go-execnet", "worker-1")
	err := install(dir, "m.py", "x = 1\n")
	assert.ErrorContains(t, err, place+" belongs to another user")
	_, err = os.Stat(filepath.Join(place, "cache-of-another"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// load has an interpreter load a module that says where it comes from.
func load(t *testing.T, python pythons.Interpreter, dir string) string {
	t.Helper()
	cmd := exec.Command(python.Path, "-c", Load+`
before = sys.dont_write_bytecode
print(load(sys.argv[1], "m", lambda: "where = lambda: 'source'", "where")())
assert sys.argv[1] not in sys.path and sys.dont_write_bytecode == before`, dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// TestLoad damages the module and its compiled form in every way: the name is always found, and a
// compiled form that cannot be used is not there any more.
func TestLoad(t *testing.T) {
	const text = "import os\nwhere = lambda: 'file'\n" // os makes it long enough to be cut
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			prepared := func(t *testing.T) (dir, compiled string) {
				t.Helper()
				dir = filepath.Join(t.TempDir(), "kept")
				require.NoError(t, install(dir, "m.py", text))
				require.Equal(t, "file", load(t, python, dir))
				found, err := filepath.Glob(filepath.Join(dir, "__pycache__", "m.*.pyc"))
				require.NoError(t, err)
				if python.Major == 2 {
					found = []string{filepath.Join(dir, "m.pyc")}
				}
				require.Len(t, found, 1)
				return dir, found[0]
			}
			content := func(compiled string) []byte {
				b, err := os.ReadFile(compiled)
				require.NoError(t, err)
				return b
			}
			// loadable is a good compiled form of another source.
			loadable := func(t *testing.T) []byte {
				dir, compiled := prepared(t)
				good := content(compiled)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "m.py"), []byte(strings.Replace(text, "where", "wheer", 1)), 0o600))
				require.NoError(t, os.Remove(compiled))
				cmd := exec.Command(python.Path, "-c", "import sys; sys.dont_write_bytecode = False; sys.path.insert(0, sys.argv[1]); import m", dir)
				require.NoError(t, cmd.Run())
				return append(good[:min(16, len(good))], content(compiled)[16:]...)
			}
			for name, test := range map[string]struct {
				damage func(t *testing.T, dir, compiled string)
				want   string // what the next load uses
				gone   bool   // the damaged form is removed
			}{
				"cut off": {func(t *testing.T, dir, compiled string) { require.NoError(t, os.Truncate(compiled, 30)) }, "source", true},
				"empty":   {func(t *testing.T, dir, compiled string) { require.NoError(t, os.Truncate(compiled, 0)) }, "file", false},
				"zeros": {func(t *testing.T, dir, compiled string) {
					zeros := content(compiled)
					clear(zeros[16:])
					require.NoError(t, os.WriteFile(compiled, zeros, 0o600))
				}, "source", true},
				"a folder": {func(t *testing.T, dir, compiled string) {
					require.NoError(t, os.Remove(compiled))
					require.NoError(t, os.Mkdir(compiled, 0o700))
				}, "file", false},
				"no source": {func(t *testing.T, dir, compiled string) {
					source := filepath.Join(dir, "m.py")
					require.NoError(t, os.Truncate(source, 0))
					require.NoError(t, os.Chtimes(source, time.Time{}, time.Now().Add(time.Hour)))

				}, "source", true},
				"no folder":        {func(t *testing.T, dir, compiled string) { require.NoError(t, os.RemoveAll(dir)) }, "source", false},
				"others can write": {func(t *testing.T, dir, compiled string) { require.NoError(t, os.Chmod(dir, 0o720)) }, "source", false},
				"another's": {func(t *testing.T, dir, compiled string) {
					if os.Geteuid() == 0 {
						require.NoError(t, os.Chown(dir, 12345, 12345))
					} else {
						require.NoError(t, os.Rename(dir, dir+".own"))
						require.NoError(t, os.Symlink("/usr/lib", dir))
					}
				}, "source", false},
				"read-only": {func(t *testing.T, dir, compiled string) {
					require.NoError(t, os.Remove(compiled))
					require.NoError(t, os.Chmod(filepath.Dir(compiled), 0o500))
				}, "file", false},
				"other code": {func(t *testing.T, dir, compiled string) {
					if python.AtLeast(3, 7) { // earlier headers have another size
						// The header holds the time of this source.
						other := append(content(compiled)[:16:16], loadable(t)[16:]...)
						require.NoError(t, os.WriteFile(compiled, other, 0o600))
					} else {
						require.NoError(t, os.Truncate(compiled, 20))
					}
				}, "source", true},
			} {
				t.Run(name, func(t *testing.T) {
					dir, compiled := prepared(t)
					test.damage(t, dir, compiled)
					assert.Equal(t, test.want, load(t, python, dir))
					if test.gone {
						_, err := os.Stat(compiled)
						assert.ErrorIs(t, err, fs.ErrNotExist)
					}
				})
			}
		})
	}
}
