package rsync

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/rsync/wire"
)

// node is an entry of a tree that tests make: text is a file's content or a link's target.
type node struct {
	mode fs.FileMode
	text string
	at   time.Time
}

type nodes map[string]node

func file(text string) node             { return node{0o644, text, time.Unix(1500000000, 123456789)} }
func fileAt(text string, at int64) node { return node{0o644, text, time.Unix(0, at)} }
func link(target string) node           { return node{mode: fs.ModeSymlink, text: target} }
func dirNode(mode fs.FileMode) node     { return node{mode: fs.ModeDir | mode} }

// grow makes the tree at path what ns says, from nothing.
func grow(t *testing.T, path string, ns nodes) {
	t.Helper()
	raze(t, path)
	require.NoError(t, os.MkdirAll(path, 0o755))
	for name, n := range ns {
		at := filepath.Join(path, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		switch {
		case n.mode&fs.ModeSymlink != 0:
			require.NoError(t, os.Symlink(n.text, at))
		case n.mode.IsDir():
			require.NoError(t, os.MkdirAll(at, 0o755))
		default:
			require.NoError(t, os.WriteFile(at, []byte(n.text), 0o600))
			require.NoError(t, os.Chmod(at, n.mode))
			if !n.at.IsZero() {
				require.NoError(t, os.Chtimes(at, n.at, n.at))
			}
		}
	}
	for name, n := range ns { // last, since they may forbid writing
		if n.mode.IsDir() {
			require.NoError(t, os.Chmod(filepath.Join(path, name), n.mode.Perm()))
		}
	}
	t.Cleanup(func() { raze(t, path) })
}

// raze removes a tree with whatever modes.
func raze(t *testing.T, path string) {
	t.Helper()
	_ = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(p, 0o700)
		}
		return err
	})
	require.NoError(t, os.RemoveAll(path))
}

// exactly is how survey shows what two halves that keep everything agree on; like the reference,
// loosely leaves out the owner's bits of directories and what a float does not keep of a time.
const (
	exactly = false
	loosely = true
)

// survey describes a tree, one line an entry.
func survey(t *testing.T, path string, loose bool) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
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
		mode := info.Mode()
		switch {
		case mode&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%q -> %q\n", name, target)
		case mode.IsDir():
			if loose {
				mode |= 0o700
			}
			fmt.Fprintf(&b, "%q %v\n", name, mode)
		default:
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			at := info.ModTime()
			if loose {
				// What execnet keeps of a time: seconds in a float, which os.utime rounds down.
				seconds := wire.FloatTime(at)
				whole := math.Floor(seconds)
				at = time.Unix(int64(whole), int64(math.Floor((seconds-whole)*1e9)))
			}
			fmt.Fprintf(&b, "%q %v %d.%09d %.100q %d\n", name, mode, at.Unix(), at.Nanosecond(), content, len(content))
		}
		return nil
	})
	require.NoError(t, err)
	return b.String()
}

// shapes are the trees that are synced one after the other into the same destination.
var shapes = []struct {
	name string
	tree nodes
}{
	{"nothing", nodes{}},
	{"few", nodes{"a": file("A"), "empty": file(""), "sub/b": file("B"), "sub/deeper/c": file(strings.Repeat("c", 300000))}},
	{"same", nodes{"a": file("A"), "empty": file(""), "sub/b": file("B"), "sub/deeper/c": file(strings.Repeat("c", 300000))}},
	{"touched", nodes{"a": fileAt("A", 1600000000e9+1), "empty": file(""), "sub/b": fileAt("X", 1600000000e9)}},
	{"modes", nodes{"run": {0o755, "#!", time.Unix(1, 0)}, "a": {0o600, "A", time.Unix(1600000000, 1)}, "readonly": {0o444, "r", time.Unix(7, 500)}, "sub": dirNode(0o750), "locked": dirNode(0o555), "locked/in": file("i"), "locked/in2/x": file("x"), "none": dirNode(0o700)}},
	{"modes again", nodes{"run": {0o644, "#!", time.Unix(1, 0)}, "locked": dirNode(0o500), "locked/in": file("other"), "locked/in2": dirNode(0o511), "locked/in2/x": file("xy")}},
	{"links", nodes{"in": link("target"), "target": file("t"), "up/l": link("../target"), "dangling": link("no/where"), "abs": link("/etc/hostname"), "dir": link("up"), "loop": link("loop")}},
	{"exchanged", nodes{"in/file": file("was a link"), "target": link("in/file"), "up": file("was a folder"), "dir/x": file("was a link to one"), "loop": file("l")}},
	{"exchanged back", nodes{"in": link("x"), "target/a/b": file("t"), "up": dirNode(0o755), "dir": file("d")}},
	{"names", nodes{"ünïcödé": file("u"), "日本/語": file("j"), "with space": file("s"), "new\nline": file("n"), "-rf": file("m"), strings.Repeat("n", 255): file("long"), "'\"$(x)\\": file("q"), ".hidden": file("h"), "...": file("d"), "\u202e": file("r"), ".x.execnet-ABCDEFGH": file("mine")}},
	{"deep", nodes{strings.Repeat("d/", 200) + "f": file("deep")}},
	{"negative time", nodes{"old": fileAt("before 1970", -1e9-500), "future": fileAt("later", 4e18)}},
}

// noise is n bytes that no compression and no delta makes smaller.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	// It never fails.
	_, _ = rand.NewChaCha8([32]byte(binary.BigEndian.AppendUint64(make([]byte, 24), seed))).Read(b)
	return b
}

// namesIn is what is in a directory, in alphabetical order.
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
