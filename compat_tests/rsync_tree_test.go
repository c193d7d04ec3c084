//go:build unix

package compat_tests

import (
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// node is an entry of a tree that a test makes. In the target of a link SOURCE stands for the path
// of the tree.
type node struct {
	kind byte        // 'f', 'd' or 'l'
	text string      // the content of a file, or the target of a link (see below)
	mode fs.FileMode // of files and directories
	at   time.Time   // when a file or directory was changed
}

// tree holds the entries below a directory, by their paths with slashes. A directory that has
// entries in it need not be listed itself.
type tree map[string]node

// usualTime is the mtime of the entries for which a test names none. For files it is the beginning
// of a range: files with different contents have different times, as a file of the same size and
// time is taken to be the same. A float cannot hold it exactly.
var usualTime = time.Unix(1500000000, 123456789)

func file(text string) node {
	return node{'f', text, 0o644, usualTime.Add(time.Duration(crc32.ChecksumIEEE([]byte(text))) * time.Second / 10)}
}

func dir() node                        { return node{'d', "", 0o755, usualTime} }
func link(to string) node              { return node{kind: 'l', text: to} }
func (n node) with(m fs.FileMode) node { n.mode = m; return n }
func (n node) when(t time.Time) node   { n.at = t; return n }

// testingT is implemented by the t of tests and by that of rapid's properties.
type testingT interface {
	require.TestingT
	Helper()
}

// make makes the tree at path, in place of what is there.
func (tr tree) make(t testingT, path string) {
	t.Helper()
	removeTree(t, path)
	require.NoError(t, os.MkdirAll(path, 0o755))
	for name, n := range tr {
		n.make(t, path, name)
	}
	tr.settle(t, path)
}

// make makes one entry, where nothing may be yet.
func (n node) make(t testingT, path, name string) {
	t.Helper()
	at := filepath.Join(path, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	switch n.kind {
	case 'l':
		require.NoError(t, os.Symlink(strings.ReplaceAll(n.text, "SOURCE", path), at))
	case 'd':
		require.NoError(t, os.MkdirAll(at, 0o755))
	default:
		require.NoError(t, os.WriteFile(at, []byte(n.text), 0o600))
		require.NoError(t, os.Chmod(at, n.mode))
		require.NoError(t, os.Chtimes(at, n.at, n.at))
	}
}

// settle sets the times of directories, which change when entries are made in them, and their
// modes, which may forbid that.
func (tr tree) settle(t testingT, path string) {
	t.Helper()
	var dirs []string
	require.NoError(t, filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, p)
		}
		return err
	}))
	for i := len(dirs) - 1; i >= 0; i-- { // the deepest first
		name, err := filepath.Rel(path, dirs[i])
		require.NoError(t, err)
		n, named := tr[name]
		if !named {
			n = dir()
		}
		require.NoError(t, os.Chtimes(dirs[i], n.at, n.at))
		require.NoError(t, os.Chmod(dirs[i], n.mode))
	}
}

// removeTree removes a tree whose directories may be read-only.
func removeTree(t testingT, path string) {
	t.Helper()
	_ = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(p, 0o700)
		}
		return err
	})
	require.NoError(t, os.RemoveAll(path))
}

// keeping says what of a tree both ends can store.
type keeping struct {
	time     func(time.Time) time.Time
	dirTimes bool
	ownerRWX bool // directories are always open to their owner
}

var (
	// keepsAll is for this module's halves. keepsTenths is for its receiving half in Python 2,
	// which sets times in microseconds and is sometimes off by one.
	keepsAll    = keeping{func(t time.Time) time.Time { return t }, true, false}
	keepsTenths = keeping{func(t time.Time) time.Time { return t.Round(time.Second / 10) }, true, false}
	// keepsFloats is for Python's execnet, and keepsLittle what all of them have in common.
	keepsFloats = keeping{throughFloat, false, true}
	keepsLittle = keeping{func(t time.Time) time.Time { return time.Unix(t.Unix(), 0) }, false, true}
)

// throughFloat is what a time becomes by os.stat and os.utime with a float.
func throughFloat(t time.Time) time.Time {
	whole, part := math.Modf(float64(t.Unix()) + 1e-9*float64(t.Nanosecond()))
	return time.Unix(int64(whole), int64(math.Floor(part*1e9)))
}

// entries describes every entry of a tree: kind, mode, time, content or target. In a target inside
// the tree, TOP stands for the path of the tree.
func entries(t testingT, path string, k keeping) map[string]string {
	t.Helper()
	seen := map[string]string{}
	require.NoError(t, filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		at := k.time(info.ModTime())
		when := fmt.Sprintf("%d.%09d", at.Unix(), at.Nanosecond())
		mode := info.Mode()
		switch {
		case mode&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			seen[name] = "link to " + strings.ReplaceAll(target, path+"/", "TOP/")
		case mode.IsDir():
			if k.ownerRWX {
				mode |= 0o700
			}
			seen[name] = mode.String()
			if k.dirTimes {
				seen[name] += " " + when
			}
		default:
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			seen[name] = fmt.Sprintf("%v %s %d bytes %.20q %08x", mode, when, len(content), content, crc32.ChecksumIEEE(content))
		}
		return nil
	}))
	return seen
}
