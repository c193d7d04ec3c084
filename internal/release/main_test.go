package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The releases of the tests are made of copies of this module with a tag of their own.
const (
	tag     = "v1.2.3-rc.1"
	version = "1.2.3-rc.1"
)

var here = platform{runtime.GOOS, runtime.GOARCH}

var scratch string // a folder for all tests

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "execnet-release-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = folder
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// git runs git in a folder, with no settings of a user's, at a time that is always the same.
func git(folder string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_DATE=2026-05-06T07:08:09Z", "GIT_COMMITTER_DATE=2026-05-06T07:08:09Z")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %v: %w\n%s", args, err, &stderr)
	}
	return out, nil
}

// cloneTo makes a clone of what this module is now, committed and tagged.
func cloneTo(folder string) error {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = "../.."
	names, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.Trim(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		} else if err != nil {
			return err
		}
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "All"}, {"tag", tag}} {
		if _, err := git(folder, args...); err != nil {
			return err
		}
	}
	return nil
}

// made is a release for this platform in a folder of its own, which the tests share.
var made = sync.OnceValues(func() (string, error) { return release("first", here) })

// release makes these kinds of files, or all, for a platform.
func release(name string, p platform, kinds ...string) (string, error) {
	clone, out := filepath.Join(scratch, name, "clone"), filepath.Join(scratch, name, "dist")
	if err := cloneTo(clone); err != nil {
		return "", err
	}
	// By the program itself: packing takes ten times as long with the race detector of the tests.
	cmd := exec.Command("go", append([]string{"run", ".", "-root", clone, "-out", out, "-platforms", p.String()}, kinds...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, text)
	}
	return out, nil
}

// dist is the folder with that release.
func dist(t *testing.T) string {
	t.Helper()
	folder, err := made()
	require.NoError(t, err)
	return folder
}

// contents are the files in a folder.
func contents(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
		all[entry.Name()] = data
	}
	return all
}

// Another clone in another folder gives the same bytes.
func TestReproducible(t *testing.T) {
	t.Parallel()
	first := contents(t, dist(t))
	again, err := release("a clone elsewhere", here)
	require.NoError(t, err)
	second := contents(t, again)
	assert.Greater(t, len(first), 1)
	for name, data := range first {
		assert.True(t, bytes.Equal(data, second[name]), "%s differs between two builds", name)
	}
	assert.Len(t, second, len(first))
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	folder := dist(t)
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	require.NoError(t, err)
	files := contents(t, folder)
	lines := strings.Split(strings.TrimSuffix(string(sums), "\n"), "\n")
	assert.Len(t, lines, len(files)-1)
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		assert.Equal(t, sha(files[name]), sum, name)
	}
}

// The archive is what a user unpacks, and the program in it says its version.
func TestArchive(t *testing.T) {
	t.Parallel()
	name := strings.Join([]string{"execnet", version, here.os, here.arch}, "-")
	folder := unpack(t, filepath.Join(dist(t), name))
	for _, paper := range []string{"README.md", "LICENSE", "CHANGELOG.md", "NOTICES.txt"} {
		assert.FileExists(t, filepath.Join(folder, name, paper))
	}
	program := filepath.Join(folder, name, here.program())
	said := "execnet " + tag + " " + runtime.Version() + " " + here.String() + "\n"
	for _, args := range []string{"version", "--version"} {
		out, err := exec.Command(program, args).Output()
		require.NoError(t, err)
		assert.Equal(t, said, string(out))
	}
	for _, engine := range []string{"gpython", "auto"} {
		out, err := exec.Command(program, "info", "--json", "popen//self//engine="+engine).Output()
		require.NoError(t, err)
		assert.Contains(t, string(out), `"worker_version": "`+tag+`"`)
	}
}

// A folder without git has no version, and the error says so.
func TestNoTag(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module example.com/x\n\ngo 1.26.0\n"), 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "cmd", "execnet"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "cmd", "execnet", "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644))
	o := order{root: folder, out: filepath.Join(folder, "dist"), platforms: []platform{here}, log: io.Discard}
	assert.ErrorContains(t, o.run(t.Context()), "git")
	assert.NoDirExists(t, o.out)
}

func TestUnknownNames(t *testing.T) {
	_, err := parsePlatforms("linux/amd64,plan9/mips")
	assert.ErrorContains(t, err, `"plan9/mips" is no platform`)
	o := order{kinds: []string{"rpm"}}
	assert.ErrorContains(t, o.run(t.Context()), `"rpm" is nothing that can be made`)
}
