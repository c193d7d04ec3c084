// Package containers has stand-ins for the programs docker, podman and kubectl, for tests on
// machines without any of them.
package containers

import (
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

//go:embed standin.py
var standIn string

// Commands are the programs that have a stand-in.
func Commands() []string { return []string{"docker", "podman", "kubectl"} }

// StandIns are the programs of Commands. They run a command on this machine, as the real ones do in
// a container: with an environment of its own, and so that it does not end with them. Each knows
// the containers "box", with a shell and a Python, "bare", without a Python, and "slim", with a
// Python alone. Others fail with the texts of the real ones: "gone" does not exist, "idle" does not
// run, and "far" cannot be reached.
type StandIns struct {
	// Home is the home folder in the containers.
	Home  string
	calls string
}

// tools are what a container's shell has.
var tools = []string{"sh", "env", "id", "uname", "ls", "mkdir", "cat", "chmod", "mv", "rm", "find", "touch", "sha256sum", "gzip", "sleep"}

// Start puts the stand-ins on PATH until the test ends. Such a test cannot be parallel.
func Start(t *testing.T) *StandIns {
	t.Helper()
	python := pythons.Default(t).Path
	s := &StandIns{Home: t.TempDir(), calls: filepath.Join(t.TempDir(), "calls")}
	settings, err := json.Marshal(map[string]any{"calls": s.calls, "home": s.Home, "paths": Paths(t)})
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range Commands() {
		pythons.Program(t, bin, name, "#!"+python+"\nSETTINGS = "+string(settings)+"\n"+standIn)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return s
}

// Paths are the folders of programs that containers have instead of PATH, by their names: "box",
// "bare" and "slim".
func Paths(t *testing.T) map[string]string {
	t.Helper()
	paths := map[string]string{}
	for _, name := range []string{"box", "bare", "slim"} {
		folder := t.TempDir()
		paths[name] = folder
		if name != "slim" {
			for _, tool := range tools {
				link(t, look(t, tool), filepath.Join(folder, tool))
			}
		}
		if name != "bare" {
			link(t, pythons.Default(t).Path, filepath.Join(folder, "python3"))
		}
	}
	return paths
}

// Calls returns the command lines of the stand-ins that were started since the last call.
func (s *StandIns) Calls(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(s.calls)
	if err == nil {
		err = os.Remove(s.calls)
	}
	if err != nil {
		t.Fatal(err)
	}
	var calls [][]string
	for line := range strings.Lines(string(text)) {
		var argv []string
		if err := json.Unmarshal([]byte(line), &argv); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, argv)
	}
	return calls
}

func look(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Symlink(from, to); err != nil {
		t.Fatal(err)
	}
}
