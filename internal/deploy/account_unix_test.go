//go:build unix

package deploy

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// account is a user's account on a host, of which this machine plays the role: folders of its own,
// and a login shell.
type account struct {
	Host
	home, tmp, bin string
	shell          []string // gets a command line as its last argument
	env            []string
	stderr         textbuffer.Buffer

	mu      sync.Mutex // guards what follows
	uploads int        // how many have begun
	noise   string
}

// tools are the programs of a host. The scripts need no others.
var tools = []string{"sh", "id", "uname", "ls", "mkdir", "cat", "chmod", "mv", "rm", "find", "touch", "sha256sum", "gzip"}

// newAccount makes an account with a POSIX shell, and with all of tools that are named.
func newAccount(t *testing.T, with ...string) *account {
	t.Helper()
	a := &account{home: t.TempDir(), tmp: t.TempDir(), bin: t.TempDir(), shell: []string{"sh", "-c"}}
	require.NoError(t, os.Chmod(a.tmp, os.ModeSticky|0o777))
	for _, tool := range with {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(a.bin, tool)))
	}
	a.env = []string{"HOME=" + a.home, "TMPDIR=" + a.tmp, "PATH=" + a.bin, "LC_ALL=C"}
	a.Name = "box"
	a.Run = func(_ context.Context, script Script) (gatewaybase.IO, error) {
		shell, err := exec.LookPath(a.shell[0])
		if err != nil {
			return nil, err
		}
		if strings.Contains(script.Text, ".upload-") {
			a.mu.Lock()
			a.uploads++
			a.mu.Unlock()
		}
		argv := append(append([]string{shell}, a.shell[1:]...), Command(script.Text))
		return process.Start(argv, a.env, &a.stderr)
	}
	a.Printed = func(noise []byte) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.noise += string(noise)
	}
	return a
}

// cache is the first folder for programs.
func (a *account) cache() string { return filepath.Join(a.home, ".cache/go-execnet/programs") }

// second is the second folder for programs.
func (a *account) second() string {
	return filepath.Join(a.tmp, fmt.Sprintf("go-execnet-%d", os.Getuid()))
}

// files are the names in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// echo is a program that any platform runs: it shows its arguments and a line of its stdin.
const echo = "#!/bin/sh\nread line\necho \"$@\" got $line\n"

// newProgramSet makes a file of a program and returns it with its path.
func newProgramSet(t *testing.T, content string) (*Set, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my prog")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	s, err := File(path)
	require.NoError(t, err)
	return s, path
}

// requireStarts starts the program and speaks to it.
func (a *account) requireStarts(t *testing.T, s *Set) {
	t.Helper()
	pipe, err := a.Start(within.Soon(t), s, []string{"-u", "import sys;exec(eval(x))"})
	require.NoError(t, err)
	_, err = io.WriteString(pipe, "hello\n")
	require.NoError(t, err)
	said, err := io.ReadAll(pipe)
	require.NoError(t, err)
	assert.Equal(t, "-u import sys;exec(eval(x)) got hello\n", string(said))
	end(pipe)
}

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }
