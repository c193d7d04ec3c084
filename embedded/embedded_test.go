package embedded

import (
	"context"
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

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/cpython"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/worker"
)

// surroundings is the environment before the tests get a cache folder of their own.
var surroundings = os.Environ()

// TestMain is a worker if a test has started one, and gives the tests a cache folder of their own.
func TestMain(m *testing.M) {
	worker.Register("words", worker.Funcs{"count": func(text string) int { return len(strings.Fields(text)) }})
	worker.ServeIfWorker()
	if os.Getenv("EMBEDDED_TEST_UNPACK") != "" {
		err := prepareDisk()
		if err == nil {
			_, err = interpreter()
		}
		fmt.Println(err)
		return
	}
	cache, err := os.MkdirTemp("", "execnet-embedded-")
	if err != nil {
		panic(err)
	}
	setCache(os.Setenv, cache)
	status := m.Run()
	os.RemoveAll(cache)
	os.Exit(status)
}

// setCache sets what the place of the user's cache folder depends on.
func setCache[R any](set func(name, value string) R, dir string) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"} {
		set(name, dir)
	}
}

// run executes source in a new gateway and returns what it sends first.
func run(t *testing.T, spec, source string) any {
	t.Helper()
	group := new(execnet.Group)
	defer func() { assert.NoError(t, group.Terminate(within.Soon(t))) }()
	ctx := within.Time(t, 2*time.Minute)
	gw, err := group.MakeGateway(ctx, spec)
	require.NoError(t, err)
	ch, err := gw.RemoteExec(ctx, source)
	require.NoError(t, err)
	item, err := ch.Receive(ctx)
	require.NoError(t, err)
	return item
}

func TestAGatewayToTheEmbeddedPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	home, err := os.UserCacheDir()
	require.NoError(t, err)
	for _, spec := range []string{"popen//python=embedded", "popen"} {
		said := run(t, spec, `
import json, sqlite3, ssl, sys
rows = sqlite3.connect(":memory:").execute("select 6 * 7").fetchall()
assert ssl.create_default_context().check_hostname
channel.send(json.dumps([sys.executable, sys.version_info[:2], rows]))`)
		assert.Regexp(t, `^\["`+home+`/go-execnet/python-[0-9a-f]{16}/(bin/python3|python\.exe)", \[3, 14\], \[\[42\]\]\]$`,
			strings.ReplaceAll(said.(string), `\\`, "/"), spec)
	}
}

// TestAWorkerBesideTheEmbeddedPython has source that a Go worker is sent run there.
func TestAWorkerBesideTheEmbeddedPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("EXECNET_PYTHON", "")
	said := run(t, "popen//self", "import sys, sqlite3, words\nchannel.send((sys.version_info[:2], words.count('one two three')))")
	assert.Equal(t, "((3, 14), 3)", fmt.Sprint(said))
}

// TestKilledWhileItIsUnpacked kills processes at several moments. What they leave is never taken
// for the whole.
func TestKilledWhileItIsUnpacked(t *testing.T) {
	setCache(func(name, value string) error { t.Setenv(name, value); return nil }, t.TempDir())
	program, err := os.Executable()
	require.NoError(t, err)
	unpack := func(ctx context.Context) ([]byte, error) {
		cmd := exec.CommandContext(ctx, program)
		cmd.Env = append(os.Environ(), "EMBEDDED_TEST_UNPACK=1")
		return cmd.CombinedOutput()
	}
	base, err := os.UserCacheDir()
	require.NoError(t, err)
	left := filepath.Join(base, "go-execnet", "unpacking", "python-*")
	for _, sign := range []string{"", "bin/python3.14*", "lib/python3.14/os.py", "lib/python3.14/zipfile"} {
		ctx, kill := context.WithCancel(within.Time(t, 2*time.Minute))
		ended := make(chan error, 1)
		go func() { _, err := unpack(ctx); ended <- err }()
		for seen := []string(nil); seen == nil && len(ended) == 0; time.Sleep(time.Millisecond) {
			seen, err = filepath.Glob(filepath.Join(left, filepath.FromSlash(sign)))
			require.NoError(t, err)
		}
		kill()
		if <-ended == nil {
			t.Log("it was unpacked before it was killed")
		}
	}
	out, err := unpack(within.Time(t, 2*time.Minute))
	require.NoError(t, err)
	assert.Equal(t, "<nil>\n", string(out))
	found, err := filepath.Glob(left)
	require.NoError(t, err)
	assert.Empty(t, found)
	python, err := interpreter()
	require.NoError(t, err)
	out, err = exec.Command(python, "-c", "import sqlite3, ssl, zipfile, json; print(sqlite3.__name__)").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "sqlite3", strings.TrimSpace(string(out)))
}

func TestTheCacheIsRemovedWhileInUse(t *testing.T) {
	setCache(func(name, value string) error { t.Setenv(name, value); return nil }, t.TempDir())
	ctx := within.Time(t, 2*time.Minute)
	group := new(execnet.Group)
	defer func() { assert.NoError(t, group.Terminate(within.Soon(t))) }()
	gw, err := group.MakeGateway(ctx, "popen//python=embedded")
	require.NoError(t, err)
	_, err = gw.RInfo(ctx)
	require.NoError(t, err)
	base, err := os.UserCacheDir()
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(base, "go-execnet")))

	ch, err := gw.RemoteExec(ctx, "channel.send(1)")
	require.NoError(t, err)
	_, err = ch.Receive(ctx)
	require.NoError(t, err, "what runs goes on")
	assert.EqualValues(t, 4, run(t, "popen//python=embedded", "import json; channel.send(json.loads('4'))"))
}

// TestFilesAreFound fails if the library keeps its files elsewhere in a new release.
func TestFilesAreFound(t *testing.T) {
	home, err := unpackPython()
	require.NoError(t, err)
	assert.FileExists(t, program(home))
	kept, err := os.ReadFile(filepath.Join(home, "LICENSE.txt"))
	require.NoError(t, err)
	assert.Contains(t, string(kept), "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2")
	if runtime.GOOS != "windows" { // the library has none for it
		own, err := os.ReadFile(filepath.Join(home, "lib", "python3.14", "LICENSE.txt"))
		require.NoError(t, err)
		assert.Equal(t, string(own), string(kept), "LICENSE.python.txt is of another release")
	}
}
