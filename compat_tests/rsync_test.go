//go:build unix

package compat_tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// farEnd is a place to sync to.
type farEnd struct {
	route
	keeps     keeping
	without   without
	reference bool // it runs Python's execnet
}

// goWorker starts this test program as a worker.
const goWorker = "popen//self"

func goEnd() farEnd {
	return farEnd{route: route{name: "go", specs: []string{goWorker}}, keeps: keepsAll}
}

// pythonEnd is a worker of the interpreter.
func pythonEnd(w worker) farEnd {
	end := farEnd{route: route{name: w.python.Version() + " " + w.name, specs: []string{w.spec()}}, keeps: keepsAll}
	if w.python.Major == 2 {
		end.keeps = keepsTenths
		end.without = times // its os.utime cannot set them exactly
	}
	if w.dir != "" {
		end.reference = true
		// Python's execnet does not support these. (In read-only directories it fails for everybody
		// but root.)
		end.without |= byteNames | modeChanges | readOnlyDirs
		end.keeps = keepsFloats
	}
	return end
}

// kinds are one place for each kind of receiver: Go, Python, Python's execnet, Python 2.
func kinds(t *testing.T) []farEnd {
	t.Helper()
	all := pythons.All(t)
	ends := []farEnd{goEnd(), pythonEnd(ours(pythons.Default(t))), pythonEnd(installed(t, all[len(all)-1]))}
	if all[0].Major == 2 {
		ends = append(ends, pythonEnd(ours(all[0])))
	}
	return ends
}

// ownKinds are those of kinds that run this module's receiving half.
func ownKinds(t *testing.T) []farEnd {
	t.Helper()
	var own []farEnd
	for _, end := range kinds(t) {
		if !end.reference {
			own = append(own, end)
		}
	}
	return own
}

// places are paths for a source and a destination. What is made there may be read-only.
func places(t *testing.T) (source, dest string) {
	t.Helper()
	base := t.TempDir()
	source, dest = filepath.Join(base, "source"), filepath.Join(base, "dest")
	t.Cleanup(func() { removeTree(t, base) })
	return source, dest
}

// send syncs a tree to one place, and fails the test if that fails.
func send(t *testing.T, r *rsync.RSync, gw *execnet.Gateway, dest string, options rsync.TargetOptions) rsync.Result {
	t.Helper()
	require.NoError(t, r.AddTarget(gw, dest, options))
	require.NoError(t, r.Send(within.Soon(t)))
	return r.Results()[0]
}

// syncShapes syncs a tree of every shape that the place can hold, then another tree over it.
func syncShapes(t *testing.T, end farEnd) {
	source, dest := places(t)
	gw := end.open(t)
	before, after := allShapes(end.without)
	for i, step := range []struct {
		tree  tree
		delta rsync.Delta
	}{{before, rsync.DeltaAuto}, {after, rsync.DeltaAlways}} {
		step.tree.make(t, source)
		r := &rsync.RSync{Source: source, Delta: step.delta}
		result := send(t, r, gw, dest, rsync.TargetOptions{Delete: true})
		require.Empty(t, result.Warnings)
		require.Equal(t, entries(t, source, end.keeps), entries(t, dest, end.keeps), "step %d", i)
		result = send(t, r, gw, dest, rsync.TargetOptions{Delete: true})
		require.Equal(t, rsync.Stats{}, result.Stats, "step %d: nothing is left to do", i)
	}
}

// TestRsyncShapes syncs to each receiving half there is.
func TestRsyncShapes(t *testing.T) {
	ends := []farEnd{goEnd()}
	for _, p := range pythons.All(t) {
		for _, w := range workers(t, p) {
			// Even a driver in Python 3 does not understand execnet's half in Python 2.
			if w.dir == "" || p.Major == 3 {
				ends = append(ends, pythonEnd(w))
			}
		}
	}
	for _, end := range dependent(ends) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			syncShapes(t, end)
		})
	}
}

// TestRsyncRoutes syncs over every transport.
func TestRsyncRoutes(t *testing.T) {
	server := sshdtest.Start(t)
	program := commandPath(t)
	all := pythons.All(t)
	usual, newest := pythons.Default(t), all[len(all)-1]
	pip := installed(t, newest)
	python := func(p pythons.Interpreter) string { return "//python=" + p.Path }
	golang := "//python=" + program + " worker"
	var ends []farEnd
	add := func(name string, specs ...string) *farEnd {
		ends = append(ends, farEnd{route: route{name: name, specs: specs}, keeps: keepsAll})
		return &ends[len(ends)-1]
	}
	add("ssh to Python", server.Spec()+python(usual))
	add("ssh to Go", server.Spec()+golang)
	add("Python via Python", usual.Spec()+"//id=host", "popen//via=host"+python(newest))
	add("Go via Python", usual.Spec()+"//id=host", "popen//via=host"+golang)
	add("Python via Go", goWorker+"//id=host", "popen//via=host"+python(usual))
	add("Go via Go", goWorker+"//id=host", "popen//via=host"+golang)
	add("Go via Python over ssh", server.Spec()+python(usual)+"//id=host", "popen//via=host"+golang)
	add("Python via Go over ssh", server.Spec()+golang+"//id=host", "popen//via=host"+python(usual))
	add("socket in Go", goWorker+"//id=host", "socket//installvia=host")
	add("Go in another folder", goWorker+"//chdir="+t.TempDir())
	add("lazily", "popen//python="+program+" worker").lazy = true

	reference := pythonEnd(pip)
	// Without a locale PyPy has only ASCII names of files.
	reference.name, reference.specs = "installed over ssh", []string{server.Spec() + "//env:LC_ALL=C.UTF-8//bootstrap=import" + strings.TrimSuffix(strings.TrimPrefix(pip.spec(), "popen"), "//bootstrap=import")}
	ends = append(ends, reference)
	for _, end := range dependent(ends) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			syncShapes(t, end)
		})
	}
}

// TestRsyncRelativeDestination syncs to a relative path. It is relative to the worker's folder,
// while a relative source is relative to the driver's.
func TestRsyncRelativeDestination(t *testing.T) {
	for _, end := range dependent(kinds(t)) {
		t.Run(end.name, func(t *testing.T) {
			source, folder := places(t)
			tree{"f": file("f"), "sub/g": file("g")}.make(t, source)
			require.NoError(t, os.Mkdir(folder, 0o700))
			end.specs[0] += "//chdir=" + folder
			t.Chdir(filepath.Dir(source))
			send(t, rsync.New("source"), end.open(t), "relative/", rsync.TargetOptions{})
			require.Equal(t, entries(t, source, end.keeps), entries(t, filepath.Join(folder, "relative"), end.keeps))
		})
	}
}

// TestRsyncWithoutDelete checks that entries that are not in the source stay.
func TestRsyncWithoutDelete(t *testing.T) {
	for _, end := range dependent(kinds(t)) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			source, dest := places(t)
			here := tree{"f": file("f"), "sub/g": file("g"), "l": link("f")}
			there := tree{"f": file("was"), "mine": file("m"), "sub/mine/deep": file("m"), "mine too": link("mine")}
			here.make(t, source)
			there.make(t, dest)
			send(t, rsync.New(source), end.open(t), dest, rsync.TargetOptions{})
			want := tree{"mine": there["mine"], "sub/mine/deep": there["sub/mine/deep"], "mine too": there["mine too"]}
			for name, n := range here {
				want[name] = n
			}
			expected, _ := places(t)
			want.make(t, expected)
			got, wanted := entries(t, dest, end.keeps), entries(t, expected, end.keeps)
			for _, seen := range []map[string]string{got, wanted} {
				for _, d := range []string{".", "sub", "sub/mine"} {
					delete(seen, d) // their times differ
				}
			}
			require.Equal(t, wanted, got)
		})
	}
}

// TestRsyncToMany sends to several places of every kind at once. Some of them have a part of the
// tree already.
func TestRsyncToMany(t *testing.T) {
	source, base := places(t)
	have, _ := allShapes(^0)
	have.make(t, source)
	r := rsync.New(source)
	type place struct {
		end  farEnd
		dest string
	}
	var all []place
	for i, end := range append(kinds(t), kinds(t)...) {
		dest := filepath.Join(base, end.name, strings.Repeat("x", i+1))
		if i%3 == 1 { // this one has a part of the tree already
			half := tree{}
			for name, n := range have {
				if len(name)%2 == 0 {
					half[name] = n
				}
			}
			half.make(t, dest)
		}
		require.NoError(t, r.AddTarget(end.open(t), dest, rsync.TargetOptions{Delete: true}))
		all = append(all, place{end, dest})
	}
	require.NoError(t, r.Send(within.Soon(t)))
	coarse := keepsLittle
	want := entries(t, source, coarse)
	for _, p := range all {
		require.Equal(t, want, entries(t, p.dest, coarse), p.end.name)
	}
	require.Len(t, r.Results(), len(all))
}

// commandPath is the path of the execnet command: $EXECNET_TEST_BINARY, or one that is built for
// these tests, without the race detector.
func commandPath(t *testing.T) string {
	t.Helper()
	path, err := builtCommand()
	require.NoError(t, err)
	return path
}

var builtCommand = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("EXECNET_TEST_BINARY"); path != "" {
		return path, nil
	}
	// The envs of tox run side by side: each builds a file of its own.
	path, err := cachePath(filepath.Join("for-"+release(), "execnet"))
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", path, "./cmd/execnet")
	build.Dir = pythons.Root()
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return path, build.Run()
})
