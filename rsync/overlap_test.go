//go:build unix

package rsync

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

// TestDeleteSparesTheSource has a destination that is the source, or holds it, refused where what
// is not in the source would be deleted.
func TestDeleteSparesTheSource(t *testing.T) {
	base := t.TempDir()
	grow(t, base, nodes{"in/s/f": file("f"), "in/other": file("o"), "tree": link("in/s"), "up": link("in"), "beside/x": file("x")})
	t.Chdir(base)
	before := survey(t, base, exactly)
	for _, end := range farEnds(t) {
		gw := connect(t, end.spec)[0]
		for _, c := range []struct{ source, dest string }{
			{"in/s", "in"}, {"in/s", "in/s"}, {"in/s", "."}, {"in/s/", base + "/in/"}, {base + "/in/s", "in/s/.."},
			{"tree", "in/s"}, {"tree", "in"}, {"in/s", "tree"}, {"in/s", "up"}, {"up/s", "in"}, {".", "."},
		} {
			for _, dry := range []bool{false, true} {
				r := &RSync{Source: c.source, DryRun: dry && !end.reference}
				err := r.AddTarget(gw, c.dest, TargetOptions{Delete: true})
				require.ErrorContains(t, err, "execnet: rsync to "+c.dest+" of gateway "+gw.ID()+": it is or holds the source "+c.source, "%s %v", end.name, c)
				assert.ErrorIs(t, r.Send(within.Soon(t)), ErrNoTargets)
			}
		}
	}
	assert.Equal(t, before, survey(t, base, exactly))

	// What does not harm the source is not refused.
	gw := connect(t, "")[0]
	for _, c := range []struct {
		dest   string
		delete bool
	}{{"in/new", true}, {"in/s2", true}, {"beside", true}, {"in", false}} {
		r := New("in/s")
		require.NoError(t, r.AddTarget(gw, c.dest, TargetOptions{Delete: c.delete}), c)
		require.NoError(t, r.Send(within.Soon(t)))
		assert.Equal(t, []string{"f"}, namesIn(t, "in/s"))
		assert.FileExists(t, filepath.Join(c.dest, "f"))
	}
}

func TestHolds(t *testing.T) {
	base := t.TempDir()
	grow(t, base, nodes{"in/s/f": file("f")})
	source := filepath.Join(base, "in", "s")
	python := pythons.Default(t).Path
	for text, want := range map[string]bool{
		"popen":                       true,
		"popen//self":                 true,
		"popen//python=" + python:     true,
		"popen//chdir=" + base:        true,
		"popen//via=gw0":              false,
		"ssh=host":                    false,
		"socket=host:8888":            false,
		"popen//python=docker exec x": false,
	} {
		spec, err := xspec.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, holds(spec, filepath.Join(base, "in"), source), text)
	}
	assert.True(t, holds(&xspec.Spec{Popen: true}, "/", source))
	assert.False(t, holds(&xspec.Spec{Popen: true}, filepath.Join(source, "f"), source))
	// Relative to the worker's folder, which need not be the program's.
	require.NoError(t, os.Mkdir(filepath.Join(base, "elsewhere"), 0o755))
	t.Chdir(filepath.Join(base, "elsewhere"))
	require.NoError(t, os.Symlink(source, "link"))
	for text, want := range map[string]bool{"popen": false, "popen//chdir=" + base: true, "popen//chdir=..": true, "popen//chdir=link": false} {
		spec, err := xspec.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, holds(spec, "in", source), text)
	}
	assert.True(t, holds(&xspec.Spec{Popen: true, ChDir: "link"}, "..", source), "what the link leads to lies in it")
}
