//go:build unix

package receive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/rsync/paths"
)

// directory opens a fresh directory.
func directory(t *testing.T) *dir {
	t.Helper()
	d, err := openDir(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(d.close)
	return d
}

func put(t *testing.T, d *dir, name, text string, mode uint32, mtime time.Time) {
	t.Helper()
	f, err := d.create(name)
	require.NoError(t, err)
	_, err = f.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, f.commit(mode, mtime))
}

func namesIn(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestTemporaryNames(t *testing.T) {
	for _, name := range []string{"a", ".bashrc", strings.Repeat("é", 127), strings.Repeat("\xff", 255), "a\nb"} {
		temporary := temporaryName(name)
		assert.LessOrEqual(t, len(temporary), 143)
		assert.True(t, isTemporaryName(temporary), "%q", temporary)
		assert.NotEqual(t, temporary, temporaryName(name))
		assert.NoError(t, paths.CheckName(temporary))
	}
	assert.Equal(t, "."+strings.Repeat("é", 50)+temporaryMark, strings.TrimRight(temporaryName("é"+strings.Repeat("é", 126)), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
	for _, name := range []string{"a.execnet-ABCDEFGH", ".a.execnet-abcdefgh", ".execnet-ABCDEFGH", ".a.execnet-ABCDEFGHI", ".a"} {
		assert.False(t, isTemporaryName(name), name)
	}
}

func TestWriteFile(t *testing.T) {
	d := directory(t)
	at := time.Unix(1234567890, 123456789)
	put(t, d, "a", "one", 0o640, at)
	info, err := os.Stat(d.full("a"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode())
	assert.True(t, at.Equal(info.ModTime()))
	put(t, d, "a", "two", 0, time.Time{})
	info, err = os.Stat(d.full("a"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode(), "no mode was named")
	assert.WithinDuration(t, time.Now(), info.ModTime(), time.Minute)
	content, err := os.ReadFile(d.full("a"))
	require.NoError(t, err)
	assert.Equal(t, "two", string(content))
	put(t, d, "s", "", 0o4755, at)
	info, err = os.Stat(d.full("s"))
	require.NoError(t, err)
	assert.Equal(t, 0o755|fs.ModeSetuid, info.Mode())
	assert.Equal(t, []string{"a", "s"}, namesIn(t, d.path))
}

func TestWriteFileInTheWay(t *testing.T) {
	d := directory(t)
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("precious"), 0o600))
	require.NoError(t, os.Symlink(outside, d.full("link")))
	put(t, d, "link", "new", 0o644, time.Time{})
	info, err := os.Lstat(d.full("link"))
	require.NoError(t, err)
	assert.True(t, info.Mode().IsRegular(), "the link is replaced, not followed")
	content, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(content))

	require.NoError(t, os.MkdirAll(d.full("sub/deep"), 0o755))
	put(t, d, "sub", "a file now", 0o644, time.Time{})
	assert.FileExists(t, d.full("sub"))
	created, err := d.makeDir("sub", 0o750)
	require.NoError(t, err)
	assert.True(t, created)
	info, err = os.Stat(d.full("sub"))
	require.NoError(t, err)
	assert.Equal(t, 0o750|fs.ModeDir, info.Mode())
}

func TestDiscardLeavesNothing(t *testing.T) {
	d := directory(t)
	f, err := d.create("a")
	require.NoError(t, err)
	assert.Len(t, namesIn(t, d.path), 1)
	f.discard()
	assert.Empty(t, namesIn(t, d.path))

	f, err = d.create("b")
	require.NoError(t, err)
	require.NoError(t, f.commit(0o644, time.Time{}))
	f.discard()
	assert.Equal(t, []string{"b"}, namesIn(t, d.path), "after commit it does nothing")
}

func TestClean(t *testing.T) {
	d := directory(t)
	for _, name := range []string{"kept", "other", ".a.execnet-ABCDEFGH", ".announced.execnet-ABCDEFGH"} {
		require.NoError(t, os.WriteFile(d.full(name), nil, 0o600))
	}
	announced := map[string]struct{}{"kept": {}, ".announced.execnet-ABCDEFGH": {}}
	require.NoError(t, d.clean(announced, false))
	assert.Equal(t, []string{".announced.execnet-ABCDEFGH", "kept", "other"}, namesIn(t, d.path))
	require.NoError(t, d.clean(announced, true))
	assert.Equal(t, []string{".announced.execnet-ABCDEFGH", "kept"}, namesIn(t, d.path))
}

func TestWasLeft(t *testing.T) {
	recently, longAgo := time.Now().Add(-leftoverAge/2), time.Now().Add(-2*leftoverAge)
	assert.True(t, wasLeft(nil, recently))
	assert.False(t, wasLeft(errLocked, longAgo))
	assert.False(t, wasLeft(errors.ErrUnsupported, recently), "files cannot be locked there")
	assert.True(t, wasLeft(errors.ErrUnsupported, longAgo))
}

func TestSymlink(t *testing.T) {
	d := directory(t)
	require.NoError(t, os.MkdirAll(d.full("sub/deep"), 0o755))
	for _, step := range []struct {
		name, target string
		made         bool
	}{{"l", "../no/where", true}, {"l", "../no/where", false}, {"l", "/elsewhere", true}, {"sub", "l", true}} {
		made, err := d.symlink(step.name, step.target)
		require.NoError(t, err)
		assert.Equal(t, step.made, made)
		got, err := os.Readlink(d.full(step.name))
		require.NoError(t, err)
		assert.Equal(t, step.target, got)
	}
	assert.Equal(t, []string{"l", "sub"}, namesIn(t, d.path))
}

func TestSubIsNoLink(t *testing.T) {
	d := directory(t)
	require.NoError(t, os.Mkdir(d.full("real"), 0o755))
	for name, target := range map[string]string{"in": "real", "out": t.TempDir()} {
		require.NoError(t, os.Symlink(target, d.full(name)))
		_, err := d.sub(name)
		var unsafe *paths.UnsafeError
		assert.ErrorAs(t, err, &unsafe, name)
	}
	_, err := d.sub("none")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, d.full("none"))
}

func TestTreeKeepsOpenOnlyTheWay(t *testing.T) {
	path := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(path, "a/b/c"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o755))
	tr, err := newTree(path)
	require.NoError(t, err)
	defer tr.close()
	root := &place{}
	a := &place{root, "a"}
	c := &place{&place{a, "b"}, "c"}
	assert.Equal(t, "a/b/c", c.path())
	for _, at := range []struct {
		place *place
		open  int
	}{{c, 4}, {a, 2}, {&place{root, "x"}, 2}, {c, 4}, {root, 1}} {
		d, err := tr.dir(at.place)
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(path, at.place.path()), d.path)
		assert.Len(t, tr.open, at.open)
	}
}

func TestDestinations(t *testing.T) {
	base := t.TempDir()
	for name, prepare := range map[string]func(path string) error{
		"new":         func(string) error { return nil },
		"new/deep/er": func(string) error { return nil },
		"there":       func(path string) error { return os.Mkdir(path, 0o755) },
		"file":        func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"link": func(path string) error {
			return errors.Join(os.Mkdir(path+"-target", 0o755), os.Symlink(path+"-target", path))
		},
		"dangling": func(path string) error { return os.Symlink("nowhere", path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(base, name)
			require.NoError(t, prepare(path))
			tr, err := newTree(path)
			require.NoError(t, err)
			defer tr.close()
			root := &place{}
			_, err = tr.makeDir(root, 0o711)
			require.NoError(t, err)
			d, err := tr.dir(root)
			require.NoError(t, err)
			put(t, d, "f", "x", 0o644, time.Time{})
			assert.FileExists(t, filepath.Join(path, "f"))
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, 0o711|fs.ModeDir, info.Mode())
		})
	}
	assert.FileExists(t, filepath.Join(base, "link-target/f"), "a destination that is a link is followed")
	_, err := newTree("")
	assert.ErrorContains(t, err, "empty")
}

func TestErrorsNameThePath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	tr, err := newTree(file + "/destination")
	require.NoError(t, err)
	defer tr.close()
	_, err = tr.makeDir(&place{}, 0o755)
	assert.ErrorIs(t, err, syscall.ENOTDIR)
	assert.ErrorContains(t, err, file)
}
