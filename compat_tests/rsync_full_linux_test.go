package compat_tests

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// wrapped are specs of this module's kinds of receivers, each started by the command words in front
// of it.
func wrapped(t *testing.T, words ...string) map[string]string {
	t.Helper()
	before := strings.Join(words, " ")
	specs := map[string]string{"go": "popen//python=" + before + " " + commandPath(t) + " worker"}
	for _, p := range []pythons.Interpreter{pythons.Default(t), pythons.All(t)[0]} {
		specs[p.Version()] = "popen//python=" + before + " " + p.Path
	}
	return specs
}

// publicCommand is a copy of the execnet command that every user can start.
func publicCommand(t *testing.T) string {
	t.Helper()
	path := filepath.Join(publicFolder(t), "execnet")
	content, err := os.ReadFile(commandPath(t))
	require.NoError(t, err)
	path = pythons.Program(t, filepath.Dir(path), filepath.Base(path), string(content))
	require.NoError(t, os.Chmod(path, 0o755))
	return path
}

// publicFolder is a folder that every user can enter. It is removed when the test ends.
func publicFolder(t *testing.T) string {
	t.Helper()
	path, err := os.MkdirTemp("", "execnet-rsync")
	require.NoError(t, err)
	t.Cleanup(func() { removeTree(t, path) })
	require.NoError(t, os.Chmod(path, 0o755))
	return path
}

// sendToTwo syncs to two places, checks that the sync fails for the first one alone, and returns
// the error of that one.
func sendToTwo(t *testing.T, r *rsync.RSync, failing *execnet.Gateway, bad string) *rsync.TargetError {
	t.Helper()
	source, good := r.Source, filepath.Join(t.TempDir(), "good")
	require.NoError(t, r.AddTarget(failing, bad, rsync.TargetOptions{}))
	require.NoError(t, r.AddTarget(gateway(t, goWorker), good, rsync.TargetOptions{}))
	err := r.Send(within.Soon(t))
	require.NoError(t, r.Results()[1].Err)
	require.Equal(t, entries(t, source, keepsAll), entries(t, good, keepsAll))
	var failed *rsync.TargetError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, failing.ID(), failed.Gateway)
	assert.Equal(t, bad, failed.Dest)
	assert.ErrorContains(t, err, bad)
	return failed
}

// TestRsyncFullDisk checks that the sync with a target ends when its disk is full, that the error
// names the file, and that no part of that file is left.
func TestRsyncFullDisk(t *testing.T) {
	independent(t)
	source, disk := places(t)
	tree{"a": file("a"), "big": file(noise(1, 3<<20)), "z": file("z")}.make(t, source)
	require.NoError(t, os.Mkdir(disk, 0o700))
	err := syscall.Mount("none", disk, "tmpfs", 0, "size=2m")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("a full disk can be tried by root only, who may mount a small one; TestRsyncFileTooLarge is for everybody")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(disk, 0)) })
	sentAndCopied(t, wrapped(t), source, func(t *testing.T, r *rsync.RSync, spec string) {
		dest := filepath.Join(disk, "dest")
		failed := sendToTwo(t, r, gateway(t, spec), dest)
		var problem *rsync.FileError
		require.ErrorAs(t, failed.Err, &problem)
		assert.Equal(t, "big", problem.Path)
		assert.Regexp(t, "^ENOSPC: (?i:no space left on device)", problem.Problem)
		seen := entries(t, dest, keepsAll)
		assert.NotContains(t, seen, "big")
		for name := range seen {
			assert.NotRegexp(t, temporary, name)
		}
		removeTree(t, dest)
	})
}

// sentAndCopied runs a test with each spec, once so that all files are sent, and once so that the
// workers copy large ones by themselves.
func sentAndCopied(t *testing.T, specs map[string]string, source string, test func(t *testing.T, r *rsync.RSync, spec string)) {
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			t.Run("sent", func(t *testing.T) { test(t, &rsync.RSync{Source: source, Delta: rsync.DeltaNever}, spec) })
			t.Run("copied", func(t *testing.T) { test(t, rsync.New(source), spec) })
		})
	}
}

// TestRsyncFileTooLarge sends one file that is larger than the receiver may write. Everything else
// arrives.
func TestRsyncFileTooLarge(t *testing.T) {
	independent(t)
	source, base := places(t)
	tree{"a": file("a"), "big": file(noise(1, 1<<20)), "z/z": file("z")}.make(t, source)
	sentAndCopied(t, wrapped(t, "prlimit", "--fsize=600000"), source, func(t *testing.T, r *rsync.RSync, spec string) {
		dest := filepath.Join(base, t.Name())
		failed := sendToTwo(t, r, gateway(t, spec), dest)
		require.NoError(t, failed.Err)
		require.Len(t, failed.Files, 1)
		assert.Equal(t, "big", failed.Files[0].Path)
		assert.Regexp(t, "^EFBIG: ", failed.Files[0].Problem)
		want := entries(t, source, keepsTenths)
		delete(want, "big")
		assert.Equal(t, want, entries(t, dest, keepsTenths))
	})
}

// becomeNobody takes its rights from a worker that runs as root.
const becomeNobody = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534); channel.send(os.getuid())"

// TestRsyncPermissionDenied syncs to a destination, and to folders in one, that the receiver may
// not write to.
func TestRsyncPermissionDenied(t *testing.T) {
	independent(t)
	source, _ := places(t)
	tree{"a": file("a"), "closed/f": file("f"), "open/g": file("g")}.make(t, source)
	base := publicFolder(t)
	root := os.Getuid() == 0
	golang := "popen//python=" + commandPath(t) + " worker"
	if root {
		golang = "popen//python=setpriv --reuid=65534 --regid=65534 --clear-groups -- " + publicCommand(t) + " worker"
	}
	specs := map[string]string{"go": golang}
	for _, p := range []pythons.Interpreter{pythons.Default(t), pythons.All(t)[0]} {
		specs[p.Version()] = p.Spec()
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			gw := gateway(t, spec)
			dest := filepath.Join(base, name)
			require.NoError(t, os.Mkdir(dest, 0o700))
			require.NoError(t, os.Chmod(dest, 0o777))
			if root && name != "go" {
				// Its first sync imports modules that the user nobody may not be able to read.
				send(t, rsync.New(source), gw, filepath.Join(dest, "warm"), rsync.TargetOptions{})
				ch := remoteExec(t, gw, becomeNobody)
				uid, err := ch.Receive(within.Soon(t))
				require.NoError(t, err)
				require.EqualValues(t, 65534, uid)
				// A second execution at the same time would need a thread, and so another module.
				require.NoError(t, ch.WaitClose(within.Soon(t)))
			}
			locked := filepath.Join(base, name+" locked")
			require.NoError(t, os.Mkdir(locked, 0o555))
			failed := sendToTwo(t, rsync.New(source), gw, filepath.Join(locked, "dest"))
			assert.ErrorContains(t, failed, "EACCES: ")

			if !root {
				return // the folders below would belong to this user, who may write to them
			}
			// The folder closed belongs to another user: what should be in it fails. Everything
			// else arrives.
			require.NoError(t, os.Mkdir(filepath.Join(dest, "closed"), 0o755))
			require.NoError(t, os.Mkdir(filepath.Join(dest, "open"), 0o755))
			require.NoError(t, os.Chmod(filepath.Join(dest, "open"), 0o777))
			failed = sendToTwo(t, rsync.New(source), gw, dest)
			assert.ErrorContains(t, failed, "closed/f: EACCES: ")
			seen := entries(t, dest, keepsTenths)
			assert.Contains(t, seen, "a")
			assert.Contains(t, seen, "open/g")
			assert.NotContains(t, seen, "closed/f")
		})
	}
}
