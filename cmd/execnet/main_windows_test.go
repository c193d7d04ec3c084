//go:build platforms

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestWindows runs the program $EXECNET_TEST_PROGRAM as users of Windows do.
func TestWindows(t *testing.T) {
	program, err := filepath.Abs(os.Getenv("EXECNET_TEST_PROGRAM"))
	require.NoError(t, err)
	require.FileExists(t, program, "EXECNET_TEST_PROGRAM names no execnet.exe")
	python := pythons.Default(t).Spec()
	run := func(t *testing.T, name string, args ...string) (string, error) {
		cmd := exec.CommandContext(within.Soon(t), name, args...)
		cmd.Env = append(os.Environ(), "EXECNET_ENGINE=gpython")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		t.Logf("%q: %v\n%s", args, err, stderr.String())
		return strings.ReplaceAll(stdout.String(), "\r\n", "\n"), err
	}
	execnet := func(t *testing.T, args ...string) string {
		out, err := run(t, program, args...)
		assert.NoError(t, err)
		return out
	}

	t.Run("exec", func(t *testing.T) {
		const source = "import sys; print('é'); channel.send([sys.platform, 'é', channel.receive()])"
		assert.Equal(t, `{"gateway": "gw0", "item": ["win32", "é", 7]}`+"\n", execnet(t, "exec", "--tx", python, "--send", "7", "-c", source))
		_, err := run(t, program, "exec", "--tx", python, "-c", "import sys; sys.exit(3)")
		var exited *exec.ExitError
		require.ErrorAs(t, err, &exited)
		assert.Equal(t, 3, exited.ExitCode())
	})
	t.Run("info", func(t *testing.T) {
		out := execnet(t, "info", python, "popen//self")
		assert.Equal(t, 2, strings.Count(out, "platform     win32"), out)
		assert.Contains(t, out, "engine       gpython")
	})
	t.Run("group", func(t *testing.T) {
		out := execnet(t, "exec", "--tx", "2*"+python, "-c", "import os; channel.send(os.getpid())")
		assert.Contains(t, out, `{"gateway": "gw0"`)
		assert.Contains(t, out, `{"gateway": "gw1"`)
	})
	t.Run("self", func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "new folder")
		out := execnet(t, "exec", "--tx", "popen//self//chdir="+folder+"//env:GREETING=good day",
			"-c", "import os; channel.send([os.getcwd() == os.environ['EXPECTED'], os.environ['GREETING']])", "--env", "EXPECTED="+folder)
		assert.Equal(t, `{"gateway": "gw0", "item": [true, "good day"]}`+"\n", out)
	})
	t.Run("via", func(t *testing.T) {
		// The program is brought to where a Python runs by a POSIX shell, which is not here.
		for _, pair := range [][2]string{{python, python}, {"popen//self", python}, {"popen//self", "popen//self"}} {
			out := execnet(t, "exec", "--tx", pair[0]+"//id=master", "--tx", pair[1]+"//id=worker//via=master",
				"-c", "channel.send(6 * 7)")
			assert.Contains(t, out, `{"gateway": "worker", "item": 42}`, "%s via %s", pair[1], pair[0])
		}
	})
	t.Run("rsync", func(t *testing.T) {
		source := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(source, "sub"), 0o700))
		large := bytes.Repeat([]byte("\r\n\x00\x1a"), 1<<20)
		require.NoError(t, os.WriteFile(filepath.Join(source, "sub", "large"), large, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(source, "é"), nil, 0o600))
		for _, spec := range []string{python, "popen//self"} {
			dest := filepath.Join(t.TempDir(), "dest")
			require.NoError(t, os.MkdirAll(filepath.Join(dest, "old", "older"), 0o700))
			execnet(t, "rsync", source, "--delete", "--tx", spec, dest)
			got, err := os.ReadFile(filepath.Join(dest, "sub", "large"))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(large, got))
			assert.FileExists(t, filepath.Join(dest, "é"))
			assert.NoDirExists(t, filepath.Join(dest, "old"))
			assert.Contains(t, execnet(t, "rsync", source, "--tx", spec, dest), "0 files written", "nothing has changed")
		}
	})
	t.Run("pip's execnet", func(t *testing.T) {
		out, err := run(t, pythons.WithExecnet(t), "-c", `
import execnet, sys
gw = execnet.makegateway("popen//python=" + sys.argv[1] + " worker")
channel = gw.remote_exec("""
for item in channel:
    channel.send(item * 2)
""")
for item in [21, u"\xe9", b"\x00\r\n\x1a" * 250000]:
    channel.send(item)
    assert channel.receive(60) == item * 2
gw.exit()
execnet.default_group.terminate(60)
print("all of it")
`, program)
		require.NoError(t, err)
		assert.Equal(t, "all of it\n", out)
	})
}
