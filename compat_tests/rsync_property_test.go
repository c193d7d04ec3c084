//go:build unix

package compat_tests

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

var (
	somePart = rapid.SampledFrom([]string{"a", "b", "c", "with space", "ünï", "\xff\xfe", "-n"})
	someSize = rapid.SampledFrom([]int{0, 1, 2, 700, 2047, 2048, 2049, 65535, 65536, 65537, 262143, 262144, 262145, 700001})
	someMode = rapid.SampledFrom([]fs.FileMode{0o644, 0o600, 0o755, 0o444, 0o640})
	someDir  = rapid.SampledFrom([]fs.FileMode{0o755, 0o700, 0o750, 0o777})
	someLink = rapid.SampledFrom([]string{"a", "../a", "/etc/hostname", "no/where", "SOURCE/a", "SOURCE/a/b", "."})
)

func somePath(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(somePart, 1, 3).Draw(t, "path"), "/")
}

func someNode(t *rapid.T) node {
	switch rapid.SampledFrom([]byte("ffffdl")).Draw(t, "kind") {
	case 'd':
		return dir().with(someDir.Draw(t, "mode"))
	case 'l':
		return link(someLink.Draw(t, "target"))
	}
	return file(noise(rapid.Uint64Range(0, 1<<16-1).Draw(t, "seed"), someSize.Draw(t, "size"))).with(someMode.Draw(t, "mode"))
}

// someTree draws a tree in which only directories have entries below them.
func someTree(t *rapid.T) tree {
	tr := tree{}
	for range rapid.IntRange(0, 12).Draw(t, "entries") {
		path := somePath(t)
		fits := true
		for other, n := range tr {
			fits = fits && other != path && !strings.HasPrefix(other, path+"/") && !(n.kind != 'd' && strings.HasPrefix(path, other+"/"))
		}
		if fits {
			tr[path] = someNode(t)
		}
	}
	return tr
}

// mutate makes one change to a tree, of a kind that programs and people make.
func mutate(t *rapid.T, source string) {
	var files, all []string
	require.NoError(t, filepath.WalkDir(source, func(p string, d fs.DirEntry, err error) error {
		if p != source {
			all = append(all, p)
			if d.Type().IsRegular() {
				files = append(files, p)
			}
		}
		return err
	}))
	what := "add"
	if len(all) > 0 {
		what = rapid.SampledFrom([]string{"add", "rename", "delete", "exchange", "chmod", "touch"}).Draw(t, "what")
	}
	if len(files) > 0 {
		what = rapid.SampledFrom([]string{what, "edit", "insert", "append", "truncate"}).Draw(t, "what")
	}
	switch what {
	case "add":
		path := somePath(t)
		for p := filepath.Join(source, path); p != source; p = filepath.Dir(p) {
			if info, err := os.Lstat(p); err == nil && (!info.IsDir() || p == filepath.Join(source, path)) {
				return // an entry of another kind is there
			}
		}
		someNode(t).make(t, source, path)
	case "rename":
		from, to := rapid.SampledFrom(all).Draw(t, "from"), filepath.Join(source, "renamed"+somePart.Draw(t, "to"))
		if _, err := os.Lstat(to); err != nil {
			require.NoError(t, os.Rename(from, to))
		}
	case "delete", "exchange":
		path := rapid.SampledFrom(all).Draw(t, "path")
		removeTree(t, path)
		if what == "exchange" {
			name, err := filepath.Rel(source, path)
			require.NoError(t, err)
			someNode(t).make(t, source, name)
		}
	case "chmod":
		path := rapid.SampledFrom(all).Draw(t, "path")
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			mode := someMode
			if info.IsDir() {
				mode = someDir
			}
			require.NoError(t, os.Chmod(path, mode.Draw(t, "mode")))
		}
	case "touch":
		path := rapid.SampledFrom(all).Draw(t, "path")
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			at := time.Unix(rapid.Int64Range(1, 2e9).Draw(t, "at"), rapid.Int64Range(0, 999_999).Draw(t, "microseconds")*1000)
			require.NoError(t, os.Chtimes(path, at, at))
		}
	default:
		edit(t, rapid.SampledFrom(files).Draw(t, "path"), what)
	}
}

// edit changes a file's content.
func edit(t *rapid.T, path, how string) {
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	at := rapid.IntRange(0, len(content)).Draw(t, "at")
	piece := []byte(noise(7, rapid.IntRange(1, 3000).Draw(t, "length")))
	switch how {
	case "edit":
		copy(content[at:], piece)
	case "insert":
		content = slices.Insert(content, at, piece...)
	case "append":
		content = append(content, piece...)
	case "truncate":
		content = content[:at]
	}
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.WriteFile(path, content, 0o600))
	// A file with the same size and time counts as unchanged, so the time has to change.
	later := usualTime.Add(time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "later")) * 1000 * time.Second)
	require.NoError(t, os.Chtimes(path, later, later))
}

// merged is what a destination has to look like after a sync without delete, if it looked like
// there before and the source looks like here.
func merged(here, there map[string]string) map[string]string {
	want := maps.Clone(here)
	for name, seen := range there {
		if _, replaced := here[name]; replaced {
			continue
		}
		kept := true
		for p := filepath.Dir(name); p != "."; p = filepath.Dir(p) {
			above, announced := here[p]
			kept = kept && (!announced || above[0] == 'd')
		}
		if kept {
			want[name] = seen
		}
	}
	return want
}

// checks is how many cases of a property are tried.
const checks = 12

// property has rapid draw cases; each gets a source and destinations of its own.
func property(t *testing.T, dests int, check func(t *rapid.T, source string, dests []string)) {
	base := t.TempDir()
	n, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > checks && !failed {
			return // enough cases; but rapid may repeat a failing one, to make it small
		}
		complete := false
		defer func() { failed = failed || !complete }()
		folder, err := os.MkdirTemp(base, "")
		require.NoError(rt, err)
		defer removeTree(rt, folder)
		var all []string
		for i := range dests {
			all = append(all, filepath.Join(folder, "dest"+string(rune('a'+i))))
		}
		check(rt, filepath.Join(folder, "source"), all)
		complete = true
	})
}

// TestRsyncProperties changes random trees between two syncs.
func TestRsyncProperties(t *testing.T) {
	independent(t)
	for _, end := range ownKinds(t) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			gw := end.open(t)
			property(t, 1, func(rt *rapid.T, source string, dests []string) {
				someTree(rt).make(rt, source)
				dest := dests[0]
				policy := rapid.SampledFrom([]rsync.Delta{rsync.DeltaNever, rsync.DeltaAlways}).Draw(rt, "policy")
				sync := func(remove bool) {
					r := &rsync.RSync{Source: source, Delta: policy}
					require.NoError(rt, r.AddTarget(gw, dest, rsync.TargetOptions{Delete: remove}))
					require.NoError(rt, r.Send(within.Soon(t)))
				}
				sync(false)
				before := entries(rt, source, end.keeps)
				require.Equal(rt, before, entries(rt, dest, end.keeps))
				for range rapid.IntRange(1, 6).Draw(rt, "changes") {
					mutate(rt, source)
				}
				now := entries(rt, source, end.keeps)
				if rapid.Bool().Draw(rt, "without delete first") {
					sync(false)
					require.Equal(rt, merged(now, before), entries(rt, dest, end.keeps))
				}
				sync(true)
				require.Equal(rt, now, entries(rt, dest, end.keeps))
			})
		})
	}
}

// TestRsyncPropertyOfMany syncs a random tree to places of all kinds at once, which hold different
// random trees.
func TestRsyncPropertyOfMany(t *testing.T) {
	ends := kinds(t)
	var gateways []*execnet.Gateway
	for _, end := range ends {
		gateways = append(gateways, end.open(t))
	}
	property(t, len(ends), func(rt *rapid.T, source string, dests []string) {
		for _, dest := range dests {
			someTree(rt).make(rt, dest)
		}
		tr := someTree(rt)
		for name, n := range tr { // only what Python's execnet can receive
			if strings.Contains(name, "\xff") {
				delete(tr, name)
			} else if n.kind == 'd' {
				tr[name] = dir()
			}
		}
		tr.make(rt, source)
		r := &rsync.RSync{Source: source, Delta: rsync.DeltaAlways}
		for i, gw := range gateways {
			if ends[i].reference {
				removeTree(rt, dests[i]) // it does not change the modes of directories that exist
			}
			require.NoError(rt, r.AddTarget(gw, dests[i], rsync.TargetOptions{Delete: true}))
		}
		require.NoError(rt, r.Send(within.Soon(t)))
		for i, end := range ends {
			require.Equal(rt, entries(rt, source, end.keeps), entries(rt, dests[i], end.keeps), end.name)
		}
	})
}
