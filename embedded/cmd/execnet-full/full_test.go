package main

import (
	"bytes"
	"fmt"
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
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// binary is the program that the tests run.
var binary string

func TestMain(m *testing.M) {
	if root := os.Getenv("FULL_TEST_ROOT"); root != "" {
		fmt.Fprintln(os.Stderr, inRoot(root, os.Args[1:]))
		os.Exit(1)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "execnet-full-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "execnet-full")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program needs what only a whole CPython has.
const program = `
import json, sqlite3, ssl, sys, subprocess
rows = sqlite3.connect(":memory:").execute("select 6 * 7").fetchall()
assert ssl.create_default_context().check_hostname
there = json.loads(subprocess.check_output([sys.executable, "-c", "import json, sys; print(json.dumps(list(sys.version_info[:2])))"]))
channel.send((there, rows[0][0]))`

// runFull runs the program and returns what it prints.
func runFull(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}

// TestWithoutPython runs a program by itself and in a worker, with nothing on PATH.
func TestWithoutPython(t *testing.T) {
	cache := t.TempDir()
	for _, spec := range []string{"popen//python=embedded", "popen", "popen//self", "popen//python=" + filepath.ToSlash(binary) + " worker"} {
		cmd := exec.CommandContext(within.Time(t, 2*time.Minute), binary, "exec", "--tx", spec, "-c", program)
		cmd.Env = []string{"PATH=", "HOME=" + cache, "XDG_CACHE_HOME=" + cache, "LOCALAPPDATA=" + cache, "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}
		stdout, stderr, err := runFull(t, cmd)
		require.NoError(t, err, "%s: %s", spec, stderr)
		assert.Equal(t, `{"gateway": "gw0", "item": [[3, 14], 42]}`+"\n", stdout, spec)
	}
}

// TestPythonsExecnet drives the program as a worker with Python's execnet. What gpython does not
// know runs in the CPython inside, since the worker finds no other one.
func TestPythonsExecnet(t *testing.T) {
	const drive = `
import execnet, sys
gateway = execnet.makegateway("popen//python=%s worker" % sys.argv[1])
print(gateway.remote_exec("import sqlite3, sys; channel.send(sys.version_info[:2])").receive())
gateway.exit()
execnet.default_group.terminate(timeout=30)`
	cache := t.TempDir()
	cmd := exec.CommandContext(within.Time(t, 2*time.Minute), pythons.WithExecnet(t), "-c", drive, filepath.ToSlash(binary))
	cmd.Env = append(os.Environ(), "PATH=", "EXECNET_PYTHON=", "HOME="+cache, "XDG_CACHE_HOME="+cache, "LOCALAPPDATA="+cache)
	stdout, stderr, err := runFull(t, cmd)
	require.NoError(t, err, "%s", stderr)
	assert.Equal(t, "(3, 14)", strings.TrimSpace(stdout))
	assert.Empty(t, stderr)
}
